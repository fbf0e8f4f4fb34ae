"""A worker whose model is a script: real endpoints, real reading of requests, no weights."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any, cast

from config import LimitsConfig, ModelConfig, RecordingConfig, ServiceConfig, SessionsConfig
from core.capabilities import ProcessorMode
from core.processors import (
    ChatEvent,
    ChatTask,
    ChatView,
    Delta,
    Finished,
    Prefilled,
    RequestLimits,
    UnifiedProcessor,
)
from tests.fake_duplex import FakeDuplexView
from tests.fake_streaming import FakeStreamingView
from worker_modules.model_worker import MiniCPMOWorker

DEADLINE_S = 10.0


def fake_config(
    *, idle_wait_s: float = 5.0, first_frame_s: float = 60.0, **limits: float
) -> ServiceConfig:
    return ServiceConfig(
        model=ModelConfig(model_path="fake"),
        recording=RecordingConfig(enabled=False),
        limits=LimitsConfig.model_validate(limits),
        sessions=SessionsConfig(
            worker_idle_wait_s=idle_wait_s, streaming_prefill_idle_s=first_frame_s
        ),
    )


class FakeChatView(ChatView):
    """Answers `words`, one a step. With `stepwise`, each word waits for a permit."""

    def __init__(self, limits: RequestLimits) -> None:
        super().__init__(cast(Any, SimpleNamespace(vocoder=None)), limits)
        self.words = ["One", " two", "", " three", "."]
        self.stepwise = False
        self.permits = threading.Semaphore(0)
        self.failure: Exception | None = None
        self.tasks: list[ChatTask] = []
        self.n_steps = 0
        self.n_live = 0

    def run(self, task: ChatTask, *, seed: int | None = None) -> Generator[ChatEvent, None, None]:
        self.tasks.append(task)
        self.n_live += 1
        try:
            yield Prefilled(7, "the prompt")
            if self.failure is not None:
                raise self.failure
            for index, word in enumerate(self.words):
                if self.stepwise:
                    self.permits.acquire()
                self.n_steps += 1
                yield Delta(word, index + 1)
            yield Finished("".join(self.words), len(self.words), "stop", 12)
        finally:
            self.n_live -= 1


class FakeProcessor:
    """What the worker asks of a processor."""

    modes = (ProcessorMode.CHAT, ProcessorMode.STREAMING)
    kv_cache_length = 12
    kv_cache_usage = 0.25
    model_name = "fake"
    embedded = True
    attention_backends: dict[str, str] = {"llm": "sdpa"}  # noqa: RUF012
    gpu_memory_used_mb = None

    def __init__(
        self, view: FakeChatView, streaming: FakeStreamingView, duplex: FakeDuplexView, n_slots: int
    ) -> None:
        self.n_slots = n_slots
        self._view = view
        self._streaming = streaming
        self._duplex = duplex

    def set_chat_mode(self) -> FakeChatView:
        return self._view

    def set_streaming_mode(self) -> FakeStreamingView:
        return self._streaming

    def set_duplex_mode(self) -> FakeDuplexView:
        return self._duplex


class FakeWorker(MiniCPMOWorker):
    """Loads at once, or when `may_load` is set, or never with `load_error`."""

    def __init__(self, config: ServiceConfig, n_slots: int = 1) -> None:
        limits = RequestLimits.from_settings(config.limits)
        super().__init__("fake", 3, n_slots=n_slots, limits=limits)
        self.view = FakeChatView(limits)
        self.streaming = FakeStreamingView(limits)
        self.duplex = FakeDuplexView(limits)
        self.may_load = threading.Event()
        self.may_load.set()
        self.load_error: Exception | None = None
        self.slots_that_fit = n_slots

    def load_model(self) -> None:
        self.report(0.5, "half way")
        self.may_load.wait(DEADLINE_S)
        if self.load_error is not None:
            raise self.load_error
        processor = FakeProcessor(self.view, self.streaming, self.duplex, self.slots_that_fit)
        self.processor = cast(UnifiedProcessor, processor)
        self.report(1.0, "ready")


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once `condition` holds; fail if it does not within the deadline."""
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "the condition never held"
        time.sleep(0.002)
