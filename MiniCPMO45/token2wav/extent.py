"""How much counts of a chunk of fixed shape."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.token2wav.causal import CONTEXT


@dataclass(frozen=True)
class Extent:
    """What counts of a chunk of each of ``B`` streams, read on the device; the rest is padding.

    ``known`` ``[B, codes, 1]`` is one up to the last code that there is, and zero behind. The ends,
    int64, are the rows that precede what follows the chunk, see :func:`causal_conv`.
    """

    known: Tensor
    token_ends: Tensor  # [B, 2, 1]
    upsampling_ends: Tensor  # [B, 2 * rate, 1]
    frame_ends: Tensor  # [2 * B, 2, 1], for the rows of the estimator

    @classmethod
    def allocate(cls, n_streams: int, n_codes: int, rate: int, like: Tensor) -> Extent:
        """Nothing counts yet, of chunks of up to ``n_codes``."""
        ends = torch.zeros(2 * n_streams, 2 * rate, 1, dtype=torch.int64, device=like.device)
        return cls(
            known=like.new_zeros(n_streams, n_codes, 1),
            token_ends=ends[:n_streams, :CONTEXT].clone(),
            upsampling_ends=ends[:n_streams].clone(),
            frame_ends=ends[:, :CONTEXT].clone(),
        )

    def stream(self, index: int, n_streams: int) -> Extent:
        """A view of what belongs to one stream."""
        rows = slice(index, None, n_streams)
        return Extent(
            self.known[rows],
            self.token_ends[rows],
            self.upsampling_ends[rows],
            self.frame_ends[rows],
        )

    def set(self, n_codes: int, n_tokens: int, n_frames: int) -> None:
        """Let the first codes count, and what becomes of them."""
        self.known.zero_()
        self.known[:, :n_codes] = 1
        for ends, first in (
            (self.token_ends, n_tokens),
            (self.upsampling_ends, n_frames),
            (self.frame_ends, n_frames),
        ):
            reach = ends.shape[1]
            places = torch.arange(first, first + reach, device=ends.device)
            ends.copy_(places[:, None])
