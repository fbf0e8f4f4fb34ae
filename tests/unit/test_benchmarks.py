from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu_calls import SLOWEST, UnitTime, slowest
from benchmarks.speech import Spoken

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.parametrize("name", ["duplex", "gateway", "gpu", "speech"])
def test_a_benchmark_starts_as_a_script_from_anywhere(name: str, tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--help"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert said.stdout.startswith(f"usage: {name}.py"), said.stderr


def test_pieces_in_time_make_no_gap():
    assert Spoken([0.1, 1.2, 2.2], [1.0, 1.0, 1.0], total_s=2.3).gaps == 0


def test_a_piece_that_comes_too_late_is_one_gap_and_the_rest_follows_from_there():
    # played until 0.1 + 0.2 + 1.0; the second comes at 1.5 and plays until 2.5
    assert Spoken([0.1, 1.5, 2.4], [1.0, 1.0, 1.0], total_s=2.5).gaps == 1


def test_the_slowest_units_come_first_with_what_was_special_in_them():
    def unit(took_ms: float, kv_length: int, forgotten: int) -> UnitTime:
        counts = {"kv_length": kv_length, "forgotten": forgotten}
        return UnitTime(took_ms, counts, {"kv_length": 70, "forgotten": 9})

    units = [unit(20.0, 10, 9), unit(71.26, 80, 3), *[unit(19.0, 10, 9)] * SLOWEST]
    found = slowest(units)
    assert len(found) == SLOWEST
    assert found[0] == {"unit": 1, "ms": 71.3, "kv_length": 80, "forgotten": 6}
    assert found[1] == {"unit": 0, "ms": 20.0, "kv_length": 10, "forgotten": 0}
