"""What the gateway counts, and who may see it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway_modules import metrics
from gateway_modules.lease import Lease
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_pool import WorkerPool
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"minicpmo_gateway_{name}", labels) or 0.0


class Change:
    """How much a sample has risen since."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = value(name, **labels)

    @property
    def amount(self) -> float:
        return value(self._name, **self._labels) - self._before


def test_metrics_need_the_admin_token(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, security={"admin_token": "t"})
    with running_gateway(config, STRANGER) as (http, _):
        assert http.get("/metrics").status_code == 401
        shown = http.get("/metrics", headers={"Authorization": "Bearer t"})
    assert shown.headers["content-type"].startswith("text/plain")
    assert "minicpmo_gateway_num_requests_waiting" in shown.text
    assert "minicpmo_gateway_process_resident_memory_bytes" in shown.text


def test_requests_are_counted_by_route_and_not_by_what_was_asked_for(tmp_path: Path) -> None:
    route = {"method": "GET", "route": "/api/queue/{ticket_id}", "status": "200"}
    asked = Change("request_seconds_count", **route)
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        http.get("/api/queue/q_secret")
        http.request("BREW", "/pot_secret")
        shown = http.get("/metrics").text
    assert asked.amount == 1
    assert 'method="other",route="other",status="404"' in shown
    assert "secret" not in shown and "BREW" not in shown


def test_refusals_are_counted_by_code_over_http_and_on_sockets(tmp_path: Path) -> None:
    refused = Change("refusals_total", code="not_ready")
    closed = Change("socket_seconds_count", route="/ws/chat", code="1013")
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        http.post("/api/chat", json={"messages": []})
        with http.websocket_connect("/ws/chat") as socket:
            socket.receive_json()
            socket.receive()
    assert (refused.amount, closed.amount) == (2, 1)


def test_frames_are_counted_both_ways_with_their_bytes(tmp_path: Path) -> None:
    frames = [Change("frames_total", direction=direction) for direction in ("in", "out")]
    bytes_in = Change("frame_bytes_total", direction="in")
    with running_gateway(gateway_config(tmp_path)) as (http, gateway):
        gateway.pool.add_worker("localhost", 1).status = GatewayWorkerStatus.IDLE
        with http.websocket_connect("/ws/chat") as socket:
            socket.send_text('"你好"')
            assert socket.receive_json()["code"] == "bad_json"
    assert [change.amount for change in frames] == [1, 1]
    assert bytes_in.amount == 8


@pytest.mark.parametrize(
    ("gaps", "event", "counted"),
    [
        (3, "session_summary", 3),
        (3, "gap", 0),
        (-3, "session_summary", 0),
        ("3", "session_summary", 0),
        (10**30, "session_summary", metrics.MOST_GAPS),
    ],
)
def test_gaps_in_speech_are_counted_when_a_page_ends_its_call(
    gaps: object, event: str, counted: int
) -> None:
    underruns = Change("audio_underruns_total")
    metrics.note_report({"type": "client_diagnostic", "event": event, "gaps": gaps})
    assert underruns.amount == counted


async def test_gauges_tell_of_the_queue_and_the_workers_of_this_moment() -> None:
    pool = WorkerPool(["a:1", "b:2", "c:3"])
    for name in ("worker_0", "worker_1"):
        pool.workers[name].status = GatewayWorkerStatus.IDLE
    pool.workers["worker_1"].draining = True
    for kind in ("omni_duplex", "chat", "chat"):
        pool.enqueue(kind)

    metrics.exposition(pool, n_sockets=5)

    assert value("num_requests_running", type="omni_duplex") == 1
    assert [value("num_requests_waiting", type=kind) for kind in ("chat", "streaming")] == [2, 0]
    states = {state: value("workers", state=state) for state in metrics.WORKER_STATES}
    assert {state for state, n in states.items() if n} == {"duplex_active", "draining", "offline"}
    assert (value("slots"), value("sockets")) == (1, 5)


async def test_waits_and_the_errors_of_their_estimates_are_noted_once() -> None:
    pool = WorkerPool(["a:1"])
    pool.workers["worker_0"].status = GatewayWorkerStatus.IDLE
    waits = Change("request_queue_time_seconds_count", type="chat")
    errors = Change("wait_estimate_error_seconds_count", type="chat")
    total_error_s = Change("wait_estimate_error_seconds_sum", type="chat")
    async with Lease(pool, "chat") as served:
        await served.worker()
        await served.worker()
        assert (waits.amount, errors.amount) == (1, 0)  # nobody waited, so nothing was estimated
        async with Lease(pool, "chat") as waiting:
            served.release()
            await waiting.worker()
    assert (waits.amount, errors.amount) == (2, 1)
    assert total_error_s.amount == pytest.approx(15, abs=1)  # it was told 15 s and waited for none


def test_every_metric_has_the_prefix_and_an_explanation() -> None:
    for family in metrics.REGISTRY.collect():
        assert family.name.startswith("minicpmo_gateway_")
        assert family.documentation.endswith(".")


def test_showing_metrics_takes_little_time_with_a_long_queue() -> None:
    async def showing() -> float:
        pool = WorkerPool(["a:1"])
        for _ in range(1000):
            pool.enqueue("chat")
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        metrics.exposition(pool, n_sockets=500)
        return loop.time() - started_s

    assert asyncio.run(showing()) < 0.25
