"""How turns on `WS /ws/streaming` of a worker are stopped, and what is left when clients leave."""

from __future__ import annotations

import logging

import pytest

from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.streaming_client import (
    PREFILL,
    begin_endless_answer,
    named_turn,
    status,
    streaming,
    turn,
    until_done,
    wait_for_idle,
)
from tests.unit.worker_client import HELLO, ready, until_closed

# -- stopping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["message", "http"])
def test_stop_ends_the_answer_within_one_step(caplog: pytest.LogCaptureFixture, way: str) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    with ready(worker) as client, streaming(client) as websocket:
        begin_endless_answer(worker, websocket)
        if way == "message":
            websocket.send_json({"type": "stop"})
            websocket.send_json({"type": "stop"})
        else:
            answer = client.post("/streaming/stop").json()
            assert answer == {"success": True, "message": "Stop signal sent to 1 session(s)"}
        wait_until(lambda: "event=stop_requested" in caplog.text)
        worker.streaming.permits.release(100)
        messages = until_done(websocket)
        assert worker.streaming.n_steps <= 2
        done = messages[-1]
        assert (done["type"], done["stopped"]) == ("done", True)
        assert done["full_text"] == "word " * done["token_stats"]["generated_tokens"]
        worker.streaming.stepwise = False
        worker.streaming.words = ["again"]
        second = turn(websocket)
        assert second[0]["cached_tokens"] == 13 + worker.streaming.n_steps - 1
        assert second[-1]["full_text"] == "again"


def test_http_stop_without_an_answer_says_so() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client):
        answer = client.post("/streaming/stop").json()
    assert answer == {"success": False, "message": "No active streaming session"}


def test_stop_while_reading_gives_the_turn_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    worker.streaming.slow_prefill = True
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL | {"messages": HELLO["messages"] * 20})
        wait_until(lambda: status(client) == "busy_streaming")
        websocket.send_json({"type": "stop"})
        wait_until(lambda: "event=stop_requested" in caplog.text)
        worker.streaming.permits.release(100)
        done = until_done(websocket)[-1]
        assert (done["type"], done["stopped"], done["full_text"]) == ("done", True, "")
        wait_for_idle(client)
        wait_until(lambda: not worker.streaming.open_conversations)
        assert turn(websocket)[-1]["type"] == "done"


def test_stop_between_prefill_and_generate_gives_the_turn_up() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        websocket.receive_json()
        websocket.send_json({"type": "stop"})
        assert until_done(websocket)[-1]["stopped"] is True
        wait_for_idle(client)


def test_stop_with_nothing_to_stop_is_quiet() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json({"type": "stop"})
        assert turn(websocket)[0]["type"] == "prefill_done"


# -- leaving ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["connected", "reading", "read", "answering", "done"])
@pytest.mark.parametrize("way", ["leave", "close"])
def test_leaving_in_every_phase_frees_the_worker(
    caplog: pytest.LogCaptureFixture, phase: str, way: str
) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    view = worker.streaming
    with ready(worker) as client:
        with streaming(client) as websocket:
            if phase == "reading":
                view.slow_prefill = True
                websocket.send_json(PREFILL | {"messages": HELLO["messages"] * 20})
                wait_until(lambda: status(client) == "busy_streaming")
            elif phase == "read":
                websocket.send_json(PREFILL)
                websocket.receive_json()
            elif phase == "answering":
                begin_endless_answer(worker, websocket)
            elif phase == "done":
                turn(websocket)
            if way == "close":
                websocket.send_json({"type": "close"})
                if phase in ("reading", "answering"):
                    wait_until(lambda: "event=stop_requested" in caplog.text)
                view.permits.release(100)
            else:
                websocket.close()
        view.permits.release(100)
        wait_for_idle(client)
        wait_until(lambda: view.n_live == 0 and not view.open_conversations)
        assert view.n_steps <= 5
        view.stepwise = view.slow_prefill = False
        view.words = ["again"]
        assert named_turn(client, "next")[-1]["full_text"] == "again"


def test_a_client_that_never_asks_for_the_answer_is_sent_away() -> None:
    config = fake_config(first_frame_s=0.05)
    worker = FakeWorker(config)
    with ready(worker, config) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        messages, close_code = until_closed(websocket)
        assert ([m["type"] for m in messages], close_code) == (["prefill_done", "error"], 1000)
        assert messages[-1]["code"] == "idle_timeout"
        wait_for_idle(client)
        wait_until(lambda: not worker.streaming.open_conversations)
