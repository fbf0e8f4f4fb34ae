"""Filter-bank features as Kaldi computes them (https://kaldi-asr.org), for speaker embeddings."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

SAMPLE_RATE = 16_000
FRAME_LENGTH = 400
FRAME_HOP = 160
N_BANDS = 80

_FFT_SIZE = 512
_PRE_EMPHASIS = 0.97
_LOWEST_HZ = 20.0
_LOWEST_ENERGY = torch.finfo(torch.float32).eps


def filter_banks(waveform: Tensor) -> Tensor:
    """Log energies of 16 kHz ``[n]`` in -1..1, less their mean over time, ``[frames, 80]``.

    Only whole frames are taken: ``1 + (n - 400) // 160``. There is no dither.
    """
    frames = waveform.unfold(0, FRAME_LENGTH, FRAME_HOP)  # [frames, 400]
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = torch.cat([frames[:, :1], frames[:, :-1]], dim=1)
    frames = (frames - _PRE_EMPHASIS * before) * povey_window()
    power = torch.fft.rfft(frames, n=_FFT_SIZE).abs().square()[:, :-1]  # -> [frames, 256]
    energies = (power @ triangles()).clamp(min=_LOWEST_ENERGY).log()
    return energies - energies.mean(dim=0, keepdim=True)


@lru_cache(maxsize=1)
def povey_window() -> Tensor:
    """A Hann window to the power 0.85, float32 ``[400]``."""
    hann = torch.hann_window(FRAME_LENGTH, periodic=False, dtype=torch.float64)
    return hann.pow(0.85).float()


@lru_cache(maxsize=1)
def triangles() -> Tensor:
    """Triangular filters in mel space, float32 ``[256, 80]``."""
    lowest, highest = _mel(_LOWEST_HZ), _mel(SAMPLE_RATE / 2)
    spacing = (highest - lowest) / (N_BANDS + 1)
    centres = lowest + spacing * torch.arange(1, N_BANDS + 1, dtype=torch.float64)
    bin_hz = torch.arange(_FFT_SIZE // 2, dtype=torch.float64) * (SAMPLE_RATE / _FFT_SIZE)
    bin_mel = 1127.0 * torch.log1p(bin_hz / 700.0)
    distance = (bin_mel[:, None] - centres).abs() / spacing
    return (1.0 - distance).clamp(min=0.0).float()


def _mel(hz: float) -> float:
    return 1127.0 * math.log1p(hz / 700.0)
