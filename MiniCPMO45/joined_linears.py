"""Linear layers that read the same input as one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.int8 import Int8Linear, Int8Weight, Weight


class JoinedLinears:
    """Several layers of the same input width, one product once :meth:`join` was called."""

    def __init__(self, *linears: nn.Linear) -> None:
        self._linears = linears
        self._widths = [linear.out_features for linear in linears]
        self._weight: Tensor | None = None
        self._bias: Tensor | None = None

    @torch.no_grad()
    def join(self) -> None:
        """Lay the loaded weights ``[out, in]`` side by side; the layers keep views of them, so
        nothing is held twice. A layer without a bias gets zeros."""
        self._weight = side_by_side(self._linears)
        self._bias = torch.cat([_bias(linear) for linear in self._linears])
        for linear, bias in zip(self._linears, self._bias.split(self._widths), strict=True):
            if linear.bias is not None:
                linear.bias = nn.Parameter(bias, requires_grad=False)

    def __call__(self, inputs: Tensor) -> Sequence[Tensor]:
        """What each layer makes of ``inputs`` ``[..., in]``."""
        if self._weight is None:
            return [linear(inputs) for linear in self._linears]
        return functional.linear(inputs, self._weight, self._bias).split(self._widths, dim=-1)


@overload
def side_by_side(linears: Sequence[nn.Linear]) -> Tensor: ...
@overload
def side_by_side(linears: Sequence[nn.Linear | Int8Linear]) -> Weight: ...
@torch.no_grad()
def side_by_side(linears: Sequence[nn.Linear | Int8Linear]) -> Weight:
    """Weights ``[out, in]`` of layers of one kind, joined along ``out``; the layers keep views, so
    nothing is held twice."""
    if isinstance(linears[0], Int8Linear):
        return Int8Weight(_join(linears, "weight"), _join(linears, "scales"))
    return _join(linears, "weight")


def _join(linears: Sequence[nn.Linear | Int8Linear], name: str) -> Tensor:
    tensors = [getattr(linear, name) for linear in linears]
    joined = torch.cat(tensors)
    parts = joined.split([linear.out_features for linear in linears])
    for linear, tensor, part in zip(linears, tensors, parts, strict=True):
        is_parameter = isinstance(tensor, nn.Parameter)
        setattr(linear, name, nn.Parameter(part, requires_grad=False) if is_parameter else part)
    return joined


def _bias(linear: nn.Linear) -> Tensor:
    return linear.weight.new_zeros(linear.out_features) if linear.bias is None else linear.bias
