"""The vocoder's excitation: sines at the harmonics of the pitch, and noise
(neural source-filter, https://arxiv.org/abs/1904.12088)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.token2wav.configuration import HiFTConfig


class F0Predictor(nn.Module):
    """Pitch of every mel frame (``f0_predictor.``); the names count the published sequence."""

    def __init__(self, config: HiFTConfig) -> None:
        super().__init__()
        widths = [config.in_channels] + [config.f0_channels] * 5
        self.condnet = nn.ModuleDict(
            {
                str(2 * index): nn.Conv1d(widths[index], widths[index + 1], 3, padding=1)
                for index in range(5)
            }
        )
        self.classifier = nn.Linear(config.f0_channels, 1)

    def forward(self, mel: Tensor) -> Tensor:
        """``[B, mels, T]`` to Hz ``[B, T]``."""
        x = mel
        for conv in self.condnet.values():
            x = functional.elu(conv(x))
        return self.classifier(x.transpose(1, 2))[:, :, 0].abs()


class HarmonicSource(nn.Module):
    """Mixes the sines to one channel (``m_source.``)."""

    def __init__(self, config: HiFTConfig) -> None:
        super().__init__()
        self.config = config
        self.n_sines = config.nb_harmonics + 1
        self.l_linear = nn.Linear(self.n_sines, 1)

    def forward(self, f0: Tensor, noise: Tensor) -> Tensor:
        """Excitation for pitch ``[1, T]``.

        Args:
            noise: standard normal ``[1, T * samples_per_frame, n_sines]``.

        Returns:
            ``[1, 1, T * samples_per_frame]``.
        """
        config = self.config
        voiced = (f0 > config.nsf_voiced_threshold).to(f0.dtype)
        voiced = voiced.repeat_interleave(config.samples_per_frame, dim=1)[:, :, None]
        sines = config.nsf_alpha * torch.sin(2 * math.pi * self._cycles(f0))
        spread = voiced * config.nsf_sigma + (1 - voiced) * (config.nsf_alpha / 3)
        mixed = torch.tanh(self.l_linear(sines * voiced + spread * noise))
        return mixed.transpose(1, 2)

    def _cycles(self, f0: Tensor) -> Tensor:
        """Phase of every sine in cycles, ``[1, T * samples_per_frame, n_sines]``.

        A frame's phase holds at its centre; between two centres it grows evenly, before the first
        and behind the last it stands still.
        """
        length = self.config.samples_per_frame
        harmonics = torch.arange(1, self.n_sines + 1, device=f0.device, dtype=f0.dtype)
        per_sample = (f0[:, :, None] * harmonics / self.config.sampling_rate) % 1  # [1, T, sines]
        # Sums grow with the length of the clip, so only here double precision is worth it.
        centres = (per_sample.double().cumsum(dim=1) * length % 1).to(f0.dtype)
        since_centre = torch.arange(length, device=f0.device, dtype=f0.dtype) + 0.5
        ahead = functional.pad(per_sample[:, 1:], (0, 0, 0, 1))  # increments toward the next
        between = centres[:, :, None] + ahead[:, :, None] * since_centre[:, None]
        standing = centres[:, :1].expand(-1, length // 2, -1)
        cycles = torch.cat([standing, between.flatten(1, 2)], dim=1)
        return cycles[:, : f0.shape[1] * length]
