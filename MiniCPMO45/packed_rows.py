"""Rows of several conversations side by side: what one forward of a decoder works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.attention import CausalSpan
from MiniCPMO45.kv_cache import CacheSlot


@dataclass(frozen=True)
class Feed:
    """Input rows ``[T, hidden]`` that are to be appended to one conversation.

    ``first_position`` is the rotary position of the first of them.
    """

    rows: Tensor
    slot: CacheSlot
    first_position: int

    def split(self, count: int) -> tuple[Feed, Feed | None]:
        """The first ``count`` rows, and what is left of them."""
        if count >= self.rows.shape[0]:
            return self, None
        rest = Feed(self.rows[count:], self.slot, self.first_position + count)
        return Feed(self.rows[:count], self.slot, self.first_position), rest


@dataclass(frozen=True)
class PackedRows:
    """Where each row of a forward belongs: ``slots``, cache ``indices`` and rotary ``positions``,
    each int64 ``[N]``. Every span is one conversation's share."""

    spans: list[CausalSpan]
    slots: Tensor
    indices: Tensor
    positions: Tensor

    @classmethod
    def of(cls, feeds: Sequence[Feed], device: torch.device) -> PackedRows:
        """The layout of feeds of different conversations."""
        places, spans, first = [], [], 0
        for feed in feeds:
            slot, count = feed.slot, feed.rows.shape[0]
            steps = np.arange(count)
            index = np.full(count, slot.index)
            places.append((index, slot.length + steps, feed.first_position + steps))
            spans.append(CausalSpan.build(first, count, slot.index, slot.length, device))
            first += count
        slots, indices, positions = torch.from_numpy(np.hstack(places)).to(device)
        return cls(spans, slots, indices, positions)
