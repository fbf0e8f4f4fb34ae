"""Preallocated keys and values of the decoder, one slot per conversation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from MiniCPMO45.errors import NoFreeSlotError, PromptTooLongError


class CacheShape(Protocol):
    """The sizes of a decoder stack that its cache needs."""

    @property
    def n_layers(self) -> int: ...
    @property
    def n_kv_heads(self) -> int: ...
    @property
    def head_dim(self) -> int: ...


class KVCache:
    """Keys and values ``[layers, slots, capacity, kv_heads, head_dim]``.

    Nothing is ever concatenated: a forward writes at an index and attends to a prefix. How much
    of a slot is filled is known on the host only; a forward is told where its rows go.
    """

    def __init__(
        self,
        shape: CacheShape,
        *,
        n_slots: int,
        capacity: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        sizes = (shape.n_layers, n_slots, capacity, shape.n_kv_heads, shape.head_dim)
        if device.type == "cpu":  # whose attention reads one head after another
            sizes = (*sizes[:2], shape.n_kv_heads, capacity, shape.head_dim)
        self.keys, self.values = (torch.zeros(sizes, device=device, dtype=dtype) for _ in range(2))
        if device.type == "cpu":
            self.keys, self.values = self.keys.transpose(2, 3), self.values.transpose(2, 3)
        self.n_slots = n_slots
        self.capacity = capacity
        self._free = list(reversed(range(n_slots)))
        self._taken: dict[int, CacheSlot] = {}

    def acquire(self) -> CacheSlot:
        """Take an empty slot.

        Raises:
            NoFreeSlotError: all slots are in use.
        """
        if not self._free:
            raise NoFreeSlotError(f"all {self.n_slots} KV-cache slots are in use")
        slot = CacheSlot(self, self._free.pop())
        slot.truncate(0)
        self._taken[slot.index] = slot
        return slot

    @property
    def usage(self) -> float:
        """The filled part of all slots, 0 to 1; any thread may ask."""
        n_positions = self.n_slots * self.capacity
        return sum(slot.length for slot in list(self._taken.values())) / n_positions

    def _release(self, index: int) -> None:
        del self._taken[index]
        self._free.append(index)


class CacheSlot:
    """One conversation's place in the cache, of which ``length`` positions are filled."""

    def __init__(self, cache: KVCache, index: int) -> None:
        self.cache = cache
        self.index = index
        self.length = 0
        self._open = True

    def reserve(self, n_tokens: int) -> None:
        """Check that ``n_tokens`` more fit.

        Raises:
            PromptTooLongError: they do not.
        """
        if self.length + n_tokens > self.cache.capacity:
            raise PromptTooLongError(self.length + n_tokens, self.cache.capacity)

    def advance(self, n_tokens: int) -> None:
        """Count ``n_tokens`` that a forward has just written."""
        self.length += n_tokens

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        self.length = length

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """The filled keys and values of one layer, each ``[length, kv_heads, head_dim]``."""
        filled = slice(0, self.length)
        return self.cache.keys[index, self.index, filled], self.cache.values[
            index, self.index, filled
        ]

    def close(self) -> None:
        """Give the slot back; further calls do nothing."""
        if self._open:
            self._open = False
            self.cache._release(self.index)


@contextmanager
def all_or_nothing(slots: Iterable[CacheSlot]) -> Iterator[None]:
    """Forget what the block appended to these slots if it fails."""
    lengths = [(slot, slot.length) for slot in slots]
    try:
        yield
    except BaseException:
        for slot, length in lengths:
            slot.truncate(length)
        raise


@torch.inference_mode()
def drop_span(slot: CacheSlot, first: int, count: int) -> None:
    """Remove ``count`` positions from ``first`` on; what follows moves up, unrotated.

    Raises:
        IndexError: the span is not within the filled part; nothing changed.
    """
    if first < 0 or count < 0 or first + count > slot.length:
        raise IndexError(f"positions {first}..{first + count} of {slot.length}")
    kept = slice(first + count, slot.length)
    moved = slice(first, slot.length - count)
    for tensor in (slot.cache.keys, slot.cache.values):
        for layer in tensor[:, slot.index]:  # one at a time, to save memory
            layer[moved] = layer[kept].clone()
    slot.truncate(slot.length - count)
