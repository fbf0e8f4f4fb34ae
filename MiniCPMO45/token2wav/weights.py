"""State-dict files of a token2wav folder."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.weight_files import restored, scales_first

StateDict = dict[str, Tensor]

# Gain and direction of a weight-normalised layer (https://arxiv.org/abs/1602.07868), both
# spellings PyTorch has used.
_WEIGHT_NORM_NAMES = (
    (".parametrizations.weight.original0", ".parametrizations.weight.original1"),
    (".weight_g", ".weight_v"),
)


def read_state_dict(path: Path) -> StateDict:
    """A flat dict of tensors on the CPU, those stored as integers in float32; nothing but tensors
    is unpickled.

    Raises:
        CheckpointError: the file is missing, damaged, or holds anything else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"cannot read {path}: {error}") from error
    if not isinstance(state, Mapping) or not all(
        isinstance(value, Tensor) for value in state.values()
    ):
        raise CheckpointError(f"{path} is not a flat dictionary of tensors")
    return dict(restored((name, state[name]) for name in sorted(state, key=scales_first)))


def fold_weight_norm(state: StateDict) -> StateDict:
    """Replace every gain and direction by the weight they stand for: ``v * g / |v|``.

    The norm runs over all axes but the first, which for transposed convolutions counts inputs.

    Raises:
        CheckpointError: a gain has no direction, the reverse, or they do not fit.
    """
    folded = dict(state)
    for gain_ending, direction_ending in _WEIGHT_NORM_NAMES:
        owners = {
            key.removesuffix(ending)
            for key in state
            for ending in (gain_ending, direction_ending)
            if key.endswith(ending)
        }
        for owner in sorted(owners):
            gain = folded.pop(owner + gain_ending, None)
            direction = folded.pop(owner + direction_ending, None)
            if gain is None or direction is None:
                raise CheckpointError(f"{owner}.weight lacks one half of its weight norm")
            if gain.shape != (direction.shape[0], *[1] * (direction.ndim - 1)):
                raise CheckpointError(
                    f"{owner}.weight has a gain of shape {list(gain.shape)} "
                    f"for a direction of shape {list(direction.shape)}"
                )
            other_axes = tuple(range(1, direction.ndim))
            norm = torch.linalg.vector_norm(direction, dim=other_axes, keepdim=True)
            folded[f"{owner}.weight"] = direction * (gain / norm)
    return folded


def mismatches(expected: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """One line each for all missing, all unexpected and all mis-shaped keys."""
    missing = sorted(expected.keys() - state.keys())
    unexpected = sorted(state.keys() - expected.keys())
    misshaped = [
        f"{key} {list(state[key].shape)} instead of {list(expected[key].shape)}"
        for key in sorted(expected.keys() & state.keys())
        if state[key].shape != expected[key].shape
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "mis-shaped": misshaped}
    return [f"{len(keys)} {kind}: {', '.join(keys)}" for kind, keys in kinds.items() if keys]
