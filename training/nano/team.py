"""Processes that learn the same weights together, one on each GPU, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn


def rank() -> int:
    """The number of this process among those that learn together; the first one reports."""
    return int(os.environ.get("RANK", "0"))


def size() -> int:
    """How many processes learn together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def own_device() -> str:
    """The GPU of this process, or the CPU."""
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


@contextmanager
def joined(module: nn.Module) -> Iterator[None]:
    """In one group with the others, beginning with the first one's parameters."""
    if size() == 1:
        yield
        return
    backends = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backends)
    try:
        for parameter in module.parameters():
            distributed.broadcast(parameter.detach(), src=0)
        yield
    finally:
        distributed.destroy_process_group()


def furthest(done: float) -> float:
    """The largest of all processes' numbers; agreed upon by the CPUs, so that no GPU waits."""
    if size() == 1:
        return done
    number = torch.tensor(done, dtype=torch.float64)
    distributed.all_reduce(number, distributed.ReduceOp.MAX)
    return float(number)


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Give every process the mean gradients; one that a process lacks counts as zero."""
    if size() == 1:
        return
    flat = torch.cat([_gradient(parameter).flatten() for parameter in parameters])
    distributed.all_reduce(flat)
    flat /= size()
    for parameter, mean in zip(parameters, _split(flat, parameters), strict=True):
        parameter.grad = mean


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _split(flat: Tensor, parameters: Iterable[Tensor]) -> Iterator[Tensor]:
    first = 0
    for parameter in parameters:
        yield flat[first : first + parameter.numel()].view_as(parameter)
        first += parameter.numel()
