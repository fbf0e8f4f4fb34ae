"""The ear with gradients: clips of all the ways in which the service hears, encoded in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.audio import audio_token_count, mel_token_count, offline_features
from MiniCPMO45.audio_encoder import AudioEncoder, stem_frames
from MiniCPMO45.mel import CLIP_SAMPLES, SAMPLE_RATE
from MiniCPMO45.sessions.duplex_hearing import REDUNDANCY_MS
from MiniCPMO45.streaming_mel import StreamingMel, StreamingMelSettings

View = Literal["blocks", "whole", "stream"]
"""A whole clip in blocks that see all earlier ones (chat), or seen as a whole (turns of a spoken
conversation), or a stream of pieces that see all earlier ones (live)."""

Mel = NDArray[np.float16]
"""``[frames, mels]``: half of the bytes, and finer than any noise."""


@dataclass
class Clip:
    """One sound as mel features, and the places of a sequence that it fills.

    Args:
        pieces: the whole clip, or the pieces of a stream as they reach the encoder.
        n_rows: places that it fills.
        margin_frames: mel frames that a piece of a stream shares with its neighbours.
        text: what is said, where that is to be learnt, too.
    """

    view: View
    pieces: list[Mel]
    n_rows: int
    margin_frames: int = 0
    text: str | None = None
    places: list[int] = field(default_factory=list)

    @classmethod
    def of_mel(cls, view: View, mel: Tensor, text: str | None = None) -> Clip:
        """A whole clip of mel features ``[mels, frames]``."""
        return cls(view, [_stored(mel)], mel_token_count(mel.shape[1]), text=text)


def whole_clip(waveform: NDArray[np.float32], view: View, text: str | None = None) -> Clip:
    """A clip of at most 30 s as chat (``blocks``) and spoken turns (``whole``) hear it."""
    if waveform.size > CLIP_SAMPLES:
        raise ValueError("a clip lasts at most 30 s")
    return Clip.of_mel(view, offline_features([waveform]).mel[0], text)


def pieces_of_turn(waveform: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """A turn that comes live, second by second; the last piece is what is left."""
    padded = led_in(waveform)
    first = padded.size - max(0, waveform.size - SAMPLE_RATE)
    later = range(first, padded.size, SAMPLE_RATE)
    return [padded[:first], *(padded[at : at + SAMPLE_RATE] for at in later)]


def streamed_turn(waveform: NDArray[np.float32], text: str | None = None) -> Clip:
    """A turn that comes live."""
    stream = StreamingMel()
    chunks = pieces_of_turn(waveform)
    pieces = [
        _stored(stream.push(chunk, last=number == len(chunks))[0])
        for number, chunk in enumerate(chunks, start=1)
    ]
    n_rows = sum(audio_token_count(chunk.size) for chunk in chunks)
    return Clip("stream", pieces, n_rows, text=text)


def streamed_call(waveform: NDArray[np.float32]) -> Clip:
    """Whole seconds of a call, each with the margins that full duplex repeats."""
    stream = StreamingMel(StreamingMelSettings(redundancy_ms=REDUNDANCY_MS))
    padded = led_in(waveform)
    pieces: list[Mel] = []
    at = 0
    while padded.size - at >= stream.needed_samples:
        end = at + stream.needed_samples
        pieces.append(_stored(stream.push(padded[at:end])[0]))
        at = end
    n_rows = len(pieces) * audio_token_count(SAMPLE_RATE)
    return Clip("stream", pieces, n_rows, margin_frames=stream.settings.redundancy_frames)


def heard(
    model: MiniCPMO, clips: Sequence[Clip], *, disturbed: bool = False
) -> list[tuple[Tensor, Tensor]]:
    """For every clip its rows ``[tokens, hidden]`` and the encoder's states ``[frames, d]``.

    Args:
        disturbed: hide bands of pitches and of time at random.
    """
    outcome: dict[int, tuple[Tensor, Tensor]] = {}
    for view in ("blocks", "whole", "stream"):
        chosen = [index for index, clip in enumerate(clips) if clip.view == view]
        if chosen:
            states = _states(model, view, [clips[index] for index in chosen], disturbed)
            rows = _pooled(model, states)
            outcome |= zip(chosen, zip(rows, states, strict=True), strict=True)
    return [outcome[index] for index in range(len(clips))]


def _states(model: MiniCPMO, view: View, clips: Sequence[Clip], disturbed: bool) -> list[Tensor]:
    if view == "stream":
        return stream_states(model.apm, clips, disturbed=disturbed)
    device = model.apm.conv1.weight.device
    lengths = [len(clip.pieces[0]) for clip in clips]
    mel = _padded([clip.pieces[0] for clip in clips], device)
    mel = with_hidden_bands(mel) if disturbed else mel
    block = int(model.config.audio_chunk_length * 50) if view == "blocks" else None
    hidden = model.apm(mel, lengths, block)
    return [states[: stem_frames(n)] for states, n in zip(hidden, lengths, strict=True)]


def stream_states(
    encoder: AudioEncoder, clips: Sequence[Clip], *, disturbed: bool = False
) -> list[Tensor]:
    """States of all frames of streams ``[frames, d]``, as `AudioEncoder.stream` gives them piece by
    piece: each sees its own piece and all before it, and positions start afresh with the cache."""
    stretches, counts = [], []
    for clip, pieces in zip(clips, _stem_pieces(encoder, clips, disturbed), strict=True):
        parts = _stretches(clip, pieces, encoder.config.max_source_positions)
        stretches += parts
        counts.append(len(parts))
    hidden = pad_sequence([torch.cat(pieces) for pieces in stretches], batch_first=True)
    hidden = hidden + encoder.embed_positions.weight[: hidden.shape[1]]
    mask = _seen_pieces(stretches, hidden.shape[1]).to(hidden.device)
    for layer in encoder.layers:
        hidden = layer(hidden, mask)
    hidden = encoder.layer_norm(hidden)
    ends = [sum(piece.shape[0] for piece in pieces) for pieces in stretches]
    states = iter([row[:end] for row, end in zip(hidden, ends, strict=True)])
    return [torch.cat([next(states) for _ in range(count)]) for count in counts]


def _stem_pieces(
    encoder: AudioEncoder, clips: Sequence[Clip], disturbed: bool
) -> list[list[Tensor]]:
    """What the convolutions make of every piece, margins cut off, each ``[frames, d]``."""
    pieces = [piece for clip in clips for piece in clip.pieces]
    lengths = [len(piece) for piece in pieces]
    device = encoder.conv1.weight.device
    mel = _padded(pieces, device)
    mel = with_hidden_bands(mel) if disturbed else mel
    hidden = iter(encoder._stem(mel, torch.tensor(lengths)))
    kept: list[list[Tensor]] = []
    for clip in clips:
        margin = stem_frames(clip.margin_frames)
        kept.append([])
        for number, piece in enumerate(clip.pieces):
            end = stem_frames(len(piece)) - margin
            kept[-1].append(next(hidden)[margin if number else 0 : end])
    return kept


def _stretches(clip: Clip, pieces: list[Tensor], capacity: int) -> list[list[Tensor]]:
    """Pieces between two fresh starts of the encoder's cache."""
    stretches: list[list[Tensor]] = [[]]
    length = 0
    for mel, piece in zip(clip.pieces, pieces, strict=True):
        if length and length + stem_frames(len(mel)) >= capacity:
            stretches.append([])
            length = 0
        stretches[-1].append(piece)
        length += piece.shape[0]
    return stretches


