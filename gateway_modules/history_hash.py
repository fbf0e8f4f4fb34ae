"""The key under which a worker's KV cache of a conversation is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def compute_history_hash(messages: Sequence[Mapping[str, Any]]) -> str:
    """SHA-256 (hex) of the roles and contents of `messages`, in order.

    Other keys of a message do not count; an absent role or content counts as an empty string.
    """
    counted = [
        {"role": message.get("role", ""), "content": message.get("content", "")}
        for message in messages
    ]
    text = json.dumps(counted, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
