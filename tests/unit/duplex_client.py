"""A client of full-duplex calls on an in-process worker with a scripted model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient, WebSocketTestSession

from config import ServiceConfig
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import ready
from tests.wire_media import audio_data

SECOND = audio_data(1.0)
PREPARE = {"type": "prepare"}
CHUNK = {"type": "audio_chunk", "audio_base64": SECOND}


class Call:
    """One side of a socket; `say` sends and gives the answer back."""

    def __init__(self, worker: FakeWorker, client: TestClient, socket: WebSocketTestSession):
        self.worker, self.client, self.socket = worker, client, socket
        self.model = worker.duplex

    def send(self, kind: str, **fields: Any) -> None:
        self.socket.send_json({"type": kind, **fields})

    def receive(self) -> dict[str, Any]:
        return self.socket.receive_json()

    def say(self, kind: str, **fields: Any) -> dict[str, Any]:
        self.send(kind, **fields)
        return self.receive()

    def chunk(self, **fields: Any) -> dict[str, Any]:
        """A second of sound, and its answer."""
        return self.say("audio_chunk", **{"audio_base64": SECOND, **fields})

    def results(self, count: int) -> list[dict[str, Any]]:
        return [self.receive() for _ in range(count)]

    @property
    def status(self) -> str:
        return self.client.get("/health").json()["worker_status"]


def with_sessions(**sessions: float) -> ServiceConfig:
    """A configuration with other timings."""
    config = fake_config()
    return config.model_copy(update={"sessions": config.sessions.model_copy(update=sessions)})


@contextmanager
def open_call(
    config: ServiceConfig | None = None, *, prepared: bool = True, script: str = "L"
) -> Iterator[Call]:
    """A call whose end has freed everything when the block is over."""
    config = config or fake_config()
    worker = FakeWorker(config)
    worker.duplex.script = script
    with ready(worker, config) as client:
        with client.websocket_connect("/ws/duplex?session_id=adx_1&mode=audio") as socket:
            call = Call(worker, client, socket)
            if prepared:
                assert call.say("prepare")["type"] == "prepared"
            yield call
            socket.close()
            worker.duplex.permits.release(100)
            wait_until(lambda: call.status == "idle" and not worker.duplex.open_calls)
