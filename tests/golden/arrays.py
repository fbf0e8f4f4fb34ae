"""Recorded arrays: stored whole, or as a digest when they are large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGEST_FIELDS = ("shape", "first", "last", "spread", "sum", "sumsq")


@dataclass(frozen=True)
class Digest:
    """What is kept of a large array, or of several of one kind along a leading axis."""

    shape: NDArray[np.int64]  # [n_dims], or [n_parts, n_dims]
    first: NDArray[np.float64]  # [<= 64], or [n_parts, <= 64]
    last: NDArray[np.float64]
    spread: NDArray[np.float64]  # [<= 256] values evenly spread over the array
    sum: NDArray[np.float64]  # [], or [n_parts]
    sumsq: NDArray[np.float64]

    @property
    def n_parts(self) -> int | None:
        """How many arrays lie along the leading axis; None for a digest of one array."""
        return self.shape.shape[0] if self.shape.ndim == 2 else None


def digest(array: ArrayLike) -> Digest:
    """The digest of one array, values in C order."""
    values = np.asarray(array, dtype=np.float64).ravel()
    n_edge = min(64, values.size)
    picks = np.linspace(0, max(values.size - 1, 0), min(256, values.size)).astype(np.int64)
    return Digest(
        shape=np.array(np.shape(array), dtype=np.int64),
        first=values[:n_edge],
        last=values[values.size - n_edge :],
        spread=values[np.unique(picks)],
        sum=values.sum(),
        sumsq=(values * values).sum(),
    )


def stack_padded(parts: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Arrays of equal rank stacked on a new leading axis, zero-padded to the largest."""
    arrays = [np.asarray(part, dtype=np.float64) for part in parts]
    if not arrays:
        return np.zeros((0,))
    if len({array.ndim for array in arrays}) != 1:
        raise ValueError(f"cannot stack shapes {[array.shape for array in arrays]}")
    largest = np.max([array.shape for array in arrays], axis=0, initial=0)
    stacked = np.zeros((len(arrays), *largest.astype(int)))
    for index, array in enumerate(arrays):
        stacked[(index, *(slice(0, side) for side in array.shape))] = array
    return stacked


class RecordedArrays:
    """The arrays of one recording by name; a digested one comes back as a ``Digest``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with np.load(path, allow_pickle=False) as stored:
            self._stored = {name: stored[name] for name in stored.files}

    def __contains__(self, name: str) -> bool:
        return name in self._stored or f"{name}.shape" in self._stored

    def __iter__(self) -> Iterator[str]:
        """Names in file order, each digest once."""
        names = (
            name.removesuffix(f".{name.rpartition('.')[2]}") if self._is_part(name) else name
            for name in self._stored
        )
        return iter(dict.fromkeys(names))

    def __getitem__(self, name: str) -> NDArray | Digest:
        if name in self._stored:
            return self._stored[name]
        if f"{name}.shape" in self._stored:
            return Digest(**{field: self._stored[f"{name}.{field}"] for field in DIGEST_FIELDS})
        raise KeyError(f"{self._path.name} holds no array {name!r}")

    def whole(self, name: str) -> NDArray:
        """An array that must be stored whole."""
        array = self[name]
        if isinstance(array, Digest):
            raise KeyError(f"{self._path.name} holds only a digest of {name!r}")
        return array

    def _is_part(self, name: str) -> bool:
        stem, _, field = name.rpartition(".")
        return field in DIGEST_FIELDS and f"{stem}.shape" in self._stored
