"""The model: its sizes, its first weights, and its folder in the official layout.

python -m training.nano.model FOLDER                  an untrained checkpoint, if there is none
python -m training.nano.model FOLDER --weights FILES  lays a stage's weights over it
python -m training.nano.model FOLDER --int8           stores it for the repository
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save, save_file
from tokenizers import Tokenizer
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.attention import prefer_kernels_without_plans
from MiniCPMO45.checkpoint import load_weights
from MiniCPMO45.configuration import MiniCPMOConfig
from MiniCPMO45.int8 import quantise
from MiniCPMO45.model import VOCODER_FOLDER
from MiniCPMO45.tiny.layout import checkpoint_layout
from MiniCPMO45.tiny.settings import generation_config, model_config, preprocessor_config
from MiniCPMO45.tiny.tokenizer import write_tokenizer_files
from MiniCPMO45.tiny.weights import random_tensor
from MiniCPMO45.token2wav.loading import FLOW_FILE
from MiniCPMO45.token2wav.weights import read_state_dict
from MiniCPMO45.weight_files import SCALE_ENDING, Shard
from training.nano.speech_codec import SpeechCodec
from training.nano.token2wav import HIFT_FILE, write_token2wav
from training.nano.tokenizer import train_tokenizer

NAME = "minicpm-o-nano"
WEIGHTS_NAME = "model.safetensors"
PART_BYTES = 14 * 2**20  # a stage's weights come in files of at most this
SHORTEST_ROW = 8  # shorter ones gain nothing from a scale

LANGUAGE = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 8,
    "max_window_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "rope_theta": 10000.0,
}
VISION = {
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 5,
    "num_attention_heads": 4,
    "image_size": 448,
}
AUDIO = {
    "d_model": 192,
    "encoder_ffn_dim": 768,
    "encoder_layers": 4,
    "encoder_attention_heads": 4,
    "num_hidden_layers": 4,
}
SPEECH = {
    "hidden_size": 160,
    "intermediate_size": 576,
    "num_hidden_layers": 3,
    "num_attention_heads": 5,
    "num_key_value_heads": 5,
}
LONGEST_CONVERSATION = 6144
"""Tokens: a call of a minute with pictures, all that is said in it, and what comes before. No row
of training is longer."""
IMAGE_RESOLUTION = 224
"""Pictures are read as about this many pixels squared, uncut."""

RESIDUAL_OUTPUTS = (".o_proj.weight", ".out_proj.weight", ".down_proj.weight", ".fc2.weight")
TABLE_SPREAD = 0.02
TABLES = (
    ".embed_tokens.weight",
    ".emb_text.weight",
    ".emb_code.0.weight",
    ".query",
    "lm_head.weight",
)


def nano_config(tokenizer: Tokenizer) -> dict[str, Any]:
    """``config.json``."""
    config = model_config(tokenizer)
    speech = {**config["tts_config"], **SPEECH, "llm_dim": LANGUAGE["hidden_size"]}
    return {
        **config,
        **LANGUAGE,
        "model_name": NAME,
        "max_position_embeddings": LONGEST_CONVERSATION,
        "image_size": IMAGE_RESOLUTION,
        "slice_config": {**config["slice_config"], "scale_resolution": IMAGE_RESOLUTION},
        "vision_config": {**config["vision_config"], **VISION},
        "audio_config": {**config["audio_config"], **AUDIO},
        "tts_config": speech,
    }


def nano_preprocessor_config() -> dict[str, Any]:
    """``preprocessor_config.json``: small pictures, uncut."""
    small = {"max_slice_nums": 1, "scale_resolution": IMAGE_RESOLUTION}
    return {**preprocessor_config(), **small}


def write_untrained(folder: Path) -> None:
    """Write a new checkpoint folder with first weights, the same ones every time.

    Raises:
        FileExistsError: there is a folder of that name.
    """
    folder.mkdir(parents=True)
    tokenizer = train_tokenizer()
    config = nano_config(tokenizer)
    write_tokenizer_files(tokenizer, folder)
    files = {
        "config.json": config,
        "generation_config.json": generation_config(tokenizer),
        "preprocessor_config.json": nano_preprocessor_config(),
    }
    for name, values in files.items():
        _write_json(folder / name, values)
    save_file(first_weights(config), folder / WEIGHTS_NAME, {"format": "pt"})
    write_token2wav(folder / "assets" / "token2wav")


def first_weights(config: dict[str, Any]) -> dict[str, Tensor]:
    """What training starts from, in float32; a tensor depends on its name and shape alone."""
    depth = max(config["num_hidden_layers"], config["audio_config"]["encoder_layers"])
    weights: dict[str, Tensor] = {}
    for name, shape in checkpoint_layout(config).items():
        noise = torch.from_numpy(random_tensor(name, shape))
        if name.endswith("bias"):
            weights[name] = torch.zeros(shape)
        elif name.endswith(".original0"):
            weights[name] = torch.ones(shape)
        elif len(shape) == 1:
            weights[name] = torch.ones(shape)
        elif name.endswith(TABLES) or "position" in name:
            weights[name] = noise * (TABLE_SPREAD / float(noise.std()))
        else:
            gain = 1 / math.sqrt(2 * depth) if name.endswith(RESIDUAL_OUTPUTS) else 1.0
            spread = gain / math.sqrt(math.prod(shape[1:]))
            weights[name] = noise * (spread / float(noise.std()))
    return weights


def load_for_training(folder: Path, device: torch.device, prefixes: Iterable[str]) -> MiniCPMO:
    """The model in float32 with gradients for the parameters under ``prefixes`` alone."""
    prefer_kernels_without_plans()  # the ear hears other lengths in every batch
    if device.type == "cuda":
        torch.set_num_threads(1)  # what is left to the host is small, and others make data there
    with torch.device("meta"):
        model = MiniCPMO(MiniCPMOConfig.from_folder(folder))
    load_weights(model, folder, device=device, dtype=torch.float32)
    model.read_processing_files(folder)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(tuple(prefixes)))
    return model


def save_parts(state: Mapping[str, Tensor], folder: Path, stage: str) -> list[Path]:
    """Write a stage's weights as float32 files of at most ``PART_BYTES``, for `lay_over`."""
    parts: list[dict[str, Tensor]] = [{}]
    size_bytes = 0
    for name, tensor in state.items():
        value = tensor.detach().to("cpu", torch.float32).contiguous()
        if size_bytes + value.nbytes > PART_BYTES and parts[-1]:
            parts.append({})
            size_bytes = 0
        parts[-1][name] = value
        size_bytes += value.nbytes
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{stage}-{number}.safetensors" for number in range(1, len(parts) + 1)]
    for path, part in zip(paths, parts, strict=True):
        save_file(part, path, {"format": "pt"})
    return paths


