"""Times of the model at its published sizes with random weights, on one GPU.

    python benchmarks/gpu.py [--only STAGE,...] [--sessions N] [--seconds S] [--repeats N]

Stages: load (a checkpoint in files, twice in bfloat16 and once as 8-bit integers, and the memory of
one call), baseline (transformers' decoders, eager, in the same run), decode, encoders, speech,
vocoder, chat, units, calls. Prints one JSON line. ``copy_tb_s`` is the device's own copy speed
(bytes read and written), against which memory-bound steps are judged. Without ``--sessions`` the
calls stage goes through 1, 4, 8, 16 and 32 calls.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # when started as a script

import numpy as np
import torch
import transformers
from PIL import Image

from benchmarks.gpu_baseline import baseline_times
from benchmarks.gpu_calls import sustained_calls, unit_times
from benchmarks.gpu_load import load_times, memory_gb
from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, PromptOptions
from MiniCPMO45.image import preprocess_image
from MiniCPMO45.packed_rows import Feed
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.duplex_hearing import DuplexHearing
from MiniCPMO45.sessions.generation import decode_plain
from MiniCPMO45.token2wav import Token2Wav
from tests.gpu.full_size import random_model
from tests.gpu.full_size_call import SECOND
from tests.gpu.full_size_speech import random_token2wav, random_voice, stage_times
from worker_modules.garbage import spare_what_is_loaded

STAGES = ("load", "baseline", "decode", "encoders", "speech", "vocoder", "chat", "units", "calls")
CALLS = (1, 4, 8, 16, 32)
UNITS = 300
MAX_LENGTH = 4352  # room for the longest cache that is measured
SHORT, LONG = 1024, 4096
LENGTHS = (("1k", SHORT), ("4k", LONG))
ROWS = (1, 8, 16, 32)


def median_ms(work: Callable[[], object], repeats: int) -> float:
    """Median time of ``work`` on the device's own clock."""
    work()
    times = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return round(statistics.median(times), 3)


def copy_tb_s(device: torch.device, repeats: int) -> float:
    source = torch.empty(1 << 32, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    time_ms = median_ms(lambda: target.copy_(source), repeats)
    return round(2 * source.numel() / time_ms / 1e9, 2)


@torch.inference_mode()
def decoder_times(model: MiniCPMO, repeats: int, copy_speed: float) -> dict[str, object]:
    """Forwards of one conversation and of many; a token is everything from one to the next."""
    decoder, times = model.language, {}
    rows = torch.randn(SHORT, model.config.hidden_size, device=model.device).bfloat16()

    def forward(n_conversations: int, n_rows: int, n_cached: int) -> float:
        slots = [decoder.cache.acquire() for _ in range(n_conversations)]

        def run() -> None:
            for slot in slots:
                slot.truncate(n_cached)
            decoder.run([Feed(rows[:n_rows], slot, n_cached) for slot in slots])

        time_ms = median_ms(run, repeats)
        for slot in slots:
            slot.close()
        return time_ms

    per_s: dict[str, dict[int, int]] = {}
    for name, size in LENGTHS:
        steps_ms = {count: forward(count, 1, size) for count in ROWS}
        per_s[name] = {count: round(1000 * count / ms) for count, ms in steps_ms.items()}
        times[f"step_{name}_ms"] = steps_ms.pop(1)
        times |= {f"step_{count}_rows_{name}_ms": ms for count, ms in steps_ms.items()}
    times["prefill_90_ms"] = forward(1, 90, SHORT)
    times["prefill_1024_ms"] = forward(1, SHORT, 0)
    for name, size in LENGTHS:
        times[f"token_{name}_ms"] = token_ms(model, size, 3 * repeats)
    weights = model.llm.model.layers.parameters()
    n_bytes = sum(weight.numel() * weight.element_size() for weight in weights)
    speed = n_bytes / times["step_1k_ms"] / 1e9
    times["step_1k_tb_s"] = round(speed, 2)
    times["step_1k_share_of_copy"] = round(speed / copy_speed, 2)
    times["tokens_s"] = per_s
    return times


def token_ms(model: MiniCPMO, n_cached: int, n_tokens: int) -> float:
    """Median time from one token of an answer to the next, as whoever reads the answer sees it."""
    arrivals_s = []
    with Session(model, seed=0) as session:
        session.slot.truncate(n_cached)
        hidden = session.feed_token(torch.tensor(1, device=model.device))
        options = GenerationOptions(max_new_tokens=n_tokens)
        for _ in decode_plain(session, hidden, options):
            arrivals_s.append(time.perf_counter())
    steps_ms = [1000 * (later - earlier) for earlier, later in pairwise(arrivals_s[:-1])]
    return round(statistics.median(steps_ms[1:]), 3)


@torch.inference_mode()
def encoder_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (448, 448, 3), dtype=np.uint8))
    tiles = [preprocess_image(picture, model.image_settings, 1)]
    hearing = DuplexHearing(model, 0)
    hearing.add(SECOND, is_first=True)
    hearing.take(is_first=True)

    def hear() -> None:
        hearing.add(SECOND, is_first=False)
        hearing.take(is_first=False)

    hear()
    return {
        "picture_reading_ms": median_ms(
            lambda: preprocess_image(picture, model.image_settings, 1), repeats
        ),
        "image_tile_ms": median_ms(lambda: model.encode_images(tiles), repeats),
        "audio_second_ms": median_ms(hear, repeats),
    }


