"""Sound on its way out: pieces joined, and put into what the wire carries."""

from __future__ import annotations

import base64
import wave
from collections.abc import Iterable
from io import BytesIO

import numpy as np

from core.processors.events import ChatEvent, Delta
from core.schemas import SPEECH_SAMPLE_RATE

FULL_SCALE = 32767


def sound_of(events: Iterable[ChatEvent]) -> np.ndarray | None:
    """All sound of a run, float32 [n_samples] at 24 kHz; None when there is none."""
    pieces = [
        event.waveform
        for event in events
        if isinstance(event, Delta) and event.waveform is not None
    ]
    return np.concatenate(pieces) if pieces else None


def float_base64(waveform: np.ndarray) -> str:
    """Little-endian float32 PCM in base64."""
    return base64.b64encode(waveform.astype("<f4").tobytes()).decode("ascii")


def wav_base64(waveform: np.ndarray) -> str:
    """A whole WAV file, 16-bit mono at 24 kHz, in base64."""
    samples = (waveform.clip(-1, 1) * FULL_SCALE).astype("<i2")
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SPEECH_SAMPLE_RATE)
        writer.writeframes(samples.tobytes())
    return base64.b64encode(file.getvalue()).decode("ascii")
