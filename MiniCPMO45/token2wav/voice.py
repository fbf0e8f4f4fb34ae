"""A reference voice: what is heard in a recording, and the state synthesis starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.token2wav.flow_state import EncoderPositions, FlowState


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

    def to(self, device: torch.device) -> VoicePrompt:
        return VoicePrompt(
            self.tokens.to(device), self.speaker.to(device), self.mel.to(device, torch.float32)
        )


@dataclass(frozen=True)
class Voice:
    """One voice, ready to speak. Nothing changes it, so any number of streams may share it.

    It belongs to the model that prepared it and to no other. ``key`` identifies the recording
    (:func:`content_key`); ``speaker`` is the projected embedding ``[1, mels]``; ``noise``
    ``[1, frames, mels]`` and ``positions`` reach as far as a stream does; ``base`` is the state
    behind the prompt, with which every turn begins.
    """

    key: str
    prompt: VoicePrompt
    speaker: Tensor
    noise: Tensor
    positions: EncoderPositions
    base: FlowState


def content_key(samples: np.ndarray | Tensor, sample_rate: int) -> str:
    """SHA-256 of a recording, the same for the same samples, shape and rate."""
    array = np.ascontiguousarray(samples, dtype=np.float32)
    digest = hashlib.sha256(f"{sample_rate} {array.shape}".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()
