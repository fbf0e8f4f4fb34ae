"""Speech from text, a voice and a seed: the same sound for the same three."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.token2wav.resampling import resample
from training.nano import espeak, flite
from training.nano.voices import HELD_OUT_VOICES, OWN_VOICE, VOICES, Voice

__all__ = ["HELD_OUT_VOICES", "OWN_VOICE", "VOICES", "Voice", "say_all", "synthesise"]

Waveform = NDArray[np.float32]
Task = tuple[str, Voice, int | None]

LOUDEST = 0.7  # peak
_AUDIBLE = 1e-3
_KEPT_S = 0.03  # of silence before and after speech


def synthesise(
    text: str, voice: Voice, seed: int | None = None, sample_rate: int = SAMPLE_RATE
) -> Waveform:
    """Speak a sentence, English or, where it is not all ASCII, Chinese.

    Args:
        seed: of pace and pitch; None speaks in the voice's own, always the same way.

    Returns:
        float32 ``[n]``, all peaks alike, without silence around.

    Raises:
        SpeechError: the engine is missing, or nothing could be said.
    """
    draws = None if seed is None else np.random.default_rng(seed)
    if voice.engine == "flite" and text.isascii():
        samples, rate = flite.speak(text, voice.speaker, _of(draws, flite.ORDINARY, flite.SPREAD))
    else:
        accent = voice.speaker if voice.engine == "espeak" else "en-us"
        language = accent if text.isascii() else "cmn"
        manner = _of(draws, espeak.ORDINARY, espeak.SPREAD)
        samples, rate = espeak.speak(text, f"{language}+{voice.variant}", manner)
    waveform = resample(torch.from_numpy(samples), rate, sample_rate).numpy()
    loudest = max(float(np.abs(waveform).max()), _AUDIBLE)
    return _trimmed((waveform * (LOUDEST / loudest)).astype(np.float32), sample_rate)


def say_all(
    tasks: Iterable[Task], n_processes: int, sample_rate: int = SAMPLE_RATE
) -> Iterator[Waveform]:
    """What ``synthesise`` makes of each task, in order, by several processes."""
    work = [(*task, sample_rate) for task in tasks]
    with multiprocessing.get_context("fork").Pool(n_processes, torch.set_num_threads, (1,)) as pool:
        yield from pool.imap(_spoken, work, chunksize=16)


def _spoken(work: tuple[str, Voice, int | None, int]) -> Waveform:
    return synthesise(*work)


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


def _trimmed(waveform: Waveform, sample_rate: int) -> Waveform:
    audible = np.flatnonzero(np.abs(waveform) > _AUDIBLE * 4)
    if not audible.size:
        return waveform
    kept = round(_KEPT_S * sample_rate)
    return waveform[max(0, audible[0] - kept) : audible[-1] + kept]
