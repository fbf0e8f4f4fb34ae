"""Convolutions over rows in time, as matrix products; causal ones look only back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT = 2  # rows before a convolution of kernel 3


def lay_out(conv: nn.Conv1d) -> None:
    """Store the weight as :func:`convolve` reads it, with the same values at the same indices."""
    rows = conv.weight.permute(0, 2, 1).contiguous()
    conv.weight = nn.Parameter(rows.permute(0, 2, 1), requires_grad=False)


def convolve(conv: nn.Conv1d, rows: Tensor) -> Tensor:
    """``[B, T + kernel - 1, C]`` to ``[B, T, C']``."""
    windows = rows.unfold(1, conv.kernel_size[0], 1)  # [B, T, C, kernel]
    weight = conv.weight.permute(0, 2, 1).flatten(1)  # [C', kernel * C]
    return functional.linear(windows.transpose(2, 3).flatten(2), weight, conv.bias)


def causal_conv(
    conv: nn.Conv1d, rows: Tensor, context: Tensor | None, ends: Tensor | None = None
) -> Tensor:
    """Convolve ``[B, T, C]`` to ``[B, T, C']``.

    Args:
        conv: without padding.
        context: the last ``kernel - 1`` rows before these, ``[B, kernel - 1, C]``, replaced by
            those before what follows. None stands for zeros.
        ends: which rows these are, counted from the first of the context, int64
            ``[B, kernel - 1, 1]``; the last ones if None.
    """
    reach = conv.kernel_size[0] - 1
    if context is None:
        return convolve(conv, functional.pad(rows, (0, 0, reach, 0)))
    extended = torch.cat([context, rows], dim=1)
    if ends is None:
        context.copy_(extended[:, extended.shape[1] - reach :])
    else:
        torch.gather(extended, 1, ends.expand_as(context), out=context)
    return convolve(conv, extended)
