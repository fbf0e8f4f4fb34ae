"""One row by a weight on one GPU: the kernel against plain PyTorch, and how fast it reads.

Runs under pytest and under ``python -m unittest``.
"""

from __future__ import annotations

import unittest

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.int8 import Weight, plain_product, quantise
from MiniCPMO45.llm import RMSNorm
from tests.gpu.full_size import GpuTestCase
from tests.gpu.test_int8 import SHAPES, median_ms, relative_difference, report

TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 1e-2}  # of the results' norm
SMALL_SHAPES = ((100, 264), (34, 4096), (768, 768), (2304, 768))
HEAD = (151748, 4096)
EPS = 1e-6


def plain(
    row: Tensor, weight: Weight, norm: Tensor | None, residual: Tensor | None, gated: bool
) -> Tensor:
    """What the kernel does, in one operation after another."""
    if norm is not None:
        module = RMSNorm(row.shape[1], EPS)
        module.weight.data = norm
        row = module(row)
    is_plain = isinstance(weight, Tensor)
    result = functional.linear(row, weight) if is_plain else plain_product(row, weight)
    if gated:
        gate, through = result.chunk(2, dim=-1)
        result = functional.silu(gate) * through
    return result if residual is None else residual + result


class RowProductTest(GpuTestCase):
    @torch.no_grad()
    def test_a_row_gives_what_plain_products_give(self) -> None:
        from MiniCPMO45.row_kernel import row_product

        for (n_out, width), dtype in (
            (shape, dtype) for shape in (*SHAPES, *SMALL_SHAPES, HEAD) for dtype in TOLERANCE
        ):
            row = torch.randn(1, width, device="cuda").to(dtype)
            floats = (torch.randn(n_out, width, device="cuda") * width**-0.5).to(dtype)
            norm = torch.rand(width, device="cuda").to(dtype)
            for weight in (floats, quantise(floats)):
                for with_norm, gated in ((False, False), (True, False), (True, True)):
                    n_results = n_out // 2 if gated else n_out
                    residual = torch.randn(1, n_results, device="cuda").to(dtype)
                    given = norm if with_norm else None
                    expected = plain(row, weight, given, residual, gated)
                    result = row_product(
                        row, weight, norm=given, eps=EPS, residual=residual, gated=gated
                    )
                    with self.subTest(out=n_out, width=width, dtype=dtype, gated=gated):
                        self.assertLess(relative_difference(result, expected), TOLERANCE[dtype])

    def test_times_of_a_layers_products_and_of_the_vocabularys(self) -> None:
        from MiniCPMO45.row_kernel import row_product

        for n_out, width in (*SHAPES, HEAD):
            row = torch.randn(1, width, device="cuda").bfloat16()
            # Several copies, so that none is found in the cache.
            floats = [torch.randn(n_out, width, device="cuda").bfloat16() for _ in range(4)]
            integers = [quantise(weight) for weight in floats]
            times = {
                "library": median_ms(lambda: [functional.linear(row, w) for w in floats]),  # noqa: B023
                "kernel": median_ms(lambda: [row_product(row, w) for w in floats]),  # noqa: B023
                "int8": median_ms(lambda: [row_product(row, w) for w in integers]),  # noqa: B023
            }
            n_bytes = {"library": 8, "kernel": 8, "int8": 4}
            speeds = {
                f"{name}_tb_s": round(n_bytes[name] * n_out * width / time_ms / 1e9, 2)
                for name, time_ms in times.items()
            }
            report(out=n_out, width=width, **speeds)
            self.assertGreater(min(times.values()), 0)


if __name__ == "__main__":
    unittest.main()
