"""Who speaks to the model: users whose voice is drawn from a seed, and voice samples."""

from __future__ import annotations

import wave
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from MiniCPMO45.mel import SAMPLE_RATE
from training.nano.saying import as_said
from training.nano.sounds import Draws, Waveform, in_a_room, seconds
from training.nano.speech import Speech, spoken
from training.nano.voices import HELD_OUT_VOICES, VOICES

SHIPPED_VOICES = Path(__file__).resolve().parents[2] / "resources" / "ref_audio"
_SAMPLE_SENTENCES = (
    "The quick brown fox jumps over the lazy dog near the river.",
    "Today is a fine day and I would like to tell you a short story.",
    "今天天气很好，我想给你讲一个小故事。",
)


def question(draws: Draws, text: str, *, held_out: bool = False) -> Waveform:
    """The sound of a `spoken_question`."""
    return spoken_question(draws, text, held_out=held_out).waveform


def spoken_question(draws: Draws, text: str, *, held_out: bool = False) -> Speech:
    """What a user says at 16 kHz as a microphone picks it up; without silence around.

    Args:
        held_out: in one of the voices that training never hears.
    """
    voices = HELD_OUT_VOICES if held_out else VOICES
    voice = voices[draws.integers(len(voices))]
    speech = spoken(as_said(text), voice, int(draws.integers(1 << 31)))
    return replace(speech, waveform=in_a_room(draws, speech.waveform))


def voice_sample(draws: Draws) -> Waveform:
    """A recording that gives the assistant its voice: a shipped one, or a sentence."""
    shipped = shipped_voices()
    if draws.random() < 0.5:
        return shipped[draws.integers(len(shipped))]
    text = _SAMPLE_SENTENCES[draws.integers(len(_SAMPLE_SENTENCES))]
    return question(draws, text)[: seconds(6)]


@lru_cache(maxsize=1)
def shipped_voices() -> list[Waveform]:
    """The recordings that come with the service."""
    return [read_wave(path) for path in sorted(SHIPPED_VOICES.glob("*.wav"))]


def read_wave(path: Path) -> Waveform:
    """A 16-bit mono file at 16 kHz as float32.

    Raises:
        ValueError: it is of another kind.
    """
    with wave.open(str(path)) as file:
        shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if shape != (1, 2, SAMPLE_RATE):
            raise ValueError(f"{path.name} is not 16-bit mono at {SAMPLE_RATE} Hz")
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return np.divide(samples, 32768, dtype=np.float32)
