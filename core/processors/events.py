"""What a running answer reports; between two events it can be left, joined or cancelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prefilled:
    """The prompt is in the cache, behind `cached_tokens` of the conversation so far."""

    input_tokens: int
    prompt: str
    cached_tokens: int = 0


@dataclass(frozen=True)
class Delta:
    """One more step; its text may be empty while a character is incomplete.

    `waveform` is new sound, float32 [n_samples] at 24 kHz; None where the step made none. The text
    so far comes from the first `said_tokens` of the tokens; where it is spoken, others wait for
    their sound.
    """

    text: str
    generated_tokens: int
    waveform: np.ndarray | None = None
    said_tokens: int = 0


@dataclass(frozen=True)
class Finished:
    """The whole answer. `text` is authoritative: it may be trimmed against the sum of deltas."""

    text: str
    generated_tokens: int
    finish_reason: str
    kv_cache_length: int


ChatEvent = Prefilled | Delta | Finished
