"""What a client may ask for on `WS /ws/half_duplex`, and how it is told what it may not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.capabilities import supports_feature
from core.processors import HalfDuplexView, StreamingView, UnifiedProcessor
from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.half_duplex_client import (
    ANSWER,
    WORDS,
    audio,
    call,
    prepare,
    say,
    silence,
    socket,
    status,
    turn,
    types_of,
)
from tests.unit.worker_client import ready, until_closed
from worker_modules.model_worker import MiniCPMOWorker

# -- settings --------------------------------------------------------------------------------------


def test_the_settings_of_the_call_are_honoured() -> None:
    worker = FakeWorker(fake_config())
    config = {
        "generation": {"max_new_tokens": 7, "length_penalty": 1.5, "temperature": 0.2},
        "vad": {"min_silence_duration_ms": 400},
        "tts": {"enabled": False},
        "session": {"timeout_s": 100},
    }
    with ready(worker) as client, socket(client) as websocket:
        prepared = prepare(websocket, config=config)
        generating = turn(websocket)[2]
    assert prepared["timeout_s"] == 100
    assert "warning" not in prepared
    assert generating["speech_duration_ms"] == pytest.approx(1600, abs=200)
    (task,) = worker.streaming.answer_tasks
    assert (task.generation.max_new_tokens, task.generation.length_penalty) == (7, 1.5)
    assert (task.generation.temperature, task.generation.streaming) == (0.2, True)


def test_the_documented_defaults() -> None:
    worker = FakeWorker(fake_config())
    with ready(worker) as client, socket(client) as websocket:
        prepared = prepare(websocket)
        turn(websocket)
    assert prepared["timeout_s"] == 300
    assert "speech" in prepared["warning"]  # this worker has no vocoder
    assert worker.streaming.conversations[0].texts[0] == ["You are a helpful assistant."]
    (task,) = worker.streaming.answer_tasks
    assert (task.generation.max_new_tokens, task.generation.length_penalty) == (256, 1.1)


def test_the_system_message_is_given_item_by_item() -> None:
    worker = FakeWorker(fake_config())
    items = [
        {"type": "text", "text": "Speak like this:"},
        {"type": "audio", "data": ""},
        {"type": "audio", "data": audio(WORDS)},
        {"type": "text", "text": "Be brief."},
    ]
    with ready(worker) as client, call(client, system_content=items, system_prompt="unused"):
        ((before, voice, after),) = worker.streaming.conversations[0].texts
    assert (before, after) == ("Speak like this:", "Be brief.")
    assert np.array_equal(voice, WORDS)


def test_for_callers_in_the_same_process_half_duplex_is_streaming() -> None:
    assert HalfDuplexView is StreamingView
    assert UnifiedProcessor.set_half_duplex_mode is UnifiedProcessor.set_streaming_mode
    assert MiniCPMOWorker.half_duplex_complete_turn is MiniCPMOWorker.streaming_complete_turn
    assert supports_feature("half_duplex", "turn_reuse")
    assert not supports_feature("half_duplex", "image_input")


@pytest.mark.parametrize(
    ("prompt", "before", "after"),
    [("Be brief.", "Use the voice", "Be brief."), ("请简短。", "模仿", "请简短。")],
)
def test_the_system_message_may_be_a_prompt_and_a_voice(
    prompt: str, before: str, after: str
) -> None:
    worker = FakeWorker(fake_config())
    fields = {"system_prompt": prompt, "ref_audio_base64": audio(WORDS)}
    with ready(worker) as client, call(client, **fields):
        ((start, voice, end_of_it),) = worker.streaming.conversations[0].texts
    assert start.startswith(before)
    assert np.array_equal(voice, WORDS)
    assert end_of_it == after


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"config": {"vad": {"threshold": 1.5}}}, "config.vad.threshold"),
        (
            {"config": {"vad": {"min_silence_duration_ms": -1}}},
            "config.vad.min_silence_duration_ms",
        ),
        ({"config": {"vad": {"speech_pad_ms": 5000}}}, "config.vad.speech_pad_ms"),
        ({"config": {"generation": {"max_new_tokens": 0}}}, "config.generation.max_new_tokens"),
        ({"config": {"generation": {"max_new_tokens": 101}}}, "config.generation.max_new_tokens"),
        ({"config": {"session": {"timeout_s": 0}}}, "config.session.timeout_s"),
        ({"config": {"tts": {"enabled": "perhaps"}}}, "config.tts.enabled"),
        ({"system_content": "text"}, "system_content"),
        ({"system_content": [{"type": "image", "data": "x"}]}, "system_content[0].type"),
        ({"system_content": [{"type": {}}]}, "system_content[0].type"),
        ({"system_content": [{"type": "text", "text": 5}]}, "system_content[0].text"),
        ({"system_content": [{"type": "audio", "data": "?"}]}, "system_content[0].data"),
        ({"system_content": [{"type": "text", "text": "x" * 40_000}]}, "system_content"),
        ({"system_content": [{"type": "text", "text": "x"}] * 100}, "system_content"),
        ({"system_prompt": "x" * 40_000}, "system_prompt"),
        ({"ref_audio_base64": "AAA="}, "ref_audio_base64"),
        ({"ref_audio_base64": audio(np.full(9000, np.nan))}, "ref_audio_base64"),
    ],
)
def test_a_prepare_that_fails_names_the_field_and_may_be_repeated(
    fields: dict[str, Any], field: str
) -> None:
    config = fake_config(max_new_tokens=100)
    with ready(FakeWorker(config), config) as client, socket(client) as websocket:
        error = prepare(websocket, **fields)
        assert (error["type"], error["field"]) == ("error", field)
        assert field.rpartition(".")[0] in error["error"]
        good = {"config": {"generation": {"max_new_tokens": 50}}}
        assert prepare(websocket, **good)["type"] == "prepared"


def test_the_sound_of_all_items_together_is_limited() -> None:
    config = fake_config(audio_s=2)
    items = [{"type": "audio", "data": audio(WORDS)}] * 2
    with ready(FakeWorker(config), config) as client, socket(client) as websocket:
        error = prepare(websocket, system_content=items)
    assert (error["code"], error["field"], error["limit"]) == (
        "too_large",
        "system_content[1].data",
        2,
    )


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ({}, "bad_message"),
        ({"audio_base64": 5}, "bad_message"),
        ({"audio_base64": "no base64"}, "bad_message"),
        ({"audio_base64": "AAAA"}, "bad_message"),
        ({"audio_base64": audio(np.full(8, np.inf))}, "bad_message"),
        ({"audio_base64": audio(silence(31))}, "too_large"),
    ],
)
def test_sound_that_cannot_be_used_is_told_and_the_call_goes_on(
    chunk: dict[str, Any], code: str
) -> None:
    with ready(FakeWorker(fake_config())) as client, call(client) as websocket:
        websocket.send_json({"type": "audio_chunk", **chunk})
        error = websocket.receive_json()
        assert (error["code"], error["field"]) == (code, "audio_base64")
        websocket.send_json({"type": "audio_chunk", "audio_base64": ""})
        assert turn(websocket)[-1]["text"] == ANSWER


def test_messages_that_do_not_fit_are_told_and_the_call_goes_on() -> None:
    with ready(FakeWorker(fake_config())) as client, socket(client) as websocket:
        say(websocket, silence(0.5))
        assert websocket.receive_json()["error"] == "Not prepared yet"
        websocket.send_json({"type": "playback", "audio_epoch": 0, "played_ms": 1})
        assert websocket.receive_json()["error"] == "Not prepared yet"
        websocket.send_json({"type": "generate"})
        assert websocket.receive_json()["code"] == "unknown_type"
        prepare(websocket)
        assert prepare(websocket)["error"] == "prepare has come already"
        websocket.send_json({"type": "playback", "audio_epoch": -1, "played_ms": 1})
        assert websocket.receive_json()["field"] == "audio_epoch"
        assert turn(websocket)[-1]["text"] == ANSWER


@pytest.mark.parametrize(("frame", "code"), [("{", 1007), ("[]", 1007), (b"\0", 1003)])
def test_a_frame_that_is_no_message_ends_the_call(frame: str | bytes, code: int) -> None:
    with ready(FakeWorker(fake_config())) as client:
        with call(client) as websocket:
            if isinstance(frame, str):
                websocket.send_text(frame)
            else:
                websocket.send_bytes(frame)
            messages, close_code = until_closed(websocket)
            assert (types_of(messages), close_code) == (["error"], code)
        wait_until(lambda: status(client) == "idle")
