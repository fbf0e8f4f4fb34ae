"""The encoders for the shapes that live conversations send, captured as CUDA graphs.

A forward of fixed shapes works on fixed inputs; which conversations its rows belong to and where
they stand is read on the device. What has another shape runs in plain PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from MiniCPMO45.audio_cache import AudioCache
from MiniCPMO45.audio_encoder import AudioEncoder, AudioProjector, stem_frames
from MiniCPMO45.graph_capture import capture
from MiniCPMO45.image import ImageTensors, batch_slices
from MiniCPMO45.resampler import Resampler, grid_places
from MiniCPMO45.vision import PatchLayout, VisionTransformer, position_ids, score_mask

GROUP_SIZES = (1, 2, 4, 8, 16)  # tiles or streams of one forward
FEW_TILES = 4  # of one forward, where there are not more slots
WHOLE_TILES = (1024, 1032, 1036)  # patches of a square, a 16:9 and a 4:3 picture
PADDED_TILE = 1088  # nearly every other tile fits
USUAL_MEL_FRAMES = 104  # a second and what neighbouring pieces also hold
USUAL_CUT = 2  # of those, on either side

Forward = Callable[[], Tensor]


def as_replay(forward: Forward, pool: Any) -> Forward:
    """``forward`` captured; its result lasts until the next replay of the pool."""
    graph, result = capture(forward, pool)

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay


def send(parts: Sequence[Tensor], target: Tensor) -> None:
    """Copy CPU tensors ``[...]`` to the front of ``target`` ``[B, ...]``, converted to its dtype
    and padded with zeros at the end of the last axis."""
    pinned = target.is_cuda
    staged = torch.zeros((len(parts), *target.shape[1:]), dtype=target.dtype, pin_memory=pinned)
    for row, part in zip(staged, parts, strict=True):
        row[..., : part.shape[-1]] = part
    target[: len(parts)].copy_(staged, non_blocking=True)


class TileEncoder:
    """Vision transformer and resampler for the tiles of any pictures."""

    def __init__(
        self, vision: VisionTransformer, resampler: Resampler, batch_size: int, n_slots: int
    ) -> None:
        self._vision = vision
        self._resampler = resampler
        self._batch_size = batch_size
        self._sizes = [size for size in GROUP_SIZES if size <= max(FEW_TILES, n_slots)]
        self._graphs: dict[tuple[int, int], Forward] = {}

    @torch.inference_mode()
    def encode(self, images: Sequence[ImageTensors]) -> Tensor:
        """Embeddings of all tiles in order, ``[tiles, query_num, hidden]``."""
        sizes = torch.cat([image.target_sizes for image in images])
        n_patches = captured_patches(sizes)
        if not self._graphs or n_patches is None:
            return self._encode_plainly(images)
        strips = [strip for image in images for strip in image.pixels]
        groups, first = [], 0
        while first < len(strips):
            count = max(size for size in self._sizes if size <= len(strips) - first)
            group = slice(first, first + count)
            self.place(strips[group], sizes[group], n_patches)
            groups.append(self._graphs[count, n_patches]().clone())
            first += count
        return torch.cat(groups) if len(groups) > 1 else groups[0]

    def allocate(self) -> None:
        """Room for the inputs of :meth:`run`."""
        most, weight = self._sizes[-1], self._resampler.proj
        kernel = self._vision.embeddings.patch_embedding
        patch, n_channels = kernel.kernel_size[0], kernel.in_channels
        device = weight.device
        self._patch_shape = (n_channels, patch)
        self._pixels = weight.new_zeros(most * PADDED_TILE * n_channels * patch**2)
        self._ids = torch.zeros(most, PADDED_TILE, dtype=torch.int64, device=device)
        self._places = torch.zeros(most, PADDED_TILE, 2, dtype=torch.int64, device=device)
        self._mask = weight.new_zeros(most, 1, 1, PADDED_TILE)
        self._codes = self._resampler.codes(PADDED_TILE)

    @torch.inference_mode()
    def capture(self, pool: Any = None) -> Iterator[float]:
        """Replay the usual shapes from now on; yields the fraction captured.

        Args:
            pool: memory to share with other graphs; their own if None.
        """
        self.allocate()
        pool = pool or torch.cuda.graph_pool_handle()
        shapes = [
            (n_tiles, n_patches)
            for n_tiles in reversed(self._sizes)  # the largest sizes the memory
            for n_patches in (PADDED_TILE, *WHOLE_TILES)
        ]
        graphs = {}
        for shape in shapes:
            graphs[shape] = as_replay(partial(self.run, *shape), pool)
            yield len(graphs) / len(shapes)
        self._graphs = graphs

    def place(self, strips: Sequence[Tensor], sizes: Tensor, n_patches: int) -> None:
        """Lay tiles out as the inputs of :meth:`run`."""
        count, device = len(strips), self._pixels.device
        send(strips, self._strips(count, n_patches))
        positions = self._vision.embeddings.n_positions
        self._ids[:count, :n_patches] = position_ids(sizes, n_patches, positions, device)
        places = grid_places(sizes, n_patches, device)
        self._places[:count, :n_patches] = places
        if n_patches == PADDED_TILE:
            self._mask[:count] = score_mask(places[:, :, 0] >= 0, self._mask.dtype)

    def run(self, n_tiles: int, n_patches: int) -> Tensor:
        """Encode the tiles that were placed, ``[n_tiles, query_num, hidden]``."""
        mask = self._mask[:n_tiles] if n_patches == PADDED_TILE else None
        vision = self._vision
        hidden = vision.embeddings.embed(
            self._strips(n_tiles, n_patches), self._ids[:n_tiles, :n_patches]
        )
        hidden = vision.post_layernorm(vision.encoder(hidden, PatchLayout(mask=mask)))
        places = self._places[:n_tiles, :n_patches]
        return self._resampler.resample(hidden, places, self._codes, mask)

    def _strips(self, n_tiles: int, n_patches: int) -> Tensor:
        n_channels, patch = self._patch_shape
        shape = (n_tiles, n_channels, patch, patch * n_patches)
        return self._pixels[: math.prod(shape)].view(shape)

    def _encode_plainly(self, images: Sequence[ImageTensors]) -> Tensor:
        weight, size = self._resampler.proj, self._batch_size
        batch = batch_slices(images).to(weight.device, weight.dtype)
        parts = zip(
            batch.pixels.split(size),
            batch.patch_mask.split(size),
            batch.target_sizes.split(size),
            strict=True,
        )
        features = torch.cat([self._vision(*part) for part in parts])
        return self._resampler(features, batch.target_sizes)


def captured_patches(sizes: Tensor) -> int | None:
    """How many patches a tile has in the forward that takes tiles of ``sizes`` ``[B, 2]``; None if
    none does."""
    lengths = sizes.prod(dim=1).tolist()
    longest = max(lengths)
    if longest in WHOLE_TILES and min(lengths) == longest:
        return longest
    return PADDED_TILE if longest <= PADDED_TILE else None


@dataclass(frozen=True)
class LivePiece:
    """Mel frames ``[1, mels, frames]`` that a stream hears next, of which neighbouring pieces also
    hold the first and last few."""

    mel: Tensor
    cache: AudioCache
    prefix_frames: int = 0
    suffix_frames: int = 0


class LiveEar:
    """Audio encoder and projector for streams, each with a slot of the caches."""

    def __init__(self, encoder: AudioEncoder, projector: AudioProjector, n_slots: int) -> None:
        self._encoder = encoder
        self._projector = projector
        self._sizes = [size for size in GROUP_SIZES if size < 2 * n_slots]
        self._caches = encoder.new_caches(n_slots)
        self._graphs: dict[int, Forward] = {}

    def stream(self, slot: int) -> AudioCache:
        """An empty cache for the conversation on a slot; one made before is void."""
        return self._caches.stream(slot)

    def can_share(self, piece: LivePiece) -> bool:
        """Whether a forward for several streams takes this piece."""
        shape = (piece.mel.shape[2], piece.prefix_frames, piece.suffix_frames)
        is_usual = shape == (USUAL_MEL_FRAMES, USUAL_CUT, USUAL_CUT)
        return bool(self._graphs) and is_usual and piece.cache.caches is self._caches

    @torch.inference_mode()
    def hear(self, piece: LivePiece) -> Tensor:
        """Embeddings ``[tokens, hidden]`` of a piece of any size."""
        weight = self._projector.linear1.weight
        hidden = self._encoder.stream(
            piece.mel.to(weight.device, weight.dtype),
            piece.cache,
            prefix_frames=piece.prefix_frames,
            suffix_frames=piece.suffix_frames,
        )
        return self._projector.pool(hidden, [piece.mel.shape[2]])[0]

    @torch.inference_mode()
    def hear_together(self, pieces: Sequence[LivePiece]) -> list[Tensor]:
        """Embeddings of pieces of different streams that can share a forward."""
        rows: list[Tensor] = []
        for first in range(0, len(pieces), self._sizes[-1]):
            group = pieces[first : first + self._sizes[-1]]
            n_streams = next(size for size in self._sizes if size >= len(group))
            self.place(group, n_streams)
            forward = self._graphs.get(n_streams) or partial(self.run, n_streams)
            rows += forward()[: len(group)].clone()
        for piece in pieces:  # all of them or, where a forward failed, none
            piece.cache.advance(stem_frames(USUAL_MEL_FRAMES) - 2 * stem_frames(USUAL_CUT))
        return rows

    def allocate(self) -> None:
        """Room for the inputs of :meth:`run`."""
        most, weight = self._sizes[-1], self._encoder.conv1.weight
        self._mel = weight.new_zeros(most, weight.shape[1], USUAL_MEL_FRAMES)
        self._states = torch.zeros(most, 2, dtype=torch.int64, device=weight.device)

    @torch.inference_mode()
    def capture(self, pool: Any = None) -> Iterator[float]:
        """Replay forwards for several streams from now on; yields the fraction captured. No
        stream may be open.

        Args:
            pool: memory to share with other graphs; their own if None.
        """
        self.allocate()
        pool = pool or torch.cuda.graph_pool_handle()
        graphs = {}
        for n_streams in reversed(self._sizes):
            graphs[n_streams] = as_replay(partial(self.run, n_streams), pool)
            yield len(graphs) / len(self._sizes)
        self._graphs = graphs

    def place(self, pieces: Sequence[LivePiece], n_streams: int) -> None:
        """Lay pieces out as the inputs of :meth:`run`. The last fills the forward up: it is then
        written more than once, the same each time."""
        padded = [*pieces, *[pieces[-1]] * (n_streams - len(pieces))]
        for piece in pieces:
            piece.cache.make_room(stem_frames(USUAL_MEL_FRAMES))
        send([piece.mel[0] for piece in padded], self._mel)
        states = [torch.tensor([piece.cache.slot, piece.cache.length]) for piece in padded]
        send(states, self._states)

    def run(self, n_streams: int) -> Tensor:
        """Hear the pieces that were placed, ``[n_streams, tokens, hidden]``."""
        slots, lengths = self._states[:n_streams].unbind(1)
        hidden = self._encoder.stream_together(
            self._mel[:n_streams],
            self._caches,
            slots,
            lengths,
            prefix_frames=USUAL_CUT,
            suffix_frames=USUAL_CUT,
        )
        return torch.stack(self._projector.pool(hidden, [USUAL_MEL_FRAMES] * n_streams))
