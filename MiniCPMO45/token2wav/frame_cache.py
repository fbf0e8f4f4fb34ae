"""Attention keys and values of one stream, preallocated."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from MiniCPMO45.audio_cache import LayerCache


class FrameCache:
    """Keys and values ``[*layers, rows, heads, capacity, head_dim]``.

    Positions ``0..length`` are filled. Every layer appends at ``length`` by itself; ``advance``
    counts once all have done so.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._keys = keys
        self._values = values
        self.length = 0

    @classmethod
    def allocate(cls, shape: Sequence[int], like: Tensor) -> FrameCache:
        """An empty cache of ``shape`` on the device and in the dtype of ``like``."""
        return cls(like.new_empty(shape), like.new_empty(shape))

    def resized(self, capacity: int) -> FrameCache:
        """A copy with room for ``capacity`` positions."""
        shape = (*self._keys.shape[:-2], capacity, self._keys.shape[-1])
        other = FrameCache.allocate(shape, self._keys)
        other.copy_from(self)
        return other

    def copy_from(self, other: FrameCache) -> None:
        """Take over what ``other`` holds."""
        filled = (..., slice(0, other.length), slice(None))
        self._keys[filled] = other._keys[filled]
        self._values[filled] = other._values[filled]
        self.length = other.length

    def layer(self, *index: int) -> LayerCache:
        return LayerCache(self._keys[index], self._values[index], self.length)

    def advance(self, n_positions: int) -> None:
        """Count positions that every layer has just written."""
        self.length += n_positions

    def move(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Copy positions ``sources`` over ``targets``, all at once, and keep ``length``."""
        if sources:
            device = self._keys.device
            taken = torch.tensor(sources, device=device)
            written = torch.tensor(targets, device=device)
            for tensor in (self._keys, self._values):
                tensor.index_copy_(tensor.ndim - 2, written, tensor.index_select(-2, taken))
        self.length = length

    def arrange(self, positions: Sequence[int]) -> None:
        """Make position ``i`` what ``positions[i]`` is now, and forget the rest."""
        moved = [target for target, source in enumerate(positions) if target != source]
        self.move([positions[target] for target in moved], moved, len(positions))
