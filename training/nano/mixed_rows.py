"""Rows of text, pictures and sound: sequences with places for them, packed and batched."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.image import ImageTensors, batch_slices
from training.nano.hearing import Clip, heard
from training.nano.packing import NOT_LEARNT, Rows
from training.nano.rendering import Sequence
from training.nano.seeing import patch_features, with_pictures


@dataclass
class SpokenStretch:
    """Tokens of a sequence that are spoken together, by their places, and the codes they become.

    Args:
        text_finished: the condition is closed as that of a complete text.
        ends: the codes are followed by the one that ends speech.
    """

    places: list[int]
    codes: list[int]
    text_finished: bool
    ends: bool


@dataclass
class MixedSequence(Sequence):
    """A sequence with the sound that it holds, and the turns of speech that it is to become."""

    clips: list[Clip] = field(default_factory=list)
    turns: list[list[SpokenStretch]] = field(default_factory=list)

    def hear(self, clip: Clip) -> None:
        """Append places that a clip fills, one after another."""
        clip.places = list(range(len(self.ids), len(self.ids) + clip.n_rows))
        self.clips.append(clip)
        self.read([0] * clip.n_rows)


PackedRow = list[MixedSequence]
"""Sequences that share one row."""


@dataclass(frozen=True)
class MixedBatch:
    """Rows on a device with the pictures and clips that belong into them.

    ``images`` are in the order of their places; ``clip_rows`` tells for every clip its row,
    ``clip_starts`` where its sequence begins there.
    """

    rows: Rows
    images: list[ImageTensors]
    clips: list[Clip]
    clip_rows: list[int]
    clip_starts: list[int]


def packed(sequences: Iterable[MixedSequence], length: int) -> Iterator[PackedRow]:
    """Rows of at most ``length`` tokens, filled in order; what is longer is left out."""
    row: PackedRow = []
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


def made_in_processes(
    make: Callable[[int], Iterable[PackedRow]], seed: int, n_rows: int, n_processes: int
) -> list[PackedRow]:
    """``n_rows`` rows from seeds that follow from ``seed``; the same for the same arguments.

    Args:
        make: gives endless rows of a seed; it must be a function that a process can be sent.
    """
    shares = [n_rows // n_processes + (i < n_rows % n_processes) for i in range(n_processes)]
    tasks = [(make, seed * 1000 + i, share) for i, share in enumerate(shares) if share]
    if len(tasks) == 1:
        return _share(*tasks[0])
    # forked before anything has started threads; a fresh interpreter would load torch again
    context = multiprocessing.get_context("fork")
    with context.Pool(len(tasks), torch.set_num_threads, (1,)) as pool:
        return [row for share in pool.starmap(_share, tasks) for row in share]


def _share(make: Callable[[int], Iterable[PackedRow]], seed: int, n_rows: int) -> list[PackedRow]:
    return list(islice(make(seed), n_rows))


def batch_of(rows: list[PackedRow], length: int, device: torch.device) -> MixedBatch:
    """Rows side by side, padded to ``length``."""
    table = np.zeros((3, len(rows), length), np.int64)
    table[1] = NOT_LEARNT
    images: list[ImageTensors] = []
    clips: list[Clip] = []
    clip_rows: list[int] = []
    clip_starts: list[int] = []
    for index, row in enumerate(rows):
        start = 0
        for number, sequence in enumerate(row, start=1):
            span = slice(start, start + len(sequence.ids))
            table[0, index, span] = sequence.ids
            table[1, index, span] = _targets(sequence)
            table[2, index, span] = number
            for clip in sequence.clips:
                table[0, index, start + np.array(clip.places, np.int64)] = 0  # no picture's place
            images += sequence.images
            clips += sequence.clips
            clip_rows += [index] * len(sequence.clips)
            clip_starts += [start] * len(sequence.clips)
            start = span.stop
    parts = torch.from_numpy(table).to(device).unbind()
    return MixedBatch(Rows(*parts), images, clips, clip_rows, clip_starts)


def embedded(
    model: MiniCPMO, batch: MixedBatch, *, disturbed: bool = False
) -> tuple[Tensor, list[Tensor]]:
    """Input rows ``[B, T, hidden]`` with all that was seen and heard in its places, and the
    encoder's states ``[frames, d]`` of every clip. The eye learns nothing from them.

    Args:
        disturbed: see `heard`.
    """
    ids = batch.rows.ids
    embeddings = _seen(model, ids, batch.images) if batch.images else model.llm.embed(ids)
    if not batch.clips:
        return embeddings, []
    heard_clips = heard(model, batch.clips, disturbed=disturbed)
    filled: list[Tensor] = []
    row_index: list[int] = []
    place_index: list[int] = []
    for clip, row, start, (rows, _) in zip(
        batch.clips, batch.clip_rows, batch.clip_starts, heard_clips, strict=True
    ):
        # as the service deals rows out: surplus is dropped, the last one repeats
        wanted = torch.arange(len(clip.places), device=rows.device).clamp(max=rows.shape[0] - 1)
        filled.append(rows[wanted])
        row_index += [row] * len(clip.places)
        place_index += [start + place for place in clip.places]
    index = torch.tensor([row_index, place_index], device=embeddings.device).unbind()
    values = torch.cat(filled).to(embeddings.dtype)
    return embeddings.index_put(index, values), [states for _, states in heard_clips]


def without_waste(sequence: Sequence) -> MixedSequence:
    """A sequence without sound, its pictures in half precision until they are seen."""
    images = [
        replace(image, pixels=[strip.half() for strip in image.pixels]) for image in sequence.images
    ]
    return MixedSequence(sequence.ids, sequence.learnt, images)


def _seen(model: MiniCPMO, ids: Tensor, images: list[ImageTensors]) -> Tensor:
    tiles = batch_slices(images).to(model.device, model.dtype)
    with torch.no_grad():
        features = patch_features(model, tiles)
    return with_pictures(model, ids, features, tiles.target_sizes)


def _targets(sequence: Sequence) -> NDArray[np.int64]:
    own = np.where(sequence.learnt, sequence.ids, NOT_LEARNT)
    return np.append(own[1:], NOT_LEARNT)
