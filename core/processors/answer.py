"""Answering: the one loop over decode steps that every chat path shares."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from core.errors import TooLargeError
from core.processors.events import Delta, Finished
from MiniCPMO45 import ChatSession, GenerationOptions, PromptError
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.speech import Vocoder
from MiniCPMO45.speech_sampling import SpeechSampling

ROOM_AROUND_ANSWER = 32  # cache positions for the opening and for rounding up to whole chunks


def answer(
    session: ChatSession, options: GenerationOptions
) -> Generator[Delta | Finished, None, None]:
    """One `Delta` a decode step, then `Finished`; an answer ends early where the cache does.

    Raises:
        TooLargeError: the prompt fills the cache.
    """
    for delta in session.generate(fitted(session, options)):
        yield Delta(delta.text, delta.n_tokens)
    yield _finished(session)


def spoken_answer(
    session: ChatSession, options: GenerationOptions, vocoder: Vocoder, sampling: SpeechSampling
) -> Generator[Delta | Finished, None, None]:
    """Like `answer`, with sound: as the text is written, or after it when it is not streamed.

    Raises:
        TooLargeError: the prompt fills the cache.
    """
    options = fitted(session, options)
    if options.streaming:
        n_tokens = 0
        for part in session.speak_while_writing(vocoder, options, sampling):
            has_sound = part.waveform.numel() > 0
            n_tokens += not has_sound
            waveform = part.waveform.numpy() if has_sound else None
            yield Delta(part.text, n_tokens, waveform, part.n_tokens)
    else:
        for delta in session.generate(options):
            yield Delta(delta.text, delta.n_tokens)
        yield from _read_aloud(session, vocoder, sampling)
    yield _finished(session)


def _read_aloud(
    session: ChatSession, vocoder: Vocoder, sampling: SpeechSampling
) -> Generator[Delta, None, None]:
    assert session.answer is not None
    n_tokens = session.answer.n_tokens
    try:
        for waveform in session.speak(vocoder, sampling):
            yield Delta("", n_tokens, waveform.numpy() if waveform.numel() else None)
    except PromptError:
        return  # nothing in the answer is meant to be spoken


def _finished(session: ChatSession) -> Finished:
    assert session.answer is not None
    return Finished(
        session.answer.text,
        session.answer.n_tokens,
        session.answer.finish_reason,
        session.kv_cache_length,
    )


def fitted(session: Session, options: GenerationOptions) -> GenerationOptions:
    """The options with no more tokens than the cache has room for.

    Raises:
        TooLargeError: there is room for none.
    """
    capacity = session.model.language.cache.capacity
    room = capacity - session.kv_cache_length - ROOM_AROUND_ANSWER
    if room < 1:
        raise TooLargeError(
            f"the prompt leaves no room for an answer in the context of {capacity} tokens",
            field="messages",
            limit=capacity,
        )
    return replace(options, max_new_tokens=min(options.max_new_tokens, room))
