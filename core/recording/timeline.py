"""When everything in a full-duplex recording sounds and is seen, in the model's own time.

Chunks are laid back to back. Pieces of sound that the model heard together are one unit, whose
answer begins where the unit does; what the user sent faster or slower than real time changes
nothing.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.schemas import MODEL_SAMPLE_RATE, SPEECH_SAMPLE_RATE

UNIT_SAMPLES = MODEL_SAMPLE_RATE


@dataclass
class Unit:
    """One decision of the model. Samples count at 16 kHz from the beginning of the call."""

    start: int = 0
    user_samples: int = 0
    user_audio: list[Path] = field(default_factory=list)
    frames: list[tuple[int, Path]] = field(default_factory=list)  # with their place in the call
    ai_audio: Path | None = None
    ai_samples: int = 0
    text: str = ""
    ends_turn: bool = False
    is_cut: bool = False

    @property
    def n_samples(self) -> int:
        return max(self.user_samples, self.ai_samples, UNIT_SAMPLES)

    @property
    def end(self) -> int:
        return self.start + self.n_samples


def units_of(recording: dict[str, Any], folder: Path) -> Iterator[Unit]:
    """The units of a call, in order; media that are missing are left out."""
    unit = Unit()
    for chunk in recording["chunks"]:
        _add_user(unit, chunk, folder)
        if chunk["result"].get("skipped"):
            continue  # the model hears it with the next one
        _add_answer(unit, chunk["result"], folder)
        yield unit
        unit = Unit(start=unit.end)
    if unit.user_samples:
        yield unit


def _add_user(unit: Unit, chunk: dict[str, Any], folder: Path) -> None:
    frame = folder / chunk.get("user_frame", "")
    if frame.is_file():
        unit.frames.append((unit.start + unit.user_samples, frame))
    sound = folder / chunk.get("user_audio", "")
    if sound.is_file():
        unit.user_audio.append(sound)
        unit.user_samples += _length(sound)


def _add_answer(unit: Unit, result: dict[str, Any], folder: Path) -> None:
    heard_ms = result.get("heard_ms")
    unit.is_cut = heard_ms is not None
    unit.ends_turn = bool(result.get("end_of_turn")) or unit.is_cut
    if heard_ms != 0:
        unit.text = result.get("text", "")
    sound = folder / result.get("ai_audio", "")
    if sound.is_file():
        n_samples = _length(sound) * MODEL_SAMPLE_RATE // SPEECH_SAMPLE_RATE
        if heard_ms is not None:
            n_samples = min(n_samples, heard_ms * MODEL_SAMPLE_RATE // 1000)
        unit.ai_audio, unit.ai_samples = sound, n_samples


def _length(path: Path) -> int:
    with wave.open(str(path)) as reader:
        return reader.getnframes()
