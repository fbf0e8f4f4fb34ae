"""Where randomness comes from, so that the same seed gives the same sound."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

_FRAMES_PER_DRAW = 1024


class FlowNoise(Protocol):
    """The fixed Gaussian table every solution starts from. It decides the texture of a voice."""

    def frames(self, first: int, count: int) -> Tensor:
        """Columns ``first..first + count``, float32 ``[1, mels, count]`` on the CPU."""
        ...


class ExcitationNoise(Protocol):
    """Fresh Gaussian noise for the vocoder's source, one generator for each stream."""

    def draw(self, n_samples: int, n_sines: int) -> Tensor:
        """float32 ``[1, n_samples, n_sines]``."""
        ...


class SeededFlowNoise:
    """A table without end: every stretch of it is drawn from the seed when asked for."""

    def __init__(self, seed: int, n_mels: int) -> None:
        self._seed = seed
        self._n_mels = n_mels

    def frames(self, first: int, count: int) -> Tensor:
        """See :class:`FlowNoise`."""
        start = first // _FRAMES_PER_DRAW
        end = max(first + count - 1, first) // _FRAMES_PER_DRAW + 1
        table = torch.cat([self._stretch(index) for index in range(start, end)], dim=2)
        offset = first - start * _FRAMES_PER_DRAW
        return table[:, :, offset : offset + count]

    def _stretch(self, index: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._seed + index)
        return torch.randn(1, self._n_mels, _FRAMES_PER_DRAW, generator=generator)


class SeededExcitation:
    """Draws one after another on ``device``."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._generator = torch.Generator(device).manual_seed(seed)

    def draw(self, n_samples: int, n_sines: int) -> Tensor:
        """See :class:`ExcitationNoise`."""
        device = self._generator.device
        return torch.randn(1, n_samples, n_sines, generator=self._generator, device=device)
