"""Log-mel spectrograms of 16 kHz speech (Slaney mel scale, as in Whisper, arXiv:2212.04356)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.errors import MediaError

SAMPLE_RATE = 16_000
N_FFT = 400
HALF_WINDOW = N_FFT // 2
HOP_LENGTH = 160
N_MELS = 80
FRAMES_PER_SECOND = SAMPLE_RATE // HOP_LENGTH
CLIP_SAMPLES = 30 * SAMPLE_RATE

Floor = Literal["dynamic", "fixed"]
Waveform = np.ndarray | Tensor

_LOWEST_POWER = 1e-10
_DYNAMIC_RANGE = 8.0  # log10 units below the loudest value
_BREAK_HZ = 1000.0  # linear below, logarithmic above
_HZ_PER_LINEAR_MEL = 200.0 / 3.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_LINEAR_MEL
_MEL_PER_LOG_HZ = 27.0 / math.log(6.4)


def as_waveform(samples: Waveform) -> Tensor:
    """``samples`` as a float32 CPU tensor ``[n_samples]``.

    Raises:
        MediaError: empty, not one-dimensional, not floating point, or not finite.
    """
    waveform = torch.as_tensor(samples)
    if waveform.ndim != 1:
        raise MediaError(f"audio must be one channel, got shape {tuple(waveform.shape)}")
    if not waveform.is_floating_point():
        raise MediaError(f"audio must hold floating-point samples, got {waveform.dtype}")
    if not waveform.numel():
        raise MediaError("audio is empty")
    waveform = waveform.to(device="cpu", dtype=torch.float32)
    if not bool(torch.isfinite(waveform).all()):
        raise MediaError("audio holds NaN or infinite samples")
    return waveform


def hz_to_mel(hz: float) -> float:
    """Frequency on the Slaney mel scale."""
    if hz < _BREAK_HZ:
        return hz / _HZ_PER_LINEAR_MEL
    return _BREAK_MEL + _MEL_PER_LOG_HZ * math.log(hz / _BREAK_HZ)


def mel_to_hz(mel: np.ndarray) -> np.ndarray:
    """Inverse of ``hz_to_mel``."""
    logarithmic = _BREAK_HZ * np.exp((mel - _BREAK_MEL) / _MEL_PER_LOG_HZ)
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_LINEAR_MEL, logarithmic)


@lru_cache(maxsize=1)
def mel_filters() -> Tensor:
    """Triangular filters of equal area, float32 ``[N_FFT // 2 + 1, N_MELS]``."""
    corners = np.linspace(hz_to_mel(0.0), hz_to_mel(SAMPLE_RATE / 2), N_MELS + 2)
    corner_hz = mel_to_hz(corners)
    low, centre, high = corner_hz[:-2], corner_hz[1:-1], corner_hz[2:]
    bin_hz = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)[:, None]
    rising = (bin_hz - low) / (centre - low)
    falling = (high - bin_hz) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return torch.from_numpy(triangles.astype(np.float32))


@lru_cache(maxsize=1)
def _window() -> Tensor:
    return torch.hann_window(N_FFT)


def log_power(waveform: Tensor, *, centred: bool = True) -> Tensor:
    """log10 mel power of every window, float32 ``[N_MELS, frames]``.

    With ``centred``, frame ``t`` is centred on sample ``t * HOP_LENGTH`` and both ends are
    continued by reflection; otherwise only windows that lie inside are taken.
    """
    spectrum = torch.stft(
        waveform,
        N_FFT,
        HOP_LENGTH,
        window=_window(),
        center=centred,
        pad_mode="reflect",
        return_complex=True,
    )
    power = spectrum.abs().square()
    return (mel_filters().T @ power).clamp(min=_LOWEST_POWER).log10()


def normalise(log_mel_power: Tensor, loudest: Tensor | None) -> Tensor:
    """Scale log10 power to model input, cut 8 below ``loudest``; None cuts nothing."""
    if loudest is not None:
        log_mel_power = torch.maximum(log_mel_power, loudest - _DYNAMIC_RANGE)
    return (log_mel_power + 4.0) / 4.0


def log_mel(samples: Waveform, *, floor: Floor, pad_to_30s: bool) -> Tensor:
    """Mel features of one clip, float32 ``[N_MELS, frames]``.

    Args:
        samples: mono, 16 kHz, at least 201 samples unless padded.
        floor: ``dynamic`` cuts 8 (80 dB) below the loudest value of the clip, padding included;
            ``fixed`` does not cut.
        pad_to_30s: continue with silence to 30 s, which gives ``ceil(n / 160)`` frames; otherwise
            the ends are reflected and there are ``n // 160``.

    Raises:
        MediaError: the samples are unusable, too few to reflect, or over 30 s while padding.
    """
    waveform = as_waveform(samples)
    n_samples = waveform.numel()
    if pad_to_30s:
        if n_samples > CLIP_SAMPLES:
            raise MediaError(f"a padded clip holds at most {CLIP_SAMPLES} samples, not {n_samples}")
        n_frames = -(-n_samples // HOP_LENGTH)
        # Further silence adds only frames of the lowest power, which no maximum depends on.
        silence = min(CLIP_SAMPLES - n_samples, 2 * N_FFT)
        waveform = functional.pad(waveform, (0, silence))
    else:
        if n_samples <= HALF_WINDOW:
            raise MediaError(f"audio needs more than {HALF_WINDOW} samples, got {n_samples}")
        n_frames = n_samples // HOP_LENGTH
    power = log_power(waveform)[:, :-1]  # the last centred frame is never used
    loudest = power.max() if floor == "dynamic" else None
    return normalise(power, loudest)[:, :n_frames]
