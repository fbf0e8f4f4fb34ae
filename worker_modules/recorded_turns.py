"""What the turn-based endpoints tell a recorder, if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.recording import TurnBasedSessionRecorder
from core.schemas import (
    MODEL_SAMPLE_RATE,
    AudioContent,
    ChatResponse,
    ChunkMessage,
    ContentItem,
    ImageContent,
    Message,
    Role,
    StreamingChunkMessage,
    StreamingDoneMessage,
    TextContent,
    VideoContent,
)
from worker_modules.recorded import Recorded


class RecordedTurns(Recorded[TurnBasedSessionRecorder]):
    """The turns of one session; without a recorder nothing is kept of them."""

    def __init__(self, recorder: TurnBasedSessionRecorder | None = None) -> None:
        super().__init__(recorder)
        self._unkept: list[ContentItem] = []
        self._input: dict[str, Any] = {}
        self._is_open = False

    @property
    def is_empty(self) -> bool:
        return self._recorder is None or not self._recorder.n_turns

    @property
    def elapsed_ms(self) -> float:
        """Time since the session began."""
        return self._recorder.elapsed_ms if self._recorder is not None else 0.0

    def configure(self, settings: dict[str, Any]) -> None:
        """Settings that are known only now."""
        if self._recorder is not None:
            self._recorder.update_config(settings)

    def read(self, messages: Sequence[Message], *, is_continuation: bool = False) -> None:
        """The user may say this in the next turn: all that follows the last answer.

        It takes the place of what was read before, unless it continues that.
        """
        if self._recorder is None:
            return
        if not is_continuation:
            self._unkept = []
        for message in _after_last_answer(messages):
            content = message.content
            self._unkept += [TextContent(text=content)] if isinstance(content, str) else content

    def keep_input(self) -> None:
        """The user has said what was read."""
        if self._recorder is not None:
            for item in self._unkept:
                self._keep_item(self._recorder, item)
        self._unkept = []

    def hear(self, utterances: Sequence[np.ndarray]) -> None:
        """The user says the next turn: float32 [n_samples] each, at 16 kHz."""
        if self._recorder is None:
            return
        sound = np.concatenate(utterances)
        path = self._recorder.save_user_audio(self._recorder.n_turns, sound)
        duration_ms = len(sound) * 1000 // MODEL_SAMPLE_RATE
        self._input = {"type": "voice", "duration_ms": duration_ms, "audio": path}

    def begin_turn(self) -> None:
        """The model answers what was read or heard."""
        self.keep_input()
        if self._recorder is not None:
            self._recorder.start_turn(self._input)
            self._input = {}
            self._is_open = True

    def add(self, chunk: ChunkMessage | StreamingChunkMessage) -> None:
        """More of the answer, as it is sent."""
        if self._recorder is not None:
            self._recorder.add_streaming_chunk(chunk.text_delta, chunk.audio_data)

    def end_turn(self, timing: dict[str, Any], text: str | None = None) -> None:
        """The answer is over; `text` is all of it, where that is not the sum of its chunks."""
        if self._recorder is not None and self._is_open:
            self._recorder.end_turn(timing, text)
            self._is_open = False

    def add_answer(self, response: ChatResponse, sound: np.ndarray | None) -> None:
        """The whole answer to what was read; sound is float32 [n_samples] at 24 kHz."""
        if self._recorder is None:
            return
        timing = {
            "elapsed_ms": round(response.duration_ms or 0.0, 1),
            "tokens": response.tokens_generated,
            "input_tokens": (response.token_stats or {}).get("input_tokens"),
        }
        self._recorder.record_chat_turn(self._input, response.text, sound, timing)

    def end_streamed_turn(self, done: StreamingDoneMessage) -> None:
        """The answer is over, and told in `done`, which learns what there is to tell of it."""
        if self.session_id is not None:
            done.recording_session_id = self.session_id
        if warning := self.warning(done.warning):
            done.warning = warning
        counts = done.token_stats
        timing = {
            "elapsed_ms": done.elapsed_ms,
            "tokens": counts["generated_tokens"],
            "input_tokens": counts["input_tokens"],
            "cached_tokens": counts["cached_tokens"],
            "total_tokens": counts["total_tokens"],
        }
        self.end_turn(timing, done.full_text)

    def cut_turn(self, text: str, played_ms: float) -> None:
        """Only the beginning of the last answer was heard."""
        if self._recorder is not None:
            self._recorder.cut_turn(text, played_ms)

    def _keep_item(self, recorder: TurnBasedSessionRecorder, item: ContentItem) -> None:
        kept = self._input
        match item:
            case TextContent():
                kept["text"] = f"{kept['text']}\n{item.text}" if "text" in kept else item.text
            case ImageContent():
                path = recorder.save_user_image(recorder.next_image_index(), item.data)
                kept.setdefault("images", []).append(path)
            case AudioContent():
                kept["audio"] = recorder.save_user_audio(recorder.n_turns, item.data)
            case VideoContent():
                path = recorder.save_user_video(recorder.next_video_index(), item.data)
                kept.setdefault("videos", []).append(path)


def system_prompt(messages: Sequence[Message]) -> str | None:
    """The text of the system messages."""
    texts = [
        item.text
        for message in messages
        if message.role is Role.SYSTEM
        for item in (
            [TextContent(text=message.content)]
            if isinstance(message.content, str)
            else message.content
        )
        if isinstance(item, TextContent)
    ]
    return "\n".join(texts) or None


def voice_name(*encoded: str | None, path: str | None = None) -> str:
    """How a recording calls a voice: the sound itself is not part of its settings."""
    return "uploaded" if any(encoded) else path or "default"


def _after_last_answer(messages: Sequence[Message]) -> list[Message]:
    start = 0
    for index, message in enumerate(messages):
        if message.role is Role.ASSISTANT:
            start = index + 1
    return [message for message in messages[start:] if message.role is Role.USER]
