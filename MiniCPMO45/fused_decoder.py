"""A decoder stack as few kernels, captured as CUDA graphs.

A graph is bound to a number of rows only: which conversations they belong to and where they go is
read on the device. So sixteen conversations that decode, or one that reads a second of sound and a
picture, are one replay each. Numbers of rows are padded up to the next that is captured; padding
rows belong to nobody and write nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.graph_capture import capture
from MiniCPMO45.int8 import Weight, product, weight_of
from MiniCPMO45.joined_linears import side_by_side
from MiniCPMO45.kv_cache import KVCache
from MiniCPMO45.llm import Attention, DecoderLayer, DecoderStack, RMSNorm, RotaryTable
from MiniCPMO45.packed_rows import Feed

ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 96, 192, 384, 1024)
SHORT_BUCKET = 32  # up to here every row may belong to another conversation
MAX_SPANS = 64  # conversations in one forward of more rows
SMALLEST_TILE = 16  # rows of a matrix product on tensor cores
PROGRAMS_WANTED = 512  # that attention should have, to keep all multiprocessors reading
MAX_SPLITS = 32


def can_fuse(stack: DecoderStack) -> bool:
    """Whether the kernels know these sizes."""
    shape = stack.shape
    sizes = (shape.head_dim, shape.n_heads // shape.n_kv_heads)
    return shape.head_dim >= 16 and all(size & (size - 1) == 0 for size in sizes)


def split_spans(spans: Sequence[tuple[int, int, int]], block_rows: int) -> list[list[int]]:
    """Spans (row count, slot, first cache index) in the order of their rows, cut into blocks:
    first row, row count, slot, first cache index."""
    blocks, row = [], 0
    for count, slot, index in spans:
        blocks += [
            [row + done, min(block_rows, count - done), slot, index + done]
            for done in range(0, count, block_rows)
        ]
        row += count
    return blocks


@dataclass(frozen=True)
class _Layer:
    """Weights of one layer, with those that read the same input side by side."""

    qkv: Weight
    norms: tuple[Tensor, Tensor] | None
    attention_out: Weight
    gate_up: Weight
    down: Weight
    input_norm: Tensor
    mlp_norm: Tensor

    @classmethod
    def of(cls, layer: DecoderLayer) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        return cls(
            qkv=side_by_side([attention.q_proj, attention.k_proj, attention.v_proj]),
            norms=_norms(attention),
            attention_out=weight_of(attention.o_proj),
            gate_up=side_by_side([mlp.gate_proj, mlp.up_proj]),
            down=weight_of(mlp.down_proj),
            input_norm=layer.input_layernorm.weight,
            mlp_norm=layer.post_attention_layernorm.weight,
        )


def _norms(attention: Attention) -> tuple[Tensor, Tensor] | None:
    query, key = attention.q_norm, attention.k_norm
    if isinstance(query, RMSNorm) and isinstance(key, RMSNorm):
        return query.weight, key.weight
    return None


@dataclass(frozen=True)
class Plan:
    """How a forward of ``n_rows`` rows is laid out on the device."""

    n_rows: int
    block_rows: int
    n_blocks: int
    n_splits: int

    @classmethod
    def of(cls, n_rows: int, group: int, n_kv_heads: int) -> Plan:
        smallest = max(1, SMALLEST_TILE // group)
        if n_rows <= SHORT_BUCKET:
            block_rows, n_blocks = smallest, n_rows
        else:
            block_rows = max(16, smallest)
            n_blocks = n_rows // block_rows + MAX_SPANS
        busy = -(-n_rows // block_rows) if n_rows > SHORT_BUCKET else n_rows
        n_splits = 1
        while n_splits < MAX_SPLITS and 2 * n_splits * busy * n_kv_heads <= PROGRAMS_WANTED:
            n_splits *= 2
        return cls(n_rows, block_rows, n_blocks, n_splits)


@dataclass(frozen=True)
class _Captured:
    plan: Plan
    graph: torch.cuda.CUDAGraph
    hidden: Tensor  # [n_rows, hidden], written by every replay


class FusedDecoder:
    """All forwards of a stack on its cache. They share their inputs: one runs at a time."""

    def __init__(self, stack: DecoderStack, cache: KVCache, rotary: RotaryTable) -> None:
        self._stack = stack
        self._cache = cache
        self._rotary = rotary
        self._layers: list[_Layer] = []
        for layer in stack.layers:
            self._layers.append(_Layer.of(layer))  # type: ignore[arg-type]
            torch.cuda.empty_cache()  # of pieces too small for what the next layer joins
        self._captured: list[_Captured] = []
        like, most = cache.keys, ROW_BUCKETS[-1]
        self.rows = like.new_zeros(most, stack.shape.hidden_size)
        # What a forward is told, in one piece: places [3, n_rows], then blocks [n_blocks, 4].
        self._layout = torch.zeros(7 * most + 4 * MAX_SPANS, dtype=torch.int32, device=like.device)

    @torch.inference_mode()
    def capture(self, pool: Any = None) -> Iterator[float]:
        """Capture every forward, the cache being unused; yields the fraction done.

        Args:
            pool: see :func:`capture`; one for these forwards if None.
        """
        pool = pool or torch.cuda.graph_pool_handle()
        for done, n_rows in enumerate(reversed(ROW_BUCKETS), 1):  # the largest sizes the memory
            plan = self.plan(n_rows)
            self.forget(plan)
            graph, hidden = capture(lambda plan=plan: self.run(plan), pool)
            self._captured.insert(0, _Captured(plan, graph, hidden))
            yield done / len(ROW_BUCKETS)

    def plan(self, n_rows: int) -> Plan:
        """The layout of forwards of ``n_rows`` rows."""
        shape = self._stack.shape
        return Plan.of(n_rows, shape.n_heads // shape.n_kv_heads, shape.n_kv_heads)

    def fits(self, n_rows: int, n_spans: int) -> bool:
        """Whether such a forward is captured."""
        return n_rows <= ROW_BUCKETS[-1] and (n_spans <= MAX_SPANS or n_rows <= SHORT_BUCKET)

    @torch.inference_mode()
    def forward(self, feeds: Sequence[Feed]) -> Tensor:
        """Append to conversations; their final hidden states ``[N, hidden]``, valid until the next
        forward."""
        counts = [feed.rows.shape[0] for feed in feeds]
        n_rows = sum(counts)
        captured = next(item for item in self._captured if item.plan.n_rows >= n_rows)
        start = 0
        for feed, count in zip(feeds, counts, strict=True):
            self.rows[start : start + count] = feed.rows
            start += count
        self.place(captured.plan, feeds)
        captured.graph.replay()
        return captured.hidden[:n_rows]

    def place(self, plan: Plan, feeds: Sequence[Feed]) -> None:
        """Tell the next forward where its rows belong."""
        counts = [feed.rows.shape[0] for feed in feeds]
        layout = self._describe(plan, feeds, counts)
        self._layout[: layout.numel()].copy_(layout, non_blocking=True)

    def forget(self, plan: Plan) -> None:
        """Let the rows of the next forward belong to nobody."""
        self._layout.zero_()
        self._layout[: plan.n_rows] = -1

    def move_on(self, plan: Plan) -> None:
        """On the device: let every conversation's next row follow the one just written."""
        places, blocks = self._views(plan)
        places[1:] += 1
        blocks[:, 3] += 1

    def _views(self, plan: Plan) -> tuple[Tensor, Tensor]:
        n_places = 3 * plan.n_rows
        blocks = self._layout[n_places : n_places + 4 * plan.n_blocks]
        return self._layout[:n_places].view(3, plan.n_rows), blocks.view(plan.n_blocks, 4)

    def _describe(self, plan: Plan, feeds: Sequence[Feed], counts: list[int]) -> Tensor:
        places = np.zeros((3, plan.n_rows), np.int32)
        places[0] = -1
        spans, start = [], 0
        for feed, count in zip(feeds, counts, strict=True):
            end, slot = start + count, feed.slot
            places[0, start:end] = slot.index
            places[1, start:end] = np.arange(slot.length, slot.length + count)
            places[2, start:end] = np.arange(feed.first_position, feed.first_position + count)
            spans.append((count, slot.index, slot.length))
            start = end
        blocks = np.zeros((plan.n_blocks, 4), np.int32)
        filled = split_spans(spans, plan.block_rows)
        blocks[: len(filled)] = filled
        layout = torch.empty(places.size + blocks.size, dtype=torch.int32, pin_memory=True)
        layout.numpy()[:] = np.concatenate([places.ravel(), blocks.ravel()])
        return layout

    def run(self, plan: Plan) -> Tensor:
        """One forward of the rows as they are placed, ``[n_rows, hidden]``; can be captured."""
        return self._run_one(plan) if plan.n_rows == 1 else self._run_several(plan)

    def _run_one(self, plan: Plan) -> Tensor:
        from MiniCPMO45.kernels import add_rms_norm
        from MiniCPMO45.row_kernel import row_product

        eps = self._stack.shape.rms_norm_eps
        x = self.rows[:1]
        for index, layer in enumerate(self._layers):
            qkv = row_product(x, layer.qkv, norm=layer.input_norm, eps=eps)
            mixed = self._attend(plan, index, qkv)
            x = row_product(mixed, layer.attention_out, residual=x)
            gated = row_product(x, layer.gate_up, norm=layer.mlp_norm, eps=eps, gated=True)
            x = row_product(gated, layer.down, residual=x)
        return add_rms_norm(x, None, self._stack.norm.weight, eps)[1]

    def _run_several(self, plan: Plan) -> Tensor:
        from MiniCPMO45.kernels import add_rms_norm, silu_mul

        eps = self._stack.shape.rms_norm_eps
        x, delta = self.rows[: plan.n_rows], None
        for index, layer in enumerate(self._layers):
            x, normed = add_rms_norm(x, delta, layer.input_norm, eps)
            mixed = self._attend(plan, index, product(normed, layer.qkv))
            delta = product(mixed, layer.attention_out)
            x, normed = add_rms_norm(x, delta, layer.mlp_norm, eps)
            gated = silu_mul(product(normed, layer.gate_up))
            delta = product(gated, layer.down)
        return add_rms_norm(x, delta, self._stack.norm.weight, eps)[1]

    def _attend(self, plan: Plan, index: int, qkv: Tensor) -> Tensor:
        """The attention of one layer, ``[n_rows, heads * head_dim]``, which fills the cache."""
        from MiniCPMO45.kernels import attend, place_heads

        places, blocks = self._views(plan)
        keys, values = self._cache.keys[index], self._cache.values[index]
        waves = (self._rotary.cos, self._rotary.sin)
        norms, eps = self._layers[index].norms, self._stack.shape.rms_norm_eps
        query = place_heads(qkv, keys, values, places, waves, norms, eps)
        mixed = attend(
            query, keys, values, blocks, block_rows=plan.block_rows, n_splits=plan.n_splits
        )  # [n_rows, heads, head_dim]
        return mixed.flatten(1)
