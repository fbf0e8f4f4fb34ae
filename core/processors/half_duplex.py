"""A half-duplex call on the model: what it is opened with, and its spoken turns."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from core.errors import RequestError, TooLargeError
from core.processors.conversation import AnswerTask, PrefillTask
from core.processors.events import ChatEvent, Prefilled
from core.processors.limits import RequestLimits
from core.processors.media import decode_audio, too_much_audio
from core.processors.model_errors import service_errors
from core.processors.speech import SPEECH_UNAVAILABLE, SpeechTask
from core.processors.streaming import StreamingView
from core.processors.voices import Voices
from core.schemas import (
    MODEL_SAMPLE_RATE,
    HalfDuplexPrepareMessage,
    TextContent,
    TTSConfig,
)
from MiniCPMO45 import ChatMessage, GenerationOptions, voice_system_message
from MiniCPMO45.speech_sampling import SpeechSampling

DEFAULT_SYSTEM_PROMPT = "You are a helpful assistant."
VOICE_FIELD = "ref_audio_base64"

HalfDuplexView = StreamingView


class HalfDuplexCall:
    """A conversation that a system message opens and that goes on by voice.

    It may be made on any thread; its generators run on the model's own. Whoever makes it closes
    its `conversation`.

    Raises:
        InvalidFieldError, TooLargeError: naming the field of the request and the limit.
    """

    def __init__(self, view: HalfDuplexView, request: HalfDuplexPrepareMessage) -> None:
        opening = _Opening(view.voices, view.limits, request)
        self.warning = opening.warning
        self.conversation = view.open()
        self._voices = view.voices
        self._system = PrefillTask([ChatMessage("system", opening.content)])
        self._answer = AnswerTask(
            _generation_options(request, view.limits.max_new_tokens), speech=opening.speech
        )

    @property
    def is_spoken(self) -> bool:
        """Whether answers have sound."""
        return self._answer.speech is not None

    def begin(self) -> Generator[Prefilled, None, None]:
        """Make the voice ready and read the system message."""
        if self._answer.speech is not None:
            with service_errors():
                self._voices.opener(self._answer.speech.recording, self._answer.speech.field)
        with _named("system_content", instead_of="messages"):
            yield from self.conversation.prefill(self._system)

    def turn(self, utterances: Sequence[np.ndarray]) -> Generator[ChatEvent, None, None]:
        """Hear the utterances, each float32 [n_samples] at 16 kHz, and answer them."""
        heard = PrefillTask([ChatMessage("user", list(utterances))])
        with _named("audio_base64", instead_of="messages"):
            yield from self.conversation.prefill(heard)
            yield from self.conversation.answer(self._answer)


class _Opening:
    """A `prepare` as the model takes it: the system message, and the voice that is in it."""

    def __init__(
        self, voices: Voices, limits: RequestLimits, request: HalfDuplexPrepareMessage
    ) -> None:
        self.warning: str | None = None
        self._voice_field = VOICE_FIELD
        self._voices = voices
        self._limits = limits
        self._recording: np.ndarray | None = None
        self.content = (
            self._read_items(request) if request.system_content else self._read_prompt(request)
        )
        self.speech = self._choose_speech() if request.config.tts.enabled else None

    def _read_items(self, request: HalfDuplexPrepareMessage) -> list[str | np.ndarray]:
        content: list[str | np.ndarray] = []
        n_samples = 0
        for index, item in enumerate(request.system_content):
            field = f"system_content[{index}].data"
            if isinstance(item, TextContent):
                content.append(item.text)
                continue
            if self._recording is None:
                waveform = self._read_voice(item.data, field)
            else:
                waveform = decode_audio(item.data, field, self._limits.audio_s)
            n_samples += len(waveform)
            if n_samples > self._limits.audio_s * MODEL_SAMPLE_RATE:
                raise too_much_audio(field, self._limits.audio_s)
            content.append(waveform)
        return content

    def _read_prompt(self, request: HalfDuplexPrepareMessage) -> list[str | np.ndarray]:
        prompt = request.system_prompt
        if not request.ref_audio_base64:
            return [prompt or DEFAULT_SYSTEM_PROMPT]
        recording = self._read_voice(request.ref_audio_base64, VOICE_FIELD)
        language = "zh" if prompt and _has_chinese(prompt) else "en"
        before, _, after = voice_system_message("audio_assistant", language, recording).items
        return [str(before), recording, prompt or str(after)]

    def _read_voice(self, data: str | None, field: str) -> np.ndarray:
        self._voice_field = field
        tts = TTSConfig(ref_audio_data=data)
        self._recording, self.warning = self._voices.choose(tts, field)
        return self._recording

    def _choose_speech(self) -> SpeechTask | None:
        if not self._voices.can_speak:
            self.warning = SPEECH_UNAVAILABLE
            return None
        if self._recording is None:
            self._read_voice(None, VOICE_FIELD)
        assert self._recording is not None
        return SpeechTask(self._recording, SpeechSampling(), self._voice_field)


def _generation_options(
    request: HalfDuplexPrepareMessage, max_new_tokens: float
) -> GenerationOptions:
    settings = request.config.generation.model_dump(exclude={"max_inp_length"})
    if settings["max_new_tokens"] > max_new_tokens:
        field = "config.generation.max_new_tokens"
        raise TooLargeError(
            f"{field} must be at most {max_new_tokens}", field=field, limit=max_new_tokens
        )
    return GenerationOptions(streaming=True, **settings)


def _has_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@contextmanager
def _named(field: str, *, instead_of: str) -> Iterator[None]:
    """In the block, what is wrong with one field is told of the one that the client sent."""
    try:
        yield
    except RequestError as error:
        if error.field == instead_of:
            error.field = field
            error.message = error.message.replace(instead_of, field)
        raise
