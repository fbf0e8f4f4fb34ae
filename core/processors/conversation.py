"""One streaming conversation: read piece by piece, answered turn by turn, kept in between."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from core.errors import InvalidFieldError
from core.processors.answer import fitted
from core.processors.events import Delta, Finished, Prefilled
from core.processors.model_errors import service_errors
from core.processors.speech import SpeechTask
from core.processors.spoken import SpokenAnswer
from core.processors.voices import Voices
from MiniCPMO45 import ChatMessage, GenerationOptions, MiniCPMO, StreamingSession
from MiniCPMO45.sessions.generation import CHUNK_TOKENS
from MiniCPMO45.sessions.streaming import ConversationSnapshot, PieceOptions
from MiniCPMO45.sessions.window import ContextWindow


@dataclass(frozen=True)
class PrefillTask:
    """Messages read and checked. A live chunk ends in audio that the next prefill continues."""

    messages: list[ChatMessage]
    omni_mode: bool = True
    max_slice_nums: int = 1
    is_live_chunk: bool = False


@dataclass(frozen=True)
class AnswerTask:
    """How a turn is answered."""

    generation: GenerationOptions
    enable_thinking: bool = False
    use_tts_template: bool = True
    speech: SpeechTask | None = None
    warning: str | None = None


class Conversation:
    """Holds a place in the cache from its first prefill until it is closed.

    It may be made on any thread; everything else belongs to the model's own.

    Args:
        note_length: told how many tokens are cached whenever that has changed.

    Attributes:
        audio_epoch: rises whenever speech is cut short.
        spoken: the last answer as it was sent.
    """

    def __init__(
        self,
        model: MiniCPMO,
        voices: Voices,
        note_length: Callable[[int], None] = lambda length: None,
        *,
        window: ContextWindow | None = None,
        seed: int | None = None,
    ) -> None:
        self._model = model
        self._voices = voices
        self._note_length = note_length
        self._window = window or ContextWindow()
        self._seed = seed
        self._session: StreamingSession | None = None
        self._is_live = False
        self._snapshot: ConversationSnapshot | None = None
        self.audio_epoch = 0
        self.spoken = SpokenAnswer()

    @property
    def kv_cache_length(self) -> int:
        """Tokens in its cache."""
        return self._session.kv_cache_length if self._session is not None else 0

    def prefill(self, task: PrefillTask) -> Generator[Prefilled, None, None]:
        """Read the messages one by one; each `Prefilled` counts all of this call so far.

        Where it fails or is left early, some of the messages may have been read.
        """
        with service_errors():
            if self._session is None:
                self._session = StreamingSession(self._model, seed=self._seed, window=self._window)
            cached_tokens = self.kv_cache_length
            input_tokens = 0
            for index, message in enumerate(task.messages, start=1):
                self._is_live = message.role == "user" and (
                    self._is_live or (task.is_live_chunk and index == len(task.messages))
                )
                options = PieceOptions(
                    omni_mode=task.omni_mode,
                    max_slice_nums=task.max_slice_nums,
                    is_last_chunk=not task.is_live_chunk,
                    is_live=self._is_live,
                )
                piece = self._session.prefill(message, options)
                input_tokens += len(piece.ids)
                self._note_length(self.kv_cache_length)
                yield Prefilled(input_tokens, piece.text, cached_tokens)

    def answer(self, task: AnswerTask) -> Generator[Delta | Finished, None, None]:
        """Answer what was read: one `Delta` a step, then `Finished`.

        Closing the generator ends the answer; what was said stays part of the conversation.

        Raises:
            InvalidFieldError: nothing was read.
            TooLargeError: the conversation fills the cache.
        """
        if self._session is None:
            raise InvalidFieldError("prefill must come before generate", field="type")
        with service_errors():
            self._is_live = False
            options = fitted(self._session, task.generation)
            limit = -(-options.max_new_tokens // CHUNK_TOKENS) * CHUNK_TOKENS
            text, n_tokens = "", 0
            for delta in self._deltas(self._session, task, options):
                text, n_tokens = text + delta.text, delta.generated_tokens
                self._note_length(self.kv_cache_length)
                yield delta
            reason = "stop" if n_tokens < limit else "length"
            yield Finished(text, n_tokens, reason, self.kv_cache_length)

    def _deltas(
        self, session: StreamingSession, task: AnswerTask, options: GenerationOptions
    ) -> Iterator[Delta]:
        if task.speech is None:
            for delta in session.generate(
                options,
                enable_thinking=task.enable_thinking,
                use_tts_template=task.use_tts_template,
            ):
                yield Delta(delta.text, delta.n_tokens, said_tokens=delta.n_tokens)
            return
        n_tokens = 0
        for part in session.speak(
            self._voices.vocoder(task.speech.recording, task.speech.field),
            options,
            enable_thinking=task.enable_thinking,
            sampling=task.speech.sampling,
        ):
            has_sound = part.waveform.numel() > 0
            n_tokens += not has_sound
            waveform = part.waveform.numpy() if has_sound else None
            yield Delta(part.text, n_tokens, waveform, part.n_tokens)

    def cut_answer(self, audio_epoch: int, played_ms: float) -> str | None:
        """Forget what of the last answer was not heard; its text then.

        None, and nothing changes, when the sound was not that of the last answer.
        """
        if self._session is None or audio_epoch != self.spoken.audio_epoch:
            return None
        if not self._session.cut_answer(self.spoken.cut(played_ms).n_tokens):
            return None
        self._note_length(self.kv_cache_length)
        return self.spoken.whole.text

    @property
    def can_roll_back(self) -> bool:
        """Whether there is a point to come back to."""
        return self._snapshot is not None

    def set_rollback_point(self) -> None:
        """Remember the conversation as it is now, in place of an earlier point."""
        if self._session is not None:
            self._snapshot = self._session.snapshot()

    def clear_rollback_point(self) -> None:
        """Stay with what has been said since."""
        self._snapshot = None

    def roll_back(self) -> int | None:
        """Go back to the point and use it up; the cached tokens then, or None if that failed."""
        snapshot, self._snapshot = self._snapshot, None
        if snapshot is None or self._session is None or not self._session.restore(snapshot):
            return None
        self._note_length(self.kv_cache_length)
        return self.kv_cache_length

    def close(self) -> None:
        """Forget everything and give the place in the cache back."""
        self._snapshot = None
        if self._session is not None:
            self._session.close()
            self._session = None
            self._note_length(0)
