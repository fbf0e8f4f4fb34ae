"""Weights and inputs of the recordings, made from seeds by numpy alone."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FLOW_STEPS = 2
LOOKAHEAD_CODES = 3
WINDOW_CODES = 28
N_CODES = 6561
N_MELS = 80
SPEAKER_WIDTH = 192

# Prompt length in tokens, and codes of every window; the last one ends the turn. The numbers of
# frames pass the first trimming, and the longer prompt is only partly pushed out.
TURNS = {"short_prompt": (30, (28, 28, 8, 28, 28, 6)), "long_prompt": (75, (28, 28, 28, 28, 12))}
OFFLINE_CODES = 10

RECORDINGS = {"rate_16k": 16000, "rate_24k": 24000, "rate_44k": 44100}
RECORDING_S = 1.23
STRIDE = 23  # of the samples that are kept of long arrays


def generator(name: str) -> np.random.Generator:
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    return np.random.default_rng(seed)


def weight(name: str, shape: tuple[int, ...]) -> Array:
    """A parameter by its published name: random, and scaled to keep activations near one."""
    noise = generator(name).standard_normal(shape, dtype=np.float32)
    if name.endswith(".bias"):
        return noise * np.float32(0.02)
    if name.endswith("original0"):  # gain of a weight norm
        gain = 0.2 if name.startswith("conv_post") else 1.0
        return np.float32(gain) * (1 + np.float32(0.1) * noise)
    if name.endswith("original1") or name == "input_embedding.weight":
        return noise
    if "pos_bias" in name:
        return noise * np.float32(0.3)
    if len(shape) == 1:  # the factors of a norm, or slopes of an activation
        return 1 + np.float32(0.1) * noise
    gain = 60.0 if name == "f0_predictor.classifier.weight" else 1.0  # voices some frames
    return noise * np.float32(gain / math.sqrt(math.prod(shape[1:])))


@dataclass(frozen=True)
class Prompt:
    """tokens ``[1, Np]``, speaker ``[1, 192]``, mel ``[1, 2 * Np, 80]``."""

    tokens: NDArray[np.int64]
    speaker: Array
    mel: Array


def prompt(name: str, n_tokens: int) -> Prompt:
    rng = generator(f"prompt {name}")
    return Prompt(
        rng.integers(0, N_CODES, (1, n_tokens)),
        rng.standard_normal((1, SPEAKER_WIDTH), dtype=np.float32),
        rng.standard_normal((1, 2 * n_tokens, N_MELS), dtype=np.float32) - 3,
    )


def windows(name: str, sizes: tuple[int, ...]) -> list[list[int]]:
    """Codes of one turn; each window begins with the codes the one before only looked at."""
    rng = generator(f"codes {name}")
    result: list[list[int]] = []
    ahead: list[int] = []
    for size in sizes:
        new = rng.integers(0, N_CODES, size - len(ahead)).tolist()
        result.append(ahead + new)
        ahead = result[-1][-LOOKAHEAD_CODES:]
    return result


def flow_noise(n_frames: int) -> Array:
    """The table every solution starts from, ``[1, 80, n_frames]``."""
    rng = generator("flow noise")
    return rng.standard_normal((1, n_frames, N_MELS), dtype=np.float32).transpose(0, 2, 1)


def recording(name: str, rate: int) -> Array:
    """A hum with overtones that swells and fades, over a little noise, ``[n]``."""
    times = np.arange(int(rate * RECORDING_S)) / rate
    hum = sum(np.sin(2 * math.pi * 140 * k * times + k) / k for k in range(1, 30))
    noise = generator(name).standard_normal(times.size)
    swell = 0.5 + 0.5 * np.sin(2 * math.pi * 3 * times)
    return (0.1 * swell * hum + 0.003 * noise).astype(np.float32)


def sparse(values: Array) -> Array:
    """Every 23rd value of an array."""
    return np.ascontiguousarray(values.reshape(-1)[::STRIDE])
