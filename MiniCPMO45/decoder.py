"""A decoder stack with its cache: feeds of several conversations become few forwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from MiniCPMO45.batching import together
from MiniCPMO45.fused_decoder import FusedDecoder, can_fuse
from MiniCPMO45.kv_cache import CacheSlot, KVCache, all_or_nothing
from MiniCPMO45.llm import DecoderStack, RotaryTable
from MiniCPMO45.packed_rows import Feed, PackedRows

ROWS_PER_FORWARD = 1024  # bounds the activations of a long prompt


class Decoder:
    """Runs a stack on its cache. ``n_forwards`` counts the passes over the weights."""

    def __init__(self, stack: DecoderStack, cache: KVCache, rotary: RotaryTable) -> None:
        self.stack = stack
        self.cache = cache
        self.rotary = rotary
        self.n_forwards = 0
        self.fused: FusedDecoder | None = None

    def capture(self, pool: Any = None) -> Iterator[float]:
        """Run forwards as CUDA graphs from now on, where the kernels know the sizes; yields the
        fraction captured. No conversation may be open.

        Args:
            pool: memory to share with other graphs; their own if None.
        """
        if can_fuse(self.stack):
            fused = FusedDecoder(self.stack, self.cache, self.rotary)
            yield from fused.capture(pool)
            self.fused = fused

    @torch.inference_mode()
    def feed(self, rows: Tensor, slot: CacheSlot, first_position: int | None = None) -> Tensor:
        """Append rows ``[T, hidden]`` to one conversation; final hidden states ``[T, hidden]``.

        Args:
            first_position: rotary position of the first row; the slot's length if None.

        Raises:
            PromptTooLongError: the slot cannot hold them; nothing was written.
        """
        slot.reserve(rows.shape[0])
        position = slot.length if first_position is None else first_position
        hidden = []
        for piece in rows.split(ROWS_PER_FORWARD):
            hidden.append(together(self.run, Feed(piece, slot, position)))
            position += piece.shape[0]
        return torch.cat(hidden) if len(hidden) > 1 else hidden[0]

    @torch.inference_mode()
    def run(self, feeds: Sequence[Feed]) -> list[Tensor]:
        """Append to several conversations at once, each of which has reserved the places; to none
        of them if it fails.

        Returns:
            final hidden states ``[T, hidden]`` of every feed.
        """
        with all_or_nothing(feed.slot for feed in feeds):
            return self._run(feeds)

    def _run(self, feeds: Sequence[Feed]) -> list[Tensor]:
        outputs: list[list[Tensor]] = [[] for _ in feeds]
        waiting = list(enumerate(feeds))
        while waiting:
            room, batch, left = ROWS_PER_FORWARD, [], []
            for index, feed in waiting:
                now, rest = feed.split(room) if room else (None, feed)
                if now is not None:
                    batch.append((index, now))
                    room -= now.rows.shape[0]
                if rest is not None:
                    left.append((index, rest))
            hidden = self._forward([feed for _, feed in batch])
            pieces = hidden.split([feed.rows.shape[0] for _, feed in batch])
            for (index, feed), piece in zip(batch, pieces, strict=True):
                outputs[index].append(piece)
                feed.slot.advance(feed.rows.shape[0])
            waiting = left
        return [torch.cat(parts) if len(parts) > 1 else parts[0] for parts in outputs]

    def _forward(self, feeds: Sequence[Feed]) -> Tensor:
        self.n_forwards += 1
        fused = self.fused
        if fused is not None and fused.fits(sum(feed.rows.shape[0] for feed in feeds), len(feeds)):
            return fused.forward(feeds).clone()
        rows = feeds[0].rows if len(feeds) == 1 else torch.cat([feed.rows for feed in feeds])
        layout = PackedRows.of(feeds, rows.device)
        return self.stack(rows, self.cache, layout, self.rotary)
