"""Vocoding piece by piece: each call renders the last frames of the call before once more and
fades from the old rendering to the new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise

OVERLAP_FRAMES = 8


@dataclass(frozen=True)
class Rendering:
    """Mel frames ``[B, mels, T]``, their excitation ``[B, 1, n]`` and their sound ``[B, n]``."""

    mel: Tensor
    source: Tensor
    sound: Tensor

    @classmethod
    def silent(cls, hift: HiFT, n_frames: int, n_streams: int = 1) -> Rendering:
        config, like = hift.config, hift.conv_pre.weight
        n_samples = n_frames * config.samples_per_frame
        return cls(
            like.new_zeros(n_streams, config.in_channels, n_frames),
            like.new_zeros(n_streams, 1, n_samples),
            like.new_zeros(n_streams, n_samples),
        )

    def row(self, index: int) -> Rendering:
        """A view of what belongs to one stream."""
        row = slice(index, index + 1)
        return Rendering(self.mel[row], self.source[row], self.sound[row])

    def clone(self) -> Rendering:
        return Rendering(self.mel.clone(), self.source.clone(), self.sound.clone())

    def copy_from(self, other: Rendering) -> None:
        """Become as ``other``, which has as many frames."""
        self.mel.copy_(other.mel)
        self.source.copy_(other.source)
        self.sound.copy_(other.sound)


@dataclass(frozen=True)
class Piece:
    """What to render: ``past`` once more with ``mel`` ``[B, mels, F]`` behind it, and noise for all
    these frames, see :class:`HarmonicSource`."""

    past: Rendering
    mel: Tensor
    noise: Tensor

    def row(self, index: int) -> Piece:
        """A view of what belongs to one stream."""
        row = slice(index, index + 1)
        return Piece(self.past.row(index), self.mel[row], self.noise[row])

    def copy_from(self, other: Piece) -> None:
        """Become as ``other``, which has as many frames."""
        self.past.copy_from(other.past)
        self.mel.copy_(other.mel)
        self.noise.copy_(other.noise)


class Renderer(Protocol):
    """:func:`render` with a vocoder of its own, for pieces of different streams."""

    def __call__(self, pieces: Sequence[Piece]) -> list[Rendering]: ...


def render(hift: HiFT, piece: Piece) -> Rendering:
    """All frames of a piece, with the sound of the past faded into the new one."""
    past = piece.past
    frames = torch.cat([past.mel, piece.mel], dim=2)
    source = hift.source(frames, piece.noise)
    n_past = past.sound.shape[1]
    source[:, :, :n_past] = past.source
    sound = hift.decode(frames, source)
    if n_past:
        sound[:, :n_past] = crossfade(past.sound, sound[:, :n_past])
    return Rendering(frames, source, sound)


class VocoderOverlap:
    """What the vocoder remembers of one turn: its last frames, excitation and sound.

    The sound of the remembered frames has not been given out yet.
    """

    def __init__(self, hift: HiFT, noise: ExcitationNoise, past: Rendering | None = None) -> None:
        self._hift = hift
        self._noise = noise
        self._past = Rendering.silent(hift, 0) if past is None else past
        self._drawn: Tensor | None = None

    def piece(self, mel: Tensor) -> Piece:
        """What is to be rendered for the next frames ``[1, mels, F]``; the same again if asked
        again."""
        config, past = self._hift.config, self._past
        n_samples = (past.mel.shape[2] + mel.shape[2]) * config.samples_per_frame
        if self._drawn is None or self._drawn.shape[1] != n_samples:
            self._drawn = self._noise.draw(n_samples, config.nb_harmonics + 1)
        return Piece(past, mel, self._drawn.to(mel.device))

    def after(self, rendering: Rendering) -> VocoderOverlap:
        """What is remembered once such a piece was rendered."""
        kept = min(self._delay, rendering.sound.shape[1])
        past = Rendering(
            rendering.mel[:, :, -OVERLAP_FRAMES:],
            rendering.source[:, :, -kept:],
            rendering.sound[:, -kept:],
        )
        return VocoderOverlap(self._hift, self._noise, past)

    def sound(self, rendering: Rendering, *, last: bool) -> Tensor:
        """What is given out of such a piece.

        Returns:
            ``[n]``: unless ``last``, as many frames' samples as came in. The sound runs up to
            eight frames late, and silence makes up for the delay at the beginning.
        """
        sound = rendering.sound
        if last:
            return sound[0]
        n_samples = sound.shape[1]
        kept = min(self._delay, n_samples)
        delay = sound.new_zeros(kept - self._past.sound.shape[1])
        return torch.cat([delay, sound[0, : n_samples - kept]])

    def flush(self) -> Tensor:
        """The remembered sound, ``[n]``."""
        return self._past.sound[0]

    @property
    def _delay(self) -> int:
        """Most samples that are remembered."""
        return OVERLAP_FRAMES * self._hift.config.samples_per_frame


def crossfade(old: Tensor, new: Tensor) -> Tensor:
    """From ``old`` to ``new``, both ``[B, n]``, along the halves of a Hamming window.

    The halves add up to 1.08, as in the published vocoder, not to 1.
    """
    n_samples = new.shape[1]
    window = torch.hamming_window(2 * n_samples, periodic=False, device=new.device)
    return new * window[:n_samples] + old * window[n_samples:]
