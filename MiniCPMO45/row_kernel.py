"""Triton kernel for one row by a weight, with the norm before it and what follows after it.

One row uses every weight once, so its time is that of reading the weights. What a decoder layer
does between its products is done by the programs that read them, which saves most launches. The
same maths in plain PyTorch is :class:`MiniCPMO45.llm.DecoderLayer`.
"""

# Triton comes with the CUDA builds of PyTorch only.
# pyright: reportMissingImports=false, reportIndexIssue=false

from __future__ import annotations

from dataclasses import dataclass

import triton
import triton.language as tl
from torch import Tensor

from MiniCPMO45.int8 import Int8Weight, Weight

FEW_RESULTS = 4096  # of one product


@dataclass(frozen=True)
class Launch:
    """How the work is cut: a program's rows of the weight, and how much of them at a time."""

    n_rows: int
    step: int
    n_warps: int


# For weights of 8-bit integers, and for few results: of fifteen, those that were fastest in the
# published model's products on an H200.
LAUNCHES = {
    (False, False): Launch(4, 1024, 2),
    (False, True): Launch(2, 4096, 4),
    (True, False): Launch(16, 512, 4),
    (True, True): Launch(4, 1024, 2),
}


@triton.jit
def _row_product(
    row,
    norm,
    weight,
    scales,
    residual,
    out,
    n_out,
    width,
    eps,
    WIDTH: tl.constexpr,
    ROWS: tl.constexpr,
    STEP: tl.constexpr,
    GATED: tl.constexpr,
):
    target = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    wanted = target < n_out
    source = target.to(tl.int64)[:, None] * width
    gap = n_out.to(tl.int64) * width  # from the gate to what it lets through
    kind = out.dtype.element_ty
    scale = 1.0
    if norm is not None:
        whole = tl.arange(0, WIDTH)
        value = tl.load(row + whole, whole < width, 0.0).to(tl.float32)
        scale = tl.rsqrt(tl.sum(value * value, 0) / width + eps)
    total = tl.zeros([ROWS, STEP], tl.float32)
    let_through = tl.zeros([ROWS, STEP], tl.float32)
    for start in range(0, width, STEP):
        column = start + tl.arange(0, STEP)
        inside = column < width
        factor = tl.load(row + column, inside, 0.0).to(tl.float32)
        if norm is not None:
            factor = (factor * scale).to(kind).to(tl.float32)
            factor *= tl.load(norm + column, inside, 0.0).to(tl.float32)
            factor = factor.to(kind).to(tl.float32)
        factor = factor[None, :]
        mask = wanted[:, None] & inside[None, :]
        place = weight + source + column[None, :]
        total += tl.load(place, mask, 0).to(tl.float32) * factor
        if GATED:
            let_through += tl.load(place + gap, mask, 0).to(tl.float32) * factor
    result = tl.sum(total, 1)
    if scales is not None:
        result *= tl.load(scales + target, wanted, 0.0).to(tl.float32)
    if GATED:
        second = tl.sum(let_through, 1)
        if scales is not None:
            second *= tl.load(scales + n_out + target, wanted, 0.0).to(tl.float32)
        gate = result.to(kind).to(tl.float32)  # rounded, as a product is
        result = (gate * tl.sigmoid(gate)).to(kind).to(tl.float32) * second.to(kind).to(tl.float32)
    if residual is not None:
        before = tl.load(residual + target, wanted, 0.0).to(tl.float32)
        result = before + result.to(kind).to(tl.float32)
    tl.store(out + target, result.to(kind), wanted)


def row_product(
    row: Tensor,
    weight: Weight,
    *,
    norm: Tensor | None = None,
    eps: float = 0.0,
    residual: Tensor | None = None,
    gated: bool = False,
) -> Tensor:
    """``row`` ``[1, in]`` by every row of a weight ``[out, in]``: ``[1, out]``.

    Args:
        norm: weight ``[in]`` of a root-mean-square norm of the row, applied before; with ``eps``.
        residual: ``[1, out]``, added to the result.
        gated: the first half of the result is a gate: ``silu(first) * second``, ``[1, out / 2]``.
    """
    values, scales = weight if isinstance(weight, Int8Weight) else (weight, None)
    width = row.shape[1]
    n_out = values.shape[0] // (2 if gated else 1)
    out = row.new_empty(1, n_out)
    launch = LAUNCHES[scales is not None, n_out <= FEW_RESULTS]
    n_rows = launch.n_rows // (2 if gated else 1)
    _row_product[(triton.cdiv(n_out, n_rows),)](
        row,
        norm,
        values,
        scales,
        residual,
        out,
        n_out,
        width,
        eps,
        WIDTH=triton.next_power_of_2(width),
        ROWS=n_rows,
        STEP=min(launch.step, triton.next_power_of_2(width)),
        GATED=gated,
        num_warps=launch.n_warps,
    )
    return out
