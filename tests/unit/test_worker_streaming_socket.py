"""`WS /ws/streaming` of a worker."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from core.errors import InferenceError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import HELLO, ready, until_closed

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


def status(client: TestClient) -> str:
    return client.get("/health").json()["worker_status"]


def wait_for_idle(client: TestClient) -> None:
    wait_until(lambda: status(client) == "idle")


# -- turns ----------------------------------------------------------------------------------------


def test_a_turn_is_read_and_answered_with_every_field() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        prefill_done, *chunks, final, done = turn(websocket)
    assert prefill_done == {
        "type": "prefill_done",
        "prompt_length": len("the prompt"),
        "message_count": 1,
        "cached_tokens": 0,
        "input_tokens": 10,
    }
    assert "".join(chunk["text_delta"] for chunk in chunks) == ANSWER
    assert all(
        set(chunk)
        == {
            "type",
            "chunk_index",
            "text_delta",
            "audio_data",
            "audio_sample_rate",
            "is_final",
            "duration_ms",
            "audio_epoch",
        }
        for chunk in [*chunks, final]
    )
    assert (final["is_final"], final["text_delta"], final["audio_data"]) == (True, None, None)
    assert [chunk["chunk_index"] for chunk in [*chunks, final]] == list(range(len(chunks) + 1))
    assert (done["session_id"], done["stopped"], done["full_text"]) == ("r1", False, ANSWER)
    assert done["token_stats"] == {
        "cached_tokens": 0,
        "input_tokens": 10,
        "generated_tokens": 5,
        "total_tokens": 15,
    }
    assert done["total_chunks"] == len(chunks) + 1
    assert done["elapsed_ms"] >= 0


def test_the_worker_is_busy_from_prefill_to_done() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        assert status(client) == "idle"
        websocket.send_json(PREFILL)
        websocket.receive_json()
        assert status(client) == "busy_streaming"
        websocket.send_json(GENERATE)
        until_done(websocket)
        assert status(client) == "idle"


def test_several_prefills_may_come_before_one_answer() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        websocket.receive_json()
        assistant = {"messages": [{"role": "assistant", "content": "Hello!"}]}
        second = turn(websocket, **assistant)
    assert (second[0]["cached_tokens"], second[0]["input_tokens"]) == (10, 10)
    stats = second[-1]["token_stats"]
    assert (stats["cached_tokens"], stats["input_tokens"]) == (0, 20)
    assert [c.texts for c in worker.streaming.conversations] == [["hello", "Hello!"]]


def test_the_next_turn_of_a_socket_goes_on_with_its_conversation() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        turn(websocket)
        second = turn(websocket)
    assert second[0]["cached_tokens"] == 18


def test_a_turn_may_begin_anew() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, streaming(client) as websocket:
        turn(websocket)
        second = turn(websocket, clear_kv_cache=True)
        assert second[0]["cached_tokens"] == 0
        wait_until(lambda: len(worker.streaming.open_conversations) == 1)


def test_what_is_sent_ahead_waits_for_the_prefill() -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.slow_prefill = True
    with ready(worker) as client, streaming(client) as websocket:
        websocket.send_json(PREFILL)
        websocket.send_json(GENERATE)
        worker.streaming.permits.release()
        assert until_done(websocket)[0]["type"] == "prefill_done"


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


# -- conversations that are kept -------------------------------------------------------------------


def named_turn(client: TestClient, name: str, **prefill: Any) -> list[dict[str, Any]]:
    """A turn on a socket of its own; the conversation is then kept under `name`."""
    with streaming(client) as websocket:
        messages = turn(websocket, **prefill)
        websocket.send_json({"type": "close", "history_hash": name})
        assert until_closed(websocket)[1] == 1000
        return messages


def test_a_conversation_is_found_again_by_its_hash_on_another_socket() -> None:
    with ready(FakeWorker(fake_config())) as client:
        named_turn(client, "a1")
        second = named_turn(client, "a2", history_hash="a1")
        assert second[0]["cached_tokens"] == 18
        third = named_turn(client, "a3", history_hash="a2")
        assert third[0]["cached_tokens"] == 36


def test_a_conversation_that_is_not_kept_is_told_and_can_be_sent_whole() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        assert turn(websocket, history_hash="gone") == [{"type": "cache_miss"}]
        assert status(client) == "idle"
        assert turn(websocket, clear_kv_cache=True)[-1]["type"] == "done"


def test_a_socket_without_a_hash_never_finds_the_conversation_of_another() -> None:
    with ready(FakeWorker(fake_config())) as client:
        named_turn(client, "a1")
        assert named_turn(client, "b1")[0]["cached_tokens"] == 0


def test_a_conversation_that_was_lost_on_the_way_is_not_begun_anew_in_silence() -> None:
    with ready(FakeWorker(fake_config())) as client, streaming(client) as websocket:
        turn(websocket)
        client.post("/clear_cache")
        assert turn(websocket) == [{"type": "cache_miss"}]
        assert turn(websocket, clear_kv_cache=True)[-1]["type"] == "done"


def test_a_socket_that_leaves_without_a_hash_keeps_nothing() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client:
        with streaming(client) as websocket:
            turn(websocket)
            assert len(worker.streaming.open_conversations) == 1
        wait_until(lambda: not worker.streaming.open_conversations)


def test_a_chat_takes_the_place_of_a_kept_conversation() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client:
        named_turn(client, "a1")
        assert len(worker.streaming.open_conversations) == 1
        assert client.post("/chat", json=HELLO).json()["text"] == ANSWER
        assert not worker.streaming.open_conversations
        with streaming(client) as websocket:
            assert turn(websocket, history_hash="a1") == [{"type": "cache_miss"}]


def test_busy_slots_and_kept_conversations_are_never_more_than_the_places() -> None:
    worker = FakeWorker(fake_config(), n_slots=2)
    with ready(worker) as client:
        for name in ("a1", "b1", "c1"):
            named_turn(client, name)
        wait_until(lambda: len(worker.streaming.open_conversations) == 2)
        assert named_turn(client, "b2", history_hash="b1")[0]["cached_tokens"] == 18
        client.post("/chat", json=HELLO)
        wait_until(lambda: len(worker.streaming.open_conversations) == 1)
        assert named_turn(client, "b3", history_hash="b2")[0]["cached_tokens"] == 36
        with streaming(client) as websocket:
            assert turn(websocket, history_hash="a1") == [{"type": "cache_miss"}]


def test_the_cache_can_be_cleared_and_looked_at() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client:
        named_turn(client, "a1")
        assert client.get("/cache_info").json()["note"].startswith("1 streaming")
        cleared = client.post("/clear_cache").json()
        assert cleared == {"success": True, "message": "Cache cleared"}
        assert client.get("/cache_info").json()["note"].startswith("0 streaming")
        wait_until(lambda: not worker.streaming.open_conversations)


# -- stopping and leaving --------------------------------------------------------------------------


def begin_endless_answer(worker: FakeWorker, websocket: WebSocketTestSession) -> None:
    worker.streaming.words = ["word "] * 1000
    worker.streaming.stepwise = True
    websocket.send_json(PREFILL)
    websocket.receive_json()
    websocket.send_json(GENERATE)
    worker.streaming.permits.release()
    assert websocket.receive_json()["text_delta"] == "word "


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


def test_a_web_page_cannot_reach_a_worker_directly() -> None:
    page = {"origin": "https://elsewhere.example"}
    with (
        ready(FakeWorker(fake_config())) as client,
        client.websocket_connect("/ws/streaming", headers=page) as websocket,
    ):
        messages, close_code = until_closed(websocket)
    assert ([m["code"] for m in messages], close_code) == (["origin_forbidden"], 1008)
