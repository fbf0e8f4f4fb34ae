"""Triton kernel for a few rows by a weight of 8-bit integers.

The integers are unpacked in registers, so only they are read from memory. The same maths in plain
PyTorch is :func:`MiniCPMO45.int8.plain_product`.
"""

# Triton comes with the CUDA builds of PyTorch only.
# pyright: reportMissingImports=false, reportIndexIssue=false

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor


@triton.jit
def _few_rows_product(
    rows,
    values,
    scales,
    out,
    n_rows,
    n_out,
    width,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    STEP: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    asked, wanted = row < n_rows, column < n_out
    row_start = row.to(tl.int64) * width
    column_start = column.to(tl.int64) * width
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    for start in range(0, width, STEP):
        index = start + tl.arange(0, STEP)
        inside = index < width
        factors = tl.load(
            rows + row_start[:, None] + index[None, :], asked[:, None] & inside[None, :], 0.0
        )
        integers = tl.load(
            values + column_start[None, :] + index[:, None], wanted[None, :] & inside[:, None], 0
        )
        total = tl.dot(factors, integers.to(factors.dtype), total)
    scale = tl.load(scales + column, wanted, 0.0).to(tl.float32)
    target = row.to(tl.int64)[:, None] * n_out + column[None, :]
    tl.store(out + target, total * scale[None, :], asked[:, None] & wanted[None, :])


def few_rows_product(rows: Tensor, values: Tensor, scales: Tensor) -> Tensor:
    """``rows`` ``[N, in]``, in bfloat16, by integers ``[out, in]`` and their scales ``[out]``:
    ``[N, out]``."""
    n_rows, width = rows.shape
    n_out = values.shape[0]
    out = rows.new_empty(n_rows, n_out)
    # Row blocks come first in the grid: those of the same columns run together, and all but one
    # find the integers in the cache.
    if n_rows <= 16:
        row_block, column_block, step, n_warps = 16, 16, 256, 2
    else:
        row_block, column_block, step, n_warps = 32, 32, 128, 4
    grid = (triton.cdiv(n_rows, row_block), triton.cdiv(n_out, column_block))
    _few_rows_product[grid](
        rows.contiguous(),
        values,
        scales,
        out,
        n_rows,
        n_out,
        width,
        ROWS=row_block,
        COLUMNS=column_block,
        STEP=step,
        num_warps=n_warps,
        num_stages=4,
    )
    return out
