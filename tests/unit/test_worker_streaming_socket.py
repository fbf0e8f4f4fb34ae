"""`WS /ws/streaming` of a worker: turns, and conversations that go on."""

from __future__ import annotations

from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.streaming_client import (
    ANSWER,
    GENERATE,
    PREFILL,
    named_turn,
    status,
    streaming,
    turn,
    until_done,
)
from tests.unit.worker_client import HELLO, ready

# -- turns -----------------------------------------------------------------------------------------


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


# -- conversations that are kept -------------------------------------------------------------------


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
