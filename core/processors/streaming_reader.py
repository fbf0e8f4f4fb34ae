"""Streaming as a service uses it: wire requests are read here and run on conversations."""

from __future__ import annotations

from core.errors import TooLargeError
from core.processors.conversation import AnswerTask, Conversation, PrefillTask
from core.processors.limits import RequestLimits
from core.processors.messages import read_messages
from core.processors.speech import read_speech
from core.processors.voices import Voices
from core.schemas import (
    StreamingGenerateMessage,
    StreamingPrefillMessage,
    StreamingRequest,
    TTSConfig,
)
from MiniCPMO45 import GenerationOptions, MiniCPMO

DEFAULT_SLICES = 1


class StreamingReader:
    """Reads requests, on any thread, and makes the conversations that run what was read."""

    def __init__(self, model: MiniCPMO, limits: RequestLimits, voices: Voices) -> None:
        self.model = model
        self.limits = limits
        self.kv_cache_length = 0
        self.voices = voices

    def open(self, *, seed: int | None = None) -> Conversation:
        """A new conversation."""
        return Conversation(self.model, self.voices, self._note_length, seed=seed)

    def _note_length(self, length: int) -> None:
        self.kv_cache_length = length

    def read_prefill(
        self, request: StreamingPrefillMessage | StreamingRequest, *, is_continuation: bool
    ) -> PrefillTask:
        """Decode and check messages; with `is_continuation` they follow others.

        Audio is heard as a whole, unless the request says that it is not its last chunk.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        slices = (
            request.image.max_slice_nums
            if isinstance(request, StreamingRequest)
            else request.max_slice_nums
        )
        said_to_go_on = "is_last_chunk" in request.model_fields_set and not request.is_last_chunk
        return PrefillTask(
            messages=read_messages(request.messages, self.limits, is_continuation=is_continuation),
            omni_mode=request.omni_mode,
            max_slice_nums=slices or DEFAULT_SLICES,
            is_live_chunk=said_to_go_on,
        )

    def read_answer(
        self, prefill: StreamingPrefillMessage, generate: StreamingGenerateMessage
    ) -> AnswerTask:
        """How to answer; what `generate` leaves open is taken from the prefill.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        settings = prefill.generation.model_dump() if prefill.generation else {}
        for name in ("max_new_tokens", "length_penalty"):
            if name in generate.model_fields_set or name not in settings:
                settings[name] = getattr(generate, name)
        limit = self.limits.max_new_tokens
        if settings["max_new_tokens"] > limit:
            raise TooLargeError(
                f"max_new_tokens must be at most {limit}", field="max_new_tokens", limit=limit
            )
        settings.pop("max_inp_length", None)
        field = "tts_ref_audio_base64" if prefill.tts_ref_audio_base64 else "ref_audio_base64"
        reference = getattr(prefill, field) or None
        tts = TTSConfig(enabled=generate.generate_audio, ref_audio_data=reference)
        speech, warning = read_speech(self.voices, tts, field)
        return AnswerTask(
            generation=GenerationOptions(streaming=True, **settings),
            enable_thinking=prefill.enable_thinking,
            use_tts_template=prefill.use_tts_template,
            speech=speech,
            warning=warning,
        )
