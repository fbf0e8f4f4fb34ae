"""Weights as 8-bit integers on one GPU: the kernel, captured forwards, memory and drift.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import json
import statistics
import sys
import unittest
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.decoder import Decoder
from MiniCPMO45.int8 import FEW_ROWS, plain_product, product, quantise
from MiniCPMO45.kv_cache import CacheSlot
from tests.gpu.full_size import GpuTestCase, random_model

KERNEL_TOLERANCE = 1e-2  # of the products' norm: both round to bfloat16
STATES_TOLERANCE = 5e-2  # as in test_graphs
DRIFT_LIMIT = 0.1
SHAPES = ((6144, 4096), (4096, 4096), (24576, 4096), (4096, 12288))  # of a full-size layer
REPEATS = 50


def relative_difference(rows: Tensor, expected: Tensor) -> float:
    return float((rows.float() - expected.float()).norm() / expected.float().norm())


def report(**values: object) -> None:
    sys.stderr.write(json.dumps(values) + "\n")


def median_ms(work: Callable[[], object]) -> float:
    """Median time on the device of one of several runs in a row."""
    work()
    times_ms = []
    for _ in range(REPEATS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(10):
            work()
        end.record()
        torch.cuda.synchronize()
        times_ms.append(start.elapsed_time(end) / 10)
    return statistics.median(times_ms)


class Int8ProductTest(GpuTestCase):
    def compare(self, n_rows: int, n_out: int, width: int) -> float:
        weight = quantise(torch.randn(n_out, width, device="cuda").bfloat16())
        rows = torch.randn(n_rows, width, device="cuda").bfloat16()
        return relative_difference(product(rows, weight), plain_product(rows, weight))

    def test_few_rows_give_what_plain_products_give(self) -> None:
        for n_out, width in (*SHAPES, (100, 264), (33, 4096)):
            for n_rows in (1, 2, 5, 16, 17, 32, 50, FEW_ROWS):
                with self.subTest(out=n_out, width=width, rows=n_rows):
                    self.assertLess(self.compare(n_rows, n_out, width), KERNEL_TOLERANCE)

    def test_what_lies_outside_of_the_rows_does_not_matter(self) -> None:
        weight = quantise(torch.randn(64, 512, device="cuda").bfloat16())
        rows = torch.full((16, 512), torch.nan, device="cuda").bfloat16()
        rows[:3] = torch.randn(3, 512, device="cuda")
        result = product(rows[:3], weight)
        difference = relative_difference(result, plain_product(rows[:3], weight))
        self.assertLess(difference, KERNEL_TOLERANCE)

    def test_times_of_a_layers_products(self) -> None:
        for n_rows in (1, 16, 32, FEW_ROWS, 384):
            float_ms = int8_ms = 0.0
            n_bytes = 0
            for n_out, width in SHAPES:
                weight = torch.randn(n_out, width, device="cuda").bfloat16()
                integers = quantise(weight)
                rows = torch.randn(n_rows, width, device="cuda").bfloat16()
                float_ms += median_ms(lambda: functional.linear(rows, weight))  # noqa: B023
                int8_ms += median_ms(lambda: product(rows, integers))  # noqa: B023
                n_bytes += integers.values.numel()
            report(
                rows=n_rows,
                bfloat16_ms=round(float_ms, 4),
                int8_ms=round(int8_ms, 4),
                int8_tb_s=round(n_bytes / int8_ms / 1e9, 2),
            )
            self.assertGreater(int8_ms, 0)


class Int8ModelTest(GpuTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        device = torch.device("cuda")
        cls.model = random_model(device, max_length=2048)
        torch.manual_seed(1)
        cls.rows = torch.randn(700, cls.model.config.hidden_size, device=device).bfloat16()
        decoder = cls.model.language
        cls.plain = Decoder(decoder.stack, decoder.cache, decoder.rotary)
        cls.in_bfloat16 = cls.states(cls.plain)
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        cls.model.quantise()
        cls.saved_gb = (before - torch.cuda.memory_allocated()) / 1e9
        cls.in_int8 = cls.states(cls.plain)
        list(decoder.capture())

    @classmethod
    def states(cls, decoder: Decoder) -> Tensor:
        """Final states of a prompt, of a second of sound and of single tokens."""
        slot: CacheSlot = decoder.cache.acquire()
        counts = [500, 90, 5, *[1] * 105]
        states = torch.cat([decoder.feed(rows, slot) for rows in cls.rows.split(counts)])
        slot.close()
        return states

    def test_half_of_the_layers_bytes_are_saved(self) -> None:
        self.assertAlmostEqual(self.saved_gb, 6.94, delta=0.1)

    def test_captured_forwards_equal_the_plain_ones(self) -> None:
        difference = relative_difference(self.states(self.model.language), self.in_int8)
        report(captured_against_plain=difference)
        self.assertLess(difference, STATES_TOLERANCE)

    def test_the_drift_from_bfloat16_is_small(self) -> None:
        scores, expected = (
            self.model.llm.logits(states) for states in (self.in_int8, self.in_bfloat16)
        )
        drift = relative_difference(scores, expected)
        same = float((scores.argmax(-1) == expected.argmax(-1)).float().mean())
        report(score_drift=drift, same_best_token=round(same, 3))
        self.assertLess(drift, DRIFT_LIMIT)


if __name__ == "__main__":
    unittest.main()
