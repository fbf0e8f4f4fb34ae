"""Convolutions that look only back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def causal_conv(conv: nn.Conv1d, x: Tensor, context: Tensor | None) -> Tensor:
    """Convolve ``[B, C, T]`` to ``[B, C', T]``.

    Args:
        conv: without padding.
        context: the last ``kernel - 1`` columns before ``x``, ``[B, C, kernel - 1]``, replaced by
            those before what follows. None stands for zeros.
    """
    reach = conv.kernel_size[0] - 1
    if context is None:
        return conv(functional.pad(x, (reach, 0)))
    extended = torch.cat([context, x], dim=2)
    context.copy_(extended[:, :, extended.shape[2] - reach :])
    return conv(extended)
