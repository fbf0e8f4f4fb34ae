"""The ear with gradients: all clips of a batch in one pass, whichever way each is heard.

Every clip becomes one or more rows of the encoder, in which a frame sees its own piece and all
pieces before it: a whole clip is one piece, a clip in blocks has one for each, a stream those in
which it came. The places of all frames are worked out beforehand, so that a batch takes a few
large operations, not some for every piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.audio_encoder import AudioEncoder, stem_frames
from training.nano.hearing import Clip, Mel

Places = NDArray[np.int64]
"""Numbers of frames among all those of a batch."""

PADDING = np.iinfo(np.int16).max  # as a piece: it sees all, and none sees it


@dataclass(frozen=True)
class Heard:
    """What a batch of clips sounds like.

    ``rows`` ``[n, hidden]`` are those of all clips, one clip after another, ``n_rows`` of each;
    ``states`` ``[N, d]`` those of the encoder, of which ``frames`` tells each clip's own.
    """

    rows: Tensor
    n_rows: list[int]
    states: Tensor
    frames: list[Places]

    def rows_side_by_side(self, clips: Sequence[int]) -> Tensor:
        """The rows of some clips, ``[longest, clips, hidden]``, padded with any others."""
        ends = np.cumsum(self.n_rows)
        own = [np.arange(ends[clip] - self.n_rows[clip], ends[clip]) for clip in clips]
        return _taken(self.rows, own).transpose(0, 1)


def heard(model: MiniCPMO, clips: Sequence[Clip], *, disturbed: bool = False) -> Heard:
    """Encode clips, each as if it were alone.

    Args:
        disturbed: hide bands of pitches and of time at random.
    """
    encoder = model.apm
    stem, own = _stem(encoder, clips, disturbed)
    block = int(model.config.audio_chunk_length * 50)
    rows: list[list[Places]] = []  # of the encoder, each a list of pieces
    owners: list[int] = []
    for number, (clip, pieces) in enumerate(zip(clips, own, strict=True)):
        for row in _encoder_rows(clip, pieces, block, encoder.config.max_source_positions):
            rows.append(row)
            owners.append(number)
    states, places = _encoded(encoder, stem, rows)
    frames: list[list[Places]] = [[] for _ in clips]
    for owner, own_places in zip(owners, places, strict=True):
        frames[owner].append(own_places)
    return _pooled(model, states, [np.concatenate(parts) for parts in frames])


def _stem(
    encoder: AudioEncoder, clips: Sequence[Clip], disturbed: bool
) -> tuple[Tensor, list[list[Places]]]:
    """What the convolutions make of all pieces, ``[N, d]``, and which frames of it are each
    piece's own, without padding and without the margins that it shares."""
    parts: list[Tensor] = []
    own: list[list[Places]] = [[] for _ in clips]
    first = 0
    for streamed in (False, True):  # short pieces apart from long ones
        chosen = [
            number for number, clip in enumerate(clips) if (clip.view == "stream") == streamed
        ]
        pieces = [piece for number in chosen for piece in clips[number].pieces]
        if not pieces:
            continue
        mel = _padded(pieces, encoder.conv1.weight.device)
        mel = with_hidden_bands(mel) if disturbed else mel
        hidden = _convolved(encoder, mel, [len(piece) for piece in pieces])
        for number in chosen:
            margin = stem_frames(clips[number].margin_frames)
            for position, piece in enumerate(clips[number].pieces):
                start, end = margin if position else 0, stem_frames(len(piece)) - margin
                own[number].append(np.arange(first + start, first + end))
                first += hidden.shape[1]
        parts.append(hidden.flatten(0, 1))
    return torch.cat(parts), own


def _convolved(encoder: AudioEncoder, mel: Tensor, lengths: Sequence[int]) -> Tensor:
    """The encoder's convolutions ``[B, ceil(M / 2), d]`` of pieces ``[B, mels, M]``, as products:
    cuDNN plans every new shape, and each batch has others."""
    inside = torch.from_numpy(np.arange(mel.shape[2]) < np.array(lengths)[:, None])  # [B, M]
    hidden = functional.gelu(_product(encoder.conv1, mel))
    hidden = hidden * inside.to(hidden.device)[:, :, None]
    return functional.gelu(_product(encoder.conv2, hidden.transpose(1, 2)))


