"""A reference voice: what is heard in a recording, and the state synthesis starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from MiniCPMO45.token2wav.flow_state import FlowState


@dataclass(frozen=True)
class VoicePrompt:
    """Features of a recording of ``Np`` speech tokens.

    ``tokens`` int64 ``[1, Np]``; ``speaker`` float32 ``[1, speaker width]``, not normalised;
    ``mel`` float32 ``[1, 2 * Np, mels]``.
    """

    tokens: Tensor
    speaker: Tensor
    mel: Tensor

    @property
    def n_frames(self) -> int:
        return self.mel.shape[1]


@dataclass(frozen=True)
class Voice:
    """One voice, ready to speak. Nothing changes it, so any number of streams may share it.

    ``key`` is the hash of the recording (:func:`content_key`), fit for a cache. ``base`` is the
    state behind the prompt; it belongs to the model that prepared it and to no other.
    """

    key: str
    prompt: VoicePrompt
    base: FlowState


def content_key(samples: np.ndarray, sample_rate: int) -> str:
    """SHA-256 of a recording, the same for the same samples, shape and rate."""
    digest = hashlib.sha256(f"{sample_rate} {samples.shape}".encode())
    digest.update(np.ascontiguousarray(samples, dtype=np.float32).tobytes())
    return digest.hexdigest()
