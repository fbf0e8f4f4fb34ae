"""Preallocated keys and values of the decoder, one slot per conversation."""

from __future__ import annotations

import torch
from torch import Tensor

from MiniCPMO45.errors import NoFreeSlotError, PromptTooLongError


class KVCache:
    """Keys and values ``[layers, slots, capacity, kv_heads, head_dim]``.

    Nothing is ever concatenated: a forward writes at an index and attends to a prefix.
    ``lengths`` mirrors the number of filled positions of every slot on the device.
    """

    def __init__(
        self,
        *,
        n_layers: int,
        n_kv_heads: int,
        head_dim: int,
        n_slots: int,
        capacity: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        shape = (n_layers, n_slots, capacity, n_kv_heads, head_dim)
        self.keys = torch.zeros(shape, device=device, dtype=dtype)
        self.values = torch.zeros(shape, device=device, dtype=dtype)
        self.lengths = torch.zeros(n_slots, device=device, dtype=torch.long)
        self.capacity = capacity
        self._free = list(reversed(range(n_slots)))

    def acquire(self) -> CacheSlot:
        """Take an empty slot.

        Raises:
            NoFreeSlotError: all slots are in use.
        """
        if not self._free:
            raise NoFreeSlotError(f"all {self.lengths.numel()} KV-cache slots are in use")
        slot = CacheSlot(self, self._free.pop())
        slot.truncate(0)
        return slot

    def _release(self, index: int) -> None:
        self._free.append(index)


class CacheSlot:
    """One conversation's row of the cache. ``length`` is known on the host without a sync."""

    def __init__(self, cache: KVCache, index: int) -> None:
        self.cache = cache
        self.index = index
        self.length = 0
        self._open = True

    @property
    def rows(self) -> slice:
        """The slot as a batch of one row."""
        return slice(self.index, self.index + 1)

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
        self.cache.lengths[self.index] += n_tokens

    def truncate(self, length: int) -> None:
        """Forget everything from position ``length`` on."""
        self.length = length
        self.cache.lengths[self.index] = length

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
