"""Linear layers that read the same input as one matrix product."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


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


@torch.no_grad()
def side_by_side(linears: Sequence[nn.Linear]) -> Tensor:
    """Weights ``[out, in]`` joined along ``out``; the layers keep views, so nothing is held
    twice."""
    joined = torch.cat([linear.weight for linear in linears])
    parts = joined.split([linear.out_features for linear in linears])
    for linear, part in zip(linears, parts, strict=True):
        linear.weight = nn.Parameter(part, requires_grad=False)
    return joined


def _bias(linear: nn.Linear) -> Tensor:
    return linear.weight.new_zeros(linear.out_features) if linear.bias is None else linear.bias
