"""Triton kernels for what lies between the matrix products of a decoder layer.

Each does in one launch what plain PyTorch does in several, on rows of any number of conversations.
Arithmetic is float32; results are rounded once to the dtype of the activations. The same maths in
plain PyTorch is :class:`MiniCPMO45.llm.DecoderLayer`.
"""

# Triton comes with the CUDA builds of PyTorch only.
# pyright: reportMissingImports=false, reportIndexIssue=false

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

KEYS_PER_STEP = 64  # cached positions that attention reads at a time


@triton.jit
def _add_rms_norm(x, delta, weight, summed, normed, width, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64) * width
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    value = tl.load(x + row + columns, inside, 0.0)
    if delta is not None:
        value = value + tl.load(delta + row + columns, inside, 0.0)  # rounded, as a residual is
        tl.store(summed + row + columns, value, inside)
    wide = value.to(tl.float32)
    scale = tl.rsqrt(tl.sum(wide * wide, 0) / width + eps)
    scaled = (wide * scale).to(value.dtype) * tl.load(weight + columns, inside, 0.0)
    tl.store(normed + row + columns, scaled, inside)


def add_rms_norm(
    x: Tensor, delta: Tensor | None, weight: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """``x + delta`` and its root-mean-square norm, both ``[N, width]``."""
    summed = x if delta is None else torch.empty_like(x)
    normed = torch.empty_like(x)
    n_rows, width = x.shape
    block = triton.next_power_of_2(width)
    _add_rms_norm[(n_rows,)](
        x,
        delta,
        weight,
        summed,
        normed,
        width,
        eps,
        BLOCK=block,
        num_warps=8 if block > 2048 else 4,
    )
    return summed, normed


@triton.jit
def _silu_mul(gate_up, out, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = columns < width
    gate = tl.load(gate_up + row * 2 * width + columns, inside, 0.0).to(tl.float32)
    up = tl.load(gate_up + row * 2 * width + width + columns, inside, 0.0)
    gated = (gate * tl.sigmoid(gate)).to(up.dtype) * up
    tl.store(out + row * width + columns, gated, inside)


def silu_mul(gate_up: Tensor) -> Tensor:
    """``silu(gate) * up`` ``[N, width]`` of both side by side ``[N, 2 * width]``."""
    n_rows, width = gate_up.shape[0], gate_up.shape[1] // 2
    out = gate_up.new_empty(n_rows, width)
    _silu_mul[(n_rows, triton.cdiv(width, 1024))](gate_up, out, width, BLOCK=1024)
    return out


@triton.jit
def _place_heads(
    qkv,
    query,
    keys,
    values,
    slots,
    indices,
    positions,
    cos,
    sin,
    query_norm,
    key_norm,
    slot_stride,
    eps,
    N_HEADS: tl.constexpr,
    N_KV_HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    head = tl.program_id(1)
    half = tl.arange(0, HEAD_DIM // 2)
    source = qkv + (row * (N_HEADS + 2 * N_KV_HEADS) + head) * HEAD_DIM + half
    first = tl.load(source)
    second = tl.load(source + HEAD_DIM // 2)
    slot = tl.load(slots + row).to(tl.int64)
    if head >= N_HEADS and slot < 0:  # a row that only fills the forward up
        return
    place = slot * slot_stride + tl.load(indices + row).to(tl.int64) * N_KV_HEADS * HEAD_DIM + half
    if head >= N_HEADS + N_KV_HEADS:
        target = values + place + (head - N_HEADS - N_KV_HEADS) * HEAD_DIM
        tl.store(target, first)
        tl.store(target + HEAD_DIM // 2, second)
        return
    if query_norm is not None:
        norm = query_norm if head < N_HEADS else key_norm
        wide, wide_second = first.to(tl.float32), second.to(tl.float32)
        total = tl.sum(wide * wide, 0) + tl.sum(wide_second * wide_second, 0)
        scale = tl.rsqrt(total / HEAD_DIM + eps)
        first = (wide * scale).to(first.dtype) * tl.load(norm + half)
        second = (wide_second * scale).to(first.dtype) * tl.load(norm + half + HEAD_DIM // 2)
    wave = tl.load(positions + row).to(tl.int64) * HEAD_DIM + half
    cosine, sine = tl.load(cos + wave).to(tl.float32), tl.load(sin + wave).to(tl.float32)
    turned = first.to(tl.float32) * cosine - second.to(tl.float32) * sine
    turned_second = second.to(tl.float32) * cosine + first.to(tl.float32) * sine
    if head < N_HEADS:
        target = query + (row * N_HEADS + head) * HEAD_DIM + half
    else:
        target = keys + place + (head - N_HEADS) * HEAD_DIM
    tl.store(target, turned.to(first.dtype))
    tl.store(target + HEAD_DIM // 2, turned_second.to(first.dtype))


def place_heads(
    qkv: Tensor,
    keys: Tensor,
    values: Tensor,
    places: Tensor,
    waves: tuple[Tensor, Tensor],
    norms: tuple[Tensor, Tensor] | None,
    eps: float,
) -> Tensor:
    """Normalise and rotate queries and keys, and put keys and values into the cache.

    Args:
        qkv: ``[N, (heads + 2 * kv_heads) * head_dim]``.
        keys, values: one layer's cache ``[slots, capacity, kv_heads, head_dim]``.
        places: int32 ``[3, N]``: slot (negative for rows that belong to nobody), cache index and
            rotary position of each row.
        waves: cosines and sines ``[positions, head_dim]``.
        norms: weights ``[head_dim]`` of the norms of queries and keys, if they are normalised.

    Returns:
        queries ``[N, heads, head_dim]``.
    """
    n_rows, (_, _, n_kv_heads, head_dim) = qkv.shape[0], keys.shape
    n_heads = qkv.shape[1] // head_dim - 2 * n_kv_heads
    query = qkv.new_empty(n_rows, n_heads, head_dim)
    query_norm, key_norm = norms or (None, None)
    _place_heads[(n_rows, n_heads + 2 * n_kv_heads)](
        qkv,
        query,
        keys,
        values,
        *places,
        *waves,
        query_norm,
        key_norm,
        keys.stride(0),
        eps,
        N_HEADS=n_heads,
        N_KV_HEADS=n_kv_heads,
        HEAD_DIM=head_dim,
        num_warps=1,
    )
    return query


@triton.jit
def _attend(
    query,
    keys,
    values,
    blocks,
    parts,
    weights,
    slot_stride,
    n_rows,
    scale,
    N_HEADS: tl.constexpr,
    N_KV_HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    ROWS: tl.constexpr,
    SPLITS: tl.constexpr,
    STEP: tl.constexpr,
):
    GROUP: tl.constexpr = N_HEADS // N_KV_HEADS
    block = tl.program_id(0)
    kv_head = tl.program_id(1)
    split = tl.program_id(2)
    count = tl.load(blocks + 4 * block + 1)
    if count == 0:
        return
    first_row = tl.load(blocks + 4 * block)
    slot = tl.load(blocks + 4 * block + 2).to(tl.int64)
    first_index = tl.load(blocks + 4 * block + 3)

    member = tl.arange(0, ROWS * GROUP)  # a query row and one of the heads that share these keys
    row = member // GROUP
    head = kv_head * GROUP + member % GROUP
    inside = row < count
    column = tl.arange(0, HEAD_DIM)
    place = ((first_row + row) * N_HEADS + head).to(tl.int64)
    asked = tl.load(query + place[:, None] * HEAD_DIM + column[None, :], inside[:, None], 0.0)

    length = first_index + count
    share = tl.cdiv(tl.cdiv(length, SPLITS), STEP) * STEP
    start = split * share
    end = tl.minimum(start + share, length)
    base = slot * slot_stride + kv_head * HEAD_DIM
    best = tl.full([ROWS * GROUP], -float("inf"), tl.float32)
    total = tl.zeros([ROWS * GROUP], tl.float32)
    mixed = tl.zeros([ROWS * GROUP, HEAD_DIM], tl.float32)
    for position in range(start, end, STEP):
        index = position + tl.arange(0, STEP)
        known = index < length
        cached = base + index.to(tl.int64) * (N_KV_HEADS * HEAD_DIM)
        key = tl.load(keys + cached[None, :] + column[:, None], known[None, :], 0.0)
        scores = tl.dot(asked, key, input_precision="ieee") * scale
        seen = index[None, :] <= (first_index + row)[:, None]
        scores = tl.where(seen, scores, -float("inf"))
        higher = tl.maximum(best, tl.max(scores, 1))
        fixed = tl.where(higher == -float("inf"), 0.0, higher)
        shares = tl.exp2(scores - fixed[:, None])
        shrink = tl.exp2(best - fixed)
        total = total * shrink + tl.sum(shares, 1)
        value = tl.load(values + cached[:, None] + column[None, :], known[:, None], 0.0)
        mixed = mixed * shrink[:, None]
        mixed += tl.dot(shares.to(value.dtype), value, input_precision="ieee")
        best = higher
    divisor = tl.where(total == 0.0, 1.0, total)
    mixed = mixed / divisor[:, None]
    target = split * n_rows * N_HEADS + place
    tl.store(parts + target[:, None] * HEAD_DIM + column[None, :], mixed, inside[:, None])
    if SPLITS > 1:
        tl.store(weights + target, best + tl.log2(divisor), inside)


@triton.jit
def _join(parts, weights, out, n_places, HEAD_DIM: tl.constexpr, SPLITS: tl.constexpr):
    place = tl.program_id(0).to(tl.int64)
    split = tl.arange(0, SPLITS)
    column = tl.arange(0, HEAD_DIM)
    weight = tl.load(weights + split * n_places + place)
    best = tl.max(weight, 0)
    share = tl.exp2(weight - tl.where(best == -float("inf"), 0.0, best))
    part = tl.load(parts + (split * n_places + place)[:, None] * HEAD_DIM + column[None, :])
    mixed = tl.sum(part * share[:, None], 0) / tl.maximum(tl.sum(share, 0), 1e-30)
    tl.store(out + place * HEAD_DIM + column, mixed)


def attend(
    query: Tensor, keys: Tensor, values: Tensor, blocks: Tensor, *, block_rows: int, n_splits: int
) -> Tensor:
    """Causal attention over the filled part of each conversation's slot.

    Args:
        query: ``[N, heads, head_dim]``.
        keys, values: one layer's cache ``[slots, capacity, kv_heads, head_dim]``.
        blocks: int32 ``[n, 4]``: first row, number of rows (0 for none, at most ``block_rows``),
            slot, and cache index of the first row. Rows that no block names come out arbitrary.
        n_splits: parts, a power of two, into which the cached positions are divided.

    Returns:
        ``[N, heads, head_dim]``.
    """
    n_rows, n_heads, head_dim = query.shape
    n_kv_heads = keys.shape[2]
    out = torch.empty_like(query)
    if n_splits == 1:
        parts, weights = out, out
    else:
        parts = query.new_empty(n_splits, n_rows, n_heads, head_dim, dtype=torch.float32)
        weights = query.new_empty(n_splits, n_rows, n_heads, dtype=torch.float32)
    _attend[(blocks.shape[0], n_kv_heads, n_splits)](
        query,
        keys,
        values,
        blocks,
        parts,
        weights,
        keys.stride(0),
        n_rows,
        head_dim**-0.5 * 1.4426950408889634,  # exp2 in place of exp
        N_HEADS=n_heads,
        N_KV_HEADS=n_kv_heads,
        HEAD_DIM=head_dim,
        ROWS=block_rows,
        SPLITS=n_splits,
        STEP=KEYS_PER_STEP,
        num_warps=4,
    )
    if n_splits > 1:
        _join[(n_rows * n_heads,)](
            parts, weights, out, n_rows * n_heads, HEAD_DIM=head_dim, SPLITS=n_splits, num_warps=1
        )
    return out
