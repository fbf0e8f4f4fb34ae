"""Reports of pages are kept within bounds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from config import LimitsConfig
from gateway_modules import diagnostic_log
from gateway_modules.diagnostic_log import DiagnosticLog

LIMITS = LimitsConfig()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "diag_a.jsonl").read_text().splitlines()]


def test_a_report_is_kept_with_the_time_of_its_arrival(tmp_path: Path) -> None:
    DiagnosticLog("a", LIMITS, tmp_path / "new").append({"event": "你好"})
    (line,) = lines(tmp_path / "new")
    assert line["event"] == "你好"
    assert isinstance(line["_server_recv_ts"], float)


def test_a_report_that_is_too_long_is_dropped(tmp_path: Path) -> None:
    log = DiagnosticLog("a", LIMITS, tmp_path)
    log.append({"event": "x" * 70_000})
    log.append({"event": "small"})
    assert [line["event"] for line in lines(tmp_path)] == ["small"]


def test_a_full_file_takes_no_more_even_from_a_later_session(tmp_path: Path) -> None:
    limits = LimitsConfig(debug_trace_file_mb=1000 / 2**20)
    for _ in range(3):
        log = DiagnosticLog("a", limits, tmp_path)
        for _ in range(20):
            log.append({"event": "x" * 100})
    assert 800 < (tmp_path / "diag_a.jsonl").stat().st_size <= 1000


def test_only_the_newest_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostic_log, "MAX_FILES", 3)
    for number in range(5):
        file = tmp_path / f"diag_{number}.jsonl"
        file.touch()
        os.utime(file, (number, number))
    DiagnosticLog("a", LIMITS, tmp_path).append({})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "diag_3.jsonl",
        "diag_4.jsonl",
        "diag_a.jsonl",
    ]


def test_a_folder_that_cannot_be_written_costs_only_the_report(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    DiagnosticLog("a", LIMITS, tmp_path / "file").append({})
    assert "diagnostic_lost" in caplog.text
