"""What is written down of those who change the service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway_modules.rolling_file import RollingFile
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway

TOKEN = {"Authorization": "Bearer t"}


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_who_switched_what_is_written_down_and_so_is_who_tried_to(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, security={"admin_token": "t"})
    with running_gateway(config, STRANGER) as (http, _):
        off = {"enabled": False}
        http.put("/api/admin/apps/omni", json=off, headers=TOKEN | {"X-Request-ID": "r1"})
        http.put("/api/admin/apps/omni", json=off)
    done, refused = lines(tmp_path)
    assert done | {"time": ""} == {
        "time": "",
        "caller": "192.0.2.7",
        "action": "PUT /api/admin/apps/{app_id}",
        "target": "/api/admin/apps/omni",
        "status": 200,
        "request_id": "r1",
    }
    assert (refused["action"], refused["status"]) == (done["action"], 401)


def test_reading_and_using_the_service_is_not(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        http.get("/api/admin/apps")
        http.get("/api/sessions")
        http.post("/api/chat", json={})
    assert lines(tmp_path) == []


def test_a_disk_that_refuses_changes_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        assert http.delete("/api/queue/q_1").json() == {"success": False}
    assert "event=audit_line_lost" in caplog.text and "target=/api/queue/q_1" in caplog.text


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    file = RollingFile(path, max_bytes=30)
    for number in range(3):
        file.append({"number": number, "text": "x\n\x1b"})
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [2]
    aside = path.with_name("lines.jsonl.1").read_text()
    assert [json.loads(line)["number"] for line in aside.splitlines()] == [1]
    assert "\x1b" not in aside


def test_a_page_leaves_its_trace(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, gateway):
        gateway.traces = RollingFile(tmp_path / "trace.jsonl", 1000)
        trace = {"session_id": "s", "outcome": "ok", "events": [{"t": 1, "tag": "start"}]}
        assert http.post("/api/_debug/record_trace", json=trace).json() == {"ok": True}
    kept = json.loads((tmp_path / "trace.jsonl").read_text())
    assert kept.pop("ts")
    assert kept == trace


@pytest.mark.parametrize(
    ("limit_kb", "body", "status"),
    [(1, b'{"x": "' + b"x" * 1024 + b'"}', 413), (0, b"{}", 413), (1, b"[]", 400), (1, b"{", 400)],
)
def test_a_trace_that_is_none_or_not_wanted_is_refused(
    tmp_path: Path, limit_kb: float, body: bytes, status: int
) -> None:
    config = gateway_config(tmp_path, limits={"debug_trace_kb": limit_kb})
    with running_gateway(config) as (http, gateway):
        gateway.traces = RollingFile(tmp_path / "trace.jsonl", 1000)
        assert http.post("/api/_debug/record_trace", content=body).status_code == status
    assert not (tmp_path / "trace.jsonl").exists()
