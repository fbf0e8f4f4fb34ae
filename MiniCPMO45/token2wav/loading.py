"""The two networks of a token2wav folder."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.token2wav.configuration import FlowConfig, HiFTConfig
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.weights import (
    StateDict,
    fold_weight_norm,
    mismatches,
    read_state_dict,
)

FLOW_FILE = "flow.pt"
# Newer folders hold a causal vocoder as hift.pt and keep this one beside it.
HIFT_FILES = ("hift_original.pt", "hift.pt")
CAUSAL_KERNEL = 5  # of its first convolution; the classic one has 7


def load_flow(folder: Path, config: FlowConfig, device: torch.device) -> Flow:
    """Encoder and estimator in float32.

    Raises:
        CheckpointError: the file is missing, damaged, or does not fit ``config``.
    """
    return build_flow(read_state_dict(folder / FLOW_FILE), config, device)


def build_flow(state: StateDict, config: FlowConfig, device: torch.device) -> Flow:
    """Encoder and estimator from the tensors of ``flow.pt``."""
    with torch.device("meta"):
        flow = Flow(config)
    _assign(flow, state, FLOW_FILE, device)
    return flow


def load_hift(folder: Path, config: HiFTConfig, device: torch.device) -> HiFT:
    """The vocoder with its weight norm folded, ready to run.

    Raises:
        CheckpointError: the file is missing, damaged, causal, or does not fit ``config``.
    """
    name = next((name for name in HIFT_FILES if (folder / name).is_file()), HIFT_FILES[-1])
    return build_hift(read_state_dict(folder / name), config, device, source=name)


def build_hift(
    state: StateDict, config: HiFTConfig, device: torch.device, source: str = HIFT_FILES[-1]
) -> HiFT:
    """The vocoder from the tensors of ``hift.pt``, in either spelling of its weight norm."""
    state = {key.removeprefix("generator."): value for key, value in state.items()}
    state = fold_weight_norm(state)
    first = state.get("conv_pre.weight")
    if first is not None and first.shape[-1] == CAUSAL_KERNEL:
        raise CheckpointError(
            f"{source} is the causal vocoder, which is not supported; put the classic one "
            f"beside it as {HIFT_FILES[0]}"
        )
    with torch.device("meta"):
        hift = HiFT(config)
    _assign(hift, state, source, device)
    hift.prepare()
    return hift


def _assign(module: nn.Module, state: StateDict, source: str, device: torch.device) -> None:
    """Give every parameter the tensor of its name, nothing missing and nothing left over."""
    problems = mismatches(module.state_dict(), state)
    if problems:
        raise CheckpointError(f"{source} does not fit its configuration: {'; '.join(problems)}")
    plain = {key: value.to(device, torch.float32) for key, value in state.items()}
    module.load_state_dict(plain, assign=True)
    module.eval().requires_grad_(False)
