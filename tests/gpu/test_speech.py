"""Speech at its published sizes on one GPU: audio codes and their sound, with random weights.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import sys
import time
import unittest
from itertools import product

import numpy as np
import torch

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.token2wav import Token2WavOptions, VocoderStream
from MiniCPMO45.token2wav.stream import Push
from tests.golden.token2wav import inputs
from tests.gpu.full_size import GpuTestCase, random_model
from tests.gpu.full_size_speech import (
    SECOND,
    random_token2wav,
    random_voice,
    stage_times,
)
from tests.unit.token2wav_support import (
    RECORDINGS,
    RecordedExcitation,
    RecordedFlowNoise,
    make_voice,
    make_windows,
)

REPEATS = 20
UNIT_CODES = 25
MOST_MS = 30.0  # for one second of sound
VOICES = (30, 125, 500)  # codes of a recording
WINDOWS = (28, 28, 28, 12, 28, 28, 9)
GPU_TOLERANCE = 5e-3  # the recordings come from a CPU
CACHE_TOLERANCE = 1e-3
PRECISIONS = {"bf16": torch.bfloat16, "fp32": torch.float32}


def report(**values: object) -> None:
    sys.stderr.write(json.dumps({"device": torch.cuda.get_device_name(), **values}) + "\n")


class SpeechCodesTest(GpuTestCase):
    def test_a_second_of_codes_in_both_precisions(self) -> None:
        for name, dtype in PRECISIONS.items():
            with self.subTest(name):
                model = random_model(torch.device("cuda"), dtype=dtype)
                times_ms = [self.one_unit(model) for _ in range(5)][1:]
                report(precision=name, speech_25_codes_ms=round(min(times_ms), 1))
                del model
                torch.cuda.empty_cache()

    def one_unit(self, model: MiniCPMO) -> float:
        """Milliseconds for one second of codes."""
        config = model.config.tts_config
        rows = torch.randn(11, config.hidden_size, device=model.device)
        rows = rows.to(model.tts.emb_text.weight.dtype)
        with Session(model, seed=0) as session:
            torch.cuda.synchronize()
            started_s = time.perf_counter()
            codes = session.speech_decoder().unit(rows)
            elapsed_ms = 1000 * (time.perf_counter() - started_s)
        self.assertEqual(len(codes), UNIT_CODES)
        self.assertLess(max(codes), config.num_audio_tokens - 1)
        return elapsed_ms


class Token2WavTest(GpuTestCase):
    def test_stage_times_in_both_precisions_with_and_without_graphs(self) -> None:
        for name, dtype in PRECISIONS.items():
            for cuda_graphs in (False, True):
                with self.subTest(name, cuda_graphs=cuda_graphs):
                    started_s = time.perf_counter()
                    token2wav = random_token2wav(
                        torch.device("cuda"), dtype, cuda_graphs=cuda_graphs
                    )
                    loaded = {
                        "load_s": round(time.perf_counter() - started_s, 2),
                        "memory_gb": round(torch.cuda.memory_allocated() / 1e9, 2),
                    }
                    times = stage_times(token2wav, REPEATS)
                    steps = Token2WavOptions().flow_steps
                    report(
                        precision=name,
                        cuda_graphs=cuda_graphs,
                        flow_steps=steps,
                        **loaded,
                        **times,
                    )
                    self.assertLess(times["whole_ms"], 1000)
                    if cuda_graphs:
                        self.assertLess(times["open_ms"] + times["first_ms"], MOST_MS)
                        self.assertLess(times["whole_ms"], MOST_MS)

    def test_graphs_give_the_sound_of_plain_streams(self) -> None:
        device, dtype = torch.device("cuda"), torch.float32
        exact = Token2WavOptions(tensor_cores=False)
        plain = random_token2wav(device, dtype, exact)
        captured = random_token2wav(device, dtype, exact, cuda_graphs=True)
        for n_codes in VOICES:  # each needs memory of another size
            streams = [
                model.stream(random_voice(model, n_codes), seed=0) for model in (plain, captured)
            ]
            worst = {"sound": 0.0, "cache": 0.0}
            for index, window in enumerate(make_windows(*WINDOWS)):
                last = index == len(WINDOWS) - 1
                expected, sound = (stream.push(window, last=last) for stream in streams)
                self.assertEqual(sound.shape, expected.shape)
                keys, expected_keys = (self.last_keys(stream) for stream in reversed(streams))
                for name, ours, theirs in (
                    ("sound", sound, expected),
                    ("cache", keys, expected_keys),
                ):
                    worst[name] = max(worst[name], float((ours - theirs).abs().max()))
            report(voice_codes=n_codes, worst_difference=worst)
            self.assertLess(worst["sound"], GPU_TOLERANCE)
            self.assertLess(worst["cache"], CACHE_TOLERANCE)

    def test_streams_side_by_side_sound_as_each_does_alone(self) -> None:
        device, dtype = torch.device("cuda"), torch.float32
        exact = Token2WavOptions(tensor_cores=False)
        plain = random_token2wav(device, dtype, exact)
        shared = random_token2wav(device, dtype, exact, cuda_graphs=True)
        pairs = [
            [model.stream(random_voice(model, n_codes), seed=0) for model in (plain, shared)]
            for n_codes in (30, 125, 125, 60, 500)
        ]
        worst = 0.0
        for window in make_windows(28, 28, 12, 28):  # short ones are padded
            sounds = shared.speak([Push(stream, window, last=False) for _, stream in pairs])
            for (stream, _), sound in zip(pairs, sounds, strict=True):
                expected = stream.push(window, last=False)
                worst = max(worst, float((sound - expected).abs().max()))
        report(side_by_side_worst_difference=worst)
        self.assertLess(worst, GPU_TOLERANCE)

    def last_keys(self, stream: VocoderStream) -> torch.Tensor:
        """Keys of the last solver step's last block, ``[2, heads, length, head_dim]``."""
        state = stream.state.estimator
        layer = state.block(Token2WavOptions().flow_steps - 1, 15).attention
        return layer.keys[:, :, : state.length]

    def test_lower_precision_says_the_same_a_little_differently(self) -> None:
        waveforms = []
        for dtype in PRECISIONS.values():
            token2wav = random_token2wav(torch.device("cuda"), dtype)
            stream = token2wav.stream(random_voice(token2wav), seed=0)
            waveforms.append(torch.cat([stream.push(SECOND, last=False) for _ in range(3)]))
        low, full = waveforms
        self.assertEqual(low.shape, full.shape)
        self.assertTrue(torch.isfinite(low).all())
        report(
            rms_bf16=round(float(low.square().mean().sqrt()), 4),
            rms_fp32=round(float(full.square().mean().sqrt()), 4),
        )
        torch.testing.assert_close(
            low.square().mean().sqrt(), full.square().mean().sqrt(), rtol=0.2, atol=0
        )

    def test_the_recordings_of_the_official_library_hold_on_a_gpu(self) -> None:
        with np.load(RECORDINGS / "library.npz") as arrays:
            recorded = dict(arrays)
        options = Token2WavOptions(
            flow_steps=inputs.FLOW_STEPS, encoder_trim="packed", tensor_cores=False
        )
        for cuda_graphs, name in product((False, True), inputs.TURNS):
            token2wav = random_token2wav(
                torch.device("cuda"),
                torch.float32,
                options,
                RecordedFlowNoise(),
                cuda_graphs=cuda_graphs,
            )
            n_tokens, sizes = inputs.TURNS[name]
            voice = make_voice(token2wav, n_tokens, name)
            stream = token2wav.stream(voice, noise=RecordedExcitation(name))
            worst = 0.0
            for index, window in enumerate(inputs.windows(name, sizes)):
                waveform = stream.push(window, last=index == len(sizes) - 1)
                expected = recorded[f"{name}.{index}.waveform"]
                difference = np.abs(inputs.sparse(waveform.numpy()) - expected)
                worst = max(worst, float(difference.max()))
            report(turn=name, cuda_graphs=cuda_graphs, worst_difference=round(worst, 5))
            self.assertLess(worst, GPU_TOLERANCE)


if __name__ == "__main__":
    unittest.main()
