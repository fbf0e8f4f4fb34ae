"""The token2wav folder of the demonstration checkpoint: the published five files, small."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor, nn

from MiniCPMO45.tiny.voice_graphs import speaker_encoder, speech_tokenizer
from MiniCPMO45.tiny.weights import random_tensor
from MiniCPMO45.token2wav.configuration import (
    EncoderConfig,
    EstimatorConfig,
    FlowConfig,
    HiFTConfig,
)
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.hift import HiFT

FLOW = FlowConfig(
    input_size=32,
    encoder=EncoderConfig(
        input_size=32,
        output_size=32,
        num_blocks=2,
        num_up_blocks=1,
        attention_heads=2,
        linear_units=64,
    ),
    estimator=EstimatorConfig(mlp_ratio=2.0, depth=2, num_heads=2, head_dim=16, hidden_size=32),
)
HIFT = HiFTConfig(base_channels=32, f0_channels=16)

FLOW_YAML = """\
flow: !new:cosyvoice2.flow.flow.CausalMaskedDiffWithXvec
{flow}
    encoder: !new:cosyvoice2.transformer.upsample_encoder_v2.UpsampleConformerEncoderV2
{encoder}
    decoder: !new:cosyvoice2.flow.flow_matching.CausalConditionalCFM
        inference_cfg_rate: {guidance}
        estimator: !new:cosyvoice2.flow.decoder_dit.DiT
{estimator}
hift:
{hift}
"""

PLAIN = ("source_downs.", "m_source.", "f0_predictor.classifier.")
"""Vocoder layers that the published file holds without weight norm, by prefix."""

PITCH_HZ = 150.0
LOWEST_BIN, FALL_PER_BIN = -0.5, 0.6
"""Logarithms of the sound's magnitudes: a soft hum rather than a hiss."""


def write_token2wav(folder: Path) -> None:
    """Write ``flow.yaml``, ``flow.pt``, ``hift.pt`` and the two graphs into a new folder."""
    folder.mkdir(parents=True)
    (folder / "flow.yaml").write_text(flow_yaml(FLOW, HIFT), encoding="utf-8")
    torch.save(flow_state(FLOW), folder / "flow.pt")
    torch.save(hift_state(HIFT), folder / "hift.pt")
    (folder / "speech_tokenizer_v2_25hz.onnx").write_bytes(speech_tokenizer())
    (folder / "campplus.onnx").write_bytes(speaker_encoder(FLOW.spk_embed_dim))


def flow_yaml(flow: FlowConfig, hift: HiFTConfig) -> str:
    """The configuration in the published form; the vocoder's sizes are added to it."""
    return FLOW_YAML.format(
        flow=_lines(flow, indent=4),
        encoder=_lines(flow.encoder, indent=8),
        guidance=flow.inference_cfg_rate,
        estimator=_lines(flow.estimator, indent=12),
        hift=_lines(hift, indent=4),
    )


def flow_state(config: FlowConfig) -> dict[str, Tensor]:
    """Random tensors under the keys of ``flow.pt``."""
    with torch.device("meta"):
        flow = Flow(config)
    return _random(flow, "token2wav.flow")


def hift_state(config: HiFTConfig) -> dict[str, Tensor]:
    """Random tensors under the keys of ``hift.pt``, weight norm unfolded."""
    with torch.device("meta"):
        hift = HiFT(config)
    state = _random(hift, "token2wav.hift")
    state["f0_predictor.classifier.bias"] += PITCH_HZ
    state["f0_predictor.classifier.weight"] *= PITCH_HZ / 2
    n_bins = config.istft_n_fft // 2 + 1
    state["conv_post.bias"][:n_bins] += LOWEST_BIN - FALL_PER_BIN * torch.arange(n_bins)
    state["conv_post.weight"][:n_bins] *= 0.3
    return unfold_weight_norm(state)


def unfold_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each weight of a convolution as gain and direction, the way they are trained."""
    unfolded: dict[str, Tensor] = {}
    for name, value in state.items():
        if name.endswith(".weight") and not name.startswith(PLAIN):
            gain = value.flatten(1).norm(dim=1).view(-1, *[1] * (value.ndim - 1))
            owner = name.removesuffix("weight") + "parametrizations.weight"
            unfolded |= {f"{owner}.original0": gain, f"{owner}.original1": value}
        else:
            unfolded[name] = value
    return unfolded


def _random(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(random_tensor(f"{prefix}.{name}", tuple(value.shape)))
        for name, value in module.state_dict().items()
    }


def _lines(config: FlowConfig | EncoderConfig | EstimatorConfig | HiFTConfig, indent: int) -> str:
    """One ``field: value`` a line, for all fields that are no mapping themselves."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return "\n".join(
        f"{' ' * indent}{name}: {list(value) if isinstance(value, tuple) else value}"
        for name, value in values.items()
        if name != "inference_cfg_rate" and not dataclasses.is_dataclass(value)
    )