def lay_over(
    folder: Path, parts: Iterable[Path], dtype: torch.dtype = torch.float32, share: float = 1.0
) -> None:
    """Replace tensors of a checkpoint folder by those of a stage; the rest stays. What is stored
    as integers becomes floats again.

    Args:
        share: of the new weights; the old ones have the rest. Less than all of a stage forgets less
            of what was known before (https://arxiv.org/abs/2109.01903).

    Raises:
        KeyError: a tensor is not one of the checkpoint's.
    """
    weights = dict(Shard(folder / WEIGHTS_NAME).read(torch.device("cpu")))
    for part in parts:
        for name, tensor in load_file(part).items():
            if tensor.shape != weights[name].shape:
                raise KeyError(f"{name} has shape {list(tensor.shape)} in {part}")
            weights[name] = tensor if share == 1 else weights[name].float().lerp(tensor, share)
    _write_weights(folder, {name: tensor.to(dtype) for name, tensor in weights.items()})


def store_as_integers(folder: Path) -> None:
    """Round the weights of a checkpoint folder to 8-bit integers, with one scale for each row
    beside them, and what has no rows to half the bytes.

    Raises:
        ValueError: they are integers already.
    """
    _write_weights(folder, as_integers(load_file(folder / WEIGHTS_NAME)))
    for path in (folder / VOCODER_FOLDER).glob("*.pt"):
        state = torch.load(path, map_location="cpu", weights_only=True)
        torch.save(as_integers(state), path)


def as_integers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights with rows as 8-bit integers ``X`` and ``X_scale``, all else in half precision.

    Raises:
        ValueError: they are integers already.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            raise ValueError(f"{name} is stored as integers already")
        if tensor.ndim > 1 and tensor[0].numel() >= SHORTEST_ROW:
            values, scales = quantise(tensor.flatten(1).half())
            stored[name], stored[name + SCALE_ENDING] = values.view_as(tensor), scales
        else:
            stored[name] = tensor.half()
    return stored


def n_parameters(folder: Path) -> dict[str, int]:
    """Parameters of each sub-module of a checkpoint folder, those that hear a voice included."""
    counts: dict[str, int] = {}
    for name, tensor in load_file(folder / WEIGHTS_NAME).items():
        module = name.split(".")[0]
        if not name.endswith(SCALE_ENDING):
            counts[module] = counts.get(module, 0) + tensor.numel()
    for name in (FLOW_FILE, HIFT_FILE):
        state = read_state_dict(folder / VOCODER_FOLDER / name)
        counts[Path(name).stem] = sum(tensor.numel() for tensor in state.values())
    with torch.device("meta"):
        codec = SpeechCodec()
    for part in ("tokenizer", "speaker"):
        counts[part] = sum(each.numel() for each in getattr(codec, part).parameters())
    return counts


def n_bytes(folder: Path) -> int:
    """What the files of a checkpoint folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(arguments: list[str] | None = None) -> int:
    """Write, change or store a checkpoint; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.nano.model")
    parser.add_argument("folder", type=Path, help="the checkpoint")
    parser.add_argument("--weights", type=Path, nargs="+", default=[], help="files of a stage")
    parser.add_argument("--share", type=float, default=1.0, help="of those; 1 replaces")
    parser.add_argument("--bfloat16", action="store_true", help="store half as many bytes")
    parser.add_argument("--int8", action="store_true", help="store a quarter of the bytes")
    options = parser.parse_args(arguments)
    if not options.folder.exists():
        write_untrained(options.folder)
    dtype = torch.bfloat16 if options.bfloat16 else torch.float32
    if options.weights or options.bfloat16:
        lay_over(options.folder, options.weights, dtype, options.share)
    if options.int8:
        store_as_integers(options.folder)
    counts = n_parameters(options.folder)
    counts |= {"all": sum(counts.values()), "bytes": n_bytes(options.folder)}
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


def _write_weights(folder: Path, weights: Mapping[str, Tensor]) -> None:
    fresh = folder / f".{WEIGHTS_NAME}"
    fresh.write_bytes(save(dict(weights), {"format": "pt"}))
    fresh.replace(folder / WEIGHTS_NAME)  # never written in place: tensors are views of the file


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
