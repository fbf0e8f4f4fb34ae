"""What microphones pick up: rooms, gains, noises, and sounds that are no speech. From seeds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from MiniCPMO45.mel import SAMPLE_RATE

Waveform = NDArray[np.float32]
Draws = np.random.Generator

LOUDEST = 0.98
QUIETEST_SPEECH_DB, LOUDEST_SPEECH_DB = -38.0, -12.0  # effective level of speech
SILENCE_DB = -90.0


def level_db(waveform: Waveform) -> float:
    """The effective level relative to full scale; the loud half of 20 ms frames counts."""
    frame = SAMPLE_RATE // 50
    whole = waveform[: waveform.size // frame * frame]
    if not whole.size:
        return SILENCE_DB
    powers = np.sort(np.square(whole.reshape(-1, frame), dtype=np.float64).mean(axis=1))
    return 10 * math.log10(max(float(powers[powers.size // 2 :].mean()), 1e-9))


def seconds(duration_s: float) -> int:
    """Samples of a duration."""
    return round(duration_s * SAMPLE_RATE)


def in_a_room(draws: Draws, speech: Waveform) -> Waveform:
    """Speech at some distance from some microphone: echoes, a narrower band, another level."""
    if draws.random() < 0.4:
        speech = _echoing(draws, speech)
    if draws.random() < 0.3:
        speech = _filtered(speech, low_hz=draws.uniform(50, 250), high_hz=draws.uniform(3400, 7600))
    wanted = draws.uniform(QUIETEST_SPEECH_DB, LOUDEST_SPEECH_DB)
    speech = speech * 10 ** ((wanted - level_db(speech)) / 20)
    return speech.clip(-LOUDEST, LOUDEST).astype(np.float32)


def background(draws: Draws, n_samples: int, speech_db: float = -25.0) -> Waveform:
    """Noise below speech of a level, from nothing at all to 6 dB below it."""
    kind = draws.random()
    if kind < 0.15:
        return np.zeros(n_samples, np.float32)
    distance_db = draws.uniform(6, 20) if kind < 0.4 else draws.uniform(20, 55)
    return noise(draws, n_samples, speech_db - distance_db)


def noise(draws: Draws, n_samples: int, level: float) -> Waveform:
    """Steady or slowly changing noise of a level in dB: hiss, rumble, hum or a mixture."""
    slope = draws.uniform(0, 2)  # of the power over frequency: white, pink, brown
    waveform = _coloured(draws, n_samples, slope)
    if draws.random() < 0.3:
        waveform = waveform + _hum(draws, n_samples) * draws.uniform(0.3, 2)
    if draws.random() < 0.3:
        waveform = waveform * _swell(draws, n_samples)
    spread = float(np.sqrt(np.square(waveform).mean())) or 1.0
    return (waveform * (10 ** (level / 20) / spread)).clip(-LOUDEST, LOUDEST).astype(np.float32)


def disturbance(draws: Draws) -> Waveform:
    """A short sound that nobody says: knocks, a tone, a burst of noise, rustling."""
    kind = draws.integers(4)
    n_samples = seconds(draws.uniform(0.1, 2.0))
    if kind == 0:
        waveform = _knocks(draws, n_samples)
    elif kind == 1:
        time_s = np.arange(n_samples) / SAMPLE_RATE
        drift = draws.uniform(0.7, 1.4)
        pitch_hz = draws.uniform(150, 3000) * drift ** (time_s / max(time_s[-1], 1e-3))
        waveform = np.sin(2 * math.pi * np.cumsum(pitch_hz) / SAMPLE_RATE)
    elif kind == 2:
        waveform = _coloured(draws, n_samples, draws.uniform(0, 2))
    else:
        waveform = _coloured(draws, n_samples, 0.5) * _swell(draws, n_samples, per_second=12)
    fade = np.minimum(1, np.arange(n_samples) / 160)
    waveform = waveform * fade * fade[::-1]
    loudest = float(np.abs(waveform).max()) or 1.0
    return (waveform * (10 ** (draws.uniform(-40, -6) / 20) / loudest)).astype(np.float32)


def mixed(n_samples: int, parts: list[tuple[int, Waveform]], floor: Waveform) -> Waveform:
    """Sounds at their places over a background, float32 ``[n_samples]``; what reaches beyond the
    end is cut off."""
    waveform = floor[:n_samples].astype(np.float32, copy=True)
    for start, part in parts:
        end = min(n_samples, start + part.size)
        if start < end:
            waveform[start:end] += part[: end - start]
    return waveform.clip(-1, 1)


def _echoing(draws: Draws, speech: Waveform) -> Waveform:
    """Speech with the decaying echoes of a small room."""
    length = seconds(draws.uniform(0.05, 0.25))
    decay = np.exp(-np.linspace(0, draws.uniform(4, 8), length))
    echoes = draws.standard_normal(length) * decay * draws.uniform(0.02, 0.12)
    echoes[0] = 1.0
    size = 1 << (speech.size + length).bit_length()
    spectrum = np.fft.rfft(speech, size) * np.fft.rfft(echoes, size)
    return np.fft.irfft(spectrum, size)[: speech.size].astype(np.float32)


def _filtered(waveform: Waveform, low_hz: float, high_hz: float) -> Waveform:
    size = 1 << (waveform.size + 1024).bit_length()
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    passed = 1 / np.sqrt(1 + (low_hz / np.maximum(hz, 1)) ** 4) / np.sqrt(1 + (hz / high_hz) ** 8)
    filtered = np.fft.irfft(np.fft.rfft(waveform, size) * passed, size)
    return filtered[: waveform.size].astype(np.float32)


def _coloured(draws: Draws, n_samples: int, slope: float) -> NDArray[np.float64]:
    size = 1 << max(10, n_samples.bit_length())
    hz = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 30)
    spectrum = np.fft.rfft(draws.standard_normal(size)) * (hz / 1000) ** (-slope / 2)
    return np.fft.irfft(spectrum, size)[:n_samples]


def _hum(draws: Draws, n_samples: int) -> NDArray[np.float64]:
    base_hz = draws.choice([50.0, 60.0, 100.0, 120.0]) * draws.uniform(0.98, 1.02)
    time_s = np.arange(n_samples) / SAMPLE_RATE
    parts = range(1, 2 + draws.integers(6))
    return sum(
        (np.sin(2 * math.pi * base_hz * n * time_s + n) * draws.uniform(0.1, 1) for n in parts),
        start=np.zeros(n_samples),
    )


def _swell(draws: Draws, n_samples: int, per_second: float = 0.7) -> NDArray[np.float64]:
    """A factor that wanders between nothing and all."""
    n_points = 2 + int(n_samples / SAMPLE_RATE * per_second)
    points = draws.uniform(0, 1, n_points)
    return np.interp(np.linspace(0, n_points - 1, n_samples), np.arange(n_points), points)


def _knocks(draws: Draws, n_samples: int) -> NDArray[np.float64]:
    waveform = np.zeros(n_samples)
    for _ in range(1 + draws.integers(5)):
        length = min(n_samples, seconds(draws.uniform(0.005, 0.06)))
        start = draws.integers(0, n_samples - length + 1)
        burst = _coloured(draws, length, draws.uniform(0, 2)) * np.exp(-np.linspace(0, 6, length))
        waveform[start : start + length] += burst
    return waveform
