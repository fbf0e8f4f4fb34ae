"""`WS /ws/duplex` of a worker: a call from `prepare` to its end."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from typing import Any

import pytest

from core.errors import DeviceLostError, InferenceError
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.duplex_client import CHUNK, PREPARE, SECOND, Call, open_call, with_sessions
from tests.unit.worker_client import HELLO, SHORT_S, ready, running, until_closed
from tests.wire_media import audio_data, image_data

RESULT_FIELDS = {
    *("type", "is_listen", "text", "audio_data", "end_of_turn", "current_time"),
    *("cost_llm_ms", "cost_tts_prep_ms", "cost_tts_ms", "cost_token2wav_ms", "cost_all_ms"),
    *("n_tokens", "n_tts_tokens", "server_send_ts", "wall_clock_ms", "kv_cache_length"),
    *("vision_slices", "vision_tokens", "audio_epoch"),
}


# -- from prepare to stop --------------------------------------------------------------------------


def test_a_call_is_prepared_answers_each_chunk_and_is_stopped() -> None:
    with open_call(prepared=False, script="LSE") as call:
        prepared = call.say("prepare", system_prompt="Be kind.")
        prompt = "<|im_start|>system\nBe kind.\n<|audio_start|><|audio_end|><|im_end|>"
        assert (prepared["type"], prepared["prompt_length"]) == ("prepared", len(prompt))
        assert prepared["window"] == {"mode": "auto", "high": 8000, "low": 6000}
        assert "text only" in prepared["warning"]
        results = [call.chunk() for _ in range(3)]
        assert all(set(result) == RESULT_FIELDS for result in results)
        assert [result["is_listen"] for result in results] == [True, False, False]
        assert [result["end_of_turn"] for result in results] == [False, False, True]
        assert [result["current_time"] for result in results] == [1, 2, 3]
        assert results[0]["audio_data"] is None and results[1]["audio_data"]
        assert (results[0]["cost_llm_ms"], results[0]["cost_tts_ms"]) == (10.0, None)
        call.send("stop")
        (stopped,), close_code = until_closed(call.socket)
        assert (stopped["type"], stopped["session_id"], close_code) == ("stopped", "adx_1", 1000)


def test_the_worker_is_in_the_call_from_its_start_to_its_end() -> None:
    with open_call(prepared=False) as call:
        wait_until(lambda: call.status == "duplex_active")
        health = call.client.get("/health").json()
        assert health["current_session_id"] == "adx_1"


def test_chunks_sent_ahead_are_answered_in_order() -> None:
    with open_call(prepared=False) as call:
        call.send("prepare")
        for _ in range(4):
            call.send("audio_chunk", audio=CHUNK["audio_base64"])
        answers = call.results(5)
        assert answers[0]["type"] == "prepared"
        assert [answer["current_time"] for answer in answers[1:]] == [1, 2, 3, 4]


def test_sound_is_gathered_until_it_makes_a_unit() -> None:
    with open_call() as call:
        answers = [call.chunk(audio_base64=audio_data(0.4)) for _ in range(3)]
        for waiting in answers[:2]:
            assert (waiting["is_listen"], waiting["skipped"]) == (True, True)
            assert (waiting["reason"], waiting["audio_data"]) == ("buffering", None)
        assert "skipped" not in answers[2] and answers[2]["current_time"] == 1


def test_settings_reach_the_model() -> None:
    config = {"temperature": 0.5, "decode_mode": "greedy", "max_kv_tokens": 9, "max_slice_nums": 4}
    config |= {"listen_in_open_turn": "close", "generate_audio": False}
    with open_call(prepared=False) as call:
        prepared = call.say("prepare", config=config, deferred_finalize=False)
        assert "warning" not in prepared
        (task,) = call.model.prepared
        assert (task.options.temperature, task.options.do_sample) == (0.5, False)
        assert (task.options.top_k, task.options.listen_in_open_turn) == (20, "close")
        assert (task.max_slice_nums, task.deferred_finalize) == (4, False)


def test_the_plain_name_of_the_prompt_counts_when_the_other_is_absent() -> None:
    with open_call(prepared=False) as call:
        call.say("prepare", prefix_system_prompt="Be brief.")
        assert "Be brief." in call.model.prepared[0].prompt


def test_pictures_go_with_the_chunk_and_those_by_themselves_with_the_next_one() -> None:
    with open_call() as call:
        call.send("video_frame", frame=image_data())
        both = call.chunk(frame_base64_list=[image_data()])
        assert (both["vision_slices"], both["vision_tokens"]) == (2, 128)
        assert call.chunk()["vision_slices"] == 0


def test_what_was_heard_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with open_call(script="S") as call:
        call.chunk()
        call.send("playback", audio_epoch=0, played_ms=400)
        call.send("playback", audio_epoch=0, played_ms=350)
        assert call.say("playback", audio_epoch=-1, played_ms=1)["field"] == "audio_epoch"
    assert "played_ms=400" in caplog.text


# -- what may come when ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "message", "text"),
    [
        ([], CHUNK, "audio_chunk must come after prepare"),
        ([], {"type": "resume"}, "resume must come after prepare"),
        ([], {"type": "pause"}, "pause must come after prepare"),
        ([], {"type": "video_frame", "frame": "AAAA"}, "video_frame must come after prepare"),
        (["prepare"], PREPARE, "the call is prepared already"),
        (["prepare"], {"type": "resume"}, "resume must wait until the call is paused"),
        (["prepare", "pause"], CHUNK, "Worker is paused"),
        (["prepare", "pause"], PREPARE, "the call is prepared already"),
        (["prepare"], {"type": "dance"}, "Unknown message type: dance"),
        (["prepare"], {"colour": "blue"}, "Unknown message type: None"),
    ],
)
def test_a_message_at_the_wrong_time_is_refused_and_the_call_goes_on(
    before: list[str], message: dict[str, Any], text: str
) -> None:
    with open_call(prepared=False) as call:
        for kind in before:
            call.say(kind)
        call.socket.send_json(message)
        refusal = call.receive()
        assert (refusal["type"], refusal["error"], refusal["field"]) == ("error", text, "type")
        assert refusal["code"] == ("unknown_type" if "Unknown" in text else "bad_message")
        assert call.say("stop")["type"] == "stopped"


def test_a_preparation_that_fails_can_be_repeated() -> None:
    with open_call(prepared=False) as call:
        call.model.failures = [InferenceError("no luck")]
        call.send("prepare")
        call.send("audio_chunk", audio_base64=SECOND)
        failed, unprepared = call.results(2)
        assert (failed["error"], failed["code"]) == ("no luck", "inference_error")
        assert unprepared["error"] == "audio_chunk must come after prepare"
        assert call.say("prepare")["type"] == "prepared"
        assert call.chunk()["type"] == "result"


# -- pausing ---------------------------------------------------------------------------------------


def test_a_paused_call_holds_its_place_until_it_is_resumed() -> None:
    with open_call() as call:
        assert call.say("pause") == {"type": "paused", "timeout": 60.0}
        assert call.status == "duplex_paused"
        assert call.chunk()["error"] == "Worker is paused"
        assert call.say("resume") == {"type": "resumed"}
        assert call.status == "duplex_active"
        assert call.chunk()["type"] == "result"


def test_a_pause_is_no_longer_than_the_service_allows() -> None:
    with open_call() as call:
        assert call.say("pause", timeout=10**9)["timeout"] == 600.0
        assert call.say("pause", timeout=5)["timeout"] == 5.0
        assert call.say("pause", timeout=-1)["field"] == "timeout"


def test_a_call_that_stays_paused_ends() -> None:
    with open_call() as call:
        call.say("pause", timeout=0.05)
        messages, close_code = until_closed(call.socket)
        assert messages == [{"type": "timeout", "reason": "Pause timeout (0.1s)"}]
        assert close_code == 1000


def test_a_call_that_was_resumed_in_time_goes_on() -> None:
    with open_call(with_sessions(duplex_idle_s=30)) as call:
        call.say("pause", timeout=1)
        call.say("resume")
        threading.Event().wait(1.1)
        assert call.chunk()["type"] == "result"


# -- limits of time --------------------------------------------------------------------------------


@pytest.mark.parametrize("prepared", [False, True])
def test_a_silent_call_ends(prepared: bool) -> None:
    with open_call(with_sessions(duplex_idle_s=SHORT_S), prepared=prepared) as call:
        (error,), close_code = until_closed(call.socket)
        assert (error["code"], error["limit"], close_code) == ("idle_timeout", SHORT_S, 1000)


def test_a_pause_is_not_silence() -> None:
    with open_call(with_sessions(duplex_idle_s=SHORT_S)) as call:
        call.say("pause", timeout=30)
        threading.Event().wait(1.1 * SHORT_S)
        assert call.say("resume")["type"] == "resumed"


def test_a_call_ends_when_it_has_lasted_long_enough() -> None:
    with open_call(with_sessions(duplex_max_s=SHORT_S)) as call:
        messages, close_code = until_closed(call.socket)
        assert (messages[-1]["code"], close_code) == ("session_timeout", 1000)


# -- control while the model works -----------------------------------------------------------------


def begin_unit(call: Call) -> None:
    """The model is in the middle of a chunk, and stays there until it gets a permit."""
    call.model.stepwise = True
    call.send("audio_chunk", audio_base64=SECOND)
    wait_until(lambda: call.model.n_live == 1)


def test_stop_is_heard_while_the_model_works() -> None:
    with open_call() as call:
        begin_unit(call)
        assert call.say("stop")["type"] == "stopped"
        call.model.permits.release(10)
        assert until_closed(call.socket) == ([], 1000)
        wait_until(lambda: call.status == "idle")
        assert call.model.n_finalized == 0


def test_pause_is_heard_while_the_model_works() -> None:
    with open_call() as call:
        begin_unit(call)
        assert call.say("pause")["type"] == "paused"
        call.model.permits.release()
        assert call.receive()["type"] == "result"


@pytest.mark.parametrize("phase", ["waiting", "preparing", "prepared", "working", "paused"])
def test_a_client_that_leaves_frees_the_worker_within_a_unit(
    caplog: pytest.LogCaptureFixture, phase: str
) -> None:
    caplog.set_level(logging.INFO)
    with open_call(prepared=phase in ("prepared", "working", "paused")) as call:
        if phase == "preparing":
            call.model.slow_prepare = True
            call.send("prepare")
            wait_until(lambda: bool(call.model.prepared))
        elif phase == "working":
            begin_unit(call)
            call.send("audio_chunk", audio_base64=SECOND)
        elif phase == "paused":
            call.say("pause")
        call.socket.close()
        wait_until(lambda: "event=call_ended" in caplog.text)
        call.model.permits.release()
        wait_until(lambda: call.status == "idle" and not call.model.open_calls)
        assert len(call.model.heard) <= 1
        assert call.client.post("/chat", json=HELLO).json()["success"]


# -- cutting speech --------------------------------------------------------------------------------


def test_forced_listening_cuts_the_turn_and_begins_an_epoch() -> None:
    with open_call(script="SSSL") as call:
        assert call.chunk()["audio_epoch"] == 0
        forced = call.chunk(force_listen=True)
        assert (forced["is_listen"], forced["interrupted"], forced["audio_epoch"]) == (
            True,
            True,
            1,
        )
        again = call.chunk(force_listen=True)
        assert "interrupted" not in again and again["audio_epoch"] == 1


def test_forced_listening_also_cuts_sound_that_was_sent_and_is_not_heard_yet() -> None:
    with open_call(script="EL") as call:
        assert call.chunk()["end_of_turn"]
        forced = call.chunk(force_listen=True)
        assert (forced["interrupted"], forced["audio_epoch"]) == (True, 1)


def test_there_is_nothing_to_cut_when_all_was_heard() -> None:
    with open_call(script="EL") as call:
        call.chunk()
        call.send("playback", audio_epoch=0, played_ms=1000)
        forced = call.chunk(force_listen=True)
        assert "interrupted" not in forced and forced["audio_epoch"] == 0


def test_forced_listening_holds_for_what_already_waits() -> None:
    with open_call(script="S") as call:
        begin_unit(call)
        call.send("audio_chunk", audio_base64=SECOND)
        call.send("audio_chunk", audio_base64=SECOND, force_listen=True)
        call.send("pause")
        assert call.receive()["type"] == "paused"  # all of it has been read
        call.model.permits.release(3)
        results = call.results(3)
        assert [result["is_listen"] for result in results] == [False, True, True]
        assert [result["audio_epoch"] for result in results] == [0, 1, 1]


def test_an_interruption_is_answered_at_once_and_voids_what_is_being_said() -> None:
    with open_call(script="S") as call:
        call.chunk()
        begin_unit(call)
        interrupted = call.say("interrupt")
        assert interrupted == {"type": "interrupted", "audio_epoch": 1, "interrupted": True}
        call.model.permits.release(2)
        assert call.receive()["audio_epoch"] == 0  # it was begun before
        after = call.chunk()
        assert (after["is_listen"], after["audio_epoch"]) == (True, 1)
        assert "interrupted" not in after
        assert call.say("interrupt") == {"type": "interrupted", "audio_epoch": 1}


def test_a_stop_tells_that_speech_was_cut() -> None:
    with open_call(script="S") as call:
        call.chunk()
        stopped = call.say("stop")
        assert (stopped["interrupted"], stopped["audio_epoch"]) == (True, 1)


# -- failures, lateness and company ----------------------------------------------------------------


def test_a_unit_that_fails_is_told_and_the_call_goes_on() -> None:
    with open_call() as call:
        call.model.failures = [InferenceError("no luck")]
        assert call.chunk()["code"] == "inference_error"
        assert call.chunk()["type"] == "result"


def test_a_unit_that_fails_behind_its_decision_has_had_its_answer() -> None:
    with open_call() as call:
        call.model.closing_failures = [InferenceError("no luck")]
        assert call.chunk()["current_time"] == 1
        assert call.chunk()["current_time"] == 2


def test_a_lost_device_ends_the_call_and_the_worker() -> None:
    config = fake_config()
    worker = FakeWorker(config)
    with ready(worker, config) as client, client.websocket_connect("/ws/duplex") as socket:
        socket.send_json(PREPARE)
        socket.receive_json()
        worker.duplex.failures = [DeviceLostError("the device failed")]
        socket.send_json(CHUNK)
        assert until_closed(socket) == ([], 1012)
        assert client.get("/health").json()["worker_status"] == "error"


def test_sound_that_comes_too_fast_is_dropped_from_its_old_end() -> None:
    with open_call() as call:
        begin_unit(call)
        for _ in range(8):
            call.send("audio_chunk", audio_base64=SECOND)
        call.send("pause")
        assert call.receive()["type"] == "paused"  # all of it has been read
        call.model.permits.release(100)
        results = call.results(9)
        assert [result.get("reason") for result in results] == [None, *["late"] * 3, *[None] * 5]
        assert [result["is_listen"] for result in results[1:4]] == [True] * 3
        assert [result["current_time"] for result in results] == [1, 1, 1, 1, 2, 3, 4, 5, 6]
        assert len(call.model.heard) == 6


def test_a_second_call_waits_for_a_slot_and_is_then_refused() -> None:
    with open_call(fake_config(idle_wait_s=0.05)) as call:
        with call.client.websocket_connect("/ws/duplex") as second:
            (error,), close_code = until_closed(second)
        assert (error["code"], close_code) == ("worker_busy", 1013)
        assert call.chunk()["type"] == "result"


def test_nobody_can_call_while_the_model_loads() -> None:
    worker = FakeWorker(fake_config())
    worker.may_load.clear()
    with running(worker) as client, client.websocket_connect("/ws/duplex") as socket:
        (error,), close_code = until_closed(socket)
        worker.may_load.set()
    assert (error["code"], close_code) == ("not_ready", 1013)


def test_calls_share_a_worker_with_several_slots() -> None:
    config = fake_config()
    worker = FakeWorker(config, n_slots=3)
    with ready(worker, config) as client, ExitStack() as sockets:
        calls = [
            sockets.enter_context(client.websocket_connect(f"/ws/duplex?session_id=adx_{index}"))
            for index in range(3)
        ]
        for call in calls:
            call.send_json(PREPARE)
        for _ in range(2):
            for call in calls:
                call.send_json(CHUNK)
        for call in calls:
            assert call.receive_json()["type"] == "prepared"
            assert [call.receive_json()["current_time"] for _ in range(2)] == [1, 2]
        health = client.get("/health").json()
        assert (health["slots_busy"], health["worker_status"]) == (3, "duplex_active")
        for call in calls:
            call.close()
        wait_until(lambda: not worker.duplex.open_calls)
