"""A caller of an in-process worker, who speaks with a real voice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
from starlette.testclient import TestClient, WebSocketTestSession

from config import ServiceConfig
from core.processors.voices import load_voice_file
from tests.fake_worker import fake_config, wait_until
from tests.unit.worker_client import until_closed
from tests.wire_media import encode

RATE = 16000
VOICE_FILE = Path(__file__).parents[2] / "resources" / "ref_audio" / "ref_en.wav"
VOICE = load_voice_file(VOICE_FILE)
WORDS = VOICE[: round(1.2 * RATE)]
PIECE = RATE // 2
ANSWER = "One two three."


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.float32)


def audio(waveform: np.ndarray) -> str:
    return encode(waveform.astype("<f4").tobytes())


SENTENCE = np.concatenate([silence(0.6), WORDS, silence(1.2)])


def with_limits(**sessions: float) -> ServiceConfig:
    """A configuration with other timings."""
    config = fake_config()
    return config.model_copy(update={"sessions": config.sessions.model_copy(update=sessions)})


@contextmanager
def socket(client: TestClient, query: str = "") -> Iterator[WebSocketTestSession]:
    """A socket whose end the worker has noticed when the block is over."""
    others = set(sockets_of(client))
    with client.websocket_connect(f"/ws/half_duplex{query}") as websocket:
        yield websocket
        websocket.close()
        wait_until(lambda: sockets_of(client) <= others)


def sockets_of(client: TestClient) -> set[Any]:
    return cast(Any, client.app).state.service.half_duplex_sockets


def prepare(websocket: WebSocketTestSession, **fields: Any) -> dict[str, Any]:
    websocket.send_json({"type": "prepare", **fields})
    return websocket.receive_json()


@contextmanager
def call(client: TestClient, **fields: Any) -> Iterator[WebSocketTestSession]:
    """A call that is prepared."""
    with socket(client) as websocket:
        assert prepare(websocket, **fields)["type"] == "prepared"
        yield websocket


def say(
    websocket: WebSocketTestSession, waveform: np.ndarray = SENTENCE, n_piece: int = PIECE
) -> None:
    for start in range(0, len(waveform), n_piece):
        piece = audio(waveform[start : start + n_piece])
        websocket.send_json({"type": "audio_chunk", "audio_base64": piece})


def until(websocket: WebSocketTestSession, kind: str) -> list[dict[str, Any]]:
    """All messages up to one of this type."""
    messages = [websocket.receive_json()]
    while messages[-1]["type"] != kind:
        assert messages[-1]["type"] != "error" or kind == "error", messages[-1]
        messages.append(websocket.receive_json())
    return messages


def turn(websocket: WebSocketTestSession) -> list[dict[str, Any]]:
    say(websocket)
    return until(websocket, "turn_done")


def end(websocket: WebSocketTestSession) -> list[dict[str, Any]]:
    """Everything that is said from `stop` to the end, which has to be a good one."""
    websocket.send_json({"type": "stop"})
    messages, code = until_closed(websocket)
    assert code == 1000
    return messages


def status(client: TestClient) -> str:
    return client.get("/health").json()["worker_status"]


def types_of(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]
