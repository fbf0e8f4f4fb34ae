"""`WS /ws/chat` of a worker."""

from __future__ import annotations

import logging

import pytest

from core.errors import InferenceError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import HELLO, ready, until_closed


def test_an_answer_streams_and_the_socket_closes_normally() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        messages, close_code = until_closed(websocket)
    assert close_code == 1000
    assert messages[0] == {"type": "prefill_done", "input_tokens": 7}
    chunks = messages[1:-1]
    assert {chunk["type"] for chunk in chunks} == {"chunk"}
    assert all(chunk["text_delta"] for chunk in chunks)
    assert "".join(chunk["text_delta"] for chunk in chunks) == "One two three."
    assert messages[-1] == {
        "type": "done",
        "text": "One two three.",
        "generated_tokens": 5,
        "input_tokens": 7,
        "stopped": False,
        "audio_epoch": 0,
    }


def test_each_token_is_sent_as_soon_as_it_is_there() -> None:
    worker = FakeWorker(fake_config())
    worker.view.stepwise = True
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        assert websocket.receive_json()["type"] == "prefill_done"
        for expected in ("One", " two"):
            worker.view.permits.release()
            assert websocket.receive_json()["text_delta"] == expected
        worker.view.permits.release(100)
        until_closed(websocket)


def test_without_streaming_the_text_comes_with_done() -> None:
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect("/ws/chat") as websocket,
    ):
        websocket.send_json(HELLO | {"streaming": False})
        messages, _ = until_closed(websocket)
    assert [message["type"] for message in messages] == ["prefill_done", "done"]
    assert (messages[-1]["text"], messages[-1]["audio_data"]) == ("One two three.", None)


def test_asking_for_speech_gives_text_and_says_so() -> None:
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect("/ws/chat") as websocket,
    ):
        websocket.send_json(HELLO | {"tts": {"enabled": True}})
        messages, _ = until_closed(websocket)
    assert "speech" in messages[-1]["warning"]


def test_a_socket_uses_the_defaults_of_a_socket() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        until_closed(websocket)
    (task,) = worker.view.tasks
    assert (task.prompt.style, task.generation.streaming) == ("kv", True)
    assert task.generation.max_new_tokens == 256
    assert task.prompt.use_image_id is task.prompt.use_tts_template is None
    assert task.prompt.enable_thinking is None


def test_stop_ends_the_answer_within_one_step_and_keeps_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    worker.view.words = ["word "] * 1000
    worker.view.stepwise = True
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        websocket.receive_json()
        worker.view.permits.release()
        assert websocket.receive_json()["text_delta"] == "word "
        websocket.send_json({"type": "stop"})
        wait_until(lambda: "event=stop_requested" in caplog.text)
        worker.view.permits.release(100)
        messages, close_code = until_closed(websocket)
        assert worker.view.n_steps <= 2
    done = messages[-1]
    assert (done["type"], done["stopped"], close_code) == ("done", True, 1000)
    assert done["text"] == "word " * done["generated_tokens"]
    assert "".join(m["text_delta"] for m in messages[:-1]) + "word " == done["text"]


def test_stop_while_waiting_for_the_worker_is_answered_at_once() -> None:
    worker = FakeWorker(fake_config())
    worker.view.stepwise = True
    with ready(worker) as client, client.websocket_connect("/ws/chat") as first:
        first.send_json(HELLO)
        first.receive_json()
        with client.websocket_connect("/ws/chat") as second:
            second.send_json(HELLO)
            wait_until(lambda: client.get("/health").json()["queue_depth"] == 1)
            second.send_json({"type": "stop"})
            messages, close_code = until_closed(second)
        assert ([m["type"] for m in messages], close_code) == (["done"], 1000)
        assert (messages[0]["stopped"], messages[0]["text"]) == (True, "")
        assert client.get("/health").json()["queue_depth"] == 0
        worker.view.permits.release(100)
        until_closed(first)


def test_a_client_that_leaves_ends_its_generation_within_one_step(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    worker.view.words = ["word "] * 1000
    worker.view.stepwise = True
    with ready(worker) as client:
        with client.websocket_connect("/ws/chat") as websocket:
            websocket.send_json(HELLO)
            websocket.receive_json()
            worker.view.permits.release()
            websocket.receive_json()
            websocket.close()
            wait_until(lambda: "event=client_left" in caplog.text)
        worker.view.permits.release(100)
        wait_until(lambda: worker.view.n_live == 0)
        assert worker.view.n_steps <= 2
        wait_until(lambda: client.get("/health").json()["worker_status"] == "idle")
        worker.view.stepwise = False
        worker.view.words = ["again"]
        assert client.post("/chat", json=HELLO).json()["text"] == "again"


def test_a_busy_worker_says_so_and_closes() -> None:
    config = fake_config(idle_wait_s=0.05)
    worker = FakeWorker(config)
    worker.view.stepwise = True
    with ready(worker, config) as client, client.websocket_connect("/ws/chat") as first:
        first.send_json(HELLO)
        first.receive_json()
        with client.websocket_connect("/ws/chat") as second:
            second.send_json(HELLO)
            messages, close_code = until_closed(second)
        assert ([m["code"] for m in messages], close_code) == (["worker_busy"], 1013)
        worker.view.permits.release(100)
        until_closed(first)


def test_a_model_failure_is_told_before_the_close() -> None:
    worker = FakeWorker(fake_config())
    worker.view.failure = InferenceError("out of luck")
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        messages, close_code = until_closed(websocket)
    assert (messages[-1]["type"], messages[-1]["error"], close_code) == (
        "error",
        "out of luck",
        1011,
    )


def test_a_bug_is_told_without_details() -> None:
    worker = FakeWorker(fake_config())
    worker.view.failure = KeyError("secret")
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        messages, close_code = until_closed(websocket)
        assert (messages[-1]["error"], close_code) == ("internal error", 1011)
        assert client.get("/health").json()["worker_status"] == "idle"


def test_a_client_that_asks_nothing_is_sent_away() -> None:
    config = fake_config(first_frame_s=0.05)
    worker = FakeWorker(config)
    with ready(worker, config) as client, client.websocket_connect("/ws/chat") as websocket:
        messages, close_code = until_closed(websocket)
    assert (messages[0]["code"], close_code) == ("idle_timeout", 1000)


def test_only_stop_may_follow_the_request() -> None:
    worker = FakeWorker(fake_config())
    worker.view.stepwise = True
    with ready(worker) as client, client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(HELLO)
        websocket.receive_json()
        websocket.send_json({"type": "dance"})
        messages, close_code = until_closed(websocket)
        assert (messages[-1]["code"], close_code) == ("unknown_type", 1007)
        worker.view.permits.release(1)
        wait_until(lambda: client.get("/health").json()["worker_status"] == "idle")


@pytest.mark.parametrize("path", ["/ws/chat", "/ws/streaming"])
def test_a_web_page_cannot_reach_a_worker_directly(path: str) -> None:
    page = {"origin": "https://elsewhere.example"}
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect(path, headers=page) as websocket,
    ):
        messages, close_code = until_closed(websocket)
    assert ([m["code"] for m in messages], close_code) == (["origin_forbidden"], 1008)
