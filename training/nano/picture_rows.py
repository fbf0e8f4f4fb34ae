"""Rows of conversations about pictures, made by several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.image import ImageTensors, TileBatch
from training.nano.dialogues import SYSTEM_PROMPTS, Dialogue
from training.nano.packing import Rows, rows_of
from training.nano.pictures import HELD_OUT_SEEDS, Album, album
from training.nano.rendering import Renderer, Sequence
from training.nano.seeing import cells_of

QUESTIONS = (1, 2, 3, 4, 5)  # about one picture
SEEDS_OF_PROCESS = 10_000_000  # every process draws seeds of its own
BRIGHTEST = 255
TURNS_SHARE = 0.5
"""Conversations in turns at least, since all of their answers are learnt."""


@dataclass(frozen=True)
class PictureRows:
    """Packed rows with the tiles that belong into them.

    ``strips`` is uint8 ``[n, 3, patch, patch * Lmax]``, ``sizes`` ``[n, 2]`` their patch rows and
    columns, ``cells`` ``[n, 9, 2]`` what they show. Row i holds the tiles from ``first[i]`` to
    ``first[i + 1]``.
    """

    rows: Rows
    strips: Tensor
    sizes: Tensor
    cells: Tensor
    first: Tensor

    def select(self, index: Tensor, device: torch.device) -> PictureBatch:
        """The rows of ``index`` ``[n]`` on a device, their tiles in order."""
        spans = [torch.arange(*self.first[i : i + 2].tolist()) for i in index.tolist()]
        chosen = torch.cat(spans)
        sizes, strips = self.sizes[chosen], self.strips[chosen]
        patch = strips.shape[2]
        longest = int(sizes.prod(dim=1).max())
        pixels = strips[..., : longest * patch].to(device).float() / (BRIGHTEST / 2) - 1
        mask = torch.arange(longest) < sizes.prod(dim=1)[:, None]
        tiles = TileBatch(pixels, mask.to(device), sizes)
        cells = self.cells[chosen].to(device).long()
        return PictureBatch(self.rows.select(index, device), tiles, cells)


@dataclass(frozen=True)
class PictureBatch:
    """Rows on a device, the tiles in them, and what lies where on those."""

    rows: Rows
    tiles: TileBatch
    cells: Tensor


Share = tuple[NDArray[np.int16], list[NDArray[np.uint8]], NDArray[np.int16], NDArray[np.int8]]


def picture_rows(
    folder: Path, seed: int, n_pictures: int, length: int, n_processes: int
) -> PictureRows:
    """Rows about new pictures; the same for the same arguments."""
    counts = [
        n_pictures // n_processes + (i < n_pictures % n_processes) for i in range(n_processes)
    ]
    tasks = [(folder, seed * 100 + i, count, length) for i, count in enumerate(counts) if count]
    if len(tasks) == 1:
        return _joined([_share(*tasks[0])], Renderer(folder).tokenizer.unk_id)
    # forked before anything has started threads; a fresh interpreter would load torch again
    with multiprocessing.get_context("fork").Pool(len(tasks)) as pool:
        shares = pool.starmap(_share, tasks)
    return _joined(shares, Renderer(folder).tokenizer.unk_id)


def picture_sequence(renderer: Renderer, shown: Album, rng: Random) -> Sequence:
    """A conversation about a picture in one of the layouts."""
    system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.3 else None
    dialogue = Dialogue("pictures", shown.exchanges, system)
    if rng.random() < TURNS_SHARE:
        return renderer.turns(dialogue, shown.image)
    return renderer.some_layout(dialogue, rng, shown.image)


def _share(folder: Path, seed: int, n_pictures: int, length: int) -> Share:
    torch.set_num_threads(1)  # the processes are the parallelism
    renderer, rng = Renderer(folder), Random(seed)
    strips: list[NDArray[np.uint8]] = []
    sizes: list[list[int]] = []
    cells: list[list[tuple[int, int]]] = []

    def sequences() -> Iterator[Sequence]:
        while len(strips) < n_pictures:
            picture_seed = (seed * SEEDS_OF_PROCESS + len(strips)) % HELD_OUT_SEEDS.start
            shown = album(picture_seed, rng.choice(QUESTIONS))
            sequence = picture_sequence(renderer, shown, rng)
            if len(sequence.ids) <= length:
                strips.append(_bytes_of(sequence.images[0]))
                sizes.append(sequence.images[0].target_sizes[0].tolist())
                cells.append(cells_of(shown.scene))
                yield sequence

    rows = rows_of(sequences(), length)
    packed = torch.stack([rows.ids, rows.targets, rows.segments], dim=1).numpy()
    return packed, strips, np.array(sizes, np.int16), np.array(cells, np.int8)


def _bytes_of(image: ImageTensors) -> NDArray[np.uint8]:
    """The strip of an uncut picture, before it was normalised."""
    return ((image.pixels[0] + 1) * (BRIGHTEST / 2)).round().byte().numpy()


def _joined(shares: list[Share], unknown_id: int) -> PictureRows:
    packed, strips, sizes, cells = zip(*shares, strict=True)
    rows = torch.from_numpy(np.concatenate(packed))  # [rows, 3, length]
    ids = rows[:, 0]
    everything = [torch.from_numpy(strip) for share in strips for strip in share]
    longest = max(strip.shape[2] for strip in everything)
    table = torch.zeros(len(everything), *everything[0].shape[:2], longest, dtype=torch.uint8)
    for place, strip in zip(table, everything, strict=True):
        place[..., : strip.shape[2]] = strip
    n_places = int((ids == unknown_id).sum())
    counts = (ids == unknown_id).sum(dim=1) // (n_places // len(everything))
    return PictureRows(
        Rows(ids, rows[:, 1], rows[:, 2]),
        table,
        torch.from_numpy(np.concatenate(sizes)).long(),
        torch.from_numpy(np.concatenate(cells)),
        functional.pad(counts.cumsum(0), (1, 0)),
    )
