"""Chat: wire requests in, model sessions run, wire answers out."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from core.errors import RequestError, ServiceError, TooLargeError
from core.processors.answer import answer
from core.processors.chat_options import generation_options, prompt_options
from core.processors.events import ChatEvent, Finished, Prefilled
from core.processors.limits import RequestLimits
from core.processors.messages import read_messages
from core.processors.model_errors import service_errors
from core.processors.prefilled_chat import PrefilledChat
from core.schemas import ChatRequest, ChatResponse, ChatStreamRequest
from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, PromptOptions

SPEECH_UNAVAILABLE = "speech output is not available in this build; the answer is text only"


@dataclass(frozen=True)
class ChatTask:
    """A request read and checked: all that the inference thread needs."""

    messages: list[ChatMessage]
    prompt: PromptOptions
    generation: GenerationOptions
    return_prompt: bool = False
    warning: str | None = None


class ChatView(PrefilledChat):
    """Chat on a loaded model. `read` may run on any thread, the rest only on the model's own."""

    def __init__(self, model: MiniCPMO, limits: RequestLimits) -> None:
        super().__init__(model, limits)
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
        return ChatTask(
            messages=read_messages(request.messages, self.limits),
            prompt=prompt_options(request),
            generation=generation_options(request),
            return_prompt=isinstance(request, ChatRequest) and request.return_prompt,
            warning=SPEECH_UNAVAILABLE if request.tts.enabled else None,
        )

    def run(self, task: ChatTask, *, seed: int | None = None) -> Generator[ChatEvent, None, None]:
        """Answer: `Prefilled`, one `Delta` a token, `Finished`. Each step is bounded model work.

        Closing the generator ends the answer and frees its place in the cache.
        """
        with service_errors(), ChatSession(self.model, seed=seed) as session:
            prompt = session.prefill(task.messages, task.prompt)
            yield Prefilled(prompt.n_tokens, prompt.text)
            for event in answer(session, task.generation):
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
    by_kind = {type(event): event for event in events}
    prefilled, finished = by_kind[Prefilled], by_kind[Finished]
    assert isinstance(prefilled, Prefilled) and isinstance(finished, Finished)
    return ChatResponse(
        text=finished.text,
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
