"""Rows of text, pictures and sound: sequences with places for them, packed and batched."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.image import ImageTensors
from training.nano.ear_batch import Heard, heard
from training.nano.hearing import Clip
from training.nano.packing import Rows, table_of
from training.nano.rendering import Sequence
from training.nano.seeing import disturbed as in_other_light
from training.nano.seeing import in_bytes, patch_features, tiles_of, with_pictures


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


def batch_of(
    rows: Several[Several[MixedSequence]], length: int, device: torch.device
) -> MixedBatch:
    """Rows side by side, padded to ``length``."""
    tables = [table_of(row, length) for row in rows]
    images: list[ImageTensors] = []
    clips: list[Clip] = []
    clip_rows: list[int] = []
    clip_starts: list[int] = []
    for index, row in enumerate(rows):
        start = 0
        for sequence in row:
            for clip in sequence.clips:
                places = start + np.array(clip.places, np.int64)
                tables[index][0, places] = 0  # no picture's place
            images += sequence.images
            clips += sequence.clips
            clip_rows += [index] * len(sequence.clips)
            clip_starts += [start] * len(sequence.clips)
            start += len(sequence.ids)
    return MixedBatch(Rows.of(tables, device), images, clips, clip_rows, clip_starts)


def embedded(
    model: MiniCPMO, batch: MixedBatch, *, disturbed: bool = False
) -> tuple[Tensor, Heard | None]:
    """Input rows ``[B, T, hidden]`` with all that was seen and heard in its places, and what was
    heard, if there were clips. The eye learns nothing from them.

    Args:
        disturbed: pictures and sounds; see `heard`.
    """
    ids = batch.rows.ids
    if batch.images:
        embeddings = _seen(model, ids, batch.images, disturbed=disturbed)
    else:
        embeddings = model.llm.embed(ids)
    if not batch.clips:
        return embeddings, None
    ear = heard(model, batch.clips, disturbed=disturbed)
    sources, rows, places = [], [], []
    first = 0
    for clip, count, row, start in zip(
        batch.clips, ear.n_rows, batch.clip_rows, batch.clip_starts, strict=True
    ):
        # as the service deals rows out: surplus is dropped, the last one repeats
        sources.append(first + np.minimum(np.arange(len(clip.places)), count - 1))
        rows.append(np.full(len(clip.places), row))
        places.append(start + np.array(clip.places, np.int64))
        first += count
    columns = np.stack([np.concatenate(part) for part in (sources, rows, places)])
    source, row, place = torch.from_numpy(columns).to(embeddings.device).unbind()
    values = ear.rows.index_select(0, source).to(embeddings.dtype)
    return embeddings.index_put((row, place), values), ear


def without_waste(sequence: Sequence) -> MixedSequence:
    """A sequence without sound, its pictures in bytes until they are seen."""
    images = [in_bytes(image) for image in sequence.images]
    return MixedSequence(sequence.ids, sequence.learnt, images)


def _seen(model: MiniCPMO, ids: Tensor, images: list[ImageTensors], *, disturbed: bool) -> Tensor:
    tiles = tiles_of(images, model.device)
    tiles = in_other_light(tiles) if disturbed else tiles
    with torch.no_grad():
        features = patch_features(model, tiles)
    return with_pictures(model, ids, features, tiles.target_sizes)
