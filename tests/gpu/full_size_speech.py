"""The vocoder at its published sizes with random weights, and how long its stages take."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions, Voice
from MiniCPMO45.token2wav.flow import Flow
from MiniCPMO45.token2wav.graphs import STREAMS
from MiniCPMO45.token2wav.noise import FlowNoise
from MiniCPMO45.token2wav.stream import Push
from MiniCPMO45.token2wav.synthesis import MelSynthesizer
from tests.unit.token2wav_support import make_prompt, make_windows, networks

VOICE_CODES = 125  # a reference recording of five seconds
SECOND = make_windows(28)[0]  # 25 codes, and three that are only looked at
TURN_END = 7  # codes of the longest piece that ends a turn of a call
STAGES = {
    "encoder": (Flow, "encode"),  # part of the mel frames, not seen in a graph
    "flow": (Flow, "solve"),  # the same
    "mel": (MelSynthesizer, "chunks"),
    "vocoder": (Token2Wav, "_vocode"),
}


def random_token2wav(
    device: torch.device,
    dtype: torch.dtype,
    options: Token2WavOptions | None = None,
    flow_noise: FlowNoise | None = None,
    *,
    cuda_graphs: bool = False,
) -> Token2Wav:
    """A model that cannot listen: voices come from :func:`random_voice`."""
    networks.cache_clear()  # the precision of a network is changed in place
    flow, hift = networks("published", device)
    token2wav = Token2Wav(flow, hift, dtype=dtype, options=options, flow_noise=flow_noise)
    flow.estimator.drop_modulation()
    if cuda_graphs:
        for _ in token2wav.capture(side_by_side=True):
            pass
    return token2wav


def random_voice(token2wav: Token2Wav, n_codes: int = VOICE_CODES) -> Voice:
    return token2wav.voice_of(make_prompt(n_codes), "voice")


@torch.inference_mode()
def stage_times(token2wav: Token2Wav, repeats: int) -> dict[str, float]:
    """Median milliseconds for one second of streamed sound, as a whole and by stage, for opening a
    stream and its first second, for the end of a turn, and for a second of several streams."""
    voice = random_voice(token2wav)
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        started_s = time.perf_counter()
        stream = token2wav.stream(voice)
        torch.cuda.synchronize()
        opened_s = time.perf_counter()
        stream.push(SECOND, last=False)  # ends with the sound on the host
        pushed_s = time.perf_counter()
        stream.push(SECOND[:TURN_END], last=True)
        times["turn_end"].append(1000 * (time.perf_counter() - pushed_s))
        del stream  # gives its memory to the next one
        times["open"].append(1000 * (opened_s - started_s))
        times["first"].append(1000 * (pushed_s - opened_s))
    stream = token2wav.stream(voice)
    for _ in range(3):
        stream.push(SECOND, last=False)
    for _ in range(repeats):
        started_s = time.perf_counter()
        stream.push(SECOND, last=False)
        times["whole"].append(1000 * (time.perf_counter() - started_s))
    with timed_stages() as times_ms:
        for _ in range(repeats):
            stream.push(SECOND, last=False)
    times |= times_ms
    streams = [stream, *(token2wav.stream(voice) for _ in range(STREAMS - 1))]
    for _ in range(repeats + 3):  # the first ones warm up
        started_s = time.perf_counter()
        token2wav.speak([Push(each, SECOND, last=False) for each in streams])
        times[f"{STREAMS}_side_by_side"].append(1000 * (time.perf_counter() - started_s))
    return {f"{name}_ms": round(statistics.median(values), 2) for name, values in times.items()}


@contextmanager
def timed_stages() -> Iterator[dict[str, list[float]]]:
    """In the block, the milliseconds of every call of a stage, the device's work included."""
    times_ms: dict[str, list[float]] = defaultdict(list)

    def timed(stage: str, work: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def call(*arguments: object, **options: object) -> torch.Tensor:
            torch.cuda.synchronize()
            started_s = time.perf_counter()
            result = work(*arguments, **options)
            torch.cuda.synchronize()
            times_ms[stage].append(1000 * (time.perf_counter() - started_s))
            return result

        return call

    patches = [
        patch.object(owner, name, timed(stage, getattr(owner, name)))
        for stage, (owner, name) in STAGES.items()
    ]
    try:
        for patched in patches:
            patched.start()
        yield times_ms
    finally:
        patch.stopall()
