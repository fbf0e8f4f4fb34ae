"""Full-duplex calls that follow a script, for workers without weights."""

from __future__ import annotations

import threading
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from core.processors import CallTask, ChunkTask, Decision, DuplexCall, DuplexView, RequestLimits
from core.processors.voices import Voices

UNIT_SAMPLES = 16000
TOKENS_PER_UNIT = 13
SECOND_OF_SOUND = np.zeros(24000, np.float32)


class FakeDuplexCall(DuplexCall):
    """Decides as the view's script says: L listens, S speaks, E speaks and ends its turn."""

    def __init__(self, view: FakeDuplexView) -> None:
        self.view = view
        self.length = 0
        self._n_samples = self._n_units = 0
        self._turn_is_open = False

    @property
    def kv_cache_length(self) -> int:
        return self.length

    def prepare(self, task: CallTask) -> Generator[None, None, None]:
        self.view.open_calls.add(self)
        self.view.prepared.append(task)
        if self.view.slow_prepare:
            self.view.permits.acquire()
        yield
        if self.view.failures:
            raise self.view.failures.pop(0)
        self.length = TOKENS_PER_UNIT
        yield

    def hear(self, chunk: ChunkTask) -> Generator[Decision | None, None, None]:
        view = self.view
        view.heard.append(chunk)
        view.n_live += 1
        try:
            if view.stepwise:
                view.permits.acquire()
            yield None
            if view.failures:
                raise view.failures.pop(0)
            self._n_samples += chunk.samples.size
            decision = Decision(kv_cache_length=self.length, n_slices=len(chunk.frames))
            while self._n_samples >= UNIT_SAMPLES:
                self._n_samples -= UNIT_SAMPLES
                self._decide(decision, chunk)
            yield decision
            yield None
            if view.closing_failures:
                raise view.closing_failures.pop(0)
            view.n_finalized += 1
        finally:
            view.n_live -= 1

    def close(self) -> None:
        self.view.open_calls.discard(self)

    def _decide(self, decision: Decision, chunk: ChunkTask) -> None:
        letter = self.view.script[self._n_units % len(self.view.script)]
        self._n_units += 1
        self.length += TOKENS_PER_UNIT
        decision.n_units += 1
        decision.units_so_far = self._n_units
        decision.kv_cache_length = self.length
        decision.costs_s["llm"] = decision.costs_s["whole"] = 0.01
        decision.interrupted = chunk.force_listen and self._turn_is_open
        decision.is_listen = chunk.force_listen or letter == "L"
        decision.end_of_turn = letter == "E" and not decision.is_listen
        self._turn_is_open = not decision.is_listen and letter == "S"
        if not decision.is_listen:
            decision.text = f"word {self._n_units} "
            decision.waveform = SECOND_OF_SOUND


class FakeDuplexView(DuplexView):
    """With `stepwise` each chunk waits for a permit, with `slow_prepare` each preparation does."""

    def __init__(self, limits: RequestLimits) -> None:
        tokenizer = SimpleNamespace(ids_of=lambda names: [0] * len(names), encode_plain=list)
        model = cast(Any, SimpleNamespace(vocoder=None, tokenizer=tokenizer))
        super().__init__(model, limits, Voices(model, None, limits))
        self.script = "L"
        self.stepwise = False
        self.slow_prepare = False
        self.permits = threading.Semaphore(0)
        self.failures: list[Exception] = []
        self.closing_failures: list[Exception] = []
        self.prepared: list[CallTask] = []
        self.heard: list[ChunkTask] = []
        self.open_calls: set[FakeDuplexCall] = set()
        self.n_live = 0
        self.n_finalized = 0

    def open(self, *, seed: int | None = None) -> FakeDuplexCall:
        return FakeDuplexCall(self)
