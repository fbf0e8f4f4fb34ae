"""Answering: the one loop over decode steps that every chat path shares."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from core.errors import TooLargeError
from core.processors.events import Delta, Finished
from MiniCPMO45 import ChatSession, GenerationOptions

ROOM_AROUND_ANSWER = 32  # cache positions for the opening and for rounding up to whole chunks


def answer(
    session: ChatSession, options: GenerationOptions
) -> Generator[Delta | Finished, None, None]:
    """One `Delta` a decode step, then `Finished`; an answer ends early where the cache does.

    Raises:
        TooLargeError: the prompt fills the cache.
    """
    capacity = session.model.cache.capacity
    room = capacity - session.kv_cache_length - ROOM_AROUND_ANSWER
    if room < 1:
        raise TooLargeError(
            f"the prompt leaves no room for an answer in the context of {capacity} tokens",
            field="messages",
            limit=capacity,
        )
    options = replace(options, max_new_tokens=min(options.max_new_tokens, room))
    for delta in session.generate(options):
        yield Delta(delta.text, delta.n_tokens)
    assert session.answer is not None
    yield Finished(
        session.answer.text,
        session.answer.n_tokens,
        session.answer.finish_reason,
        session.kv_cache_length,
    )
