"""What the gateway reads in the frames of a streaming conversation, and writes for a worker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from core import errors
from gateway_modules.history_hash import compute_history_hash


def messages_of(prefill: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a `prefill`, checked as far as the gateway looks at them.

    Raises:
        InvalidFieldError: there are none, or they are no objects.
    """
    messages = prefill.get("messages")
    if not isinstance(messages, list) or not messages:
        raise errors.InvalidFieldError("messages must be a list with an entry", field="messages")
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            field = f"messages[{index}]"
            raise errors.InvalidFieldError(f"{field} must be an object", field=field)
    return messages


def hash_before_last(messages: Sequence[dict[str, Any]]) -> str | None:
    """The key of what came before the user's last message; None when nothing can be cached."""
    if len(messages) < 2 or messages[-1].get("role") != "user":
        return None
    return compute_history_hash(messages[:-1])


def worker_prefill(
    prefill: dict[str, Any],
    messages: Sequence[dict[str, Any]],
    *,
    clear_kv_cache: bool,
    history_hash: str | None = None,
    audio_epoch: int = 0,
    recording_id: str | None = None,
) -> str:
    """A client's `prefill` for the worker. What only the gateway may say is said anew."""
    said_anew = {
        "messages": messages,
        "clear_kv_cache": clear_kv_cache,
        "history_hash": history_hash,
        "audio_epoch": audio_epoch,
        "recording_session_id": recording_id,
    }
    return json.dumps(prefill | said_anew, ensure_ascii=False)


def worker_playback(
    playback: dict[str, Any], history_hash: str, recording_id: str | None = None
) -> str:
    """A client's `playback` for the worker that keeps the conversation."""
    said_anew = {"history_hash": history_hash, "recording_session_id": recording_id}
    return json.dumps(playback | said_anew, ensure_ascii=False)


def unknown_type(kind: object) -> errors.UnknownTypeError:
    """A message of a type that nobody knows."""
    return errors.UnknownTypeError(f"Unknown type: {kind}", field="type")
