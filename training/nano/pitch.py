"""The pitch of clean speech, from the autocorrelation of its frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from MiniCPMO45.token2wav.spectra import MEL_HOP, MEL_RATE

LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0
_WINDOW = 1600  # samples, four periods of the lowest pitch
_FFT_SIZE = 4096
_PERIODIC = 0.5  # share of the power that has to come again
_QUIETEST = 1e-4  # mean power of a voiced frame relative to the loudest one
_SHORTER_IS_LIKELIER = 0.9


def pitch_hz(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hz of every mel frame of 24 kHz ``[n]``, 0 where there is none, float32 ``[n // 480]``."""
    n_frames = sound.size // MEL_HOP
    padded = np.pad(sound, (_WINDOW // 2, _WINDOW))
    starts = np.arange(n_frames) * MEL_HOP + MEL_HOP // 2
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(frames, _FFT_SIZE)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, : _WINDOW // 2]
    window_correlation = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_WINDOW), _FFT_SIZE)) ** 2)
    power = correlation[:, :1]
    shares = (
        correlation
        / np.maximum(power, 1e-9)
        / (window_correlation[: _WINDOW // 2] / window_correlation[0])
    )
    shortest, longest = round(MEL_RATE / HIGHEST_HZ), round(MEL_RATE / LOWEST_HZ)
    searched = shares[:, shortest : longest + 1]
    best = searched.max(axis=1)
    # the first peak that is nearly the highest: later ones are its multiples
    is_peak = np.zeros_like(searched, bool)
    is_peak[:, 1:-1] = (searched[:, 1:-1] >= searched[:, :-2]) & (
        searched[:, 1:-1] >= searched[:, 2:]
    )
    good = is_peak & (searched >= _SHORTER_IS_LIKELIER * best[:, None])
    lag = good.argmax(axis=1) + shortest
    loud = power[:, 0] > _QUIETEST * max(float(power.max()), 1e-6)
    voiced = good.any(axis=1) & (best > _PERIODIC) & loud
    return np.where(voiced, MEL_RATE / lag, 0).astype(np.float32)
