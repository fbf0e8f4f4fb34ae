"""Vocoding piece by piece: each call renders the last frames of the call before once more and
fades from the old rendering to the new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise

OVERLAP_FRAMES = 8


@dataclass(frozen=True)
class Rendering:
    """Mel frames ``[1, mels, T]``, their excitation ``[1, 1, n]`` and their sound ``[1, n]``."""

    mel: Tensor
    source: Tensor
    sound: Tensor

    @classmethod
    def silent(cls, hift: HiFT, n_frames: int) -> Rendering:
        config, like = hift.config, hift.conv_pre.weight
        n_samples = n_frames * config.samples_per_frame
        return cls(
            like.new_zeros(1, config.in_channels, n_frames),
            like.new_zeros(1, 1, n_samples),
            like.new_zeros(1, n_samples),
        )

    def copy_from(self, other: Rendering) -> None:
        """Become as ``other``, which has as many frames."""
        self.mel.copy_(other.mel)
        self.source.copy_(other.source)
        self.sound.copy_(other.sound)


class Renderer(Protocol):
    """:func:`render` with a vocoder of its own."""

    def __call__(self, past: Rendering, mel: Tensor, noise: Tensor) -> Rendering:
        """What comes back is valid until the next call."""
        ...


def render(hift: HiFT, past: Rendering, mel: Tensor, noise: Tensor) -> Rendering:
    """Render ``past`` once more with ``mel`` ``[1, mels, F]`` behind it.

    Args:
        noise: for all frames, see :class:`HarmonicSource`.
    """
    frames = torch.cat([past.mel, mel], dim=2)
    source = hift.source(frames, noise)
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

    def __init__(self, hift: HiFT, render: Renderer, noise: ExcitationNoise) -> None:
        self._config = hift.config
        self._render = render
        self._noise = noise
        self._past = Rendering.silent(hift, 0)

    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        """Render ``[1, mels, F]``.

        Returns:
            ``[n]``: unless ``last``, as many frames' samples as came in. The sound runs up to
            eight frames late, and silence makes up for the delay at the beginning.
        """
        config, past = self._config, self._past
        n_samples = (past.mel.shape[2] + mel.shape[2]) * config.samples_per_frame
        noise = self._noise.draw(n_samples, config.nb_harmonics + 1).to(mel.device)
        rendering = self._render(past, mel, noise)
        sound = rendering.sound
        if last:
            return sound[0].clone()
        kept = min(OVERLAP_FRAMES * config.samples_per_frame, n_samples)
        self._past = Rendering(
            rendering.mel[:, :, -OVERLAP_FRAMES:].clone(),
            rendering.source[:, :, -kept:].clone(),
            sound[:, -kept:].clone(),
        )
        delay = sound.new_zeros(kept - past.sound.shape[1])
        return torch.cat([delay, sound[0, : n_samples - kept]])

    def flush(self) -> Tensor:
        """The remembered sound, ``[n]``."""
        return self._past.sound[0]


def crossfade(old: Tensor, new: Tensor) -> Tensor:
    """From ``old`` to ``new``, both ``[1, n]``, along the halves of a Hamming window.

    The halves add up to 1.08, as in the published vocoder, not to 1.
    """
    n_samples = new.shape[1]
    window = torch.hamming_window(2 * n_samples, periodic=False, device=new.device)
    return new * window[:n_samples] + old * window[n_samples:]
