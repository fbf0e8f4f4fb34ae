"""Clips of all the ways in which the service hears, as mel features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from MiniCPMO45.audio import audio_token_count, mel_token_count, offline_features
from MiniCPMO45.mel import CLIP_SAMPLES, SAMPLE_RATE
from MiniCPMO45.sessions.duplex_hearing import REDUNDANCY_MS
from MiniCPMO45.streaming_mel import StreamingMel, StreamingMelSettings
from training.nano.phones import Classes

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
        phones: said in each frame of 20 ms, likewise.
    """

    view: View
    pieces: list[Mel]
    n_rows: int
    margin_frames: int = 0
    text: str | None = None
    phones: Classes | None = None
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


def streamed_call(waveform: NDArray[np.float32], text: str | None = None) -> Clip:
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
    return Clip("stream", pieces, n_rows, stream.settings.redundancy_frames, text)


def led_in(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """The waveform after the silence that brings its first second to the length that a stream
    begins with."""
    missing = StreamingMelSettings().padded_first_samples - min(waveform.size, SAMPLE_RATE)
    return np.pad(waveform, (missing, 0))


def _stored(mel: Tensor) -> Mel:
    return mel.T.numpy().astype(np.float16)
