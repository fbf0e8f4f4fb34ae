"""A client of an in-process worker with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession

from config import ServiceConfig
from tests.fake_worker import FakeWorker, fake_config, wait_until
from worker_modules.app import create_app

# A limit of time that a test waits out, and before which a busy machine says the next thing.
SHORT_S = 1.0
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "hello"}]}


@contextmanager
def running(worker: FakeWorker, config: ServiceConfig | None = None) -> Iterator[TestClient]:
    """The worker's application with its lifespan, as soon as its port would answer."""
    with TestClient(create_app(worker, config or fake_config())) as client:
        yield client


@contextmanager
def ready(worker: FakeWorker, config: ServiceConfig | None = None) -> Iterator[TestClient]:
    """The same, once the model is loaded."""
    with running(worker, config) as client:
        wait_until(lambda: client.get("/ready").status_code == 200)
        yield client


def until_closed(websocket: WebSocketTestSession) -> tuple[list[dict[str, Any]], int]:
    """All messages up to the close frame, and its code."""
    messages = []
    while True:
        frame = websocket.receive()
        if frame["type"] == "websocket.close":
            return messages, frame["code"]
        messages.append(json.loads(frame["text"]))
