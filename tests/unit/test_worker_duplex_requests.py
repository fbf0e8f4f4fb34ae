"""Chunks and settings that a full-duplex call cannot use: each is named, and the call goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.unit.duplex_client import SECOND, open_call
from tests.wire_media import audio_data, encode, image_data


def samples(*values: float) -> str:
    return encode(np.array(values, "<f4").tobytes())


BAD_CHUNKS: dict[str, tuple[dict[str, Any], str, str, float | None]] = {
    "without sound": ({}, "audio_base64", "bad_message", None),
    "empty": ({"audio_base64": ""}, "audio_base64", "bad_message", None),
    "not base64": ({"audio_base64": "%%%"}, "audio_base64", "bad_message", None),
    "odd bytes": ({"audio_base64": encode(bytes(4001))}, "audio_base64", "bad_message", None),
    "NaN": ({"audio_base64": samples(0, np.nan)}, "audio_base64", "bad_message", None),
    "infinite": ({"audio_base64": samples(np.inf)}, "audio_base64", "bad_message", None),
    "too long": ({"audio_base64": audio_data(5.1)}, "audio_base64", "too_large", 5),
    "50 frames": (
        {"audio_base64": SECOND, "frame_base64_list": [image_data()] * 50},
        "frame_base64_list",
        "too_large",
        8,
    ),
    "no picture": (
        {"audio_base64": SECOND, "frame_base64_list": [image_data(), encode(b"no picture")]},
        "frame_base64_list[1]",
        "bad_message",
        None,
    ),
    "frames no list": (
        {"audio_base64": SECOND, "frame_base64_list": "AAAA"},
        "frame_base64_list",
        "bad_message",
        None,
    ),
    "slices": ({"audio_base64": SECOND, "max_slice_nums": 0}, "max_slice_nums", "bad_message", 1),
}


@pytest.mark.parametrize(("fields", "field", "code", "limit"), BAD_CHUNKS.values(), ids=BAD_CHUNKS)
def test_a_bad_chunk_is_told_in_its_turn_and_loses_nothing(
    fields: dict[str, Any], field: str, code: str, limit: float | None
) -> None:
    with open_call() as call:
        call.send("audio_chunk", audio_base64=audio_data(0.5))
        call.send("audio_chunk", **fields)
        call.send("audio_chunk", audio_base64=audio_data(0.5))
        before, error, after = call.results(3)
        assert before["reason"] == "buffering"
        assert (error["type"], error["field"], error["code"]) == ("error", field, code)
        assert error.get("limit") == limit
        assert after["current_time"] == 1 and "skipped" not in after


SPEAK_TOKENS = "max_new_speak_tokens_per_chunk"
BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"config": {"temperature": -1}}, "config.temperature"),
    ({"config": {"temperature": "hot"}}, "config.temperature"),
    ({"config": {"top_k": 10**12}}, "config.top_k"),
    ({"config": {"top_p": 1.5}}, "config.top_p"),
    ({"config": {"force_listen_count": -3}}, "config.force_listen_count"),
    (
        {"config": {"max_new_speak_tokens_per_chunk": 10**6}},
        "config.max_new_speak_tokens_per_chunk",
    ),
    ({"config": {"text_repetition_penalty": 1e9}}, "config.text_repetition_penalty"),
    ({"config": {"text_repetition_window_size": 0}}, "config.text_repetition_window_size"),
    ({"config": {"length_penalty": 0}}, "config.length_penalty"),
    ({"config": {"listen_prob_scale": 1e30}}, "config.listen_prob_scale"),
    ({"config": {"listen_top_k": -1}}, "config.listen_top_k"),
    ({"config": {"tts_temperature": 3}}, "config.tts_temperature"),
    ({"config": {"chunk_ms": 0}}, "config.chunk_ms"),
    ({"config": {"sample_rate": 8000}}, "config.sample_rate"),
    ({"config": {"decode_mode": "wild"}}, "config.decode_mode"),
    ({"config": {"ls_mode": "implicit"}}, "config.ls_mode"),
    ({"config": {"speech_top_p": 0}}, "config.speech_top_p"),
    ({"config": {"max_slice_nums": 99}}, "config.max_slice_nums"),
    ({"config": [1, 2]}, "config"),
    ({"max_slice_nums": 0}, "max_slice_nums"),
    ({"system_prompt": 5}, "system_prompt"),
    ({"system_prompt": "a" * 40_000}, "system_prompt"),
    ({"ref_audio_base64": "%%%"}, "ref_audio_base64"),
    ({"ref_audio_base64": audio_data(0.1)}, "ref_audio_base64"),
    ({"tts_ref_audio_base64": samples(np.nan)}, "tts_ref_audio_base64"),
]


@pytest.mark.parametrize(
    ("fields", "field"), BAD_SETTINGS, ids=[field for _, field in BAD_SETTINGS]
)
def test_a_setting_that_makes_no_sense_is_named_and_may_be_mended(
    fields: dict[str, Any], field: str
) -> None:
    with open_call(prepared=False) as call:
        error = call.say("prepare", **fields)
        assert (error["type"], error["field"], error["code"]) == ("error", field, "bad_message")
        assert call.say("prepare")["type"] == "prepared"