def _seen_pieces(stretches: list[list[Tensor]], n_frames: int) -> Tensor:
    """Boolean ``[B, 1, S, S]``: a frame sees its own piece and all earlier ones; padding, too,
    sees something."""
    numbers = torch.zeros(len(stretches), n_frames, dtype=torch.long)
    for row, pieces in zip(numbers, stretches, strict=True):
        counts = torch.tensor([piece.shape[0] for piece in pieces])
        own = torch.repeat_interleave(torch.arange(len(pieces)), counts)
        row[: len(own)] = own
        row[len(own) :] = len(pieces)
    return (numbers[:, None, :, None] >= numbers[:, None, None, :]).contiguous()


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


def _pooled(model: MiniCPMO, states: Sequence[Tensor]) -> list[Tensor]:
    projector = model.audio_projection_layer
    step = projector.pool_step
    counts = [rows.shape[0] // step for rows in states]
    whole = [rows[: count * step] for rows, count in zip(states, counts, strict=True)]
    projected = projector(torch.cat(whole))
    return list(projected.unflatten(0, (-1, step)).mean(dim=1).split(counts))


def led_in(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """The waveform after the silence that brings its first second to the length that a stream
    begins with."""
    missing = StreamingMelSettings().padded_first_samples - min(waveform.size, SAMPLE_RATE)
    return np.pad(waveform, (missing, 0))


def _padded(pieces: Sequence[Mel], device: torch.device) -> Tensor:
    """Features side by side, float32 ``[B, mels, frames]``."""
    longest = max(len(piece) for piece in pieces)
    table = np.zeros((len(pieces), longest, pieces[0].shape[1]), np.float16)
    for row, piece in zip(table, pieces, strict=True):
        row[: len(piece)] = piece
    return torch.from_numpy(table).to(device).float().transpose(1, 2).contiguous()


def _stored(mel: Tensor) -> Mel:
    return mel.T.numpy().astype(np.float16)
