"""The token2wav folder of this model: its sizes, its first weights, its files."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from MiniCPMO45.tiny.token2wav import flow_yaml
from MiniCPMO45.token2wav.configuration import (
    EncoderConfig,
    EstimatorConfig,
    FlowConfig,
    HiFTConfig,
)
from MiniCPMO45.token2wav.conformer import RelativeAttention
from MiniCPMO45.token2wav.dit import Block
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.hift import HiFT, Snake
from MiniCPMO45.token2wav.loading import FLOW_FILE, HIFT_FILES
from MiniCPMO45.token2wav.prompt import SPEAKER_ENCODER, SPEECH_TOKENIZER
from MiniCPMO45.token2wav.weights import read_state_dict
from training.nano.codec_graphs import speaker_graph, tokenizer_graph
from training.nano.speech_codec import N_DIGITS, SpeechCodec, digits_of

FLOW = FlowConfig(
    input_size=96,
    encoder=EncoderConfig(
        input_size=96,
        output_size=96,
        num_blocks=2,
        num_up_blocks=2,
        attention_heads=4,
        linear_units=256,
    ),
    estimator=EstimatorConfig(mlp_ratio=2.0, depth=3, num_heads=4, head_dim=32, hidden_size=128),
)
HIFT = HiFTConfig(base_channels=96, f0_channels=96, resblock_kernel_sizes=(3, 7))

HIFT_FILE = HIFT_FILES[-1]
YAML_FILE = "flow.yaml"
AVERAGE_MEL = -5.3
_LOUDEST_FIRST = -3.0  # logarithm of the first magnitudes of the untrained vocoder


def new_flow() -> Flow:
    """The flow with first weights.

    The table of codes is a fixed mixture of their digits and is not learnt: the linear layer behind
    it learns what digits mean, so that codes that never occurred are understood too.
    """
    flow = Flow(FLOW)
    digits = digits_of(torch.arange(FLOW.vocab_size)).long() + 1
    choices = functional.one_hot(digits, 3).flatten(1).float()  # [codes, 24]
    mixture = torch.randn(3 * N_DIGITS, FLOW.input_size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        flow.input_embedding.weight.copy_(choices @ mixture / math.sqrt(N_DIGITS))
        for module in flow.modules():
            if isinstance(module, RelativeAttention):
                module.pos_bias_u.zero_()
                module.pos_bias_v.zero_()
            elif isinstance(module, Block):
                _silence(module.adaLN_modulation[-1])
        _silence(flow.estimator.final_layer.adaLN_modulation[-1])
        flow.estimator.final_layer.linear.weight.zero_()
        flow.estimator.final_layer.linear.bias.fill_(AVERAGE_MEL)
        flow.encoder_proj.bias.fill_(AVERAGE_MEL)
    flow.input_embedding.requires_grad_(False)
    return flow


def new_hift() -> HiFT:
    """The vocoder with first weights."""
    hift = HiFT(HIFT)
    with torch.no_grad():
        for module in hift.modules():
            if isinstance(module, Snake):
                module.alpha.fill_(1.0)
        assert hift.conv_post.bias is not None
        hift.conv_post.bias[: HIFT.istft_n_fft // 2 + 1] = _LOUDEST_FIRST
    return hift


def load_module(module: nn.Module, folder: Path, name: str) -> None:
    """Go on from the weights of an earlier run, where there are any."""
    if (folder / name).exists():
        module.load_state_dict(read_state_dict(folder / name))


def save_module(module: nn.Module, folder: Path, name: str) -> Path:
    """Write weights in half precision, which every loader widens again, beside their sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / YAML_FILE).write_text(flow_yaml(FLOW, HIFT), encoding="utf-8")
    state = {key: value.detach().half().cpu() for key, value in module.state_dict().items()}
    torch.save(state, folder / name)
    return folder / name


def write_token2wav(folder: Path) -> None:
    """Write the five files, untrained, the same ones every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        codec, flow, hift = SpeechCodec(), new_flow(), new_hift()
    save_module(flow, folder, FLOW_FILE)
    save_module(hift, folder, HIFT_FILE)
    (folder / SPEECH_TOKENIZER).write_bytes(tokenizer_graph(codec.tokenizer))
    (folder / SPEAKER_ENCODER).write_bytes(speaker_graph(codec.speaker))


def _silence(layer: nn.Module) -> None:
    assert isinstance(layer, nn.Linear)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
