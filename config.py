"""Where the settings of the service come from, and what programs derive from them.

A value comes from the command line, else from `config.json` beside this file, else from the
default in `core/config_sections.py`. `python -m config` prints the effective settings as JSON,
`python -m config --markdown` the reference kept in docs/configuration.md.
"""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from core.config_sections import (
    KEY_HASH_PREFIX,
    MODEL_PATH_VARIABLE,
    PUBLISHED_MODEL,
    WORKER_SECRET_VARIABLE,
    AudioConfig,
    DuplexSectionConfig,
    DuplexWindowConfig,
    LimitsConfig,
    ModelConfig,
    RecordingConfig,
    Section,
    SecurityConfig,
    ServiceSectionConfig,
    SessionsConfig,
)

__all__ = [
    "CONFIG_PATH",
    "EMBEDDED_MODEL_PATH",
    "EXAMPLE_PATH",
    "KEY_HASH_PREFIX",
    "NANO_MODEL_PATH",
    "PROJECT_ROOT",
    "RESOURCES_PATH",
    "WORKER_SECRET_VARIABLE",
    "AudioConfig",
    "DuplexSectionConfig",
    "DuplexWindowConfig",
    "LimitsConfig",
    "ModelConfig",
    "RecordingConfig",
    "SecurityConfig",
    "ServiceConfig",
    "ServiceSectionConfig",
    "SessionsConfig",
    "describe_error",
    "embedded_model_path",
    "get_config",
    "is_loopback",
    "load_config",
    "resolve_asset",
]

logger = logging.getLogger("config")

PROJECT_ROOT = Path(__file__).resolve().parent
RESOURCES_PATH = PROJECT_ROOT / "resources"
NANO_MODEL_PATH = RESOURCES_PATH / "nano"  # trained, and part of the project
EMBEDDED_MODEL_PATH = RESOURCES_PATH / "embedded"  # random, and built on this machine
CONFIG_PATH = PROJECT_ROOT / "config.json"
EXAMPLE_PATH = PROJECT_ROOT / "config.example.json"
SECRETS = {"api_keys", "admin_token", "worker_secret"}


def resolve_asset(path: str) -> Path:
    """Absolute place of a configured file.

    `assets/x` means `<project>/assets/x` when that exists, else `<project>/resources/x`; any other
    relative path is taken below the project folder. The file need not exist.
    """
    given = Path(path).expanduser()
    in_project = PROJECT_ROOT / given
    if given.parts[:1] == ("assets",) and not in_project.exists():
        return RESOURCES_PATH.joinpath(*given.parts[1:])
    return in_project


def embedded_model_path() -> Path:
    """The checkpoint that answers where there are neither a GPU nor weights: the trained one, or
    where that is missing, the random one."""
    has_weights = (NANO_MODEL_PATH / "model.safetensors").is_file()
    return NANO_MODEL_PATH if has_weights else EMBEDDED_MODEL_PATH


