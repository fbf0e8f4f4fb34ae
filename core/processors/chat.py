"""Chat: wire requests in, model sessions run, wire answers out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import RequestError, ServiceError, TooLargeError
from core.processors.answer import answer, spoken_answer
from core.processors.chat_options import generation_options, prompt_options
from core.processors.events import ChatEvent, Finished, Prefilled
from core.processors.limits import RequestLimits
from core.processors.messages import read_messages
from core.processors.model_errors import service_errors
from core.processors.prefilled_chat import PrefilledChat
from core.processors.sound import sound_of, wav_base64
from core.processors.speech import SpeechTask, read_speech
from core.processors.voices import FindFile, Voices, with_voice_prompt
from core.schemas import ChatRequest, ChatResponse, ChatStreamRequest
from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, PromptOptions


@dataclass(frozen=True)
class ChatTask:
    """A request read and checked: all that the inference thread needs."""

    messages: list[ChatMessage]
    prompt: PromptOptions
    generation: GenerationOptions
    return_prompt: bool = False
    warning: str | None = None
    speech: SpeechTask | None = None


class ChatView(PrefilledChat):
    """Chat on a loaded model. `read` may run on any thread, the rest only on the model's own."""

    def __init__(
        self,
        model: MiniCPMO,
        limits: RequestLimits,
        default_voice: str | None = None,
        find_voice_file: FindFile = Path,
    ) -> None:
        super().__init__(model, limits)
        self.voices = Voices(model, default_voice, limits, find_voice_file)
        self.kv_cache_length = 0

    def read(self, request: ChatRequest | ChatStreamRequest) -> ChatTask:
        """Decode and check a request.

        Raises:
            InvalidFieldError, TooLargeError: naming the field and the limit.
        """
        limit = self.limits.max_new_tokens
        if request.generation.max_new_tokens > limit:
            raise TooLargeError(
                f"generation.max_new_tokens must be at most {limit}",
                field="generation.max_new_tokens",
                limit=limit,
            )
        messages = read_messages(request.messages, self.limits)
        speech, warning = read_speech(self.voices, request.tts)
        if speech is not None and isinstance(request, ChatRequest):
            messages = with_voice_prompt(messages, request.tts, speech.recording)
        return ChatTask(
            messages=messages,
            prompt=prompt_options(request),
            generation=generation_options(request),
            return_prompt=isinstance(request, ChatRequest) and request.return_prompt,
            warning=warning,
            speech=speech,
        )

    def run(self, task: ChatTask, *, seed: int | None = None) -> Generator[ChatEvent, None, None]:
        """Answer: `Prefilled`, one `Delta` a token, `Finished`. Each step is bounded model work.

        Closing the generator ends the answer and frees its place in the cache.
        """
        with service_errors(), ChatSession(self.model, seed=seed) as session:
            speech = task.speech
            vocoder = self.voices.vocoder(speech.recording, speech.field) if speech else None
            prompt = session.prefill(task.messages, task.prompt)
            yield Prefilled(prompt.n_tokens, prompt.text)
            events = (
                spoken_answer(session, task.generation, vocoder, speech.sampling)
                if speech and vocoder
                else answer(session, task.generation)
            )
            for event in events:
                self.kv_cache_length = session.kv_cache_length
                yield event

    def chat(
        self,
        request: ChatRequest,
        max_new_tokens: int | None = None,
        do_sample: bool | None = None,
        generate_audio: bool | None = None,
    ) -> ChatResponse:
        """The whole answer at once; a model failure comes back as `success=False`, with `error`.

        An argument that is not None goes over what the request says.

        Raises:
            RequestError: the request itself is wrong.
        """
        started_s = time.monotonic()
        if generate_audio is not None:
            tts = request.tts.model_copy(update={"enabled": generate_audio})
            request = request.model_copy(update={"tts": tts})
        given = {"max_new_tokens": max_new_tokens, "do_sample": do_sample}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        try:
            task = self.read(request)
            task = replace(task, generation=replace(task.generation, **chosen))
            return chat_response(task, self.run(task), started_s)
        except RequestError:
            raise
        except ServiceError as error:
            return ChatResponse(text="", success=False, error=error.message)


def chat_response(task: ChatTask, events: Iterable[ChatEvent], started_s: float) -> ChatResponse:
    """A finished run as the answer to a `POST /chat` that began at `started_s` (monotonic)."""
    events = list(events)
    by_kind = {type(event): event for event in events}
    waveform = sound_of(events)
    prefilled, finished = by_kind[Prefilled], by_kind[Finished]
    assert isinstance(prefilled, Prefilled) and isinstance(finished, Finished)
    return ChatResponse(
        text=finished.text,
        audio_data=None if waveform is None else wav_base64(waveform),
        tokens_generated=finished.generated_tokens,
        duration_ms=(time.monotonic() - started_s) * 1000,
        prompt=prefilled.prompt if task.return_prompt else None,
        token_stats={
            "cached_tokens": 0,
            "input_tokens": prefilled.input_tokens,
            "generated_tokens": finished.generated_tokens,
            "total_tokens": prefilled.input_tokens + finished.generated_tokens,
        },
        warning=task.warning,
    )
