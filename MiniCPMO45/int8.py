"""Linear layers whose weights are 8-bit integers with one scale a row.

Each weight is rounded to a multiple of a 127th of the largest in its row. Activations stay as they
are, so reading the weights costs half of what bfloat16 costs, in memory and in time. On the CPU
they are a quarter of float32, whose products of few rows are bound by reading the weights; there
such rows are rounded to bfloat16 first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST = 127
FEW_ROWS = 96  # up to here the weights are not worth unpacking into memory first
FEW_ROWS_ON_CPU = 8  # up to here `rounded_product` is the fastest
WIDTH_STEP = 32  # other row widths the CPU's kernel may read past the end of, unchecked
KERNEL_ON_CPU: Callable[[Tensor, Tensor, Tensor], Tensor] | None = getattr(
    torch, "_weight_int8pack_mm", None
)  # not public: some version may lack it


class Int8Weight(NamedTuple):
    """Integers ``[out, in]``, and what one of them stands for in each row, ``[out]`` in the dtype
    of the activations."""

    values: Tensor
    scales: Tensor


Weight = Tensor | Int8Weight


def quantise(weight: Tensor) -> Int8Weight:
    """Round ``[out, in]``; the scales are in its dtype, and what they lose by that is allowed
    for."""
    largest = torch.maximum(weight.amax(dim=1), -weight.amin(dim=1))
    scales = (largest.float() / LARGEST).to(weight.dtype)
    steps = torch.where(scales == 0, 1, scales).float()
    values = (weight.float() / steps[:, None]).round_().clamp_(-LARGEST, LARGEST)
    return Int8Weight(values.to(torch.int8), scales)


def dequantise(values: Tensor, scales: Tensor) -> Tensor:
    """Float32 ``[out, ...]`` that integers ``[out, ...]`` and scales ``[out]`` stand for."""
    return values.float() * scales.float().view(-1, *[1] * (values.ndim - 1))


def product(rows: Tensor, weight: Weight) -> Tensor:
    """``rows`` ``[N, in]`` by every row of a weight ``[out, in]``: ``[N, out]``."""
    if isinstance(weight, Tensor):
        return functional.linear(rows, weight)
    if rows.is_cuda and rows.dtype == torch.bfloat16 and rows.shape[0] <= FEW_ROWS:
        from MiniCPMO45.int8_kernel import few_rows_product

        return few_rows_product(rows, *weight)
    if can_round(rows):
        return rounded_product(rows, weight)
    return plain_product(rows, weight)


def plain_product(rows: Tensor, weight: Int8Weight) -> Tensor:
    """The same by way of a copy of the integers in the dtype of ``rows``, which holds them
    exactly."""
    return functional.linear(rows, weight.values.to(rows.dtype)) * weight.scales


def can_round(rows: Tensor) -> bool:
    """Whether `rounded_product` knows such rows, and is the fastest for so many."""
    on_cpu = rows.device.type == "cpu" and rows.dtype == torch.float32
    fits = rows.shape[0] <= FEW_ROWS_ON_CPU and rows.shape[1] % WIDTH_STEP == 0
    return on_cpu and fits and KERNEL_ON_CPU is not None


def rounded_product(rows: Tensor, weight: Int8Weight) -> Tensor:
    """The same by the kernel of the CPU, which reads the integers as they are, and rounds rows and
    sums to bfloat16."""
    assert KERNEL_ON_CPU is not None
    values, scales = weight
    return KERNEL_ON_CPU(rows.bfloat16(), values, _ones(len(values))) * scales


@cache
def _ones(n: int) -> Tensor:
    return torch.ones(n, dtype=torch.bfloat16)


class Int8Linear(nn.Module):
    """Stands in for a linear layer without bias. Its parameter keeps the name of the original, so
    that checkpoints fit."""

    scales: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.take(weight)

    @torch.no_grad()
    def take(self, weight: Tensor) -> None:
        """Become the layer of ``weight`` ``[out, in]``."""
        values, scales = quantise(weight)
        self.weight = nn.Parameter(values, requires_grad=False)
        self.register_buffer("scales", scales)

    def forward(self, rows: Tensor) -> Tensor:
        """``[N, in]`` to ``[N, out]``."""
        return product(rows, weight_of(self))


def weight_of(linear: nn.Linear | Int8Linear) -> Weight:
    """What :func:`product` takes."""
    if isinstance(linear, Int8Linear):
        return Int8Weight(linear.weight, linear.scales)
    return linear.weight


def quantise_linears(module: nn.Module, among: Collection[str] | None = None) -> None:
    """Put an :class:`Int8Linear` in the place of every linear layer inside, one after another; on
    the meta device, before their weights are loaded.

    Args:
        among: only of these weights, by their names within the module.
    """
    for path, parent in list(module.named_modules()):
        for name, child in list(parent.named_children()):
            weight_name = ".".join(filter(None, (path, name, "weight")))
            if isinstance(child, nn.Linear) and (among is None or weight_name in among):
                setattr(parent, name, Int8Linear(child.weight))
