"""A client of streaming turns on an in-process worker with a scripted model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from starlette.testclient import TestClient, WebSocketTestSession

from tests.fake_worker import FakeWorker, wait_until
from tests.unit.worker_client import HELLO, until_closed

PREFILL: dict[str, Any] = {"type": "prefill", **HELLO}
GENERATE: dict[str, Any] = {"type": "generate", "session_id": "r1", "generate_audio": False}
ANSWER = "One two three."


@contextmanager
def streaming(client: TestClient) -> Iterator[WebSocketTestSession]:
    """A socket whose end the worker has noticed when the block is over."""
    others = set(sockets_of(client))
    with client.websocket_connect("/ws/streaming") as websocket:
        yield websocket
        websocket.close()
        wait_until(lambda: sockets_of(client) <= others)


def sockets_of(client: TestClient) -> set[Any]:
    return cast(Any, client.app).state.service.streaming_sockets


def until_done(websocket: WebSocketTestSession) -> list[dict[str, Any]]:
    """All messages up to `done` or `error`."""
    messages = [websocket.receive_json()]
    while messages[-1]["type"] not in ("done", "error"):
        messages.append(websocket.receive_json())
    return messages


def turn(websocket: WebSocketTestSession, **prefill: Any) -> list[dict[str, Any]]:
    """One turn, from `prefill` to the end."""
    websocket.send_json(PREFILL | prefill)
    read = websocket.receive_json()
    if read["type"] != "prefill_done":
        return [read]
    websocket.send_json(GENERATE)
    return [read, *until_done(websocket)]


def named_turn(client: TestClient, name: str, **prefill: Any) -> list[dict[str, Any]]:
    """A turn on a socket of its own; the conversation is then kept under `name`."""
    with streaming(client) as websocket:
        messages = turn(websocket, **prefill)
        websocket.send_json({"type": "close", "history_hash": name})
        assert until_closed(websocket)[1] == 1000
        return messages


def begin_endless_answer(worker: FakeWorker, websocket: WebSocketTestSession) -> None:
    worker.streaming.words = ["word "] * 1000
    worker.streaming.stepwise = True
    websocket.send_json(PREFILL)
    websocket.receive_json()
    websocket.send_json(GENERATE)
    worker.streaming.permits.release()
    assert websocket.receive_json()["text_delta"] == "word "


def status(client: TestClient) -> str:
    return client.get("/health").json()["worker_status"]


def wait_for_idle(client: TestClient) -> None:
    wait_until(lambda: status(client) == "idle")
