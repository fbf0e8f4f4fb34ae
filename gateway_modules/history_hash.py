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
    return hashlib.sha256(_counted_text(messages).encode()).hexdigest()


class QuestionHash:
    """A conversation up to the question, as far as it goes into the keys of its answers."""

    def __init__(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """`messages` are one or more."""
        self._hash = hashlib.sha256(_counted_text(messages)[:-1].encode())

    def with_answer(self, text: str) -> str:
        """What `compute_history_hash` gives for the conversation with this answer."""
        whole = self._hash.copy()
        whole.update(f", {_counted_text([{'role': 'assistant', 'content': text}])[1:]}".encode())
        return whole.hexdigest()


def _counted_text(messages: Sequence[Mapping[str, Any]]) -> str:
    counted = [
        {"role": message.get("role", ""), "content": message.get("content", "")}
        for message in messages
    ]
    return json.dumps(counted, ensure_ascii=False, sort_keys=True)
