"""Turn-based conversation read piece by piece, with the cache kept from turn to turn."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor

from MiniCPMO45.audio import offline_features
from MiniCPMO45.audio_cache import AudioCacheSnapshot
from MiniCPMO45.errors import PromptError
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.prompts import ChatMessage, PromptWriter, opening_text
from MiniCPMO45.sampling import GenerationOptions
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.chat import TextDelta
from MiniCPMO45.sessions.generation import Choice, decode_chunked
from MiniCPMO45.sessions.speech import SpokenText, Vocoder, speak_choices
from MiniCPMO45.sessions.window import ContextWindow, TurnLog
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.streaming_mel import MelSnapshot, StreamingMel, StreamingMelSettings

# What is left open at the end of the cache: nothing, the user's turn, an answer that was
# generated, or an assistant message that was given.
OpenTurn = Literal["none", "user", "answer", "reply"]

_CLOSING = {
    "none": "",
    "user": "<|im_end|>\n",
    "answer": "<|tts_eos|><|im_end|>\n",
    "reply": "<|im_end|>\n",
}


@dataclass(frozen=True)
class PieceOptions:
    """How one piece is read.

    Args:
        max_slice_nums: tiles a picture may be cut into; 1 keeps it whole.
        is_last_chunk: the audio of this piece may be shorter than a second.
        is_live: a user's audio goes on from the pieces before it; otherwise it is heard as a whole.
    """

    omni_mode: bool = True
    max_slice_nums: int = 1
    is_last_chunk: bool = False
    is_live: bool = True


@dataclass(frozen=True)
class Piece:
    """What was read: the text of the piece (media as short tags) and its ids."""

    text: str
    ids: list[int]


@dataclass(frozen=True)
class ConversationSnapshot:
    """Everything a conversation needs to go on from a moment; the cache itself stays in place."""

    length: int
    open_turn: OpenTurn
    turn_audio_count: int
    turn_starts: tuple[int, ...]
    mel: MelSnapshot
    audio: AudioCacheSnapshot
    random_state: Tensor
    n_slides: int


class StreamingSession(Session):
    """Reads a message or a part of one with :meth:`prefill`, answers with :meth:`generate`.

    The user's turn stays open until an answer starts, so a question may come in parts, such as
    live audio second by second.

    Args:
        mel_settings: how live audio is cut; the default repeats no frames between pieces.
        window: when to forget the oldest turns; None forgets nothing.
    """

    def __init__(
        self,
        model: MiniCPMO,
        *,
        compat: bool = False,
        seed: int | None = None,
        mel_settings: StreamingMelSettings | None = None,
        window: ContextWindow | None = None,
    ) -> None:
        super().__init__(model, compat=compat, seed=seed)
        self._mel_settings = mel_settings
        self._audio_cache = model.ear.stream(self.slot.index)
        self._window = window
        self._open: OpenTurn = "none"
        self._turns = TurnLog()
        self._n_slides = 0
        self._answer_number = 0
        self._answer_start = 0
        self._start_listening()

    def prefill(self, message: ChatMessage, options: PieceOptions | None = None) -> Piece:
        """Read one piece.

        Raises:
            PromptTooLongError: the cache cannot hold it; nothing was read.
            PromptError, MediaError: the message cannot be used; nothing was read.
        """
        options = options or PieceOptions()
        self._slide()
        is_first = self.slot.length == 0
        is_live = message.role == "user" and options.is_live
        if message.role == "user" and self._turn_audio_count == 0:
            message = _pad_first_audio(message, self._mel.settings.padded_first_samples)
        writer = PromptWriter(self.model.tokenizer, compat=self.compat)
        rendered = self._render(writer, message, options)
        audio_rows = None
        prompt = self.inputs.finish(
            writer,
            rendered,
            audio=None,
            max_slice_nums=options.max_slice_nums,
            use_image_id=False,
        )
        self.slot.reserve(len(prompt.ids))
        if writer.audios:
            waveforms = [np.asarray(item.value) for item in writer.audios]
            audio_rows = self._hear(waveforms, is_live=is_live, is_last=options.is_last_chunk)
        if message.role != "user" or (is_first and self.compat):
            # Published: the cache that the very first user piece has just built is thrown away.
            self._audio_cache.reset()
        if message.role != "system" and self._open != "user":
            closing = self.model.tokenizer.encode(_CLOSING[self._open])
            self._turns.begin(self.slot.length + len(closing))
        self.feed_prompt(prompt, audio_rows)
        self._slide()
        self._open = self._next_open(message.role, is_first=is_first)
        self._turn_audio_count += message.role == "user" and bool(writer.audios)
        return Piece(prompt.text, prompt.ids)

    def generate(
        self,
        options: GenerationOptions | None = None,
        *,
        enable_thinking: bool = False,
        use_tts_template: bool = True,
    ) -> Generator[TextDelta, None, None]:
        """Answer the open turn, one decode step per item; the last item is ``finished``.

        Dropping the iterator stops the answer; what was fed stays part of the conversation.
        """
        options = options or GenerationOptions(streaming=True)
        stream = self.model.tokenizer.text_stream()
        n_tokens = 0
        opening = opening_text(thinking=enable_thinking, speech=use_tts_template)
        for choice in self._choices(options, opening):
            if choice.token_id is None:
                yield TextDelta(stream.flush(), n_tokens, True)
            else:
                n_tokens += 1
                yield TextDelta(stream.push(choice.token_id), n_tokens, False)

    def speak(
        self,
        vocoder: Vocoder,
        options: GenerationOptions | None = None,
        *,
        enable_thinking: bool = False,
        sampling: SpeechSampling | None = None,
        attention_type: str | None = None,
        window: int | None = None,
    ) -> Generator[SpokenText, None, None]:
        """Answer the open turn aloud; text comes with the first sound made after it.

        Dropping the iterator stops the answer; text that has no sound yet is then forgotten.

        Args:
            vocoder: renders the codes, in the voice it was made for.
            attention_type, window: how much earlier speech each chunk sees; the checkpoint's
                choice if None.
        """
        options = options or GenerationOptions(streaming=True)
        speech = self.speech_stream(sampling, attention_type=attention_type, window=window)
        choices = self._choices(
            options,
            opening_text(thinking=enable_thinking, speech=True),
            barred_ids=self.model.tokenizer.speech_suppressed_ids,
        )
        n_said = 0
        try:
            for part in speak_choices(choices, speech, vocoder, self.model.tokenizer.text_stream()):
                n_said = part.n_tokens
                yield part
        except GeneratorExit:
            self.cut_answer(n_said)
            raise

    def cut_answer(self, n_tokens: int) -> bool:
        """Forget the last answer after its first ``n_tokens``; if it is under way, it ends.

        False, and nothing changes, when the conversation has gone on since.
        """
        if self._open != "answer":
            return False
        self._answer_number += 1
        self.slot.truncate(min(self.slot.length, self._answer_start + n_tokens))
        return True

    def _choices(
        self, options: GenerationOptions, opening: str, barred_ids: Sequence[int] = ()
    ) -> Iterator[Choice]:
        ids = self.model.tokenizer.encode(opening)
        self.slot.reserve(len(ids))
        self._start_listening()
        self._open = "answer"
        self._answer_number += 1
        number = self._answer_number
        hidden = self.feed_ids(ids)[-1]
        self._answer_start = self.slot.length
        for choice in decode_chunked(self, hidden, options, barred_ids=barred_ids):
            yield choice
            if self._answer_number != number:
                return  # the conversation has moved on without this answer

    def snapshot(self) -> ConversationSnapshot:
        """The conversation as it is, to come back to after an answer that was too early."""
        return ConversationSnapshot(
            length=self.slot.length,
            open_turn=self._open,
            turn_audio_count=self._turn_audio_count,
            turn_starts=tuple(self._turns.starts),
            mel=self._mel.snapshot(),
            audio=self._audio_cache.snapshot(),
            random_state=self.generator.get_state(),
            n_slides=self._n_slides,
        )

    def restore(self, snapshot: ConversationSnapshot) -> bool:
        """Go back to a snapshot; an answer under way ends.

        False, and nothing changes, when turns were forgotten since.
        """
        if snapshot.n_slides != self._n_slides or snapshot.length > self.slot.length:
            return False
        self._answer_number += 1
        self.slot.truncate(snapshot.length)
        self._open = snapshot.open_turn
        self._turns = TurnLog(list(snapshot.turn_starts))
        self._start_listening()
        self._turn_audio_count = snapshot.turn_audio_count
        self._mel.restore(snapshot.mel)
        self._audio_cache.restore(snapshot.audio)
        self.generator.set_state(snapshot.random_state)
        return True

    def _slide(self) -> None:
        excess = self._turns.excess(self.slot.length, self._window) if self._window else 0
        if excess:
            self.drop_span(self._turns.starts[0], excess)
            self._turns.forget(excess)
            self._answer_start -= excess
            self._n_slides += 1

    def _render(self, writer: PromptWriter, message: ChatMessage, options: PieceOptions) -> str:
        body = writer.body(message, "" if options.omni_mode else "\n")
        if message.role == "user":
            if self._open == "user":
                return body
            return _CLOSING[self._open] + "<|im_start|>user\n" + body
        if self.slot.length == 0:
            return self.model.tokenizer.render([{"role": message.role, "content": body}])
        if self.compat:
            return body  # published: a later system or assistant piece has no header
        header = f"{_CLOSING[self._open]}<|im_start|>{message.role}\n{body}"
        return header if message.role == "assistant" else header + "<|im_end|>\n"

    def _next_open(self, role: str, *, is_first: bool) -> OpenTurn:
        if role == "user":
            return "user"
        if is_first or role == "system":
            keeps_answer = self.compat and self._open == "answer"
            return "answer" if keeps_answer else "none"
        if self.compat:
            return "answer" if self._open == "answer" else "none"
        return "reply"

    def _hear(self, waveforms: list[np.ndarray], *, is_live: bool, is_last: bool) -> Tensor:
        if not is_live:
            return self.model.encode_audio(
                offline_features(waveforms), blockwise=False, compat=self.compat
            )
        if len(waveforms) > 1:
            raise PromptError("a live piece may hold one audio item")
        mel = self._mel.push(waveforms[0], last=is_last)
        return self.model.encode_audio_live(mel, self._audio_cache)

    def _start_listening(self) -> None:
        """A new turn hears from silence: fresh mel front end, empty encoder cache."""
        self._turn_audio_count = 0
        self._mel = StreamingMel(self._mel_settings)
        self._audio_cache.reset()


def _pad_first_audio(message: ChatMessage, n_samples: int) -> ChatMessage:
    """Left-pad the first audio of a turn with silence to the length the front end expects."""
    padded = [
        np.pad(item, (max(0, n_samples - item.shape[0]), 0))
        if isinstance(item, np.ndarray)
        else item
        for item in message.items
    ]
    return ChatMessage(message.role, padded)
