"""What a client may ask for on `WS /ws/streaming`, and how it is told what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InferenceError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.streaming_client import (
    ANSWER,
    GENERATE,
    PREFILL,
    begin_endless_answer,
    status,
    streaming,
    turn,
    until_done,
    wait_for_idle,
)
from tests.unit.worker_client import ready, until_closed

# -- settings --------------------------------------------------------------------------------------


def test_settings_come_from_the_prefill_and_the_generate() -> None:
    worker = FakeWorker(fake_config())
    generation = {"max_new_tokens": 40, "do_sample": False, "length_penalty": 1.5}
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL | {"generation": generation, "enable_thinking": True})
        websocket.receive_json()
        websocket.send_json(GENERATE | {"max_new_tokens": 7})
        until_done(websocket)
        turn(websocket)
    first, second = worker.streaming.answer_tasks
    assert (first.generation.max_new_tokens, first.generation.do_sample) == (7, False)
    assert (first.generation.length_penalty, first.enable_thinking) == (1.5, True)
    assert (second.generation.max_new_tokens, second.generation.length_penalty) == (256, 1.1)
    assert second.generation.streaming and second.generation.do_sample


def test_a_later_prefill_changes_only_the_settings_it_names() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL | {"enable_thinking": True, "use_tts_template": False})
        websocket.receive_json()
        turn(websocket, use_tts_template=True)
    (task,) = worker.streaming.answer_tasks
    assert (task.enable_thinking, task.use_tts_template) == (True, True)


def test_asking_for_speech_gives_text_and_says_so() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        websocket.receive_json()
        websocket.send_json({"type": "generate"})
        done = until_done(websocket)[-1]
    assert done["full_text"] == ANSWER
    assert "speech" in done["warning"]


def test_empty_and_unknown_items_are_left_out() -> None:
    worker = FakeWorker(fake_config())
    unknown = [{"type": "smell"}, {"type": ["text"]}, {"type": "image", "data": ""}]
    content = [*unknown, {"type": "text", "text": "hi"}]
    messages = [{"role": "user", "content": ""}, {"role": "user", "content": content}]
    with ready(worker) as client, streaming(client) as websocket:
        read = turn(websocket, messages=messages)[0]
    assert read["message_count"] == 1
    assert worker.streaming.conversations[0].texts == ["hi"]


# -- what goes wrong -------------------------------------------------------------------------------


def test_an_unknown_type_is_told_and_the_socket_goes_on() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json({"type": "dance"})
        error = websocket.receive_json()
        assert (error["code"], error["error"]) == ("unknown_type", "Unknown message type: dance")
        websocket.send_json(PREFILL)
        websocket.receive_json()
        websocket.send_json({"no": "type"})
        assert websocket.receive_json()["code"] == "unknown_type"
        websocket.send_json(GENERATE)
        assert until_done(websocket)[-1]["type"] == "done"


def test_generate_before_prefill_is_told() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json(GENERATE)
        error = websocket.receive_json()
        assert (error["code"], error["error"]) == (
            "bad_message",
            "prefill must come before generate",
        )
        assert turn(websocket)[-1]["type"] == "done"


@pytest.mark.parametrize("message", [PREFILL, GENERATE], ids=["prefill", "generate"])
def test_nothing_new_begins_while_the_answer_is_written(message: dict[str, Any]) -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, streaming(client) as websocket:
        begin_endless_answer(worker, websocket)
        websocket.send_json(message)
        error = websocket.receive_json()
        assert (error["type"], error["code"]) == ("error", "bad_message")
        worker.streaming.permits.release(2000)
        assert until_done(websocket)[-1]["stopped"] is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": [{"role": "ghost", "content": "x"}]}, "messages[0].role"),
        ({"max_slice_nums": 0}, "max_slice_nums"),
        ({"generation": {"max_new_tokens": 0}}, "generation.max_new_tokens"),
    ],
)
def test_a_wrong_field_is_named_and_the_worker_is_free_again(
    change: dict[str, Any], field: str
) -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL | change)
        error = websocket.receive_json()
        assert (error["type"], error["field"]) == ("error", field)
        assert status(client) == "idle"
        assert turn(websocket)[-1]["type"] == "done"


def test_a_wrong_generate_ends_the_turn_and_not_the_socket() -> None:
    worker = FakeWorker(fake_config(max_new_tokens=100))
    with (
        ready(worker, fake_config(max_new_tokens=100)) as client,
        streaming(client) as websocket,
    ):
        for wrong in ({"max_new_tokens": 0}, {"max_new_tokens": 101}):
            websocket.send_json(PREFILL)
            websocket.receive_json()
            websocket.send_json(GENERATE | wrong)
            error = websocket.receive_json()
            assert (error["type"], error["field"]) == ("error", "max_new_tokens")
            wait_for_idle(client)
        wait_until(lambda: not worker.streaming.open_conversations)


def test_a_model_failure_is_told_before_the_close_and_keeps_nothing() -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.failure = InferenceError("out of luck")
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        websocket.send_json(GENERATE)
        messages, close_code = until_closed(websocket)
        assert (messages[-1]["error"], close_code) == ("out of luck", 1011)
        wait_for_idle(client)
        wait_until(lambda: not worker.streaming.open_conversations)


def test_a_busy_worker_says_so_and_closes() -> None:
    config = fake_config(idle_wait_s=0.05)
    worker = FakeWorker(config)
    with ready(worker, config) as client, streaming(client) as first:
        first.send_json(PREFILL)
        first.receive_json()
        with streaming(client) as second:
            second.send_json(PREFILL)
            messages, close_code = until_closed(second)
        assert ([m["code"] for m in messages], close_code) == (["worker_busy"], 1013)
        first.send_json(GENERATE)
        assert until_done(first)[-1]["type"] == "done"