def is_loopback(host: str) -> bool:
    """Whether an address or host name reaches only this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ServiceConfig(Section):
    """The whole configuration, with the flat names that scripts and programs read."""

    model: ModelConfig
    audio: AudioConfig = AudioConfig()
    service: ServiceSectionConfig = ServiceSectionConfig()
    duplex: DuplexSectionConfig = DuplexSectionConfig()
    recording: RecordingConfig = RecordingConfig()
    security: SecurityConfig = SecurityConfig()
    limits: LimitsConfig = LimitsConfig()
    sessions: SessionsConfig = SessionsConfig()

    @property
    def gateway_port(self) -> int:
        return self.service.gateway_port

    @property
    def worker_base_port(self) -> int:
        return self.service.worker_base_port

    @property
    def max_queue_size(self) -> int:
        return self.service.max_queue_size

    @property
    def request_timeout(self) -> float:
        return self.service.request_timeout

    @property
    def eta_chat_s(self) -> float:
        return self.service.eta_chat_s

    @property
    def eta_streaming_s(self) -> float:
        return self.service.eta_streaming_s

    @property
    def eta_half_duplex_s(self) -> float:
        return self.service.eta_half_duplex_s

    @property
    def eta_audio_duplex_s(self) -> float:
        return self.service.eta_audio_duplex_s

    @property
    def eta_omni_duplex_s(self) -> float:
        return self.service.eta_omni_duplex_s

    @property
    def eta_ema_alpha(self) -> float:
        return self.service.eta_ema_alpha

    @property
    def eta_ema_min_samples(self) -> int:
        return self.service.eta_ema_min_samples

    @property
    def n_slots(self) -> int | None:
        """Sessions to be served by one worker; None for as many as its memory holds."""
        wish = self.service.sessions_per_worker
        return None if wish == "auto" else wish

    @property
    def compile(self) -> bool:
        return self.service.compile

    @property
    def data_dir(self) -> str:
        return self.service.data_dir

    @property
    def data_path(self) -> Path:
        """`data_dir` as an absolute path."""
        return PROJECT_ROOT / Path(self.service.data_dir).expanduser()

    @property
    def ref_audio_path(self) -> str | None:
        return self.audio.ref_audio_path

    @property
    def chat_vocoder(self) -> str:
        return self.audio.chat_vocoder

    @property
    def attn_implementation(self) -> str:
        return self.model.attn_implementation

    @property
    def duplex_pause_timeout(self) -> float:
        return self.duplex.pause_timeout

    @property
    def playback_delay_ms(self) -> int:
        return self.audio.playback_delay_ms

    @property
    def local_model_folder(self) -> Path | None:
        """The folder that `model_path` names, or None when there is none: then it is a hub id."""
        folder = PROJECT_ROOT / Path(self.model.model_path).expanduser()
        return folder if folder.is_dir() else None

    def worker_port(self, index: int) -> int:
        return self.worker_base_port + index

    def worker_addresses(self, n_workers: int) -> list[str]:
        return [f"localhost:{self.worker_port(index)}" for index in range(n_workers)]

    def frontend_defaults(self) -> dict[str, Any]:
        return {
            "playback_delay_ms": self.playback_delay_ms,
            "chat_vocoder": self.chat_vocoder,
            "recording": self.recording.enabled,
            "session_retention_days": self.recording.session_retention_days,
        }

    def public_dict(self) -> dict[str, Any]:
        """All settings as JSON values, secrets replaced by stars."""
        values = self.model_dump(mode="json")
        for name in SECRETS:
            if values["security"][name]:
                values["security"][name] = "***"
        return values


def load_config(
    path: str | Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    allow_missing: bool = False,
) -> ServiceConfig:
    """Read and check the configuration.

    Args:
        path: a file in the format of config.example.json; None is `config.json` of the project.
        overrides: values from the command line by dotted name, such as
            `{"service.gateway_port": 9000}`; those that are None were not given.
        allow_missing: start on defaults, with a warning, when the file does not exist.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no JSON object, `model.model_path` is missing, or (pydantic's
            `ValidationError`, see `describe_error`) a value does not fit its field.
    """
    file = CONFIG_PATH if path is None else Path(path)
    if file.exists():
        values = _read_json_object(file)
    elif allow_missing:
        logger.warning("%s does not exist; running on default settings", file)
        values = {"model": {"model_path": os.environ.get(MODEL_PATH_VARIABLE) or PUBLISHED_MODEL}}
    else:
        raise FileNotFoundError(
            f"{file} does not exist. Copy config.example.json to config.json in {PROJECT_ROOT} "
            "and set model.model_path."
        )
    _apply_overrides(values, overrides or {})
    for name, suggestion in unknown_keys(values):
        hint = f"; did you mean {suggestion}?" if suggestion else ""
        logger.warning("unknown setting %s in %s is ignored%s", name, file.name, hint)
    _require_model_path(values, file)
    _take_worker_secret(values)
    return ServiceConfig.model_validate(values)


_cached: ServiceConfig | None = None


def get_config(*, allow_missing: bool = False) -> ServiceConfig:
    """The project's configuration, loaded once per process."""
    global _cached
    if _cached is None:
        _cached = load_config(allow_missing=allow_missing)
    return _cached


