"""Rows of conversations about pictures."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from MiniCPMO45.image import ImageTensors, TileBatch
from training.nano.dialogues import SYSTEM_PROMPTS, Dialogue
from training.nano.packing import Rows, Table, packed, table_of
from training.nano.pictures import HELD_OUT_SEEDS, Album, album, example
from training.nano.rendering import Renderer, Sequence
from training.nano.seeing import Cells, cells_of, in_bytes, tiles_of

QUESTIONS = (1, 2, 3, 4, 5)  # about one picture
TURNS_SHARE = 0.5
"""Conversations in turns at least, since all of their answers are learnt."""


@dataclass(frozen=True)
class PictureRow:
    """A packed row with the pictures that belong into it, in bytes and in order, and what they
    show."""

    table: Table
    images: list[ImageTensors]
    cells: list[Cells]


@dataclass(frozen=True)
class PictureBatch:
    """Rows on a device, the tiles in them, and what lies where on those, ``[tiles, 9, 2]``."""

    rows: Rows
    tiles: TileBatch
    cells: Tensor

    @classmethod
    def of(cls, rows: Several[PictureRow], device: torch.device) -> PictureBatch:
        """Rows with their tiles on a device."""
        cells = torch.tensor([cells for row in rows for cells in row.cells])
        images = [image for row in rows for image in row.images]
        tables = Rows.of([row.table for row in rows], device)
        return cls(tables, tiles_of(images, device), cells.to(device))


@dataclass
class _Shown(Sequence):
    """A conversation about one picture."""

    cells: Cells = field(default_factory=list)


@dataclass(frozen=True)
class PictureRows:
    """Makes endless rows about new pictures of a seed.

    Args:
        folder: checkpoint with the tokenizer.
        length: tokens of a row.
        held_out: pictures and words that training never sees.
    """

    folder: Path
    length: int
    held_out: bool = False

    def __call__(self, seed: int) -> Iterator[PictureRow]:
        for row in packed(self._sequences(seed), self.length):
            images = [in_bytes(image) for shown in row for image in shown.images]
            yield PictureRow(table_of(row, self.length), images, [shown.cells for shown in row])

    def _sequences(self, seed: int) -> Iterator[_Shown]:
        renderer, rng = Renderer(self.folder), Random(f"pictures {seed}")
        while True:
            if self.held_out:
                shown = example(rng.choice(HELD_OUT_SEEDS))
                sequence = renderer.chat(Dialogue("pictures", (shown.exchange,)), shown.image)
            else:
                shown = album(rng.randrange(HELD_OUT_SEEDS.start), rng.choice(QUESTIONS))
                sequence = picture_sequence(renderer, shown, rng)
            cells = cells_of(shown.scene)
            yield _Shown(sequence.ids, sequence.learnt, sequence.images, cells)


def picture_sequence(renderer: Renderer, shown: Album, rng: Random) -> Sequence:
    """A conversation about a picture in one of the layouts."""
    system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.3 else None
    dialogue = Dialogue("pictures", shown.exchanges, system)
    if rng.random() < TURNS_SHARE:
        return renderer.turns(dialogue, shown.image)
    return renderer.some_layout(dialogue, rng, shown.image)
