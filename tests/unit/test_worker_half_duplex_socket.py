"""`WS /ws/half_duplex` of a worker: turns, how calls end, and calls on the embedded model."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from core.errors import DeviceLostError, InferenceError
from core.processors import RequestLimits
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.half_duplex_client import (
    ANSWER,
    RATE,
    SENTENCE,
    VOICE,
    VOICE_FILE,
    WORDS,
    audio,
    call,
    end,
    prepare,
    say,
    silence,
    socket,
    sockets_of,
    status,
    turn,
    types_of,
    until,
    with_limits,
)
from tests.unit.worker_client import SHORT_S, ready, running, until_closed
from worker_modules.app import create_app
from worker_modules.model_worker import MiniCPMOWorker

# -- turns -----------------------------------------------------------------------------------------


def test_a_turn_is_heard_and_answered_with_every_field() -> None:
    with ready(FakeWorker(fake_config())) as client, call(client) as websocket:
        begin, over, generating, *chunks, final, done = turn(websocket)
    assert begin == {"type": "vad_state", "speaking": True}
    assert over == {"type": "vad_state", "speaking": False}
    assert generating == {
        "type": "generating",
        "speech_duration_ms": pytest.approx(2000, abs=200),
    }
    assert set(types_of([*chunks, final])) == {"chunk"}
    assert set(final) == {
        *("type", "chunk_index", "text_delta", "audio_data", "audio_sample_rate"),
        *("is_final", "duration_ms", "audio_epoch"),
    }
    assert "".join(chunk["text_delta"] for chunk in chunks) == ANSWER
    assert [chunk["is_final"] for chunk in [*chunks, final]] == [False] * len(chunks) + [True]
    assert done == {
        "type": "turn_done",
        "turn_index": 1,
        "text": ANSWER,
        "stopped": False,
        "audio_epoch": 0,
    }


def test_the_model_hears_the_very_words_and_the_turns_build_on_each_other() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, call(client, system_prompt="Be brief.") as websocket:
        assert turn(websocket)[-1]["turn_index"] == 1
        assert turn(websocket)[-1]["turn_index"] == 2
        (conversation,) = worker.streaming.conversations
    system, first, second = conversation.texts
    assert system == ["Be brief."]
    for (heard,) in (first, second):
        assert len(heard) < len(SENTENCE)
        assert WORDS[2000:12000].tobytes() in heard.tobytes()


def test_the_worker_is_busy_from_the_connection_to_its_end() -> None:
    with ready(FakeWorker(fake_config())) as client:
        with socket(client, "?session_id=hdx%20/x") as websocket:
            wait_until(lambda: status(client) == "busy_half_duplex")
            assert prepare(websocket)["session_id"] == "hdx__x"
            assert client.get("/health").json()["current_session_id"] == "hdx__x"
            assert end(websocket) == [{"type": "stopped", "session_id": "hdx__x"}]
        wait_until(lambda: status(client) == "idle")
        with socket(client) as websocket:
            assert prepare(websocket)["session_id"].startswith("hdx_")


def test_what_is_too_short_is_told_and_not_answered() -> None:
    vad = {"vad": {"min_speech_duration_ms": 5000}}
    with ready(FakeWorker(fake_config())) as client, call(client, config=vad) as websocket:
        say(websocket)
        say(websocket, silence(0.5))
        *states, _ = end(websocket)
    assert [state.get("speaking") for state in states] == [True, False]


def test_utterances_of_one_piece_are_answered_together() -> None:
    worker = FakeWorker(fake_config())
    two = np.concatenate([SENTENCE, WORDS, silence(1.2)])
    with ready(worker) as client, call(client) as websocket:
        say(websocket, two, len(two))
        messages = until(websocket, "turn_done")
    assert types_of(messages)[:5] == ["vad_state"] * 4 + ["generating"]
    assert len(worker.streaming.conversations[0].texts[1]) == 2


def test_somebody_who_never_pauses_is_answered_all_the_same() -> None:
    with ready(FakeWorker(fake_config())) as client, call(client) as websocket:
        say(websocket, np.tile(VOICE, 13), 20 * RATE)
        *states, generating = until(websocket, "generating")
        until(websocket, "turn_done")
    assert [state["speaking"] for state in states] == [True, False, True, False]
    assert generating["speech_duration_ms"] == pytest.approx(60_000, abs=100)


def test_sound_at_the_very_beginning_is_not_heard() -> None:
    config = with_limits(half_duplex_start_guard_s=len(SENTENCE) / RATE)
    with ready(FakeWorker(config), config) as client, call(client) as websocket:
        say(websocket)
        assert turn(websocket)[-1]["turn_index"] == 1
        assert types_of(end(websocket)) == ["stopped"]


def test_sound_that_comes_while_the_model_answers_is_dropped() -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.stepwise = True
    with ready(worker) as client, call(client) as websocket:
        say(websocket)
        until(websocket, "generating")
        say(websocket)
        websocket.send_json({"type": "unheard_of"})
        assert until(websocket, "error")[-1]["code"] == "unknown_type"
        worker.streaming.permits.release(100)
        assert until(websocket, "turn_done")[-1]["text"] == ANSWER
        assert types_of(end(websocket)) == ["stopped"]


# -- ends ------------------------------------------------------------------------------------------


def begin_endless_answer(worker: FakeWorker, websocket: WebSocketTestSession) -> None:
    worker.streaming.words = ["word "] * 1000
    worker.streaming.stepwise = True
    say(websocket)
    until(websocket, "generating")
    worker.streaming.permits.release()
    assert websocket.receive_json()["text_delta"] == "word "


def bring_to(phase: str, worker: FakeWorker, websocket: WebSocketTestSession) -> None:
    worker.streaming.slow_prefill = phase == "preparing"
    if phase == "waiting":
        return
    websocket.send_json({"type": "prepare"})
    if phase == "preparing":
        wait_until(lambda: bool(worker.streaming.open_conversations))
        return
    websocket.receive_json()
    if phase == "hearing":
        say(websocket, SENTENCE[: len(SENTENCE) // 2])
        until(websocket, "vad_state")
    elif phase == "answering":
        begin_endless_answer(worker, websocket)


PHASES = ["waiting", "preparing", "listening", "hearing", "answering"]


@pytest.mark.parametrize("phase", PHASES)
def test_stop_ends_the_call_at_any_moment(phase: str) -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, socket(client) as websocket:
        bring_to(phase, worker, websocket)
        websocket.send_json({"type": "stop"})
        websocket.send_json({"type": "stop"})
        wait_until(lambda: phase not in ("preparing", "answering") or is_stopping(client))
        worker.streaming.permits.release(100)
        messages, code = until_closed(websocket)
        assert (messages[-1]["type"], code) == ("stopped", 1000)
        assert ("turn_done" in types_of(messages)) == (phase == "answering")
        assert worker.streaming.n_steps <= 2
        wait_until(lambda: status(client) == "idle" and not worker.streaming.open_conversations)


def is_stopping(client: TestClient) -> bool:
    return any(socket._phase.has_ended for socket in sockets_of(client))


@pytest.mark.parametrize("phase", PHASES)
def test_a_client_that_leaves_frees_the_worker(phase: str) -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client:
        with socket(client) as websocket:
            bring_to(phase, worker, websocket)
        worker.streaming.permits.release(100)
        wait_until(lambda: status(client) == "idle" and not worker.streaming.open_conversations)
        assert worker.streaming.n_live == 0


def test_http_stop_ends_the_answer_and_not_the_call(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker(fake_config())
    worker.streaming.is_spoken = True
    with ready(worker) as client, socket(client, "?session_id=me") as websocket:
        prepare(websocket)
        nothing = {"success": False, "message": "No active half-duplex session"}
        assert client.post("/half_duplex/stop").json() == nothing
        begin_endless_answer(worker, websocket)
        assert client.post("/half_duplex/stop", json={"session_id": "other"}).json() == nothing
        stopped = client.post("/half_duplex/stop", json={"session_id": "me"}).json()
        assert stopped == {"success": True, "message": "Stop signal sent to 1 session(s)"}
        websocket.send_json({"type": "playback", "audio_epoch": 0, "played_ms": 500})
        worker.streaming.permits.release(100)
        done, truncated = until(websocket, "truncated")[-2:]
        assert (done["type"], done["stopped"], done["interrupted"]) == ("turn_done", True, True)
        assert done["audio_epoch"] == 1
        assert truncated == {"type": "truncated", "audio_epoch": 0, "text": "word "}
        worker.streaming.words, worker.streaming.stepwise = ["again"], False
        *_, chunk, _, second = turn(websocket)
        assert (chunk["audio_epoch"], second["turn_index"], second["text"]) == (1, 2, "again")
        assert "interrupted" not in second


def test_sound_of_another_epoch_cuts_nothing() -> None:
    worker = FakeWorker(fake_config())
    worker.streaming.is_spoken = True
    with ready(worker) as client, call(client) as websocket:
        turn(websocket)
        websocket.send_json({"type": "playback", "audio_epoch": 3, "played_ms": 500})
        websocket.send_json({"type": "playback", "audio_epoch": 0, "played_ms": 500})
        truncated = websocket.receive_json()
    assert (truncated["type"], truncated["audio_epoch"]) == ("truncated", 0)


@pytest.mark.parametrize(
    ("sessions", "timeout_s", "reason"),
    [
        ({}, SHORT_S, "session_timeout"),
        ({"half_duplex_max_s": SHORT_S}, 300, "session_timeout"),
        ({"half_duplex_idle_s": SHORT_S}, 300, "idle_timeout"),
    ],
)
def test_a_call_ends_at_its_limits(
    sessions: dict[str, float], timeout_s: float, reason: str
) -> None:
    config = with_limits(**sessions)
    with ready(FakeWorker(config), config) as client:
        with call(client, config={"session": {"timeout_s": timeout_s}}) as websocket:
            messages, code = until_closed(websocket)
        assert (code, messages[0]["type"], messages[0]["reason"]) == (1000, "timeout", reason)
        assert 0.9 * SHORT_S < messages[0]["elapsed_s"] < 5 * SHORT_S
        wait_until(lambda: status(client) == "idle")


def test_a_socket_that_never_prepares_is_closed_whatever_it_sends() -> None:
    config = with_limits(half_duplex_idle_s=SHORT_S)
    with ready(FakeWorker(config), config) as client, socket(client) as websocket:
        say(websocket, silence(0.5))
        messages, code = until_closed(websocket)
    assert (types_of(messages), code) == (["error", "timeout"], 1000)


def test_a_failure_of_the_model_ends_the_turn_and_not_the_call() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, call(client) as websocket:
        worker.streaming.failure = InferenceError("out of luck")
        say(websocket)
        assert until(websocket, "error")[-1]["code"] == "inference_error"
        worker.streaming.failure = None
        assert turn(websocket)[-1]["turn_index"] == 1


def test_a_lost_device_ends_the_call_and_the_worker() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, call(client) as websocket:
        worker.streaming.failure = DeviceLostError("the device failed")
        say(websocket)
        messages, code = until_closed(websocket)
        assert (messages[-1]["type"], code) == ("generating", 1012)
        assert status(client) == "error"


def test_a_worker_that_has_no_room_says_so() -> None:
    config = fake_config(idle_wait_s=0.05)
    with ready(FakeWorker(config), config) as client, call(client), socket(client) as second:
        messages, code = until_closed(second)
    assert (messages[0]["code"], code) == ("worker_busy", 1013)


def test_a_worker_that_still_loads_says_so() -> None:
    worker = FakeWorker(fake_config())
    worker.may_load.clear()
    with running(worker) as client, socket(client) as websocket:
        messages, code = until_closed(websocket)
        worker.may_load.set()
    assert (messages[0]["code"], code) == ("not_ready", 1013)


# -- the embedded model ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def embedded(embedded_checkpoint: Path) -> Iterator[TestClient]:
    config = fake_config()
    limits = RequestLimits.from_settings(config.limits)
    worker = MiniCPMOWorker(str(embedded_checkpoint), ref_audio_path=str(VOICE_FILE), limits=limits)
    with TestClient(create_app(worker, config)) as client:
        wait_until(lambda: client.get("/ready").status_code == 200)
        yield client


SHORT_ANSWERS = {"generation": {"max_new_tokens": 30}}


def sound_of(messages: list[dict[str, Any]]) -> np.ndarray:
    data = [base64.b64decode(message.get("audio_data") or "") for message in messages]
    return np.frombuffer(b"".join(data), "<f4")


def cached(client: TestClient) -> int:
    return client.get("/health").json()["kv_cache_length"]


def test_real_speech_gets_a_real_answer_with_sound(embedded: TestClient) -> None:
    with socket(embedded) as websocket:
        prepared = prepare(websocket, config=SHORT_ANSWERS)
        messages = turn(websocket)
    assert "warning" not in prepared
    text = "".join(message.get("text_delta") or "" for message in messages)
    assert text and messages[-1]["text"] == text
    sound = sound_of(messages)
    assert len(sound) > 24_000 / 2
    assert 0.001 < np.abs(sound).max() <= 1


def test_the_second_turn_goes_on_with_the_cache_of_the_first(embedded: TestClient) -> None:
    lengths = []
    with call(embedded, system_prompt="Be brief.", config=SHORT_ANSWERS) as websocket:
        lengths.append(cached(embedded))
        for _ in range(2):
            turn(websocket)
            lengths.append(cached(embedded))
    assert 0 < lengths[0] < lengths[1] < lengths[2]


def test_an_answer_that_was_not_heard_to_its_end_is_forgotten_from_there(
    embedded: TestClient,
) -> None:
    config = {"generation": {"max_new_tokens": 60, "min_new_tokens": 40}}
    with call(embedded, config=config) as websocket:
        *_, first, _, done = turn(websocket)
        assert first["type"] == "chunk"
        before = cached(embedded)
        websocket.send_json({"type": "playback", "audio_epoch": 0, "played_ms": 1})
        truncated = websocket.receive_json()
        assert done["text"].startswith(truncated["text"])
        assert len(truncated["text"]) < len(done["text"])
        assert cached(embedded) < before
        assert turn(websocket)[-1]["turn_index"] == 2


def test_without_speech_the_answer_is_only_written(embedded: TestClient) -> None:
    with call(embedded, config=SHORT_ANSWERS | {"tts": {"enabled": False}}) as websocket:
        messages = turn(websocket)
    assert messages[-1]["text"]
    assert sound_of(messages).size == 0


@pytest.mark.parametrize("given_as", ["system_content", "ref_audio_base64"])
def test_a_voice_that_cannot_be_used_names_its_field(embedded: TestClient, given_as: str) -> None:
    click = audio(WORDS[:1000])
    as_item = {"system_content": [{"type": "audio", "data": click}]}
    fields = as_item if given_as == "system_content" else {"ref_audio_base64": click}
    with socket(embedded) as websocket:
        error = prepare(websocket, **fields)
        assert error["field"] in ("system_content[0].data", "ref_audio_base64")
        assert error["error"].startswith(error["field"])
        assert prepare(websocket)["type"] == "prepared"


def test_a_long_voice_is_cropped_and_a_prompt_beyond_the_context_refused(
    embedded: TestClient,
) -> None:
    long_voice = audio(np.tile(WORDS, 30))
    with socket(embedded) as websocket:
        error = prepare(websocket, system_prompt="𒀀" * 30_000)
        assert (error["code"], error["field"]) == ("too_large", "system_content")
        assert "cropped to 30 seconds" in prepare(websocket, ref_audio_base64=long_voice)["warning"]
