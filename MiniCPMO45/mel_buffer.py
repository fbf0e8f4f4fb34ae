"""Log-mel power of a growing stretch of sound, without computing a frame twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from MiniCPMO45.mel import HALF_WINDOW, HOP_LENGTH, N_MELS, log_power

_EDGE_FRAMES = 2  # at the left end so many windows reach before the first sample
_SHORTEST = 8 * HOP_LENGTH  # below this the two edges come too close to treat apart


@dataclass(frozen=True)
class Stretch:
    """A tensor that is long along its last axis, in the pieces in which it came; never empty.

    Nothing is copied but what is read, so a second costs the same however many came before.
    """

    pieces: tuple[Tensor, ...]

    @property
    def length(self) -> int:
        return sum(piece.shape[-1] for piece in self.pieces)

    def plus(self, piece: Tensor) -> Stretch:
        """It and ``piece`` behind it."""
        return Stretch((*self.pieces, piece))

    def without(self, count: int) -> Stretch:
        """It without its first ``count`` positions."""
        *pieces, last = self.pieces
        kept = []
        for piece in pieces:
            if count < piece.shape[-1]:
                kept.append(piece[..., count:])
            count = max(0, count - piece.shape[-1])
        return Stretch((*kept, last[..., count:]))

    def part(self, first: int, end: int) -> Tensor:
        """Positions ``first`` to ``end``, as far as there are any."""
        parts = []
        for piece in self.pieces:
            if first < piece.shape[-1] and end > 0:
                parts.append(piece[..., max(first, 0) : end])
            first, end = first - piece.shape[-1], end - piece.shape[-1]
        if not parts:
            return self.pieces[0][..., :0]
        return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]


def _empty(*shape: int) -> Stretch:
    return Stretch((torch.zeros(*shape, 0),))


@dataclass(frozen=True)
class MelBuffer:
    """Samples and the frames whose windows lie inside them; adding or dropping makes a new one.

    ``inner`` is ``[N_MELS, k]`` and begins with frame 2; ``peaks`` ``[k]`` are its loudest values.
    """

    samples: Stretch = field(default_factory=_empty)
    inner: Stretch = field(default_factory=lambda: _empty(N_MELS))
    peaks: Stretch = field(default_factory=_empty)

    @cached_property
    def n_samples(self) -> int:
        return self.samples.length

    @property
    def n_frames(self) -> int:
        return self.n_samples // HOP_LENGTH

    @property
    def stable_frames(self) -> int:
        """Frames that more sound cannot change."""
        whole_windows = (self.n_samples - HALF_WINDOW) // HOP_LENGTH + 1
        return max(0, min(self.n_frames, whole_windows))

    def append(self, waveform: Tensor) -> MelBuffer:
        """The buffer continued by a copy of float32 ``waveform`` ``[n]``."""
        samples = self.samples.plus(waveform.clone())
        n_samples = self.n_samples + waveform.numel()
        if n_samples < _SHORTEST:
            return MelBuffer(samples)
        first_new = _EDGE_FRAMES + self.inner.length
        new = samples.part(first_new * HOP_LENGTH - HALF_WINDOW, n_samples)
        if new.numel() < 2 * HALF_WINDOW:
            return MelBuffer(samples, self.inner, self.peaks)
        power = log_power(new, centred=False)
        return MelBuffer(samples, self.inner.plus(power), self.peaks.plus(power.amax(dim=0)))

    def drop(self, n_frames: int) -> MelBuffer:
        """The buffer without its oldest ``n_frames`` hops."""
        return MelBuffer(
            self.samples.without(n_frames * HOP_LENGTH),
            self.inner.without(n_frames),
            self.peaks.without(n_frames),
        )

    def log_power(self, first: int, end: int) -> Tensor:
        """log10 power of frames ``first`` to ``end``, as far as there are any, the ends of the
        buffer reflected, ``[N_MELS, frames]``."""
        left, right = self._edges
        n_left, n_inner = left.shape[1], self.inner.length
        inner = self.inner.part(first - n_left, end - n_left)
        before = n_left + n_inner
        parts = left[:, first:end], inner, right[:, max(first - before, 0) : max(end - before, 0)]
        return torch.cat(parts, dim=1)

    @property
    def loudest(self) -> Tensor:
        """The largest log10 power of all frames, ``[]``."""
        parts = *(edge.flatten() for edge in self._edges), *self.peaks.pieces
        return torch.cat(parts).max()

    @cached_property
    def _edges(self) -> tuple[Tensor, Tensor]:
        """log10 power of the frames before and behind the inner ones."""
        if self.n_samples < _SHORTEST:
            whole = log_power(self.samples.part(0, self.n_samples))
            return whole[:, : self.n_frames], whole[:, :0]
        left = log_power(self.samples.part(0, _SHORTEST // 2))[:, :_EDGE_FRAMES]
        covered = _EDGE_FRAMES + self.inner.length
        # A window at either end reaches over at most two frames, so a tail that starts
        # that much earlier has the wanted frames unspoilt.
        tail = self.samples.part((covered - _EDGE_FRAMES) * HOP_LENGTH, self.n_samples)
        return left, log_power(tail)[:, _EDGE_FRAMES:][:, : self.n_frames - covered]
