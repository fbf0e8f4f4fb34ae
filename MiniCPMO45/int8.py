"""Linear layers whose weights are 8-bit integers with one scale a row.

Each weight is rounded to a multiple of a 127th of the largest in its row. Activations stay as they
are, so reading the weights costs half of what bfloat16 costs, in memory and in time.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LARGEST = 127
FEW_ROWS = 96  # up to here the weights are not worth unpacking into memory first


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
    return plain_product(rows, weight)


def plain_product(rows: Tensor, weight: Int8Weight) -> Tensor:
    """The same by way of a copy of the integers in the dtype of ``rows``, which holds them
    exactly."""
    return functional.linear(rows, weight.values.to(rows.dtype)) * weight.scales


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


def quantise_linears(module: nn.Module) -> None:
    """Put an :class:`Int8Linear` in the place of every linear layer inside, one after another; on
    the meta device, before their weights are loaded."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                setattr(parent, name, Int8Linear(child.weight))
