"""What the gateway reads in streaming frames, and what it tells a worker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import InvalidFieldError
from gateway_modules.history_hash import compute_history_hash
from gateway_modules.streaming_frames import (
    hash_before_last,
    messages_of,
    worker_prefill,
)

SYSTEM = {"role": "system", "content": "Be kind."}
USER = {"role": "user", "content": "你好"}
ASSISTANT = {"role": "assistant", "content": "Hello!"}


@pytest.mark.parametrize(
    ("messages", "counted"),
    [
        ([USER], None),
        ([SYSTEM, USER, ASSISTANT], None),
        ([SYSTEM, USER], [SYSTEM]),
        ([SYSTEM, USER, ASSISTANT, USER], [SYSTEM, USER, ASSISTANT]),
    ],
)
def test_the_history_is_what_comes_before_the_last_word_of_the_user(
    messages: list[dict[str, Any]], counted: list[dict[str, Any]] | None
) -> None:
    expected = None if counted is None else compute_history_hash(counted)
    assert hash_before_last(messages) == expected


def test_a_client_cannot_speak_for_the_gateway() -> None:
    asked = {"type": "prefill", "clear_kv_cache": False, "history_hash": "stolen", "x": 1}
    asked |= {"audio_epoch": 7, "recording_session_id": "stm_stolen"}
    frame = json.loads(worker_prefill(asked, [USER], clear_kv_cache=True))
    assert frame == {
        "type": "prefill",
        "clear_kv_cache": True,
        "history_hash": None,
        "audio_epoch": 0,
        "recording_session_id": None,
        "x": 1,
        "messages": [USER],
    }


@pytest.mark.parametrize("messages", [None, [], "Hello", {}, ["Hello"]])
def test_messages_are_a_list_of_objects(messages: Any) -> None:
    with pytest.raises(InvalidFieldError, match="messages"):
        messages_of({"messages": messages})
