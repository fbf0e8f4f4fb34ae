"""Decode steps as CUDA graphs: hundreds of small kernels started by one call.

A graph is bound to one slot of a cache and to a number of cache columns. Shapes are padded up to a
few such numbers, and columns a row has not filled are masked, so a step gives what the eager one
gives up to the rounding of another attention kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from MiniCPMO45.kv_cache import CacheSlot, KVCache
from MiniCPMO45.llm import DecoderStack, RotaryTable

SMALLEST_BUCKET = 256
WARM_UP_STEPS = 2
# Planned once, at capture: here cuDNN is the fastest, and its planning costs no step.
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
    hidden: Tensor  # [1, 1, hidden], written by every replay


class DecodeGraphs:
    """All decode steps of a decoder stack on its cache.

    The captured steps share their inputs and their memory: only one may run at a time.
    """

    def __init__(self, stack: DecoderStack, cache: KVCache, rotary: RotaryTable) -> None:
        self._stack = stack
        self._cache = cache
        self._rotary = rotary
        self._buckets = buckets(cache.capacity)
        self._captured: dict[tuple[int, int], _Captured] = {}
        like = cache.keys
        self._embedding = like.new_zeros(1, 1, stack.shape.hidden_size)
        self._position = torch.zeros(1, 1, dtype=torch.long, device=like.device)
        self._pool = torch.cuda.graph_pool_handle()

    @torch.inference_mode()
    def capture(self) -> Iterator[float]:
        """Capture every step, the cache being empty and unused; yields the fraction done."""
        slots = [self._cache.acquire() for _ in range(self._cache.lengths.numel())]
        try:
            total = len(slots) * len(self._buckets)
            for slot in slots:
                for kv_length in reversed(self._buckets):  # the largest sizes the shared memory
                    self._captured[slot.index, kv_length] = self._capture_step(slot, kv_length)
                    yield len(self._captured) / total
        finally:
            for slot in reversed(slots):
                slot.truncate(0)
                slot.close()

    @torch.inference_mode()
    def step(self, embedding: Tensor, slot: CacheSlot, position: int) -> Tensor:
        """Append one row ``[hidden]`` at a rotary position; its final hidden state ``[hidden]``.

        The caller has reserved its place in the slot.
        """
        length = slot.length + 1
        kv_length = next(size for size in self._buckets if size >= length)
        captured = self._captured[slot.index, kv_length]
        self._embedding.copy_(embedding.view_as(self._embedding))
        self._position.fill_(position)
        captured.graph.replay()
        slot.length = length
        return captured.hidden[0, 0].clone()

    def _capture_step(self, slot: CacheSlot, kv_length: int) -> _Captured:
        def step() -> Tensor:
            return self._stack.decode(
                self._embedding,
                self._cache,
                slot.rows,
                self._rotary,
                kv_length=kv_length,
                positions=self._position,
            )

        with sdpa_kernel(KERNELS, set_priority=True):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP_STEPS):
                    step()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._pool):
                hidden = step()
        return _Captured(graph, hidden)
