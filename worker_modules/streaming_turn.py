"""What one streaming turn has said so far, and the messages that tell it."""

from __future__ import annotations

import time

import numpy as np

from core.processors import ChatEvent, Delta, Finished, Prefilled, SpokenAnswer
from core.processors.sound import float_base64, sound_of
from core.schemas import (
    StreamingChunkMessage,
    StreamingDoneMessage,
    StreamingPrefillDoneMessage,
    StreamingPrefillMessage,
)
from worker_modules.metrics import AnswerTimes, count_tokens


class StreamingTurn:
    """Counts from the first `prefill` to `done`.

    Args:
        audio_epoch: the epoch of its sound; `done` raises it when the sound is cut.
        mode: what its times and tokens are counted as.
    """

    def __init__(self, audio_epoch: int, mode: str) -> None:
        self._mode = mode
        self._times = AnswerTimes(mode)
        self.spoken = SpokenAnswer(audio_epoch)
        self.settings: StreamingPrefillMessage | None = None
        self.finished = False
        self._started_s = time.monotonic()
        self._cached_tokens: int | None = None
        self._input_tokens = 0
        self._generated_tokens = 0
        self._n_chunks = 0

    def prefilled(
        self, request: StreamingPrefillMessage, event: Prefilled
    ) -> StreamingPrefillDoneMessage:
        """One prefill is over; a turn may have several, and the last word on a setting counts."""
        n_messages = len(request.messages)
        given = {name: getattr(request, name) for name in request.model_fields_set}
        self.settings = (self.settings or request).model_copy(update=given | {"messages": []})
        if self._cached_tokens is None:
            self._cached_tokens = event.cached_tokens
        self._input_tokens += event.input_tokens
        return StreamingPrefillDoneMessage(
            prompt_length=len(event.prompt),
            message_count=n_messages,
            cached_tokens=event.cached_tokens,
            input_tokens=event.input_tokens,
        )

    def generating(self) -> None:
        """The answer begins: times count from here."""
        self._times = AnswerTimes(self._mode)
        self._started_s = time.monotonic()

    def chunk(self, events: list[ChatEvent]) -> StreamingChunkMessage | None:
        """What has arrived since the last time, in one message, if it says anything."""
        text = ""
        said_tokens = self.spoken.whole.n_tokens
        for item in events:
            if isinstance(item, Delta):
                self._generated_tokens = item.generated_tokens
                said_tokens = item.said_tokens
                text += item.text
            elif isinstance(item, Finished):
                self._generated_tokens = item.generated_tokens
                self.finished = True
        sound = sound_of(events)
        self._times.note(has_text=bool(text), has_sound=sound is not None)
        self.spoken.add(text, said_tokens, 0 if sound is None else sound.size)
        return self._next_chunk(text, sound) if text or sound is not None else None

    def final_chunk(self) -> StreamingChunkMessage:
        """The mark that nothing more comes."""
        chunk = self._next_chunk("", None)
        chunk.is_final = True
        return chunk

    def done(self, session_id: str | None, warning: str | None) -> StreamingDoneMessage:
        """The turn as a whole."""
        count_tokens(self._mode, self._input_tokens, self._generated_tokens)
        cached_tokens = self._cached_tokens or 0
        elapsed_ms = self._elapsed_ms()
        done = StreamingDoneMessage(
            elapsed_ms=elapsed_ms,
            session_id=session_id,
            stopped=not self.finished,
            audio_epoch=self.spoken.audio_epoch,
            token_stats={
                "cached_tokens": cached_tokens,
                "input_tokens": self._input_tokens,
                "generated_tokens": self._generated_tokens,
                "total_tokens": cached_tokens + self._input_tokens + self._generated_tokens,
            },
            full_text=self.spoken.whole.text,
            total_chunks=self._n_chunks,
            total_duration_ms=elapsed_ms,
        )
        if self.is_interrupted:
            done.interrupted = True
            done.audio_epoch += 1
        if warning:
            done.warning = warning
        return done

    @property
    def is_interrupted(self) -> bool:
        """Whether sound was cut short."""
        return self.spoken.has_sound and not self.finished

    def _next_chunk(self, text: str, sound: np.ndarray | None) -> StreamingChunkMessage:
        self._n_chunks += 1
        return StreamingChunkMessage(
            chunk_index=self._n_chunks - 1,
            text_delta=text or None,
            audio_data=None if sound is None else float_base64(sound),
            audio_epoch=self.spoken.audio_epoch,
            duration_ms=self._elapsed_ms(),
        )

    def _elapsed_ms(self) -> float:
        return round((time.monotonic() - self._started_s) * 1000, 1)
