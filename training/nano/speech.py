"""Speech from text, a voice and a seed: the same sound for the same three."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.token2wav.resampling import resample
from training.nano import espeak, flite
from training.nano.phones import Phones
from training.nano.voices import HELD_OUT_VOICES, OWN_VOICE, VOICES, Voice

__all__ = ["HELD_OUT_VOICES", "OWN_VOICE", "VOICES", "Speech", "Voice", "spoken", "synthesise"]

Waveform = NDArray[np.float32]

LOUDEST = 0.7  # peak
_AUDIBLE = 1e-3
_KEPT_S = 0.03  # of silence before and after speech


@dataclass(frozen=True)
class Speech:
    """Sound, float32 ``[n]``, and the phones that are heard in it."""

    waveform: Waveform
    phones: Phones


def synthesise(
    text: str, voice: Voice, seed: int | None = None, sample_rate: int = SAMPLE_RATE
) -> Waveform:
    """The sound of `spoken`."""
    return spoken(text, voice, seed, sample_rate).waveform


def spoken(
    text: str, voice: Voice, seed: int | None = None, sample_rate: int = SAMPLE_RATE
) -> Speech:
    """Speak a sentence, English or, where it is not all ASCII, Chinese.

    Args:
        seed: of pace and pitch; None speaks in the voice's own, always the same way.

    Returns:
        All peaks alike, without silence around.

    Raises:
        SpeechError: the engine is missing, or nothing could be said.
    """
    draws = None if seed is None else np.random.default_rng(seed)
    if voice.engine == "flite" and text.isascii():
        pace, pitch = _of(draws, flite.ORDINARY, flite.SPREAD)
        samples, rate, phones = flite.speak(text, voice.speaker, (pace * voice.pace, pitch))
    else:
        accent = voice.speaker if voice.engine == "espeak" else "en-us"
        language = accent if text.isascii() else "cmn"
        manner = _of(draws, espeak.ORDINARY, espeak.SPREAD)
        samples, rate, phones = espeak.speak(text, f"{language}+{voice.variant}", manner)
    waveform = resample(torch.from_numpy(samples), rate, sample_rate).numpy()
    loudest = max(float(np.abs(waveform).max()), _AUDIBLE)
    waveform = (waveform * (LOUDEST / loudest)).astype(np.float32)
    first, end = _audible(waveform, sample_rate)
    return Speech(waveform[first:end], phones.later(-first / sample_rate))


def _of(
    draws: np.random.Generator | None, ordinary: tuple[float, float], spread: tuple[float, float]
) -> tuple[float, float]:
    """A pace and a pitch around the ordinary ones."""
    if draws is None:
        return ordinary
    pace, pitch = (
        float(middle * draws.uniform(1 - width, 1 + width))
        for middle, width in zip(ordinary, spread, strict=True)
    )
    return pace, pitch


def _audible(waveform: Waveform, sample_rate: int) -> tuple[int, int]:
    """From where to where there is sound."""
    audible = np.flatnonzero(np.abs(waveform) > _AUDIBLE * 4)
    if not audible.size:
        return 0, waveform.size
    kept = round(_KEPT_S * sample_rate)
    return max(0, int(audible[0]) - kept), int(audible[-1]) + kept
