"""Both sides of a call in one stereo file: the user on the left, the model on the right."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.recording.timeline import Unit
from core.schemas import MODEL_SAMPLE_RATE, SPEECH_SAMPLE_RATE


def write_merged_audio(units: Iterable[Unit], path: Path) -> None:
    """Stereo, 16 bit, 16 kHz; one unit is in memory at a time."""
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(MODEL_SAMPLE_RATE)
        for unit in units:
            writer.writeframes(_stereo(unit).tobytes())


def _stereo(unit: Unit) -> np.ndarray:
    stereo = np.zeros((unit.n_samples, 2), "<i2")  # [n_samples, left and right]
    user = np.concatenate([np.zeros(0, "<i2"), *map(_read, unit.user_audio)])
    stereo[: len(user), 0] = user
    if unit.ai_audio is not None:
        stereo[: unit.ai_samples, 1] = _resampled(_read(unit.ai_audio), unit.ai_samples)
    return stereo


def _read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2")


def _resampled(speech: np.ndarray, n_samples: int) -> np.ndarray:
    """The first `n_samples` at 16 kHz of speech at 24 kHz, by linear interpolation."""
    places = np.arange(n_samples) * (SPEECH_SAMPLE_RATE / MODEL_SAMPLE_RATE)
    return np.interp(places, np.arange(len(speech)), speech).astype("<i2")
