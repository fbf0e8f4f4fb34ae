"""Captured encoders against plain ones, at the published sizes on one GPU.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import unittest
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.configuration import VisionConfig
from MiniCPMO45.encoder_graphs import LivePiece
from MiniCPMO45.image import ImageTensors, preprocess_image
from MiniCPMO45.streaming_mel import StreamingMel, StreamingMelSettings
from MiniCPMO45.vision import VisionMLP
from tests.gpu.full_size import GpuTestCase, random_model

TOLERANCE = 2e-2  # of the embeddings' norm
REPEATS = 30
N_SLOTS = 16


def relative_difference(rows: Tensor, expected: Tensor) -> float:
    return float((rows.float() - expected.float()).norm() / expected.float().norm())


def median_ms(work: Callable[[], object]) -> float:
    """Wall time of a call until the GPU is done with it."""
    times_ms = []
    for _ in range(REPEATS):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times_ms.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times_ms), 2)


def report(**values: object) -> None:
    sys.stderr.write(json.dumps(values) + "\n")


class EncodersTest(GpuTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.model = random_model(torch.device("cuda"), n_slots=N_SLOTS, max_length=512)
        cls.noise = np.random.default_rng(0)
        start, before = time.perf_counter(), torch.cuda.memory_allocated()
        for name, encoder in (("tiles", cls.model.tiles), ("ear", cls.model.ear)):
            for _ in encoder.capture():
                pass
            torch.cuda.synchronize()
            seconds, bytes_held = time.perf_counter() - start, torch.cuda.memory_allocated()
            report(captured=name, s=round(seconds, 1), mib=(bytes_held - before) >> 20)

    def picture(self, width: int, height: int, max_slice_nums: int = 1) -> ImageTensors:
        pixels = self.noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
        return preprocess_image(Image.fromarray(pixels), self.model.image_settings, max_slice_nums)

    def test_tiles_equal_the_plain_ones(self) -> None:
        tiles = self.model.tiles
        for name, images in (
            ("square", [self.picture(448, 448)]),
            ("4:3", [self.picture(640, 480)]),
            ("16:9", [self.picture(1280, 720)]),
            ("two squares", [self.picture(448, 448) for _ in range(2)]),
            ("seven squares", [self.picture(448, 448) for _ in range(7)]),
            ("sixteen squares", [self.picture(448, 448) for _ in range(16)]),
            ("mixed", [self.picture(448, 448), self.picture(600, 480), self.picture(300, 900)]),
            ("sliced", [self.picture(1600, 1100, 9)]),
        ):
            with self.subTest(images=name):
                rows, plain = tiles.encode(images), tiles._encode_plainly(images)
                difference = relative_difference(rows, plain)
                report(
                    images=name,
                    tiles=sum(len(image.pixels) for image in images),
                    difference=difference,
                    graph_ms=median_ms(lambda images=images: tiles.encode(images)),
                    plain_ms=median_ms(lambda images=images: tiles._encode_plainly(images)),
                )
                self.assertLess(difference, TOLERANCE)

    def test_the_activation_within_the_product_is_the_approximated_one(self) -> None:
        torch.manual_seed(0)
        mlp = VisionMLP(VisionConfig()).cuda().requires_grad_(False)
        hidden = torch.randn(1, 1024, 1152, device="cuda")
        expected = mlp.fc2(functional.gelu(mlp.fc1(hidden), approximate="tanh"))
        exact = mlp.fc2(functional.gelu(mlp.fc1(hidden)))
        difference = relative_difference(mlp(hidden), expected)
        self.assertLess(difference, relative_difference(exact, expected) / 3)

    def piece(self, slot: int, seconds_before: int) -> tuple[LivePiece, LivePiece]:
        """A stream's next second on a slot, and the same on a cache of its own."""
        caches = self.model.ear.stream(slot), self.model.apm.new_cache()
        for _ in range(seconds_before):
            mel = self.mel()
            for cache in caches:
                self.model.ear.hear(LivePiece(mel, cache, 2, 2))
        mel = self.mel()
        shared, alone = (LivePiece(mel, cache, 2, 2) for cache in caches)
        return shared, alone

    def mel(self) -> Tensor:
        return torch.from_numpy(self.noise.standard_normal((1, 80, 104), dtype=np.float32))

    def test_seconds_of_sound_equal_the_plain_ones(self) -> None:
        for seconds in ([0], [28], [3, 0, 12], [5, 1], [k % 7 for k in range(16)]):
            with self.subTest(seconds_before=seconds):
                self.compare_seconds(seconds)

    def compare_seconds(self, seconds_before: list[int]) -> None:
        ear = self.model.ear
        pieces = [self.piece(slot, before) for slot, before in enumerate(seconds_before)]
        shared, alone = ([pair[k] for pair in pieces] for k in (0, 1))
        self.assertTrue(all(ear.can_share(piece) for piece in shared))
        together = ear.hear_together(shared)
        difference = max(
            relative_difference(rows, ear.hear(piece))
            for rows, piece in zip(together, alone, strict=True)
        )
        # A cache that is full starts afresh, so the same second can be heard for ever.
        report(
            seconds_before=seconds_before,
            difference=difference,
            graph_ms=median_ms(lambda: ear.hear_together(shared)),
            plain_ms=median_ms(lambda: [ear.hear(piece) for piece in alone]),
        )
        self.assertLess(difference, TOLERANCE)

    def test_times_before_the_encoders(self) -> None:
        pixels = self.noise.integers(0, 256, (448, 448, 3), dtype=np.uint8)
        frame = Image.fromarray(pixels)
        front_end = StreamingMel(StreamingMelSettings(redundancy_ms=20))
        front_end.push(np.zeros(front_end.needed_samples, np.float32))
        second = self.noise.standard_normal(16_000).astype(np.float32)
        report(
            preprocess_ms=median_ms(lambda: preprocess_image(frame, self.model.image_settings, 1)),
            mel_ms=median_ms(lambda: front_end.push(second)),
        )


if __name__ == "__main__":
    unittest.main()