def _product(convolution: nn.Conv1d, values: Tensor) -> Tensor:
    """What a convolution makes of ``[B, C, M]``, ``[B, M / stride, d]``."""
    (width,), (stride,) = convolution.kernel_size, convolution.stride
    windows = functional.pad(values, (width // 2, width // 2)).unfold(2, width, stride)
    weight = convolution.weight.flatten(1)  # [d, C * width]
    return functional.linear(windows.transpose(1, 2).flatten(2), weight, convolution.bias)


def _encoder_rows(
    clip: Clip, pieces: list[Places], block: int, capacity: int
) -> Iterator[list[Places]]:
    """The pieces of a clip in rows, a stream's between two fresh starts of the encoder's cache."""
    if clip.view == "whole":
        yield pieces
        return
    if clip.view == "blocks":
        (whole,) = pieces
        yield np.split(whole, range(block, len(whole), block))
        return
    row: list[Places] = []
    length = 0
    for mel, piece in zip(clip.pieces, pieces, strict=True):
        if length and length + stem_frames(len(mel)) >= capacity:
            yield row
            row, length = [], 0
        row.append(piece)
        length += len(piece)
    yield row


def _encoded(
    encoder: AudioEncoder, stem: Tensor, rows: list[list[Places]]
) -> tuple[Tensor, list[Places]]:
    """The encoder's states ``[N, d]`` of frames of ``stem`` in pieces, and where those of each row
    are. Rows of like lengths are side by side, so that little is padding."""
    lengths = [sum(map(len, row)) for row in rows]
    order = sorted(range(len(rows)), key=lambda number: lengths[number])
    parts: list[Tensor] = []
    places: list[Places] = [np.zeros(0, np.int64)] * len(rows)
    first = 0
    for _, group in groupby(order, key=lambda number: lengths[number].bit_length()):
        numbers = list(group)
        states = _side_by_side_encoded(encoder, stem, [rows[number] for number in numbers])
        for number, start in zip(numbers, count(first, states.shape[1])):
            places[number] = np.arange(start, start + lengths[number])
        parts.append(states.flatten(0, 1))
        first += len(parts[-1])
    return torch.cat(parts), places


def _side_by_side_encoded(encoder: AudioEncoder, stem: Tensor, rows: list[list[Places]]) -> Tensor:
    """The encoder's states ``[rows, S, d]`` of rows that are padded to the longest."""
    hidden = _taken(stem, [np.concatenate(row) for row in rows])
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    pieces = np.full(hidden.shape[:2], PADDING, np.int16)
    for row, of_row in zip(rows, pieces, strict=True):
        lengths = [len(piece) for piece in row]
        of_row[: sum(lengths)] = np.repeat(np.arange(len(row)), lengths)
    of = torch.from_numpy(pieces).to(stem.device)
    mask = of[:, None, :, None] >= of[:, None, None, :]  # [rows, 1, S, S]
    for layer in encoder.layers:
        hidden = layer(hidden, mask)
    return encoder.layer_norm(hidden)


def _pooled(model: MiniCPMO, states: Tensor, frames: list[Places]) -> Heard:
    projector = model.audio_projection_layer
    step = projector.pool_step
    n_rows = [len(own) // step for own in frames]
    kept = [own[: count * step] for own, count in zip(frames, n_rows, strict=True)]
    places = torch.from_numpy(np.concatenate(kept)).to(states.device)
    rows = projector(states.index_select(0, places)).unflatten(0, (-1, step)).mean(dim=1)
    return Heard(rows, n_rows, states, frames)


def _taken(values: Tensor, rows: Sequence[Places]) -> Tensor:
    """Rows of ``values`` ``[N, d]``, ``[rows, longest, d]``, padded with any others: with ever new
    ones, since gradients of one that is taken thousands of times would wait for each other."""
    table = np.resize(np.arange(len(values)), (len(rows), max(map(len, rows))))
    for row, own in zip(table, rows, strict=True):
        row[: len(own)] = own
    places = torch.from_numpy(table).to(values.device)
    return values.index_select(0, places.flatten()).unflatten(0, table.shape)


def _padded(pieces: Sequence[Mel], device: torch.device) -> Tensor:
    """Features side by side, float32 ``[B, mels, frames]``."""
    longest = max(len(piece) for piece in pieces)
    table = np.zeros((len(pieces), longest, pieces[0].shape[1]), np.float16)
    for row, piece in zip(table, pieces, strict=True):
        row[: len(piece)] = piece
    return torch.from_numpy(table).to(device).float().transpose(1, 2).contiguous()


def with_hidden_bands(mel: Tensor) -> Tensor:
    """Features ``[B, mels, frames]`` with two bands of pitches and one of time at their mean
    (SpecAugment, arXiv:1904.08779)."""
    mean = mel.mean(dim=(1, 2), keepdim=True)
    for axis, widest, n_bands in ((1, 12, 2), (2, 12, 1)):
        size = mel.shape[axis]
        index = torch.arange(size, device=mel.device)
        for _ in range(n_bands):
            width = torch.rand(len(mel), 1, device=mel.device) * min(widest, size // 4)
            first = torch.rand(len(mel), 1, device=mel.device) * (size - width)
            band = (index >= first) & (index < first + width)  # [B, size]
            mel = torch.where(band.unsqueeze(3 - axis), mean, mel)
    return mel
