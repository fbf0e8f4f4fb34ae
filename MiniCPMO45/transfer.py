"""Numbers of the host for the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def to_device(numbers: Any, device: torch.device, dtype: torch.dtype = torch.int64) -> Tensor:
    """A tensor of a nested sequence of numbers, without waiting for what the device is doing."""
    tensor = torch.tensor(numbers, dtype=dtype)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