def describe_error(error: Exception) -> str:
    """One line for each wrong setting, naming it; other errors in their own words."""
    if not isinstance(error, ValidationError):
        return str(error)
    lines = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"])
        given = "" if field.startswith("security.") else f" (got {problem['input']!r})"
        lines.append(f"{field}: {problem['msg']}{given}")
    return "\n".join(lines)


def unknown_keys(
    values: Mapping[str, Any], model: type[BaseModel] = ServiceConfig, prefix: str = ""
) -> Iterator[tuple[str, str | None]]:
    """Yield (dotted name, likely meant name or None) for every key that is no setting."""
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            yield prefix + key, _closest_setting(prefix + key)
        elif (section := _as_section(field.annotation)) and isinstance(value, Mapping):
            yield from unknown_keys(value, section, f"{prefix}{key}.")


def _closest_setting(name: str) -> str | None:
    """The setting most like `name`, its section aside when another section has the very key."""
    settings = [path for path, _ in iter_fields()]
    key = name.rpartition(".")[2]
    elsewhere = [path for path in settings if path.rpartition(".")[2] == key]
    return next(iter(elsewhere or difflib.get_close_matches(name, settings, n=1)), None)


def _as_section(annotation: Any) -> type[Section] | None:
    is_section = isinstance(annotation, type) and issubclass(annotation, Section)
    return annotation if is_section else None


def iter_fields(
    model: type[BaseModel] = ServiceConfig, prefix: str = ""
) -> Iterator[tuple[str, FieldInfo]]:
    """Yield (dotted name, field) for every setting and, before its settings, every section."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        if section := _as_section(field.annotation):
            yield from iter_fields(section, f"{prefix}{name}.")


def _read_json_object(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{file} is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    if not isinstance(values, dict):
        raise ValueError(f"{file} must hold a JSON object, not {type(values).__name__}")
    return values


def _apply_overrides(values: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    for name, value in overrides.items():
        if value is None:
            continue
        *sections, key = name.split(".")
        target = values
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise ValueError(f"{section}: must be a JSON object (got {target!r})")
        target[key] = value


def _require_model_path(values: dict[str, Any], file: Path) -> None:
    """Fill in `model.model_path` from the environment, or raise ValueError."""
    model = values.setdefault("model", {})
    if not isinstance(model, dict) or model.get("model_path"):
        return
    model["model_path"] = os.environ.get(MODEL_PATH_VARIABLE)
    if not model["model_path"]:
        raise ValueError(
            f"model.model_path is missing in {file}. Set it to a folder with the weights or to a "
            f"hub id such as {PUBLISHED_MODEL}, or set {MODEL_PATH_VARIABLE}."
        )


def _take_worker_secret(values: dict[str, Any]) -> None:
    """Fill in `security.worker_secret` from the environment."""
    security = values.setdefault("security", {})
    if isinstance(security, dict) and not security.get("worker_secret"):
        security["worker_secret"] = os.environ.get(WORKER_SECRET_VARIABLE) or None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m config", description=__doc__)
    parser.add_argument("--config", metavar="FILE", help="read FILE instead of config.json")
    parser.add_argument("--markdown", action="store_true", help="print docs/configuration.md")
    options = parser.parse_args(arguments)
    if options.markdown:
        from core.config_reference import markdown_reference

        sys.stdout.write(markdown_reference(iter_fields()))
        return 0
    try:
        settings = load_config(options.config, allow_missing=options.config is None)
    except (FileNotFoundError, ValueError) as error:
        sys.stderr.write(f"{describe_error(error)}\n")
        return 1
    json.dump(settings.public_dict(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
