"""Mel features of a reference voice: for the speech tokenizer and for the flow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.mel import hz_to_mel, mel_to_hz, normalise

TOKENIZER_RATE = 16_000
TOKENIZER_FFT = 400
TOKENIZER_HOP = 160
TOKENIZER_BANDS = 128
MEL_RATE = 24_000
MEL_FFT = 1920
MEL_HOP = 480
HIGHEST_HZ = 8000.0

_LOWEST_POWER = 1e-10
_LOWEST_MAGNITUDE = 1e-5


@lru_cache(maxsize=2)
def slaney_bank(sample_rate: int, n_fft: int, n_bands: int) -> Tensor:
    """Triangles of equal area on the Slaney mel scale, float32 ``[n_bands, n_fft // 2 + 1]``."""
    corners = mel_to_hz(np.linspace(hz_to_mel(0.0), hz_to_mel(HIGHEST_HZ), n_bands + 2))
    low, centre, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bin_hz = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    rising = (bin_hz - low) / (centre - low)
    falling = (high - bin_hz) / (high - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return torch.from_numpy(triangles.astype(np.float32))


def tokenizer_features(waveform: Tensor) -> Tensor:
    """Log power of 16 kHz ``[n]``, cut 80 dB below the clip's loudest value,
    ``[128, n // 160]``."""
    spectrum = torch.stft(
        waveform,
        TOKENIZER_FFT,
        TOKENIZER_HOP,
        window=torch.hann_window(TOKENIZER_FFT),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    power = spectrum[:, :-1].abs().square()
    bank = slaney_bank(TOKENIZER_RATE, TOKENIZER_FFT, TOKENIZER_BANDS)
    log_power = (bank @ power).clamp(min=_LOWEST_POWER).log10()
    return normalise(log_power, log_power.max())


def mel_frames(waveform: Tensor, n_bands: int) -> Tensor:
    """Log magnitude of 24 kHz ``[n]``, 50 frames a second, ``[n // 480, n_bands]``."""
    margin = (MEL_FFT - MEL_HOP) // 2
    padded = functional.pad(waveform[None], (margin, margin), mode="reflect")[0]
    spectrum = torch.stft(
        padded,
        MEL_FFT,
        MEL_HOP,
        window=torch.hann_window(MEL_FFT),
        center=False,
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()
    magnitude = slaney_bank(MEL_RATE, MEL_FFT, n_bands) @ (power + 1e-9).sqrt()
    return magnitude.clamp(min=_LOWEST_MAGNITUDE).log().T
