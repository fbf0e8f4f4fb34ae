"""Capturing work on the device as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")
WARM_UP_RUNS = 2


@cache
def _side() -> torch.cuda.Stream:
    """The stream of all captures: a library's workspace of some 30 MB stays with every stream that
    it was used on."""
    return torch.cuda.Stream()


def capture(work: Callable[[], Result], pool: Any) -> tuple[torch.cuda.CUDAGraph, Result]:
    """``work`` as a graph, and what it returns: tensors that every replay writes anew.

    It runs a few times before, so that kernels are compiled and chosen.

    Args:
        pool: memory that graphs share which never run at the same time; None for its own.
    """
    side = _side()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_RUNS):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, pool=pool, stream=side):
        result = work()
    return graph, result
