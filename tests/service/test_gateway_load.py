"""The gateway under load, in short; with FULL_TESTS the whole benchmark and its limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.gateway import (
    LEAST_POOL_OPERATIONS,
    MOST_LOOP_LAG_MS,
    is_within_limits,
    make_parser,
    measure,
)

SHORT = ["--seconds", "5", "--sockets", "120", "--calls", "40"]
# In so short a time, and while other tests run; the limits themselves are for the whole benchmark.
CLEARLY_TOO_MUCH_CPU = 3.0
CLEARLY_TOO_MUCH_LAG_MS = 10 * MOST_LOOP_LAG_MS


@pytest.mark.slow
@pytest.mark.alone
def test_many_calls_lose_nothing_on_their_way_through_the_gateway(tmp_path: Path) -> None:
    if os.environ.get("FULL_TESTS"):
        result = measure(make_parser().parse_args([]), tmp_path)
        assert is_within_limits(result), result
        return
    result = measure(make_parser().parse_args(SHORT), tmp_path)
    assert (result["pairs"], result["dropped"], result["reordered"]) == (200, 0, 0)
    assert result["loop_lag_p99_ms"] <= CLEARLY_TOO_MUCH_LAG_MS
    assert all(cpu["ratio"] < CLEARLY_TOO_MUCH_CPU for cpu in result["cpu"].values())
    assert result["pool_operations_per_s"] > LEAST_POOL_OPERATIONS
