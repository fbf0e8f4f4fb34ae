"""Several full-duplex calls at once through a worker with one real, small model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from tests.fake_worker import fake_config, wait_until
from tests.unit.worker_client import HELLO
from tests.wire_media import encode, image_data
from worker_modules.app import create_app
from worker_modules.model_worker import MiniCPMOWorker

VOICE = Path(__file__).parents[2] / "resources" / "ref_audio" / "ref_en.wav"
N_CALLS, N_SECONDS = 3, 12
SILENCED = 1  # the call whose client never lets the model speak
PREPARE = {"type": "prepare", "config": {"force_listen_count": 0, "decode_mode": "greedy"}}


@pytest.fixture(scope="module")
def worker(embedded_checkpoint: Path) -> MiniCPMOWorker:
    return MiniCPMOWorker(str(embedded_checkpoint), ref_audio_path=str(VOICE), n_slots=N_CALLS)


@pytest.fixture
def client(worker: MiniCPMOWorker) -> Iterator[TestClient]:
    with TestClient(create_app(worker, fake_config())) as client:
        wait_until(lambda: client.get("/ready").status_code == 200)
        yield client


def second(seed: int) -> str:
    samples = np.random.default_rng(seed).standard_normal(16000) * 0.1
    return encode(samples.astype("<f4").tobytes())


def send_second(call: WebSocketTestSession, index: int, n: int) -> None:
    call.send_json(
        {
            "type": "audio_chunk",
            "audio_base64": second(100 * n + index),
            "frame_base64_list": [image_data()] if index % 4 == 0 else [],
            "force_listen": n == SILENCED,
        }
    )


def test_calls_at_once_say_what_they_would_say_alone(client: TestClient) -> None:
    def run(n_calls: int) -> list[list[dict[str, Any]]]:
        with ExitStack() as sockets:
            calls = [
                sockets.enter_context(client.websocket_connect(f"/ws/duplex?session_id=omni_{n}"))
                for n in range(n_calls)
            ]
            for call in calls:
                call.send_json(PREPARE)
                assert call.receive_json()["type"] == "prepared"
            results: list[list[dict[str, Any]]] = [[] for _ in calls]
            for index in range(N_SECONDS):
                for n, call in enumerate(calls):
                    send_second(call, index, n)
                if index == 2 and n_calls < N_CALLS:
                    assert client.post("/chat", json=HELLO).json()["success"]
                for call, heard in zip(calls, results, strict=True):
                    heard.append(call.receive_json())
            for call in calls:
                call.send_json({"type": "stop"})
                assert call.receive_json()["type"] == "stopped"
            wait_until(lambda: client.get("/health").json()["slots_busy"] == 0)
            return results

    def words(results: list[dict[str, Any]]) -> list[str]:
        return [result["text"] for result in results]

    together = run(N_CALLS)
    (alone,) = run(1)
    assert words(together[0]) == words(alone)
    for n, results in enumerate(together):
        assert [result["current_time"] for result in results] == list(range(1, N_SECONDS + 1))
        speaks = {not result["is_listen"] for result in results}
        assert speaks == ({False} if n == SILENCED else {True, False})
        assert any(result["audio_data"] for result in results) is (n != SILENCED)
        assert [result["vision_tokens"] for result in results[:5]] == [64, 0, 0, 0, 64]
