"""Synthetic inputs of the recordings, rebuilt from the few numbers that name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLE_RATE = 16_000
_GAIN_OF_SECOND = np.array([1.0, 0.05, 0.6, 0.9, 0.0, 0.3, 0.75])


def wave(number: int, seconds: float) -> NDArray[np.float32]:
    """Two swelling, frequency-modulated tones with hiss; some seconds are digital silence."""
    index = np.arange(round(seconds * SAMPLE_RATE), dtype=np.int64)
    time_s = index / SAMPLE_RATE
    turn = 2 * np.pi
    low = np.sin(turn * (110.0 + 37.0 * number) * time_s + 3.0 * np.sin(turn * 1.3 * time_s))
    high = np.sin(turn * (640.0 + 210.0 * number) * time_s + 5.0 * np.sin(turn * 0.37 * time_s))
    swell = 0.55 - 0.45 * np.cos(turn * time_s / (0.8 + 0.1 * number))
    gain = _GAIN_OF_SECOND[(index // SAMPLE_RATE * (number + 1) + number) % 7]
    hiss = ((index * index * 31 + index * (17 + number)) % 1009) / 504.5 - 1.0
    tones = gain * swell * (0.30 * low + 0.15 * high)
    return (tones + 0.01 * hiss * (gain > 0)).astype(np.float32)


def picture(number: int, width: int, height: int) -> Image.Image:
    """Two gradients and rings, by integer arithmetic alone."""
    x = np.arange(width, dtype=np.int64)[None, :]
    y = np.arange(height, dtype=np.int64)[:, None]
    checks = (x // 24 + y // 16) % 2 * 60
    red = x * 255 // max(width - 1, 1) + 13 * number + np.zeros_like(y)
    green = y * 255 // max(height - 1, 1) + 29 * number + checks
    blue = ((x - width // 2) ** 2 + (y - height // 3) ** 2) // (40 + 7 * number)
    return Image.fromarray((np.stack([red, green, blue], axis=-1) % 256).astype(np.uint8))


def tts_condition(length: int, width: int, number: int) -> NDArray[np.float32]:
    """A smooth condition matrix ``[length, width]`` for the speech-token generator."""
    row = np.arange(length)[:, None]
    column = np.arange(width)[None, :]
    phase = 0.7 * row + 1.3 * column + 0.05 * row * column + number
    return (0.4 * np.sin(phase)).astype(np.float32)


def build_input(named: Any) -> Any:
    """The input a JSON object names: a waveform, an RGB image, or the value itself.

    ``{"wave": k, "seconds": s}``; ``{"wave": k, "seconds_total": n, "second": i}`` for one second
    of it or, with ``"samples": [a, b]``, for those samples; ``{"picture": k, "width", "height"}``.
    Lists are built item by item.
    """
    if isinstance(named, list):
        return [build_input(item) for item in named]
    if not isinstance(named, Mapping):
        return named
    if "picture" in named:
        return picture(named["picture"], named["width"], named["height"])
    if "wave" not in named:
        return named
    total = wave(named["wave"], named.get("seconds_total", named.get("seconds")))
    if isinstance(named.get("samples"), list):
        first, end = named["samples"]
        return total[first:end]
    if "second" in named:
        first = named["second"] * SAMPLE_RATE
        return total[first : first + SAMPLE_RATE]
    return total
