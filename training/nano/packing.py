"""Rows of equal length that hold several conversations each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.nano.dialogues import Dialogue, written_dialogues
from training.nano.rendering import Renderer, Sequence

NOT_LEARNT = -100

Table = NDArray[np.int16]
"""Ids, targets and segments of a row, ``[3, length]``, see `Rows`."""

Packable = TypeVar("Packable", bound=Sequence)


@dataclass(frozen=True)
class Rows:
    """``ids``, the ``targets`` that each position is to predict (`NOT_LEARNT` for none) and the
    ``segments`` that tell conversations apart (0 is padding), int64 ``[rows, length]``.

    ``learnt`` ``[n]`` are the places with a target, counted through all rows: they are looked for
    on the host, so that nothing waits for the device.
    """

    ids: Tensor
    targets: Tensor
    segments: Tensor
    learnt: Tensor

    @classmethod
    def of(cls, tables: Several[Table], device: torch.device) -> Rows:
        """Rows on a device."""
        together = np.stack(tables)  # [rows, 3, length]
        learnt = torch.from_numpy(np.flatnonzero(together[:, 1] != NOT_LEARNT))
        ids, targets, segments = torch.from_numpy(together).to(device).long().unbind(1)
        return cls(ids, targets, segments, learnt.to(device))


@dataclass(frozen=True)
class TextRows:
    """Makes endless rows of conversations of a seed.

    Args:
        folder: checkpoint with the tokenizer.
        length: tokens of a row.
    """

    folder: Path
    length: int

    def __call__(self, seed: int) -> Iterator[Table]:
        renderer, rng = Renderer(self.folder), Random(seed)
        written = written_dialogues(seed)
        sequences = (renderer.some_layout(dialogue, rng) for dialogue in written)
        return (table_of(row, self.length) for row in packed(sequences, self.length))


def packed(sequences: Iterable[Packable], length: int) -> Iterator[list[Packable]]:
    """Rows of at most ``length`` tokens, filled in order; what is longer is left out."""
    row: list[Packable] = []
    filled = 0
    for sequence in sequences:
        n_tokens = len(sequence.ids)
        if n_tokens > length:
            continue
        if filled + n_tokens > length:
            yield row
            row, filled = [], 0
        row.append(sequence)
        filled += n_tokens
    if row:
        yield row


def table_of(row: Iterable[Sequence], length: int) -> Table:
    """A row padded to ``length``."""
    table = np.zeros((3, length), np.int16)
    table[1] = NOT_LEARNT
    start = 0
    for number, sequence in enumerate(row, start=1):
        span = slice(start, start + len(sequence.ids))
        own = np.where(sequence.learnt, sequence.ids, NOT_LEARNT)
        table[0, span] = sequence.ids
        table[1, span] = [*own[1:], NOT_LEARNT]
        table[2, span] = number
        start = span.stop
    return table


def held_out_tables(renderer: Renderer, dialogues: Iterable[Dialogue], length: int) -> list[Table]:
    """Held-out conversations in the layout of ``POST /api/chat``."""
    rows = packed((renderer.chat(dialogue) for dialogue in dialogues), length)
    return [table_of(row, length) for row in rows]


def passes(n_rows: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Row numbers of batches without end ``[batch_size]``, in passes over all rows, each in an
    order of its own."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(n_rows, generator=generator)
    while True:
        while len(order) < batch_size:
            order = torch.cat([order, torch.randperm(n_rows, generator=generator)])
        yield order[:batch_size]
        order = order[batch_size:]
