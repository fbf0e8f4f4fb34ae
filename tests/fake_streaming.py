"""Streaming conversations that follow a script, for workers without weights."""

from __future__ import annotations

import threading
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from core.processors import (
    AnswerTask,
    Conversation,
    Delta,
    Finished,
    Prefilled,
    PrefillTask,
    RequestLimits,
    SpokenAnswer,
    StreamingView,
)
from core.processors.voices import Voices

TOKENS_PER_MESSAGE = 10
OPENING_TOKENS = 3
SOUND_OF_A_WORD = np.zeros(24_000, np.float32)


class FakeConversation(Conversation):
    """Ten tokens a message; the answer is the view's words, one a step."""

    def __init__(self, view: FakeStreamingView) -> None:
        self.view = view
        self.length = 0
        self.texts: list[Any] = []
        self.audio_epoch = 0
        self.spoken = SpokenAnswer()

    @property
    def kv_cache_length(self) -> int:
        return self.length

    def prefill(self, task: PrefillTask) -> Generator[Prefilled, None, None]:
        self.view.open_conversations.add(self)
        cached_tokens, n_read = self.length, 0
        for message in task.messages:
            if self.view.slow_prefill:
                self.view.permits.acquire()
            self.texts.append(message.content)
            self.length += TOKENS_PER_MESSAGE
            n_read += TOKENS_PER_MESSAGE
            yield Prefilled(n_read, "the prompt", cached_tokens)

    def answer(self, task: AnswerTask) -> Generator[Delta | Finished, None, None]:
        view = self.view
        view.answer_tasks.append(task)
        view.n_live += 1
        self.length += OPENING_TOKENS
        try:
            if view.failure is not None:
                raise view.failure
            for index, word in enumerate(view.words):
                if view.stepwise:
                    view.permits.acquire()
                view.n_steps += 1
                self.length += 1
                sound = SOUND_OF_A_WORD if view.is_spoken else None
                yield Delta(word, index + 1, sound, index + 1)
            yield Finished("".join(view.words), len(view.words), "stop", self.length)
        finally:
            view.n_live -= 1

    def cut_answer(self, audio_epoch: int, played_ms: float) -> str | None:
        if audio_epoch != self.spoken.audio_epoch:
            return None
        self.length -= self.spoken.whole.n_tokens - self.spoken.cut(played_ms).n_tokens
        return self.spoken.whole.text

    def close(self) -> None:
        self.view.open_conversations.discard(self)


class FakeStreamingView(StreamingView):
    """With `stepwise` each word waits for a permit, with `slow_prefill` each message does; with
    `is_spoken` each has a second of sound.
    """

    def __init__(self, limits: RequestLimits) -> None:
        model = cast(Any, SimpleNamespace(vocoder=None))
        super().__init__(model, limits, Voices(model, None, limits))
        self.words = ["One", " two", "", " three", "."]
        self.stepwise = False
        self.slow_prefill = False
        self.is_spoken = False
        self.permits = threading.Semaphore(0)
        self.failure: Exception | None = None
        self.answer_tasks: list[AnswerTask] = []
        self.conversations: list[FakeConversation] = []
        self.open_conversations: set[FakeConversation] = set()
        self.n_steps = 0
        self.n_live = 0

    def open(self, *, seed: int | None = None) -> FakeConversation:
        conversation = FakeConversation(self)
        self.conversations.append(conversation)
        return conversation
