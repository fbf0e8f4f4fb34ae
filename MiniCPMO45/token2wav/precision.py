"""Arithmetic of float32 products and convolutions on CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision() -> Iterator[None]:
    """Keep convolutions from rounding their float32 operands to ten bits; also a decorator.

    A small error of a mel frame is a small error of the pitch, but the phase adds it up, and the
    same seed would no longer give the same sound on another machine.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def tensor_cores(allowed: bool) -> Iterator[None]:
    """Let matrix products round their float32 operands to ten bits, or not.

    For mel frames, whose errors stay where they are, that is exact enough and several times faster.
    """
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
