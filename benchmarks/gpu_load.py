"""Start-up at the published sizes: a checkpoint in files, loaded as bfloat16 and as integers, and
the memory that one call then takes."""

from __future__ import annotations

import dataclasses
import gc
import json
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.model import Quantization
from MiniCPMO45.weight_files import INDEX_NAME
from tests.gpu.full_size import PUBLISHED, TOKENIZER_FOLDER
from tests.gpu.full_size_call import LISTEN, SPEAK, ScriptedCall
from tests.gpu.full_size_speech import random_token2wav, random_voice
from tests.unit.token2wav_support import networks

GIGABYTE = 10**9
SHARD_BYTES = 5 * GIGABYTE
NOISE_BYTES = 64 * 2**20
SPREAD = 0.02
UNITS = 6
LOADS: Sequence[Quantization | None] = (None, None, "int8")


def load_times() -> list[dict[str, object]]:
    """Seconds, gigabytes a second and memory of every load of :data:`LOADS`, one after another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_bytes = write_checkpoint(folder)
        return [load_once(folder, n_bytes, quantization) for quantization in LOADS]


def write_checkpoint(folder: Path) -> int:
    """A folder in the official layout with the same noise in all weights; their bytes."""
    for file in TOKENIZER_FOLDER.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, folder)
    config = {**dataclasses.asdict(PUBLISHED), "model_type": "minicpmo", "version": "4.5"}
    (folder / "config.json").write_text(json.dumps(config))
    with torch.device("meta"):
        parameters = dict(MiniCPMO(PUBLISHED).named_parameters())
    shards: list[dict[str, Tensor]] = [{}]
    room = SHARD_BYTES
    for key, parameter in parameters.items():
        if room < 2 * parameter.numel():
            shards.append({})
            room = SHARD_BYTES
        shards[-1][key] = parameter
        room -= 2 * parameter.numel()
    noise = (torch.randn(NOISE_BYTES // 2) * SPREAD).bfloat16().view(torch.uint8).numpy().data
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_shard(folder / file, shard, noise)
        weight_map.update(dict.fromkeys(shard, file))
    (folder / INDEX_NAME).write_text(json.dumps({"weight_map": weight_map}))
    return sum(2 * parameter.numel() for parameter in parameters.values())


def write_shard(file: Path, tensors: dict[str, Tensor], noise: memoryview) -> None:
    """A safetensors file of bfloat16 tensors of these shapes, filled with repeated ``noise``."""
    header, end = {}, 0
    for key, tensor in tensors.items():
        first, end = end, end + 2 * tensor.numel()
        shape = list(tensor.shape)
        header[key] = {"dtype": "BF16", "shape": shape, "data_offsets": [first, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as target:
        target.write(len(text).to_bytes(8, "little") + text)
        for first in range(0, end, len(noise)):
            target.write(noise[: end - first])


def load_once(folder: Path, n_bytes: int, quantization: Quantization | None) -> dict[str, object]:
    """Load as a worker does, with graphs, and hold one call."""
    networks.cache_clear()  # of the vocoder of the load before
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    loaded_s = 0.0

    def note(fraction: float, text: str) -> None:
        nonlocal loaded_s
        if text == "weights loaded":
            torch.cuda.synchronize()
            loaded_s = time.perf_counter()

    started_s = time.perf_counter()
    model = MiniCPMO.load(
        str(folder), device="cuda", cuda_graphs=True, quantization=quantization, progress=note
    )
    torch.cuda.synchronize()
    ready_s = time.perf_counter()
    weights_s = loaded_s - started_s
    result = {
        "weights": quantization or "bfloat16",
        "weights_s": round(weights_s, 2),
        "weights_gb_s": round(n_bytes / weights_s / GIGABYTE, 2),
        "capture_s": round(ready_s - loaded_s, 2),
        "ready_s": round(ready_s - started_s, 2),
        "host_peak_gb": round(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9, 2),
        "held_before_gb": round(before / GIGABYTE, 2),
        "after_load_gb": memory_gb(),
    }
    hold_call(model)
    return {**result, "with_call_gb": memory_gb()}


def hold_call(model: MiniCPMO) -> None:
    """One omni call with its vocoder, listening and speaking."""
    token2wav = random_token2wav(torch.device("cuda"), torch.float32)
    for _ in token2wav.capture():
        pass
    call = ScriptedCall(model, token2wav, random_voice(token2wav))
    for _ in range(UNITS):
        call.unit(LISTEN)
        call.unit(SPEAK)
    call.close()


def memory_gb() -> dict[str, float | None]:
    """Gigabytes (1e9 bytes): PyTorch's largest reservation and what is in use of it; what the
    driver shows in all, and of that what PyTorch does not know of, the CUDA context."""
    own = f"--id=GPU-{torch.cuda.get_device_properties().uuid}"  # one of several, perhaps
    query = ["nvidia-smi", own, "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    torch.cuda.synchronize()
    known = {
        "reserved": torch.cuda.max_memory_reserved(),
        "allocated": torch.cuda.memory_allocated(),
    }
    gigabytes: dict[str, float | None] = {
        name: round(value / GIGABYTE, 2) for name, value in known.items()
    }
    used = None if answer.returncode else int(answer.stdout) * 2**20
    context = None if used is None else used - torch.cuda.memory_reserved()
    for name, value in (("driver", used), ("context", context)):
        gigabytes[name] = None if value is None else round(value / GIGABYTE, 2)
    return gigabytes
