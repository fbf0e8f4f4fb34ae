"""Short Fourier transforms as convolutions with fixed matrices, for windows of a few samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


class ShortFourier:
    """Centred transform with a periodic Hann window and its overlap-add inverse."""

    def __init__(self, n_fft: int, hop: int, device: torch.device) -> None:
        self._hop = hop
        self._half = n_fft // 2
        window = torch.hann_window(n_fft, dtype=torch.float64)
        times = torch.arange(n_fft, dtype=torch.float64)
        bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
        angles = 2 * math.pi / n_fft * bins[:, None] * times  # [bins, n_fft]
        forward = torch.cat([angles.cos(), -angles.sin()]) * window
        # All bins but the first and the last stand for two.
        weight = torch.full((n_fft // 2 + 1, 1), 2.0 / n_fft, dtype=torch.float64)
        weight[0] = weight[-1] = 1.0 / n_fft
        inverse = torch.cat([angles.cos() * weight, -angles.sin() * weight]) * window
        self._forward = forward.float()[:, None].to(device)  # [2 * bins, 1, n_fft]
        self._inverse = inverse.float()[:, None].to(device)
        self._window_power = window.square().float()[None, None].to(device)

    def transform(self, waveform: Tensor) -> Tensor:
        """``[B, 1, n]`` to ``[B, 2 * bins, n / hop + 1]``, real parts first; the ends are
        reflected."""
        padded = functional.pad(waveform, (self._half, self._half), mode="reflect")
        return functional.conv1d(padded, self._forward, stride=self._hop)

    def invert(self, spectrum: Tensor) -> Tensor:
        """``[B, 2 * bins, frames]`` to ``[B, (frames - 1) * hop]``."""
        summed = functional.conv_transpose1d(spectrum, self._inverse, stride=self._hop)
        ones = spectrum.new_ones(1, 1, spectrum.shape[2])
        overlap = functional.conv_transpose1d(ones, self._window_power, stride=self._hop)
        centre = slice(self._half, summed.shape[2] - self._half)
        return (summed[:, :, centre] / overlap[:, :, centre])[:, 0]
