"""Mel frames to sound: HiFT, a GAN vocoder that ends in an inverse Fourier transform
(https://arxiv.org/abs/2309.09493), with weight norm folded."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.token2wav.configuration import HiFTConfig
from MiniCPMO45.token2wav.fourier import ShortFourier
from MiniCPMO45.token2wav.source import F0Predictor, HarmonicSource

_LOUDEST_BIN = 100.0


class Snake(nn.Module):
    """``x + sin(a x)^2 / a`` (https://arxiv.org/abs/2006.08195)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha[:, None]
        return x + torch.sin(alpha * x).square() / (alpha + 1e-9)


class ResBlock(nn.Module):
    """Residual pairs of a dilated and a plain convolution."""

    def __init__(self, channels: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same_conv(channels, kernel, each) for each in dilations)
        self.convs2 = nn.ModuleList(_same_conv(channels, kernel, 1) for _ in dilations)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in dilations)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        stages = zip(self.activations1, self.convs1, self.activations2, self.convs2, strict=True)
        for first_activation, first, second_activation, second in stages:
            x = x + second(second_activation(first(first_activation(x))))
        return x


class HiFT(nn.Module):
    """The vocoder, under the keys of ``hift.pt``. Weights are float32."""

    def __init__(self, config: HiFTConfig) -> None:
        super().__init__()
        self.config = config
        base, n_bins = config.base_channels, config.istft_n_fft + 2
        widths = [base // 2**stage for stage in range(len(config.upsample_rates) + 1)]
        kernels = config.resblock_kernel_sizes
        self.f0_predictor = F0Predictor(config)
        self.m_source = HarmonicSource(config)
        self.conv_pre = nn.Conv1d(config.in_channels, base, kernel_size=7, padding=3)
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            for width, kernel, rate in zip(
                widths[:-1], config.upsample_kernel_sizes, config.upsample_rates, strict=True
            )
        )
        self.source_downs = nn.ModuleList(
            _downsampling(n_bins, width, math.prod(config.upsample_rates[stage + 1 :]))
            for stage, width in enumerate(widths[1:])
        )
        dilations = config.resblock_dilations
        self.source_resblocks = nn.ModuleList(
            ResBlock(width, kernel, dilations)
            for width, kernel in zip(widths[1:], config.source_resblock_kernel_sizes, strict=True)
        )
        self.resblocks = nn.ModuleList(
            ResBlock(width, kernel, dilations) for width in widths[1:] for kernel in kernels
        )
        self.conv_post = nn.Conv1d(widths[-1], n_bins, kernel_size=7, padding=3)
        self.fourier: ShortFourier | None = None

    def prepare(self) -> None:
        """Compute the tables that are not in the checkpoint; call once the weights are there."""
        config = self.config
        device = self.conv_pre.weight.device
        self.fourier = ShortFourier(config.istft_n_fft, config.istft_hop_len, device)

    def source(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Excitation of ``[1, mels, T]``; see :class:`HarmonicSource`."""
        return self.m_source(self.f0_predictor(mel), noise)

    def decode(self, mel: Tensor, source: Tensor) -> Tensor:
        """Sound of mel frames.

        Args:
            mel: ``[B, mels, T]``.
            source: ``[B, 1, T * samples_per_frame]``.

        Returns:
            ``[B, T * samples_per_frame]`` within the audio limit.
        """
        fourier = self.fourier
        assert fourier is not None, "prepare() must follow loading"
        config = self.config
        excitation = fourier.transform(source)  # [B, n_fft + 2, frames of the inverse transform]
        n_kernels = len(config.resblock_kernel_sizes)
        x = self.conv_pre(mel)
        for stage, up in enumerate(self.ups):
            x = up(functional.leaky_relu(x, config.lrelu_slope))
            if stage == len(self.ups) - 1:
                x = torch.cat([x[:, :, 1:2], x], dim=2)  # the excitation has one frame more
            x = x + self.source_resblocks[stage](self.source_downs[stage](excitation))
            blocks = list(self.resblocks)[stage * n_kernels : (stage + 1) * n_kernels]
            x = torch.stack([block(x) for block in blocks]).mean(dim=0)
        x = self.conv_post(functional.leaky_relu(x))  # [B, n_fft + 2, frames]
        log_magnitude, angle_input = x.chunk(2, dim=1)
        magnitude = log_magnitude.exp().clamp(max=_LOUDEST_BIN)
        angle = torch.sin(angle_input)
        spectrum = torch.cat([magnitude * angle.cos(), magnitude * angle.sin()], dim=1)
        return fourier.invert(spectrum).clamp(-config.audio_limit, config.audio_limit)


def _same_conv(channels: int, kernel: int, dilation: int) -> nn.Conv1d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv1d(channels, channels, kernel, padding=padding, dilation=dilation)


def _downsampling(n_bins: int, width: int, rate: int) -> nn.Conv1d:
    if rate == 1:
        return nn.Conv1d(n_bins, width, kernel_size=1)
    return nn.Conv1d(n_bins, width, kernel_size=2 * rate, stride=rate, padding=rate // 2)
