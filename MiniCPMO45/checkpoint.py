"""Finding a checkpoint, and filling a model built on the meta device from its tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.int8 import Int8Linear
from MiniCPMO45.weight_files import find_shards, some_of

Progress = Callable[[float, str], None]

# Present in full checkpoints, read by nothing.
IGNORED_KEYS = frozenset({"tts.model.embed_tokens.weight"})


def locate(model_path: str, revision: str | None = None) -> Path:
    """The local folder of a checkpoint; a hub id is downloaded, or found in the hub's cache.

    Raises:
        CheckpointError: neither a folder nor a hub id that can be fetched.
    """
    folder = Path(model_path).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or model_path.startswith((".", "~")):
        raise CheckpointError(f"model_path {model_path!r} is not a folder")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        return Path(snapshot_download(model_path, revision=revision, ignore_patterns=["*.py"]))
    except (HFValidationError, HfHubHTTPError, OSError) as error:
        raise CheckpointError(
            f"model_path {model_path!r} is neither a local folder nor a hub id that can be "
            f"downloaded ({error.__class__.__name__}); download the checkpoint and set "
            "model.model_path to its folder"
        ) from error


@dataclass
class LoadReport:
    """What a load did not match one to one."""

    unexpected: list[str] = field(default_factory=list)
    overlaid: int = 0

    def summary(self) -> str:
        parts = [f"{self.overlaid} tensors overlaid"] if self.overlaid else []
        if self.unexpected:
            parts.append(f"{len(self.unexpected)} unexpected keys: {some_of(self.unexpected)}")
        return "; ".join(parts)


def load_weights(
    model: nn.Module,
    folder: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    pt_path: str | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Assign every tensor of ``folder`` to the parameter of the same name.

    Each tensor goes straight to ``device`` and ``dtype``, and becomes integers there where the
    model wants them; nothing is held twice. ``pt_path`` is a state dict of the same names laid over
    the base weights; it may be partial.

    Raises:
        CheckpointError: files are missing or unreadable, a parameter got no tensor, or a shape
            differs.
    """
    expected = dict(model.named_parameters())
    report = LoadReport()
    missing = set(expected)
    for position, shard in enumerate(shards := find_shards(folder)):
        if progress is not None:
            progress(position / len(shards), shard.file.name)
        for key, tensor in shard.read(device):
            if key in expected:
                _assign(model, key, expected[key], tensor, device, dtype)
                missing.discard(key)
            elif key not in IGNORED_KEYS:
                report.unexpected.append(key)
    if missing:
        raise CheckpointError(f"{folder} lacks {len(missing)} tensors: {some_of(sorted(missing))}")
    if pt_path is not None:
        _overlay(model, expected, pt_path, report, device, dtype)
    if progress is not None:
        progress(1.0, "weights loaded")
    return report


def _assign(
    model: nn.Module,
    key: str,
    parameter: Tensor,
    tensor: Tensor,
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    if tensor.shape != parameter.shape:
        raise CheckpointError(
            f"{key} has shape {list(tensor.shape)}, the model expects {list(parameter.shape)}"
        )
    if not tensor.is_floating_point():
        raise CheckpointError(f"{key} is {tensor.dtype}, which is not supported")
    path, _, name = key.rpartition(".")
    owner, value = model.get_submodule(path), tensor.to(device, dtype)
    if isinstance(owner, Int8Linear):
        owner.take(value)
    else:
        setattr(owner, name, nn.Parameter(value, requires_grad=False))


def _overlay(
    model: nn.Module,
    expected: dict[str, nn.Parameter],
    pt_path: str,
    report: LoadReport,
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    try:
        state = torch.load(pt_path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError) as error:
        raise CheckpointError(f"cannot read pt_path {pt_path}: {error}") from error
    for key, tensor in state.items():
        if key in expected:
            _assign(model, key, expected[key], tensor, device, dtype)
            report.overlaid += 1
        elif key not in IGNORED_KEYS:
            report.unexpected.append(key)
