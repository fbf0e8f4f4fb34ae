"""Tensors of the weight files of a checkpoint folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.int8 import dequantise
from MiniCPMO45.staged_reading import read_staged

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"
SCALE_ENDING = "_scale"
"""Integers ``[out, ...]`` of a tensor ``X`` are stored with ``X_scale`` ``[out]`` beside them."""

Named = tuple[str, Tensor]


@dataclass(frozen=True)
class Shard:
    """One file of weights and the tensors to take from it; None stands for all."""

    file: Path
    names: frozenset[str] | None = None

    def read(self, device: torch.device) -> Iterator[Named]:
        """Its tensors on ``device``; those stored as integers come in float32.

        On the CPU they are views of the file. A GPU gets them through a few pinned buffers, so that
        the host holds no tensor whole.

        Raises:
            CheckpointError: the file is unreadable, or integers and scales do not fit each other.
        """
        with self._open() as (stored, wanted):
            names = sorted(wanted, key=scales_first)
            if device.type == "cuda":
                yield from restored(read_staged(self.file, names, device))
            else:
                yield from restored((name, stored.get_tensor(name)) for name in names)

    def integers(self) -> set[str]:
        """Names of its tensors that are stored as integers.

        Raises:
            CheckpointError: the file is unreadable.
        """
        with self._open() as (_, names):
            return {name for name in names if name + SCALE_ENDING in names}

    @contextmanager
    def _open(self) -> Iterator[tuple[safe_open, frozenset[str]]]:
        try:
            with safe_open(self.file, framework="pt", device="cpu") as stored:
                yield stored, frozenset(stored.keys()) if self.names is None else self.names
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"cannot read {self.file}: {error}") from error


def find_shards(folder: Path) -> list[Shard]:
    """The weight files of a checkpoint folder.

    Raises:
        CheckpointError: there are none, or some are missing.
    """
    index = folder / INDEX_NAME
    if index.is_file():
        try:
            weight_map: dict[str, str] = json.loads(index.read_text())["weight_map"]
        except (json.JSONDecodeError, KeyError) as error:
            raise CheckpointError(f"{index} is not a safetensors index: {error}") from error
        files = sorted(set(weight_map.values()))
        absent = [name for name in files if not (folder / name).is_file()]
        if absent:
            raise CheckpointError(f"{folder} is incomplete, missing {some_of(absent)}")
        return [
            Shard(folder / name, frozenset(key for key, file in weight_map.items() if file == name))
            for name in files
        ]
    if (folder / SINGLE_NAME).is_file():
        return [Shard(folder / SINGLE_NAME)]
    raise CheckpointError(f"{folder} holds neither {INDEX_NAME} nor {SINGLE_NAME}")


def stored_as_integers(folder: Path) -> set[str]:
    """Names of the tensors of a checkpoint folder that are stored as integers.

    Raises:
        CheckpointError: files are missing or unreadable.
    """
    return set().union(*(shard.integers() for shard in find_shards(folder)))


def some_of(names: list[str], limit: int = 5) -> str:
    """The first few of ``names`` and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def scales_first(name: str) -> tuple[bool, str]:
    """To sort names by, for `restored`."""
    return not name.endswith(SCALE_ENDING), name


def restored(tensors: Iterable[Named]) -> Iterator[Named]:
    """Integers times their scales, which have to come first; other tensors as they are.

    Raises:
        CheckpointError: integers and scales do not fit each other.
    """
    scales: dict[str, Tensor] = {}
    for name, tensor in tensors:
        if name.endswith(SCALE_ENDING):
            scales[name] = tensor
        elif tensor.dtype == torch.int8:
            scale = scales.pop(name + SCALE_ENDING, None)
            if scale is None:
                raise CheckpointError(f"{name} is stored as integers without {name}{SCALE_ENDING}")
            if tensor.ndim < 2 or scale.shape != tensor.shape[:1]:
                raise CheckpointError(
                    f"{name}{SCALE_ENDING} has shape {list(scale.shape)}, "
                    f"which does not fit integers of shape {list(tensor.shape)}"
                )
            yield name, dequantise(tensor, scale)
        else:
            yield name, tensor
    if scales:
        raise CheckpointError(f"{some_of(sorted(scales))}: there are no integers to scale")
