"""Whole clips as the model reads them: mel features, token counts, placeholder text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.mel import (
    CLIP_SAMPLES,
    FRAMES_PER_SECOND,
    HOP_LENGTH,
    N_MELS,
    Floor,
    Waveform,
    as_waveform,
    log_mel,
)

__all__ = [
    "AudioFeatures",
    "Floor",
    "Waveform",
    "audio_placeholder",
    "audio_token_count",
    "log_mel",
    "mel_token_count",
    "offline_features",
]

POOL_STEP = 5


@dataclass(frozen=True)
class AudioFeatures:
    """Mel features of clips of at most 30 s, padded with 0.0 to the longest.

    ``mel`` is float32 ``[parts, N_MELS, frames]``; ``lengths`` counts the valid frames of each.
    """

    mel: Tensor
    lengths: list[int]


def mel_token_count(mel_frames: int, pool_step: int = POOL_STEP) -> int:
    """Tokens of ``mel_frames``: halved by the encoder (rounding up), then pooled."""
    return (mel_frames + 1) // 2 // pool_step


def audio_token_count(n_samples: int, pool_step: int = POOL_STEP) -> int:
    """Tokens a whole clip takes in a prompt."""
    return mel_token_count(-(-n_samples // HOP_LENGTH), pool_step)


def audio_placeholder(n_samples: int, chunked: bool = False, pool_step: int = POOL_STEP) -> str:
    """The prompt text of one clip: slots between tags.

    Chunked text gives every second its own tags, and nothing at all where there is no slot.
    """
    n_tokens = audio_token_count(n_samples, pool_step)
    if not chunked:
        return _tagged(n_tokens)
    per_second = mel_token_count(FRAMES_PER_SECOND, pool_step)
    starts = range(0, n_tokens, per_second)
    return "".join(_tagged(min(per_second, n_tokens - start)) for start in starts)


def offline_features(
    waveforms: Sequence[Waveform], part_labels: Sequence[int] | None = None
) -> AudioFeatures:
    """Mel features of whole clips; a clip over 30 s becomes several parts.

    Args:
        waveforms: mono, 16 kHz, floating point.
        part_labels: one label a waveform; neighbours of equal label are joined to one clip.

    Raises:
        MediaError: a waveform is empty, not one-dimensional, or holds NaN or infinity.
    """
    clips = [as_waveform(waveform) for waveform in waveforms]
    if part_labels is not None:
        labelled = groupby(zip(part_labels, clips, strict=True), key=lambda pair: pair[0])
        clips = [torch.cat([clip for _, clip in pairs]) for _, pairs in labelled]
    parts = [
        log_mel(piece, floor="dynamic", pad_to_30s=True)
        for clip in clips
        for piece in clip.split(CLIP_SAMPLES)
    ]
    lengths = [part.shape[1] for part in parts]
    longest = max(lengths, default=0)
    padded = [functional.pad(part, (0, longest - part.shape[1])) for part in parts]
    mel = torch.stack(padded) if padded else torch.zeros(0, N_MELS, 0)
    return AudioFeatures(mel, lengths)


def _tagged(n_tokens: int) -> str:
    return f"<|audio_start|>{'<unk>' * n_tokens}<|audio_end|>"
