"""Networks with seeded random weights, small and at published sizes, for the token2wav tests."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.tiny.token2wav import FLOW, HIFT, flow_state, hift_state
from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions, Voice, VoicePrompt
from MiniCPMO45.token2wav.configuration import FlowConfig, HiFTConfig
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.loading import build_flow, build_hift
from MiniCPMO45.token2wav.noise import FlowNoise
from MiniCPMO45.token2wav.synthesis import Chunk
from tests.golden.token2wav import inputs

Size = Literal["tiny", "published"]
RECORDINGS = Path(inputs.__file__).parent / "recordings"
CPU = torch.device("cpu")


@lru_cache(maxsize=1)
def published_layout() -> dict[str, dict[str, tuple[int, ...]]]:
    """Shape of every tensor in the official library's ``flow.pt`` and ``hift.pt``."""
    layout = json.loads((RECORDINGS / "layout.json").read_text())
    return {
        file: {key: tuple(shape) for key, shape in shapes.items()}
        for file, shapes in layout.items()
    }


@lru_cache(maxsize=2)
def networks(size: Size, device: torch.device = CPU) -> tuple[Flow, HiFT]:
    """Flow and vocoder with the recordings' weights (the tiny ones in the same manner)."""
    if size == "published":
        layout, flow_config, hift_config = published_layout(), FlowConfig(), HiFTConfig()
    else:
        flow_config, hift_config = FLOW, HIFT
        layout = {
            "flow.pt": {key: tuple(value.shape) for key, value in flow_state(FLOW).items()},
            "hift.pt": {key: tuple(value.shape) for key, value in hift_state(HIFT).items()},
        }
    states = {
        file: {key: torch.from_numpy(inputs.weight(key, shape)) for key, shape in shapes.items()}
        for file, shapes in layout.items()
    }
    flow = build_flow(states["flow.pt"], flow_config, device)
    return flow, build_hift(states["hift.pt"], hift_config, device)


class RecordedFlowNoise:
    """The table the recordings were made with."""

    def frames(self, first: int, count: int) -> Tensor:
        table = inputs.flow_noise(first + count)
        return torch.from_numpy(np.ascontiguousarray(table[:, :, first:]))


class RecordedExcitation:
    """The draws a recording was made with."""

    def __init__(self, name: str) -> None:
        self._generator = inputs.generator(f"excitation {name}")

    def draw(self, n_samples: int, n_sines: int) -> Tensor:
        shape = (1, n_samples, n_sines)
        return torch.from_numpy(self._generator.standard_normal(shape, dtype=np.float32))


def make_token2wav(
    size: Size = "tiny",
    *,
    options: Token2WavOptions | None = None,
    flow_noise: FlowNoise | None = None,
) -> Token2Wav:
    """A model that cannot listen: voices come from :func:`make_voice`."""
    flow, hift = networks(size)
    options = options or Token2WavOptions(flow_steps=inputs.FLOW_STEPS)
    return Token2Wav(flow, hift, options=options, flow_noise=flow_noise)


def make_prompt(n_tokens: int, name: str = "voice") -> VoicePrompt:
    prompt = inputs.prompt(name, n_tokens)
    return VoicePrompt(*map(torch.from_numpy, (prompt.tokens, prompt.speaker, prompt.mel)))


def make_voice(token2wav: Token2Wav, n_tokens: int = 15, name: str = "voice") -> Voice:
    return token2wav.voice_of(make_prompt(n_tokens, name), name)


def next_mel(
    token2wav: Token2Wav, state: FlowState, voice: Voice, codes: list[int], *, last: bool = False
) -> Tensor:
    """Mel frames of the next chunk of one stream."""
    chunks = [Chunk(state, voice, codes, last)]
    token2wav.synthesizer.forget(chunks)
    return token2wav.synthesizer.chunks(chunks)[0]


def make_windows(*sizes: int, name: str = "turn") -> list[list[int]]:
    return inputs.windows(name, sizes)
