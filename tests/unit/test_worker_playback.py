"""What a client has not heard of a spoken answer is taken out of the conversation."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from core.processors import SpokenAnswer, SpokenPart
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.streaming_client import GENERATE, PREFILL, streaming, turn, until_done
from tests.unit.worker_client import ready

SECOND = 24_000


@contextmanager
def spoken(worker: FakeWorker) -> Iterator[tuple[TestClient, WebSocketTestSession]]:
    """A socket to a worker whose answers are "One", " two", "", " three" and ".", a second each."""
    worker.streaming.is_spoken = True
    worker.streaming.stepwise = True
    with ready(worker) as client, streaming(client) as websocket:
        yield client, websocket


def spoken_turn(worker: FakeWorker, websocket: WebSocketTestSession) -> None:
    """One turn with a chunk for every word."""
    websocket.send_json(PREFILL)
    websocket.send_json(GENERATE)
    assert websocket.receive_json()["type"] == "prefill_done"
    for word in worker.streaming.words:
        worker.streaming.permits.release()
        assert (websocket.receive_json()["text_delta"] or "") == word
    until_done(websocket)


def playback(played_ms: float, audio_epoch: int = 0, **extra: Any) -> dict[str, Any]:
    return {"type": "playback", "audio_epoch": audio_epoch, "played_ms": played_ms} | extra


def three_words() -> SpokenAnswer:
    answer = SpokenAnswer()
    for index, word in enumerate(("One", " two", " three")):
        answer.add(word, index + 1, SECOND)
    return answer


# -- what was heard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [
        (0, SpokenPart()),
        (1, SpokenPart("One", 1)),
        (1000, SpokenPart("One", 1)),
        (1001, SpokenPart("One two", 2)),
        (9000, SpokenPart("One two three", 3)),
    ],
)
def test_chunks_that_began_to_play_count_as_heard(played_ms: float, heard: SpokenPart) -> None:
    assert three_words().cut(played_ms) == heard


def test_text_without_sound_goes_with_the_sound_before_it() -> None:
    answer = three_words()
    answer.add(".", 4, 0)
    assert answer.cut(2001) == SpokenPart("One two three.", 4)


def test_what_was_cut_does_not_come_back() -> None:
    answer = three_words()
    answer.cut(500)
    assert answer.cut(9000) == SpokenPart("One", 1)


def test_an_answer_without_sound_cannot_be_cut() -> None:
    answer = SpokenAnswer()
    answer.add("One two", 2, 0)
    assert answer.cut(0) == SpokenPart("One two", 2)


# -- on the socket --------------------------------------------------------------------------------


def test_a_stopped_answer_begins_a_new_epoch_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    with spoken(worker) as (_, websocket):
        websocket.send_json(PREFILL)
        websocket.send_json(GENERATE)
        assert websocket.receive_json()["type"] == "prefill_done"
        worker.streaming.permits.release()
        assert websocket.receive_json()["audio_epoch"] == 0
        websocket.send_json({"type": "stop"})
        wait_until(lambda: "event=stop_requested" in caplog.text)
        worker.streaming.permits.release(10)
        done = until_done(websocket)[-1]
        following = turn(websocket)
    assert (done["stopped"], done["interrupted"], done["audio_epoch"]) == (True, True, 1)
    assert {message["audio_epoch"] for message in following[1:]} == {1}
    assert "interrupted" not in following[-1]


def test_an_answer_is_cut_to_what_was_heard_and_the_next_turn_goes_on_from_there() -> None:
    worker = FakeWorker(fake_config())
    with spoken(worker) as (_, websocket):
        spoken_turn(worker, websocket)
        websocket.send_json(playback(1500))
        truncated = websocket.receive_json()
        worker.streaming.permits.release(5)
        prefill_done = turn(websocket)[0]
    assert truncated == {"type": "truncated", "audio_epoch": 0, "text": "One two"}
    assert prefill_done["cached_tokens"] == 10 + 3 + 2


def test_a_conversation_of_another_socket_is_cut_by_its_hash_and_gets_a_new_one() -> None:
    worker = FakeWorker(fake_config())
    with spoken(worker) as (client, websocket):
        spoken_turn(worker, websocket)
        worker.streaming.permits.release(5)
        websocket.send_json({"type": "close", "history_hash": "old"})
        with streaming(client) as second:
            second.send_json(playback(500, history_hash="old"))
            assert second.receive_json()["text"] == "One"
            second.send_json({"type": "close", "history_hash": "new"})
        with streaming(client) as third:
            assert turn(third, history_hash="new")[0]["cached_tokens"] == 10 + 3 + 1


def test_playback_while_the_answer_is_made_counts_once_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    with spoken(worker) as (_, websocket):
        websocket.send_json(PREFILL)
        websocket.send_json(GENERATE)
        websocket.receive_json()
        worker.streaming.permits.release()
        websocket.receive_json()
        websocket.send_json(playback(400))
        websocket.send_json({"type": "stop"})
        wait_until(lambda: "event=stop_requested" in caplog.text)
        worker.streaming.permits.release(10)
        until_done(websocket)
        assert websocket.receive_json()["text"] == "One"


def test_sound_of_another_epoch_cuts_nothing() -> None:
    worker = FakeWorker(fake_config())
    with spoken(worker) as (_, websocket):
        spoken_turn(worker, websocket)
        websocket.send_json(playback(0, audio_epoch=7))
        assert websocket.receive_json()["type"] == "cache_miss"
        worker.streaming.permits.release(5)
        assert turn(websocket)[0]["cached_tokens"] == 10 + 3 + 5


@pytest.mark.parametrize("field", ["audio_epoch", "played_ms"])
def test_wrong_numbers_are_named_and_the_socket_goes_on(field: str) -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.permits.release(5)
    with spoken(worker) as (_, websocket):
        websocket.send_json(playback(0) | {field: -1})
        assert websocket.receive_json()["field"] == field
        assert turn(websocket)[-1]["type"] == "done"


def test_a_new_conversation_goes_on_from_the_epoch_that_the_gateway_says() -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.permits.release(5)
    with spoken(worker) as (_, websocket):
        assert turn(websocket, audio_epoch=4)[-1]["audio_epoch"] == 4
