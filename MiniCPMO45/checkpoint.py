"""Finding a checkpoint, and filling a model built on the meta device from its tensors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from MiniCPMO45.errors import CheckpointError

Progress = Callable[[float, str], None]

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"

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
            parts.append(f"{len(self.unexpected)} unexpected keys: {_some(self.unexpected)}")
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

    Each tensor goes straight to ``device`` and ``dtype``; nothing is held twice. ``pt_path`` is a
    state dict of the same names laid over the base weights; it may be partial.

    Raises:
        CheckpointError: files are missing or unreadable, a parameter got no tensor, or a shape
            differs.
    """
    expected = dict(model.named_parameters())
    report = LoadReport()
    missing = set(expected)
    for position, (file, keys) in enumerate(files := _shards(folder)):
        if progress is not None:
            progress(position / len(files), file.name)
        for key, tensor in _read(file, keys, device):
            if key in expected:
                _assign(model, key, expected[key], tensor, device, dtype)
                missing.discard(key)
            elif key not in IGNORED_KEYS:
                report.unexpected.append(key)
    if missing:
        raise CheckpointError(f"{folder} lacks {len(missing)} tensors: {_some(sorted(missing))}")
    if pt_path is not None:
        _overlay(model, expected, pt_path, report, device, dtype)
    if progress is not None:
        progress(1.0, "weights loaded")
    return report


def _shards(folder: Path) -> list[tuple[Path, set[str] | None]]:
    """Weight files with the keys to take from each (None: all)."""
    index = folder / INDEX_NAME
    if index.is_file():
        try:
            weight_map: dict[str, str] = json.loads(index.read_text())["weight_map"]
        except (json.JSONDecodeError, KeyError) as error:
            raise CheckpointError(f"{index} is not a safetensors index: {error}") from error
        names = sorted(set(weight_map.values()))
        absent = [name for name in names if not (folder / name).is_file()]
        if absent:
            raise CheckpointError(f"{folder} is incomplete, missing {_some(absent)}")
        return [
            (folder / name, {key for key, file in weight_map.items() if file == name})
            for name in names
        ]
    if (folder / SINGLE_NAME).is_file():
        return [(folder / SINGLE_NAME, None)]
    raise CheckpointError(f"{folder} holds neither {INDEX_NAME} nor {SINGLE_NAME}")


def _read(file: Path, keys: set[str] | None, device: torch.device) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(file, framework="pt", device=str(device)) as tensors:
            for key in tensors.keys() if keys is None else sorted(keys):
                yield key, tensors.get_tensor(key)
    except SafetensorError as error:
        raise CheckpointError(f"cannot read {file}: {error}") from error


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
        raise CheckpointError(f"{key} is {tensor.dtype}; quantised tensors are not supported")
    owner, _, name = key.rpartition(".")
    value = nn.Parameter(tensor.to(device, dtype), requires_grad=False)
    setattr(model.get_submodule(owner), name, value)


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


def _some(names: list[str], limit: int = 5) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
