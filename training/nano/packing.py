"""Rows of equal length that hold several conversations each, made by several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.nano.dialogues import Dialogue, written_dialogues
from training.nano.rendering import Renderer, Sequence

NOT_LEARNT = -100


@dataclass(frozen=True)
class Rows:
    """``ids``, the ``targets`` that each position is to predict (`NOT_LEARNT` for none) and the
    ``segments`` that tell conversations apart (0 is padding), ``[rows, length]``.

    They are int16 where they wait and int64 where they are used.
    """

    ids: Tensor
    targets: Tensor
    segments: Tensor

    def select(self, index: Tensor, device: torch.device) -> Rows:
        """The rows of ``index`` ``[n]`` on a device."""
        parts = (self.ids[index], self.targets[index], self.segments[index])
        return Rows(*(part.to(device).long() for part in parts))


def training_rows(folder: Path, seed: int, n_rows: int, length: int, n_processes: int) -> Rows:
    """Rows of new conversations; the same for the same arguments."""
    shares = [n_rows // n_processes + (i < n_rows % n_processes) for i in range(n_processes)]
    tasks = [(folder, seed * 1000 + i, share, length) for i, share in enumerate(shares) if share]
    if len(tasks) == 1:
        return _joined([_share_of_rows(*tasks[0])])
    # forked before anything has started threads; a fresh interpreter would load torch again
    with multiprocessing.get_context("fork").Pool(len(tasks)) as pool:
        return _joined(pool.starmap(_share_of_rows, tasks))


def rows_of(sequences: Iterable[Sequence], length: int) -> Rows:
    """All sequences that fit, in order."""
    packer = _Packer(length)
    for sequence in sequences:
        packer.add(sequence)
    return _joined([packer.finish()])


def _share_of_rows(folder: Path, seed: int, n_rows: int, length: int) -> NDArray[np.int16]:
    renderer, rng, packer = Renderer(folder), Random(seed), _Packer(length)
    dialogues = written_dialogues(seed)
    while packer.n_full < n_rows:
        packer.add(renderer.some_layout(next(dialogues), rng))
    return packer.finish()[:n_rows]


def _joined(shares: list[NDArray[np.int16]]) -> Rows:
    rows = torch.from_numpy(np.concatenate(shares))  # [rows, 3, length]
    return Rows(rows[:, 0], rows[:, 1], rows[:, 2])


def passes(n_rows: int, n_wanted: int, seed: int) -> Tensor:
    """Row numbers for passes over the data, each in an order of its own, ``[n_wanted]``."""
    generator = torch.Generator().manual_seed(seed)
    n_passes = -(-n_wanted // n_rows)
    orders = [torch.randperm(n_rows, generator=generator) for _ in range(n_passes)]
    return torch.cat(orders)[:n_wanted]


class _Packer:
    """Puts sequences into a row until the next one does not fit."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._full: list[NDArray[np.int16]] = []
        self._begin()

    @property
    def n_full(self) -> int:
        return len(self._full)

    def add(self, sequence: Sequence) -> None:
        """Longer sequences than a row are left out."""
        n_tokens = len(sequence.ids)
        if n_tokens > self._length:
            return
        if self._filled + n_tokens > self._length:
            self._full.append(self._row)
            self._begin()
        span = slice(self._filled, self._filled + n_tokens)
        targets = np.where(sequence.learnt, sequence.ids, NOT_LEARNT)
        self._row[0, span] = sequence.ids
        self._row[1, span] = [*targets[1:], NOT_LEARNT]
        self._row[2, span] = next(self._numbers)
        self._filled += n_tokens

    def finish(self) -> NDArray[np.int16]:
        """All rows, ``[rows, 3, length]``."""
        last = [self._row] if self._filled else []
        return np.stack([*self._full, *last])

    def _begin(self) -> None:
        self._row = np.zeros((3, self._length), np.int16)
        self._row[1] = NOT_LEARNT
        self._filled = 0
        self._numbers = count(1)


def evaluation_rows(renderer: Renderer, dialogues: Iterable[Dialogue], length: int) -> Rows:
    """Held-out conversations in the layout of ``POST /api/chat``."""
    return rows_of((renderer.chat(dialogue) for dialogue in dialogues), length)
