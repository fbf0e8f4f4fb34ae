"""Short forwards over a cache as CUDA graphs: a thousand small kernels started by one call.

A graph is bound to one slot of a cache, a number of rows and a number of cache columns. Sizes are
padded up to a few such numbers. Columns behind a row's own position are masked, so what padding
rows write is never read before it is overwritten, and a forward gives what the eager one gives up
to the rounding of another attention kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from MiniCPMO45.kv_cache import CacheSlot, KVCache
from MiniCPMO45.llm import DecoderStack, RotaryTable

ROW_BUCKETS = (1, 2, 16, 96)  # a token, the end of a unit, a second of sound, and with a picture
SMALLEST_BUCKET = 256
WARM_UP_FORWARDS = 2
# Planned once, at capture: here cuDNN is the fastest, and its planning costs no forward.
KERNELS = [SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def buckets(capacity: int) -> list[int]:
    """Numbers of cache columns that are captured: doubling, and at last the capacity."""
    sizes = []
    size = SMALLEST_BUCKET
    while size < capacity:
        sizes.append(size)
        size *= 2
    return [*sizes, capacity]


@dataclass(frozen=True)
class _Captured:
    graph: torch.cuda.CUDAGraph
    hidden: Tensor  # [1, rows, hidden], written by every replay


class DecodeGraphs:
    """All short forwards of a decoder stack on its cache.

    The captured forwards share their inputs and their memory: only one may run at a time.
    """

    def __init__(self, stack: DecoderStack, cache: KVCache, rotary: RotaryTable) -> None:
        self._stack = stack
        self._cache = cache
        self._rotary = rotary
        self._buckets = buckets(cache.capacity)
        self._captured: dict[tuple[int, int, int], _Captured] = {}
        like = cache.keys
        self._rows = like.new_zeros(1, ROW_BUCKETS[-1], stack.shape.hidden_size)
        self._offsets = torch.arange(ROW_BUCKETS[-1], device=like.device)
        self._first = torch.zeros(2, 1, 1, dtype=torch.long, device=like.device)
        self._pool = torch.cuda.graph_pool_handle()

    @torch.inference_mode()
    def capture(self) -> Iterator[float]:
        """Capture every forward, the cache being empty and unused; yields the fraction done."""
        slots = [self._cache.acquire() for _ in range(self._cache.lengths.numel())]
        try:
            total = len(slots) * len(self._buckets) * len(ROW_BUCKETS)
            for slot in slots:
                for kv_length in reversed(self._buckets):  # the largest sizes the shared memory
                    for n_rows in reversed(ROW_BUCKETS):
                        captured = self._capture_forward(slot, n_rows, kv_length)
                        self._captured[slot.index, n_rows, kv_length] = captured
                        yield len(self._captured) / total
        finally:
            for slot in reversed(slots):
                slot.close()

    @torch.inference_mode()
    def forward(self, rows: Tensor, slot: CacheSlot, first_position: int) -> Tensor | None:
        """Append rows ``[T, hidden]`` from a rotary position on; final hidden ``[T, hidden]``.

        None, and nothing is done, when that is no short forward. The caller has reserved the
        places of the rows in the slot.
        """
        count = rows.shape[0]
        n_rows = next((size for size in ROW_BUCKETS if size >= count), None)
        if n_rows is None or slot.length + n_rows > self._cache.capacity:
            return None
        kv_length = next(size for size in self._buckets if size >= slot.length + n_rows)
        captured = self._captured[slot.index, n_rows, kv_length]
        self._rows[0, :count] = rows
        self._first[0] = slot.length
        self._first[1] = first_position
        captured.graph.replay()
        slot.advance(count)
        return captured.hidden[0, :count].clone()

    def _capture_forward(self, slot: CacheSlot, n_rows: int, kv_length: int) -> _Captured:
        rows, offsets = self._rows[:, :n_rows], self._offsets[:n_rows]

        def forward() -> Tensor:
            return self._stack.append(
                rows,
                self._cache,
                slot.rows,
                self._rotary,
                indices=self._first[0] + offsets,
                positions=self._first[1] + offsets,
                kv_length=kv_length,
            )

        with sdpa_kernel(KERNELS, set_priority=True):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP_FORWARDS):
                    forward()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                hidden = forward()
        return _Captured(graph, hidden)
