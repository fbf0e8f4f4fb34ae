"""What a worker counts."""

from __future__ import annotations

import pytest

from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.duplex_client import SECOND, open_call
from tests.unit.worker_client import HELLO, ready, until_closed
from worker_modules import metrics


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(f"minicpmo_{name}", labels) or 0.0


class Change:
    """How much a sample has risen since."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._before = value(name, **labels)

    @property
    def amount(self) -> float:
        return value(self._name, **self._labels) - self._before


def test_a_chat_is_counted_with_its_tokens_and_its_first_word() -> None:
    tokens = [Change(f"{kind}_tokens_total", mode="chat") for kind in ("prompt", "generation")]
    first_words = Change("time_to_first_token_seconds_count", mode="chat")
    sessions = Change("session_seconds_count", mode="chat")
    with ready(FakeWorker(fake_config())) as client:
        client.post("/chat", json=HELLO)
        with client.websocket_connect("/ws/chat") as socket:
            socket.send_json(HELLO)
            until_closed(socket)
    assert [change.amount for change in tokens] == [14, 10]
    assert (first_words.amount, sessions.amount) == (1, 2)


def test_a_streaming_turn_is_counted_as_one() -> None:
    tokens = Change("generation_tokens_total", mode="streaming")
    first_words = Change("time_to_first_token_seconds_count", mode="streaming")
    with ready(FakeWorker(fake_config())) as client:
        with client.websocket_connect("/ws/streaming") as socket:
            socket.send_json({"type": "prefill", **HELLO})
            socket.receive_json()
            socket.send_json({"type": "generate", "generate_audio": False})
            done = socket.receive_json()
            while done["type"] != "done":
                done = socket.receive_json()
            socket.send_json({"type": "close"})
    assert tokens.amount == done["token_stats"]["generated_tokens"] > 0
    assert first_words.amount == 1


def test_units_of_a_call_are_timed_and_misses_counted() -> None:
    units = Change("duplex_unit_seconds_count")
    late = Change("duplex_late_chunks_total")
    misses = Change("duplex_deadline_misses_total")
    with open_call() as call:
        call.chunk()
        call.model.stepwise = True
        call.send("audio_chunk", audio_base64=SECOND)
        wait_until(lambda: call.model.n_live == 1)
        for _ in range(8):
            call.send("audio_chunk", audio_base64=SECOND)
        call.send("pause")
        while call.receive()["type"] != "paused":
            continue
        call.model.permits.release(100)
        call.results(9)
    assert (units.amount, misses.amount, late.amount) == (7, 0, 3)
    metrics.note_unit(1.2, deadline_s=1.0)
    assert misses.amount == 1


def test_gauges_tell_of_the_sessions_of_this_moment() -> None:
    with open_call() as call:
        shown = call.client.get("/metrics")
        assert shown.headers["content-type"].startswith("text/plain")
        running = {mode: value("num_requests_running", mode=mode) for mode in ("chat", "duplex")}
        assert running == {"chat": 0, "duplex": 1}
        assert "adx_1" not in shown.text
    assert value("kv_cache_usage_perc") == 0.25
    assert value("model_loaded") == 1


def test_every_metric_has_the_prefix_and_an_explanation() -> None:
    for family in metrics.REGISTRY.collect():
        assert family.name.startswith("minicpmo_")
        assert family.documentation.endswith(".")


@pytest.mark.parametrize("has_sound", [True, False])
def test_only_the_first_word_and_the_first_sound_are_timed(has_sound: bool) -> None:
    words = Change("time_to_first_token_seconds_count", mode="chat")
    sounds = Change("time_to_first_audio_seconds_count", mode="chat")
    times = metrics.AnswerTimes("chat")
    for _ in range(3):
        times.note(has_text=True, has_sound=has_sound)
    assert (words.amount, sounds.amount) == (1, has_sound)
