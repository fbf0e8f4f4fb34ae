"""Attention keys and values of streams, preallocated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from MiniCPMO45.transfer import to_device


@dataclass(frozen=True)
class FrameLayer:
    """One layer's keys and values ``[rows, heads, capacity, head_dim]`` and where to write next.

    ``mask`` ``[rows, 1, 1, capacity]`` is added to the scores; None where every filled position
    is attended to.
    """

    keys: Tensor
    values: Tensor
    length: int
    mask: Tensor | None = None

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write ``[rows, heads, T, head_dim]`` and return all filled positions."""
        end = self.length + keys.shape[2]
        self.keys[:, :, self.length : end] = keys
        self.values[:, :, self.length : end] = values
        return self.keys[:, :, :end], self.values[:, :, :end]


class FrameCache:
    """Keys and values ``[*layers, rows, heads, capacity, head_dim]``.

    Positions ``0..length`` are filled. Every layer appends at ``length`` by itself; ``advance``
    counts once all have done so.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self._keys = keys
        self._values = values
        self.length = 0
        self.mask: Tensor | None = None

    @classmethod
    def allocate(cls, shape: Sequence[int], like: Tensor) -> FrameCache:
        """An empty cache of ``shape`` on the device and in the dtype of ``like``."""
        return cls(like.new_zeros(shape), like.new_zeros(shape))

    @property
    def capacity(self) -> int:
        return self._keys.shape[-2]

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

    def relaid(self, n_rows: int, capacity: int) -> FrameCache:
        """The same memory as an empty cache of another shape, which must not be larger."""
        *layers, _, heads, _, head_dim = self._keys.shape
        shape = (*layers, n_rows, heads, capacity, head_dim)
        n_numbers = math.prod(shape)
        return FrameCache(
            self._keys.flatten()[:n_numbers].view(shape),
            self._values.flatten()[:n_numbers].view(shape),
        )

    def padded(self, capacity: int, n_chunk: int) -> PaddedCache:
        """A view of the first ``capacity`` positions, for chunks of up to ``n_chunk``."""
        within = (..., slice(0, capacity), slice(None))
        keys, values = self._keys[within], self._values[within]
        return PaddedCache(keys, values, n_chunk, keys.new_zeros(keys.shape[-4], 1, 1, capacity))

    def layer(self, *index: int) -> FrameLayer:
        return FrameLayer(self._keys[index], self._values[index], self.length, self.mask)

    def advance(self, n_positions: int) -> None:
        """Count positions that every layer has just written."""
        self.length += n_positions

    def write_chunk(self, padded: PaddedCache) -> None:
        """Append the chunk that was written last to ``padded``, without counting it yet."""
        chunk = (..., slice(padded.length, padded.end), slice(None))
        n_positions = padded.end - padded.length
        place = (..., slice(self.length, self.length + n_positions), slice(None))
        self._keys[place] = padded._keys[chunk]
        self._values[place] = padded._values[chunk]

    def move(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Copy positions ``sources`` over ``targets``, all at once, and keep ``length``."""
        if sources:
            device = self._keys.device
            taken, written = to_device(sources, device), to_device(targets, device)
            both = self._keys, self._values
            moved = [tensor.index_select(-2, taken) for tensor in both]  # memory for all, or none
            for tensor, positions in zip(both, moved, strict=True):
                tensor.index_copy_(tensor.ndim - 2, written, positions)
        self.length = length

    def arrange(self, positions: Sequence[int]) -> None:
        """Make position ``i`` what ``positions[i]`` is now, and forget the rest."""
        moved = [target for target, source in enumerate(positions) if target != source]
        self.move([positions[target] for target in moved], moved, len(positions))


class PaddedCache(FrameCache):
    """A cache whose shapes never change, for chunks of up to one size.

    A chunk begins at the same place and its past ends right before it; ``mask`` hides what lies
    further left, and what is behind a chunk that is shorter. So distances are always the same, and
    only copies know how long past and chunk are.
    """

    def __init__(self, keys: Tensor, values: Tensor, n_chunk: int, mask: Tensor) -> None:
        super().__init__(keys, values)
        self.length = self.capacity - n_chunk
        self.end = self.capacity
        self.mask = self._padding = mask

    def stream(self, index: int, n_streams: int) -> PaddedCache:
        """A view of every ``n_streams``-th row from ``index`` on: those of one stream."""
        rows = slice(index, None, n_streams)
        within = (..., rows, slice(None), slice(None), slice(None))
        n_chunk = self.capacity - self.length
        return PaddedCache(self._keys[within], self._values[within], n_chunk, self._padding[rows])

    def begin(self, past: FrameCache, n_chunk: int) -> None:
        """Take over what ``past`` holds, for a chunk of ``n_chunk`` positions to come."""
        first = self.length - past.length
        self.end = self.length + n_chunk
        place = (..., slice(first, self.length), slice(None))
        filled = (..., slice(0, past.length), slice(None))
        self._keys[place] = past._keys[filled]
        self._values[place] = past._values[filled]
        self._padding.fill_(-math.inf)
        self._padding[..., first : self.end].zero_()

    def advance(self, n_positions: int) -> None:
        """The chunk stays where it is."""
