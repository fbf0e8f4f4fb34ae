"""What the gateway reads in the frames of a streaming conversation, and writes for a worker."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from core import errors
from gateway_modules.history_hash import compute_history_hash

MAX_SESSION_ID_CHARACTERS = 128


def clean_session_id(session_id: str) -> str:
    """The id with every character that is not allowed replaced, cut to its longest length."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", session_id)[:MAX_SESSION_ID_CHARACTERS]


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
) -> str:
    """A client's `prefill` for the worker. What only the gateway may say is said anew."""
    frame = prefill | {"messages": messages, "clear_kv_cache": clear_kv_cache}
    frame["history_hash"] = history_hash
    return json.dumps(frame, ensure_ascii=False)


def unknown_type(kind: object) -> errors.UnknownTypeError:
    """A message of a type that nobody knows."""
    return errors.UnknownTypeError(f"Unknown type: {kind}", field="type")
