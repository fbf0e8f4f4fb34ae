"""What one session takes on a GPU, computed from shapes.

    python -m benchmarks.gpu_shapes

Prints one JSON line, in GB (1e9 bytes). Nothing is allocated; it runs anywhere. What graphs compute
on the way and the workspaces of libraries have no shapes that could be read off, and are left out.
"""

from __future__ import annotations

import json
import sys

import torch
from torch import nn

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.model import DEFAULT_CAPACITY
from MiniCPMO45.slots import GIGABYTE, slot_bytes, tensor_bytes
from MiniCPMO45.token2wav import Token2WavOptions
from MiniCPMO45.token2wav.configuration import FlowConfig, HiFTConfig
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.graphs import ALONE_FRAMES
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.state_pool import capacity_for
from MiniCPMO45.token2wav.synthesis import WINDOW_CODES
from MiniCPMO45.token2wav.trimming import RECENT_FRAMES
from tests.gpu.full_size import PUBLISHED

VOICE_FRAMES = 250  # a recording of five seconds


def session_gb() -> dict[str, float]:
    """Every part of the model and of one conversation, unrounded."""
    with torch.device("meta"):
        plain, rounded = MiniCPMO(PUBLISHED), MiniCPMO(PUBLISHED)
        rounded.quantise()
        flow, hift = Flow(FlowConfig()), HiFT(HiFTConfig())
    cost = slot_bytes(plain, torch.bfloat16)
    dropped = sum(weight_bytes(network) for network in flow.estimator.modulation_networks)
    stream_frames = VOICE_FRAMES + RECENT_FRAMES + flow.config.encoder.up_stride * WINDOW_CODES
    sizes = {
        "weights": weight_bytes(plain.to(torch.bfloat16)),
        "weights_int8": weight_bytes(rounded.to(torch.bfloat16)),
        "keys_and_values": cost.per_position * DEFAULT_CAPACITY,
        "speech_and_ear": cost.fixed,
        "vocoder_weights": weight_bytes(flow) + weight_bytes(hift) - dropped,
        "vocoder_workspace": state_bytes(flow, ALONE_FRAMES),
        "voice_and_stream": state_bytes(flow, VOICE_FRAMES)
        + state_bytes(flow, capacity_for(stream_frames)),
    }
    return {name: size / GIGABYTE for name, size in sizes.items()}


def weight_bytes(module: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def state_bytes(flow: Flow, n_frames: int) -> int:
    """A state with room for so many mel frames."""
    return tensor_bytes(flow.new_state(Token2WavOptions().flow_steps, n_frames))


def main() -> int:
    sizes = {name: round(size, 2) for name, size in session_gb().items()}
    sys.stdout.write(json.dumps({"benchmark": "gpu_shapes", **sizes}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
