"""What pages need to know before they start."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from config import resolve_asset
from gateway_modules.models import FrontendDefaults
from gateway_modules.openapi import refusals
from gateway_modules.preset_models import (
    AudioItem,
    Preset,
    PresetAudioResponse,
    PresetVoice,
    VoiceData,
)
from gateway_modules.sound_response import sound_response
from gateway_modules.state import Gateway, GatewayDep
from gateway_modules.voice_sound import VoiceSound

router = APIRouter(prefix="/api", tags=["pages"])

DEFAULT_LANGUAGE = "en"
Language = Annotated[
    Literal["en", "zh"] | None,
    Query(alias="lang", description="By default that of `--lang`, else English."),
]


@router.get("/frontend_defaults", response_model_exclude_unset=True)
async def frontend_defaults(gateway: GatewayDep) -> FrontendDefaults:
    """Settings that pages start with."""
    return FrontendDefaults.model_validate(gateway.frontend_defaults)


@router.get("/default_ref_audio", response_model=VoiceSound, responses=refusals(404, 500))
async def default_voice(request: Request, gateway: GatewayDep) -> Response:
    """The voice of answers to requests that bring none."""
    configured = gateway.config.ref_audio_path
    if configured is None:
        raise HTTPException(404, "No default ref audio configured")
    missing = HTTPException(404, f"Default ref audio not found: {configured}")
    max_s = gateway.config.limits.ref_audio_max_s
    return await sound_response(request, resolve_asset(configured), max_s, missing)


@router.get("/presets", response_model_exclude_unset=True)
async def presets(
    gateway: GatewayDep, language: Language = None, inline: bool = False
) -> dict[str, list[Preset]]:
    """The presets of each mode; with `inline` their voices are in `data`, which is else null."""
    return await asyncio.to_thread(
        gateway.presets.by_mode, chosen(language, gateway), with_sound=inline
    )


@router.get("/presets/{mode}/{preset_id}/audio", responses=refusals(404))
async def preset_audio(
    mode: str, preset_id: str, gateway: GatewayDep, language: Language = None
) -> PresetAudioResponse:
    """The voices of one preset; a voice whose file is missing has no `data`."""
    preset = await asyncio.to_thread(
        gateway.presets.with_voices, mode, preset_id, chosen(language, gateway)
    )
    if preset is None:
        raise HTTPException(404, f"Preset not found: {mode}/{preset_id}")
    items = [item for item in preset.system_content or [] if isinstance(item, AudioItem)]
    return PresetAudioResponse(
        system_content_audio=[voice_data(item) for item in items],
        ref_audio=voice_data(preset.ref_audio) if preset.ref_audio else None,
    )


def chosen(language: str | None, gateway: Gateway) -> str:
    return language or gateway.options.lang or DEFAULT_LANGUAGE


def voice_data(voice: PresetVoice) -> VoiceData:
    return VoiceData(data=voice.data, name=voice.name, duration=voice.duration)
