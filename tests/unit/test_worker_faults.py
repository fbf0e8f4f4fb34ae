"""Faults of the model and its device: what each session hears, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import httpx
import pytest
import torch
from starlette.testclient import TestClient

from core.errors import DeviceLostError, SessionFailedError, WorkerBusyError, WorkerLostError
from gateway_modules.upstream import post_to_worker
from gateway_modules.worker_connection import WorkerConnection
from MiniCPMO45.errors import DeviceMemoryError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.duplex_client import CHUNK, PREPARE
from tests.unit.half_duplex_client import call, say
from tests.unit.worker_client import HELLO, ready, until_closed
from worker_modules.app import create_app

CUDA_ERROR = RuntimeError("CUDA error: an illegal memory access was encountered")
NO_MEMORY = WorkerBusyError("the worker has no memory left for this session", retry_after_s=5)
OVERFLOW = SessionFailedError("the model lost this session: its numbers overflowed")


@contextmanager
def two_calls(worker: FakeWorker) -> Iterator[tuple[TestClient, Any, Any]]:
    with ready(worker) as client, ExitStack() as sockets:
        calls = [
            sockets.enter_context(client.websocket_connect(f"/ws/duplex?session_id=adx_{index}"))
            for index in range(2)
        ]
        for call in calls:
            call.send_json(PREPARE)
            assert call.receive_json()["type"] == "prepared"
        yield client, *calls


@pytest.mark.parametrize(
    ("failure", "code", "close_code"),
    [(NO_MEMORY, "worker_busy", 1013), (OVERFLOW, "inference_error", 1011)],
    ids=["memory", "overflow"],
)
def test_a_call_that_cannot_go_on_ends_and_the_one_beside_it_does_not(
    failure: Exception, code: str, close_code: int
) -> None:
    worker = FakeWorker(fake_config(), n_slots=2)
    with two_calls(worker) as (client, ending, other):
        worker.duplex.failures = [failure]
        ending.send_json(CHUNK)
        (error,), closed = until_closed(ending)
        assert (error["type"], error["code"], closed) == ("error", code, close_code)
        wait_until(lambda: len(worker.duplex.open_calls) == 1)
        other.send_json(CHUNK)
        assert other.receive_json()["type"] == "result"
        assert client.get("/health").json()["slots_busy"] == 1


def test_a_unit_that_cannot_be_closed_for_want_of_memory_ends_its_call() -> None:
    worker = FakeWorker(fake_config(), n_slots=2)
    with two_calls(worker) as (_, ending, _other):
        worker.duplex.closing_failures = [NO_MEMORY]
        ending.send_json(CHUNK)
        messages, closed = until_closed(ending)
        assert [message["type"] for message in messages] == ["result", "error"]
        assert (messages[-1]["code"], closed) == ("worker_busy", 1013)


def test_who_finds_no_memory_when_it_begins_is_told_to_come_back() -> None:
    worker = FakeWorker(fake_config(), n_slots=2)
    with ready(worker) as client:
        worker.duplex.failures = [NO_MEMORY]
        with client.websocket_connect("/ws/duplex?session_id=adx_1") as call:
            call.send_json(PREPARE)
            (error,), closed = until_closed(call)
        assert (error["code"], error["retry_after_s"], closed) == ("worker_busy", 5, 1013)
        worker.view.failure = NO_MEMORY
        answer = client.post("/chat", json=HELLO)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        worker.view.failure = None
        assert client.post("/chat", json=HELLO).json()["success"]


def test_a_half_duplex_turn_without_memory_ends_the_call() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, call(client) as websocket:
        worker.streaming.failure = NO_MEMORY
        say(websocket)
        messages, closed = until_closed(websocket)
        assert (messages[-1]["code"], closed) == ("worker_busy", 1013)


# -- a lost device ---------------------------------------------------------------------------------


@contextmanager
def watched(worker: FakeWorker) -> Iterator[tuple[TestClient, list[str]]]:
    """The worker, and a list that grows when its process should end."""
    ends: list[str] = []
    with TestClient(create_app(worker, fake_config(), lambda: ends.append("end"))) as client:
        yield client, ends


def test_a_device_lost_in_any_work_marks_the_worker_failed() -> None:
    worker = FakeWorker(fake_config())

    class Broken:
        def close(self) -> None:
            raise CUDA_ERROR

    with watched(worker) as (client, ends):
        wait_until(lambda: client.get("/ready").status_code == 200)
        service = cast(Any, client.app).state.service
        cast(Any, client.portal).call(service.discard, Broken())
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        assert ends == ["end"]
        assert "starts again" in client.get("/health").json()["load_message"]


def test_a_device_lost_while_loading_ends_the_process() -> None:
    worker = FakeWorker(fake_config())
    worker.load_error = CUDA_ERROR
    with watched(worker) as (client, ends):
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        assert ends == ["end"]


def test_every_call_of_a_lost_device_is_left_to_the_gateway() -> None:
    worker = FakeWorker(fake_config(), n_slots=2)
    with two_calls(worker) as (client, *calls):
        for call in calls:
            worker.duplex.failures = [DeviceLostError("the device failed")]
            call.send_json(CHUNK)
            assert until_closed(call) == ([], 1012)
        assert client.get("/health").json()["worker_status"] == "error"


async def test_the_gateway_takes_a_lost_device_for_a_lost_worker() -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        return httpx.Response(502, json={"code": "worker_lost"})

    worker = WorkerConnection("worker_0", "127.0.0.1", 1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(lost)) as http:
        with pytest.raises(WorkerLostError):
            await post_to_worker(http, worker, "/chat", b"{}", "r")


# -- memory at the start ---------------------------------------------------------------------------


def test_health_tells_how_many_sessions_found_room() -> None:
    worker = FakeWorker(fake_config(), n_slots=8)
    worker.slots_that_fit = 3
    with ready(worker) as client:
        assert client.get("/health").json()["slots_total"] == 3


@pytest.mark.parametrize(
    "error",
    [DeviceMemoryError("the device lacks 2.0 GB"), torch.OutOfMemoryError("CUDA out of memory")],
    ids=["slots", "weights"],
)
def test_a_model_that_finds_no_room_leaves_the_worker_in_error_with_a_remedy(
    error: Exception,
) -> None:
    worker = FakeWorker(fake_config())
    worker.load_error = error
    with watched(worker) as (client, ends):
        wait_until(lambda: client.get("/health").json()["status"] == "error")
        message = client.get("/health").json()["load_message"]
        assert "the device lacks 2.0 GB" in message or "model.quantization" in message
        assert ends == []
