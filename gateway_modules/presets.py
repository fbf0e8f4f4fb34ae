"""Presets: named prompts with a voice, one YAML file each, in a folder for each mode.

A text, or a voice, may be given once for all languages or as `{en: ..., zh: ...}`. Files are read
again when they change; one that cannot be used is left out, with a line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from config import PROJECT_ROOT, RESOURCES_PATH, describe_error, resolve_asset
from core.logs import event
from gateway_modules.preset_models import (
    AudioItem,
    AudioPath,
    Preset,
    PresetFile,
    PresetVoice,
    TextItem,
)
from gateway_modules.sound_decoding import SoundError
from gateway_modules.voice_sound import load_voice, voice_duration_s

logger = logging.getLogger(__name__)

MODES = ("turnbased", "half_duplex_audio", "omni", "audio_duplex")
LANGUAGES = ("en", "zh")
SUFFIXES = (".yaml", ".yml")
ROOTS = (  # the first one that has a preset wins
    PROJECT_ROOT / "assets" / "presets",
    PROJECT_ROOT / "presets",
    RESOURCES_PATH / "presets",
)


@dataclass(frozen=True)
class _Read:
    """What a file held when it had this time and size; by language, empty when unusable."""

    stamp: tuple[int, int]
    languages: dict[str, PresetFile]


class Presets:
    """All presets. Everything here blocks; call it on a thread.

    Args:
        max_voice_s: how much of a voice is used.
        roots: folders with a folder for each mode; the first one that has a preset wins.
    """

    def __init__(self, max_voice_s: float, roots: Sequence[Path] = ROOTS) -> None:
        self._max_voice_s = max_voice_s
        self._roots = roots
        self._read: dict[Path, _Read] = {}

    def by_mode(self, language: str, *, with_sound: bool = False) -> dict[str, list[Preset]]:
        """The presets of each mode that has some, in their order.

        Args:
            with_sound: give the samples of every voice too.
        """
        modes: dict[str, list[Preset]] = {}
        for mode in MODES:
            found = [self._present(file, with_sound) for file in self._of_mode(mode, language)]
            if found:
                modes[mode] = found
        return modes

    def with_voices(self, mode: str, preset_id: str, language: str) -> Preset | None:
        """One preset with the samples of its voices; None when there is no such one."""
        if mode not in MODES:
            return None
        found = (file for file in self._of_mode(mode, language) if file.id == preset_id)
        file = next(found, None)
        return self._present(file, with_sound=True) if file else None

    def _of_mode(self, mode: str, language: str) -> list[PresetFile]:
        presets: dict[str, PresetFile] = {}
        for path in self._paths(mode):
            languages = self._languages_of(path)
            if languages:
                preset = languages[language]
                presets.setdefault(preset.id, preset)
        return sorted(presets.values(), key=lambda preset: preset.order)

    def _paths(self, mode: str) -> Iterator[Path]:
        for root in self._roots:
            folder = root / mode
            if folder.is_dir():
                yield from sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)

    def _languages_of(self, path: Path) -> dict[str, PresetFile]:
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._read.get(path)
            if known is None or known.stamp != stamp:
                known = self._read[path] = _Read(stamp, _parse(path))
            return known.languages
        except OSError as error:
            logger.warning(event("preset_skipped", path=path, reason=error))
            return {}

    def _present(self, file: PresetFile, with_sound: bool) -> Preset:
        preset = Preset(id=file.id, order=file.order, name=file.name, description=file.description)
        if file.system_prompt is not None:
            preset.system_prompt = file.system_prompt
        if file.ref_audio_path is not None:
            preset.ref_audio = PresetVoice(**self._voice(file.ref_audio_path, with_sound))
        if file.system_content is not None:
            preset.system_content = [self._item(item, with_sound) for item in file.system_content]
        return preset

    def _item(self, item: TextItem | AudioPath, with_sound: bool) -> TextItem | AudioItem:
        if isinstance(item, TextItem):
            return item
        return AudioItem(type="audio", **self._voice(item.path, with_sound))

    def _voice(self, path: str, with_sound: bool) -> dict[str, Any]:
        file = resolve_asset(path)
        data = self._samples(file) if with_sound else None
        duration_s = voice_duration_s(file, self._max_voice_s)
        return {"data": data, "path": path, "name": file.name, "duration": duration_s}

    def _samples(self, file: Path) -> str | None:
        try:
            return load_voice(file, self._max_voice_s).base64
        except (OSError, SoundError) as error:
            logger.warning(event("preset_without_voice", path=file, reason=error))
            return None


def _parse(path: Path) -> dict[str, PresetFile]:
    """The preset in each language; none, with a line in the log, when the file is no preset."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {
            language: PresetFile.model_validate(in_language(content, language))
            for language in LANGUAGES
        }
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = describe_error(error).replace("\n", "; ")
        logger.warning(event("preset_skipped", path=path, reason=reason))
        return {}


def in_language(value: Any, language: str) -> Any:
    """The value with every `{en: ..., zh: ...}` in it replaced by its text in `language`."""
    if isinstance(value, list):
        return [in_language(item, language) for item in value]
    if not isinstance(value, dict):
        return value
    if value and set(value) <= set(LANGUAGES):
        return value.get(language, next(iter(value.values())))
    return {key: in_language(item, language) for key, item in value.items()}
