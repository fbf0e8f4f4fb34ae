"""The ends of the logs, for administrators."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_modules import process_logs
from gateway_modules.process_logs import log_tail, logged_processes
from gateway_modules.routes import operation
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three logs, and files that are none."""
    for name in ("gateway.log", "worker_0.log", "supervisor.log", "install.log", "diag_x.jsonl"):
        (tmp_path / name).write_text("".join(f"{name} line {n}\n" for n in range(1000)))
    monkeypatch.setattr(operation, "RUN_FOLDER", tmp_path)
    return tmp_path


def test_the_last_lines_of_a_process_are_shown(folder: Path) -> None:
    with running_gateway(gateway_config(folder)) as (http, _):
        shown = http.get("/api/admin/logs?process=worker_0&lines=2").json()
        by_default = http.get("/api/admin/logs").json()
    assert shown["lines"] == ["worker_0.log line 998", "worker_0.log line 999"]
    assert shown["processes"] == ["gateway", "supervisor", "worker_0"]
    assert (by_default["process"], len(by_default["lines"])) == ("gateway", 200)


@pytest.mark.parametrize("process", ["install", "diag_x", "worker_7", "../gateway", "gateway.log"])
def test_no_other_file_can_be_read(folder: Path, process: str) -> None:
    with running_gateway(gateway_config(folder)) as (http, _):
        answer = http.get("/api/admin/logs", params={"process": process})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("lines", ["0", "2001", "many"])
def test_the_number_of_lines_is_bounded(folder: Path, lines: str) -> None:
    with running_gateway(gateway_config(folder)) as (http, _):
        answer = http.get("/api/admin/logs", params={"lines": lines})
    assert (answer.status_code, answer.json()["field"]) == (422, "lines")


def test_strangers_see_no_log(folder: Path) -> None:
    config = gateway_config(folder, security={"admin_token": "t"})
    with running_gateway(config, STRANGER) as (http, _):
        assert http.get("/api/admin/logs").status_code == 401


def test_of_a_long_log_only_the_end_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_logs, "MAX_BYTES", 50)
    assert log_tail(folder, "gateway", 100) == ["gateway.log line 998", "gateway.log line 999"]


def test_without_a_run_folder_there_are_no_logs(tmp_path: Path) -> None:
    assert logged_processes(tmp_path / "absent") == []
