"""Sizes of the three networks behind token2wav, under the published field names."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, TypeVar

from MiniCPMO45.errors import CheckpointError

ConfigType = TypeVar("ConfigType")


@dataclass(frozen=True)
class EncoderConfig:
    """The upsampling conformer (``flow.encoder``)."""

    input_size: int = 512
    output_size: int = 512
    pre_lookahead_len: int = 3
    num_blocks: int = 6
    num_up_blocks: int = 4
    up_stride: int = 2
    up_scale_factor: int = 2
    attention_heads: int = 8
    key_bias: bool = True
    linear_units: int = 2048


@dataclass(frozen=True)
class EstimatorConfig:
    """The diffusion transformer (``flow.decoder.estimator``)."""

    in_channels: int = 320
    out_channels: int = 80
    mlp_ratio: float = 4.0
    depth: int = 16
    num_heads: int = 8
    head_dim: int = 64
    hidden_size: int = 512


@dataclass(frozen=True)
class FlowConfig:
    """Speech tokens to mel frames (``flow``)."""

    input_size: int = 512
    output_size: int = 80
    spk_embed_dim: int = 192
    vocab_size: int = 6561
    inference_cfg_rate: float = 0.7
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    estimator: EstimatorConfig = field(default_factory=EstimatorConfig)

    def validate(self) -> None:
        """Refuse sizes that do not fit each other.

        Raises:
            CheckpointError: naming the fields.
        """
        encoder, estimator = self.encoder, self.estimator
        _require(
            encoder.input_size == encoder.output_size == self.input_size,
            "flow.input_size, flow.encoder.input_size and flow.encoder.output_size must be equal",
        )
        _require(
            encoder.output_size % (2 * encoder.attention_heads) == 0,
            "flow.encoder.output_size must be an even multiple of attention_heads",
        )
        _require(
            encoder.up_scale_factor == encoder.up_stride,
            "flow.encoder.up_scale_factor must equal up_stride",
        )
        _require(
            estimator.in_channels == 4 * estimator.out_channels,
            "flow.decoder.estimator.in_channels must be four times out_channels",
        )
        _require(
            estimator.out_channels == self.output_size,
            "flow.decoder.estimator.out_channels must equal flow.output_size",
        )


@dataclass(frozen=True)
class HiFTConfig:
    """The vocoder. The published folder does not state these; they are its only profile."""

    in_channels: int = 80
    base_channels: int = 512
    nb_harmonics: int = 8
    sampling_rate: int = 24000
    nsf_alpha: float = 0.1
    nsf_sigma: float = 0.003
    nsf_voiced_threshold: float = 10.0
    upsample_rates: tuple[int, ...] = (8, 5, 3)
    upsample_kernel_sizes: tuple[int, ...] = (16, 11, 7)
    istft_n_fft: int = 16
    istft_hop_len: int = 4
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilations: tuple[int, ...] = (1, 3, 5)
    source_resblock_kernel_sizes: tuple[int, ...] = (7, 7, 11)
    lrelu_slope: float = 0.1
    audio_limit: float = 0.99
    f0_channels: int = 512

    @property
    def samples_per_frame(self) -> int:
        return math.prod(self.upsample_rates) * self.istft_hop_len

    def validate(self) -> None:
        """Refuse sizes that do not fit each other.

        Raises:
            CheckpointError: naming the fields.
        """
        stages = len(self.upsample_rates)
        _require(
            len(self.upsample_kernel_sizes) == stages == len(self.source_resblock_kernel_sizes),
            "hift needs one upsample kernel and one source kernel for every upsample rate",
        )
        _require(
            all(
                (kernel - rate) % 2 == 0
                for kernel, rate in zip(
                    self.upsample_kernel_sizes, self.upsample_rates, strict=True
                )
            ),
            "hift.upsample_kernel_sizes and upsample_rates must differ by even numbers",
        )
        _require(
            self.base_channels % 2**stages == 0,
            f"hift.base_channels must be a multiple of {2**stages}",
        )
        _require(
            self.samples_per_frame % 2 == 0, "hift must make an even number of samples a frame"
        )


def build(cls: type[ConfigType], values: dict[str, Any]) -> ConfigType:
    """A config dataclass from the keys it knows, the rest at their defaults; lists to tuples."""
    known = {f.name for f in dataclasses.fields(cls)}  # pyright: ignore[reportArgumentType]
    plain = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    return cls(**{key: value for key, value in plain.items() if key in known})


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise CheckpointError(f"flow.yaml: {message}")
