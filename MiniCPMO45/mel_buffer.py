"""Log-mel power of a growing stretch of sound, without computing a frame twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from MiniCPMO45.mel import HALF_WINDOW, HOP_LENGTH, N_MELS, log_power

_EDGE_FRAMES = 2  # at the left end so many windows reach before the first sample
_SHORTEST = 8 * HOP_LENGTH  # below this the two edges come too close to treat apart


@dataclass(frozen=True)
class MelBuffer:
    """Samples and the frames whose windows lie inside them; adding or dropping makes a new one.

    ``inner`` is ``[N_MELS, k]`` and begins with frame 2.
    """

    samples: Tensor = field(default_factory=lambda: torch.zeros(0))
    inner: Tensor = field(default_factory=lambda: torch.zeros(N_MELS, 0))

    @property
    def n_samples(self) -> int:
        return self.samples.numel()

    @property
    def n_frames(self) -> int:
        return self.n_samples // HOP_LENGTH

    @property
    def stable_frames(self) -> int:
        """Frames that more sound cannot change."""
        whole_windows = (self.n_samples - HALF_WINDOW) // HOP_LENGTH + 1
        return max(0, min(self.n_frames, whole_windows))

    def append(self, waveform: Tensor) -> MelBuffer:
        """The buffer continued by float32 ``waveform`` ``[n]``."""
        samples = torch.cat([self.samples, waveform])
        if samples.numel() < _SHORTEST:
            return MelBuffer(samples)
        first_new = _EDGE_FRAMES + self.inner.shape[1]
        new = samples[first_new * HOP_LENGTH - HALF_WINDOW :]
        if new.numel() < 2 * HALF_WINDOW:
            return MelBuffer(samples, self.inner)
        inner = torch.cat([self.inner, log_power(new, centred=False)], dim=1)
        return MelBuffer(samples, inner)

    def drop(self, n_frames: int) -> MelBuffer:
        """The buffer without its oldest ``n_frames`` hops."""
        return MelBuffer(
            self.samples[n_frames * HOP_LENGTH :].clone(), self.inner[:, n_frames:].clone()
        )

    def log_power(self) -> Tensor:
        """log10 power of all frames, the ends reflected, ``[N_MELS, n_frames]``."""
        if self.n_samples < _SHORTEST:
            return log_power(self.samples)[:, : self.n_frames]
        left = log_power(self.samples[: _SHORTEST // 2])[:, :_EDGE_FRAMES]
        covered = _EDGE_FRAMES + self.inner.shape[1]
        # A window at either end reaches over at most two frames, so a tail that starts
        # that much earlier has the wanted frames unspoilt.
        tail_start = covered - _EDGE_FRAMES
        right = log_power(self.samples[tail_start * HOP_LENGTH :])[:, _EDGE_FRAMES:]
        joined = torch.cat([left, self.inner, right], dim=1)
        return joined[:, : self.n_frames]
