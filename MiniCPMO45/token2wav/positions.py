"""Relative positions of the conformer (Transformer-XL, https://arxiv.org/abs/1901.02860)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def sinusoids(first: int, last: int, width: int, device: torch.device) -> Tensor:
    """One row for each distance ``first, first - 1 … last``, sines and cosines interleaved.

    Returns:
        float32 ``[first - last + 1, width]``.
    """
    distances = torch.arange(first, last - 1, -1, device=device, dtype=torch.float32)
    exponents = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    frequencies = torch.exp(exponents * (-math.log(10000.0) / width))
    angles = distances[:, None] * frequencies  # [distances, width / 2]
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


@dataclass(frozen=True)
class PositionRows:
    """Projected distances of every layer of one stage.

    ``layers`` holds ``[heads, head_dim, distances]`` each; the first column is for distance
    ``furthest`` (a key so far in the past), each next one for one less.
    """

    layers: list[Tensor]
    furthest: int

    def window(self, layer: int, n_queries: int, n_keys: int) -> Tensor:
        """Columns for distances ``n_keys - 1`` down to ``1 - n_queries``."""
        start = self.furthest - (n_keys - 1)
        return self.layers[layer][:, :, start : start + n_queries + n_keys - 1]


def select_distances(scores: Tensor, n_keys: int) -> Tensor:
    """From scores by distance to scores by key.

    Query ``i`` of ``T`` sits at position ``n_keys - T + i``; its score for key ``j`` is in column
    ``T - 1 - i + j``, so every row is read one column further left than the row above.

    Args:
        scores: contiguous ``[B, heads, T, T + n_keys - 1]``, columns as in ``window``.

    Returns:
        ``[B, heads, T, n_keys]``, a view.
    """
    batch, heads, n_queries, n_distances = scores.shape
    row, head = n_distances, n_queries * n_distances
    return scores.as_strided(
        (batch, heads, n_queries, n_keys),
        (heads * head, head, row - 1, 1),
        scores.storage_offset() + n_queries - 1,
    )
