"""Safetensors files read to a device through a few pinned buffers.

Threads read ahead while the device copies what was read. The host never holds more than the
buffers.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

PIECE_BYTES = 32 * 2**20
N_BUFFERS = 8
HEADER_LENGTH_BYTES = 8  # little-endian, in front of the header
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


class _Entry(NamedTuple):
    """Where a tensor lies in the file, and what its bytes mean."""

    dtype: str
    shape: list[int]
    first: int
    end: int

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Beginning and end of the pieces it is read in."""
        for first in range(self.first, self.end, PIECE_BYTES):
            yield first, min(first + PIECE_BYTES, self.end)


class _Buffer:
    """A piece of a file on its way to the device."""

    def __init__(self, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self._bytes = torch.empty(PIECE_BYTES, dtype=torch.uint8, pin_memory=on_gpu)
        self._sent = torch.cuda.Event() if on_gpu else None

    def fill(self, descriptor: int, first: int, end: int) -> int:
        """Read bytes ``first`` to ``end`` once the ones before have left; their number.

        Raises:
            OSError: the file ends before.
        """
        if self._sent is not None:
            self._sent.synchronize()
        room = self._bytes.numpy().data[: end - first]
        done = 0
        while done < len(room):
            n_read = os.preadv(descriptor, [room[done:]], first + done)
            if not n_read:
                raise OSError(f"the file ends at byte {first + done}")
            done += n_read
        return done

    def send(self, target: Tensor) -> None:
        """Copy the front to ``target`` uint8 ``[n]``, without waiting for the device."""
        target.copy_(self._bytes[: target.numel()], non_blocking=True)
        if self._sent is not None:
            self._sent.record()


def read_staged(
    file: Path, names: Sequence[str], device: torch.device
) -> Iterator[tuple[str, Tensor]]:
    """The named tensors of a well-formed file, in this order, on ``device``.

    Raises:
        OSError: the file cannot be read, lacks a tensor, or holds one of an unknown type.
    """
    with file.open("rb", buffering=0) as source, ThreadPoolExecutor(N_BUFFERS) as readers:
        stored = _entries(source.read(HEADER_LENGTH_BYTES), source.fileno())
        if absent := [name for name in names if name not in stored]:
            raise OSError(f"it holds no {absent[0]}")
        entries = [stored[name] for name in names]
        if unknown := {entry.dtype for entry in entries} - DTYPES.keys():
            raise OSError(f"it holds tensors of type {min(unknown)}")
        ahead = (piece for entry in entries for piece in entry.pieces())
        free = deque(_Buffer(device) for _ in range(N_BUFFERS))
        reading: deque[tuple[_Buffer, Future[int]]] = deque()
        for name, entry in zip(names, entries, strict=True):
            target = torch.empty(entry.end - entry.first, dtype=torch.uint8, device=device)
            for first, end in entry.pieces():
                while free and (piece := next(ahead, None)):
                    buffer = free.popleft()
                    future = readers.submit(buffer.fill, source.fileno(), *piece)
                    reading.append((buffer, future))
                buffer, future = reading.popleft()
                future.result()
                buffer.send(target[first - entry.first : end - entry.first])
                free.append(buffer)
            yield name, target.view(DTYPES[entry.dtype]).view(entry.shape)


def _entries(length: bytes, descriptor: int) -> dict[str, _Entry]:
    n_bytes = int.from_bytes(length, "little")
    header = json.loads(os.pread(descriptor, n_bytes, HEADER_LENGTH_BYTES))
    header.pop("__metadata__", None)
    start = HEADER_LENGTH_BYTES + n_bytes
    entries = {}
    for name, value in header.items():
        first, end = (start + offset for offset in value["data_offsets"])
        entries[name] = _Entry(value["dtype"], value["shape"], first, end)
    return entries
