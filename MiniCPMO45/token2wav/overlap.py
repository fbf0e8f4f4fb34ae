"""Vocoding piece by piece: each call renders the last frames of the call before once more and
fades from the old rendering to the new one."""

from __future__ import annotations

import torch
from torch import Tensor

from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.noise import ExcitationNoise

OVERLAP_FRAMES = 8


class VocoderOverlap:
    """What the vocoder remembers of one turn: its last frames, excitation and sound.

    The sound of the remembered frames has not been given out yet.
    """

    def __init__(self, hift: HiFT, noise: ExcitationNoise) -> None:
        config = hift.config
        like = hift.conv_pre.weight
        self._hift = hift
        self._noise = noise
        self._mel = like.new_zeros(1, config.in_channels, 0)
        self._source = like.new_zeros(1, 1, 0)
        self._sound = like.new_zeros(1, 0)

    def push(self, mel: Tensor, *, last: bool) -> Tensor:
        """Render ``[1, mels, F]``.

        Returns:
            ``[n]``: unless ``last``, as many frames' samples as came in. The sound runs up to
            eight frames late, and silence makes up for the delay at the beginning.
        """
        config = self._hift.config
        frames = torch.cat([self._mel, mel], dim=2)
        n_samples = frames.shape[2] * config.samples_per_frame
        noise = self._noise.draw(n_samples, config.nb_harmonics + 1).to(frames.device)
        source = self._hift.source(frames, noise)
        remembered = self._source.shape[2]
        source[:, :, :remembered] = self._source
        sound = self._hift.decode(frames, source)
        if remembered:
            sound[:, :remembered] = crossfade(self._sound, sound[:, :remembered])
        if last:
            return sound[0]
        kept = min(OVERLAP_FRAMES * config.samples_per_frame, n_samples)
        self._mel = frames[:, :, -OVERLAP_FRAMES:].clone()
        self._source = source[:, :, -kept:].clone()
        self._sound = sound[:, -kept:].clone()
        delay = sound.new_zeros(kept - remembered)
        return torch.cat([delay, sound[0, : n_samples - kept]])

    def flush(self) -> Tensor:
        """The remembered sound, ``[n]``."""
        return self._sound[0]


def crossfade(old: Tensor, new: Tensor) -> Tensor:
    """From ``old`` to ``new``, both ``[1, n]``, along the halves of a Hamming window.

    The halves add up to 1.08, as in the published vocoder, not to 1.
    """
    n_samples = new.shape[1]
    window = torch.hamming_window(2 * n_samples, periodic=False, device=new.device)
    return new * window[:n_samples] + old * window[n_samples:]
