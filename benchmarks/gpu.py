"""Times of the model's parts at the published sizes with random weights, on one GPU.

    python -m benchmarks.gpu [--repeats N]

Prints one JSON line. The baseline is the eager decode step of the same run; ``copy_tb_s`` is the
device's own copy speed (bytes read and written), against which memory-bound steps can be judged.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
import transformers
from PIL import Image

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO
from MiniCPMO45.audio import offline_features
from MiniCPMO45.image import preprocess_image
from MiniCPMO45.sessions.base import Session
from tests.gpu.full_size import random_model
from tests.gpu.full_size_call import LISTEN, SPEAK, TimedCall
from tests.gpu.full_size_speech import random_token2wav, stage_times

DECODE_CACHE = 1024


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
def decoder_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    """Forwards of one conversation over a cache of so many tokens, and a step of many."""
    times = {}
    rows = torch.randn(DECODE_CACHE, model.config.hidden_size, device=model.device).bfloat16()
    with Session(model) as session:
        slot = session.slot

        def forward(n_rows: int, n_cached: int) -> None:
            slot.truncate(n_cached)
            session.feed_embeddings(rows[:n_rows])

        for n_rows, n_cached in ((1, DECODE_CACHE), (90, DECODE_CACHE), (DECODE_CACHE, 0)):
            name = "decode" if n_rows == 1 else f"prefill_{n_rows}"
            times[f"{name}_ms"] = median_ms(lambda n=n_rows, c=n_cached: forward(n, c), repeats)
        times["head_ms"] = median_ms(lambda: model.llm.logits(rows[0]), repeats)
    return times


@torch.inference_mode()
def encoder_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 255, (448, 448, 3), dtype=np.uint8))
    tiles = [preprocess_image(picture, model.image_settings, 1)]
    second = offline_features([rng.normal(scale=0.1, size=16000).astype(np.float32)])
    return {
        "image_tile_ms": median_ms(lambda: model.encode_images(tiles), repeats),
        "audio_second_ms": median_ms(lambda: model.encode_audio(second), repeats),
    }


@torch.inference_mode()
def speech_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    rows = torch.randn(11, model.config.tts_config.hidden_size, device=model.device).bfloat16()
    with Session(model, seed=0) as session:

        def unit() -> None:
            decoder = session.speech_decoder()
            decoder.unit(rows)

        return {"speech_25_codes_ms": median_ms(unit, max(3, repeats // 5))}


def vocoder_times(device: torch.device, repeats: int) -> dict[str, float]:
    """One second of streamed sound, in the precision that the service uses."""
    token2wav = random_token2wav(device, torch.float32)
    return {f"token2wav_{name}": time for name, time in stage_times(token2wav, repeats).items()}


def call_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    """One second of an omni call: listening, and speaking four words, their sound included."""
    call = TimedCall(model)
    times = {}
    for name, words in (("listen", LISTEN), ("speak", SPEAK)):
        call.unit(words)
        units_ms = [call.unit(words)[0] for _ in range(max(5, repeats // 2))]
        times[f"{name}_unit_ms"] = round(statistics.median(units_ms), 2)
    call.close()
    return times


def graph_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    """The same with captured decode steps, as the service runs, and what capturing takes."""
    started_s = time.perf_counter()
    model.capture_graphs()
    torch.cuda.synchronize()
    capture_s = round(time.perf_counter() - started_s, 2)
    return {
        "capture_s": capture_s,
        **decoder_times(model, repeats),
        **speech_times(model, repeats),
        **call_times(model, repeats),
        **chat_times(model, repeats),
    }


def chat_times(model: MiniCPMO, repeats: int) -> dict[str, float]:
    """First token of a short question, the prompt's reading included."""
    messages = [ChatMessage("user", "What is the capital of France?")]

    def first_token() -> None:
        with ChatSession(model, seed=0) as session:
            session.prefill(messages)
            next(session.generate(GenerationOptions(max_new_tokens=2, min_new_tokens=2)))

    return {"chat_first_token_ms": median_ms(first_token, repeats)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    if not torch.cuda.is_available():
        sys.stderr.write("benchmarks.gpu needs a CUDA device\n")
        return 1
    device = torch.device("cuda")
    copy_speed = copy_tb_s(device, repeats)
    torch.cuda.empty_cache()
    model = random_model(device)
    result = {
        "benchmark": "gpu",
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "attention": model.attention_backends["llm"],
        "repeats": repeats,
        "copy_tb_s": copy_speed,
        **decoder_times(model, repeats),
        **encoder_times(model, repeats),
        **speech_times(model, repeats),
        **vocoder_times(device, repeats),
        **call_times(model, repeats),
        **chat_times(model, repeats),
        "with_graphs": graph_times(model, repeats),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
