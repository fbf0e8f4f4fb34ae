"""How a full-duplex call decides: what the service is set to, and what a client asks for."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from core.processors.speech import LOWEST_TEMPERATURE
from core.schemas import DuplexConfig
from MiniCPMO45.sessions.duplex_options import DuplexOptions, DuplexWindow

_OPTION_NAMES = {field.name for field in fields(DuplexOptions)}


def service_options(settings: Any) -> DuplexOptions:
    """The options out of a settings object that has them, among others, as attributes."""
    asked = settings.window
    window = DuplexWindow(
        mode=asked.mode,
        high=asked.high,
        low=asked.low,
        max_units=asked.context_max_units,
        previous_max=asked.context_previous_max,
    )
    names = {name for name in _OPTION_NAMES if hasattr(settings, name)}
    given = {name: getattr(settings, name) for name in names}
    return replace(DuplexOptions(), **given | {"window": window})


def call_options(config: DuplexConfig, service: DuplexOptions) -> DuplexOptions:
    """The options of one call; what the client leaves open is as the service has it."""
    names = _OPTION_NAMES & DuplexConfig.model_fields.keys()
    given = {name: value for name in names if (value := getattr(config, name)) is not None}
    return replace(
        service,
        **given
        | {
            "do_sample": config.decode_mode == "sampling",
            "tts_temperature": max(config.tts_temperature, LOWEST_TEMPERATURE),
        },
    )