@torch.inference_mode()
def speech_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    rows = torch.randn(11, model.config.tts_config.hidden_size, device=model.device).bfloat16()
    with Session(model, seed=0) as session:

        def unit() -> None:
            session.speech_decoder().unit(rows)

        return {"speech_25_codes_ms": median_ms(unit, repeats)}


def chat_times(model: MiniCPMO, token2wav: Token2Wav, repeats: int) -> dict[str, float]:
    """First token and first sound of a short answer, the prompt's reading included."""
    messages = [ChatMessage("user", "What is the capital of France?")]

    def first_token() -> None:
        with ChatSession(model, seed=0) as session:
            session.prefill(messages)
            next(session.generate(GenerationOptions(max_new_tokens=2, min_new_tokens=2)))

    voice = random_voice(token2wav)
    long_answer = GenerationOptions(streaming=True, max_new_tokens=40, min_new_tokens=40)

    def first_sound() -> None:
        with ChatSession(model, seed=0) as session:
            session.prefill(messages, PromptOptions(style="kv"))
            parts = session.speak_while_writing(token2wav.stream(voice), long_answer)
            next(part for part in parts if part.waveform.numel())

    return {
        "chat_first_token_ms": median_ms(first_token, repeats),
        "chat_first_sound_ms": median_ms(first_sound, repeats),
    }


def measure(arguments: argparse.Namespace, stages: Sequence[str]) -> dict[str, object]:
    device, repeats = torch.device("cuda"), arguments.repeats
    copy_speed = copy_tb_s(device, repeats)
    torch.cuda.empty_cache()
    result: dict[str, object] = {"copy_tb_s": copy_speed}
    if "load" in stages:
        result["load"] = load_times()
    if "baseline" in stages:
        result["baseline"] = baseline_times(device, lambda work: median_ms(work, repeats))
        torch.cuda.empty_cache()
    if not set(stages) - {"load", "baseline"}:
        return result
    calls = [arguments.sessions] if arguments.sessions else list(CALLS)
    n_slots = max([1, *(calls if "calls" in stages else []), 32 if "decode" in stages else 1])
    torch.cuda.reset_peak_memory_stats()
    model = random_model(device, n_slots=n_slots, max_length=MAX_LENGTH)
    started_s = time.perf_counter()
    model.capture_graphs()
    token2wav = random_token2wav(device, torch.float32, cuda_graphs=True)
    torch.cuda.synchronize()
    result["capture_s"] = round(time.perf_counter() - started_s, 2)
    spare_what_is_loaded()
    parts: dict[str, Callable[[], dict[str, object]]] = {
        "decode": lambda: decoder_times(model, repeats, copy_speed),
        "encoders": lambda: dict(encoder_times(model, repeats)),
        "speech": lambda: dict(speech_times(model, repeats)),
        "vocoder": lambda: dict(stage_times(token2wav, repeats)),
        "chat": lambda: dict(chat_times(model, token2wav, repeats)),
        "units": lambda: unit_times(model, token2wav, UNITS),
    }
    for name, part in parts.items():
        if name in stages:
            result[name] = part()
    if "calls" in stages:
        result["calls"] = [
            sustained_calls(model, token2wav, count, arguments.seconds) for count in calls
        ]
    result["slots"] = n_slots
    result["memory_gb"] = memory_gb()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(STAGES), help="stages, separated by commas")
    parser.add_argument("--sessions", type=int, help="calls at the same time")
    parser.add_argument("--seconds", type=int, default=120, help="length of the calls")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    stages = arguments.only.split(",")
    if unknown := set(stages) - set(STAGES):
        parser.error(f"unknown stage {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    if not torch.cuda.is_available():
        sys.stderr.write("benchmarks.gpu needs a CUDA device\n")
        return 1
    environment = {
        "benchmark": "gpu",
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "repeats": arguments.repeats,
    }
    result = {**environment, **measure(arguments, stages)}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
