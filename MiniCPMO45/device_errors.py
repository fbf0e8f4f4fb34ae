"""What a failure of the device means. Nothing else looks at the words of its errors."""

from __future__ import annotations

from collections.abc import Iterator

import torch

_ACCELERATOR_ERROR: type[RuntimeError] | tuple[()] = getattr(torch, "AcceleratorError", ())
_NO_MEMORY = ("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED")
_LOST = (
    "CUDA error",
    "[CUDA]",  # Triton's
    "device-side assert",
    "illegal memory access",
    "CUDNN_STATUS_EXECUTION_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was missing; what was there before is still in order."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and _says(error, _NO_MEMORY)


def is_device_lost(error: BaseException) -> bool:
    """Whether the error, or one behind it, leaves the device of no use to this process."""
    return any(_is_lost(each) for each in _chain(error))


def _is_lost(error: BaseException) -> bool:
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return isinstance(error, _ACCELERATOR_ERROR) or _says(error, _LOST)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    return any(word in str(error) for word in words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__
