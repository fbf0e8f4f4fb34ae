"""One unit of a full-duplex conversation: what was heard, what was decided, what was said."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

from torch import Tensor

Result = TypeVar("Result")


class DuplexState(Enum):
    """What a conversation waits for."""

    NEW = auto()
    READY = auto()
    PENDING = auto()
    UNFINALIZED = auto()
    STOPPED = auto()


@dataclass(frozen=True)
class Heard:
    """Outcome of one prefill. Nothing was read unless ``success``; ``reason`` says why not."""

    success: bool
    reason: str = ""
    n_slices: int = 0


@dataclass
class UnitCosts:
    """Where the time of one unit went, in seconds, without what was done for others in between.

    ``llm`` is the choice of text, ``tts_prep`` the condition of the speech, ``tts`` its codes,
    ``token2wav`` their sound.
    """

    llm: float = 0.0
    tts_prep: float = 0.0
    tts: float = 0.0
    token2wav: float = 0.0

    @property
    def whole(self) -> float:
        """All stages together."""
        return self.llm + self.tts_prep + self.tts + self.token2wav

    @contextmanager
    def count(self, stage: str) -> Iterator[None]:
        """Count the time spent in the block, which must not yield to others."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, stage, getattr(self, stage) + time.perf_counter() - started_s)

    def count_steps(
        self, stage: str, steps: Generator[None, None, Result]
    ) -> Generator[None, None, Result]:
        """Take ``steps``, counting the time spent in them and not between them."""
        while True:
            try:
                with self.count(stage):
                    next(steps)
            except StopIteration as end:
                return end.value
            yield


@dataclass(frozen=True)
class UnitResult:
    """One decision. ``waveform`` is float32 ``[n]`` at 24 kHz, None when nothing was rendered.

    ``interrupted`` says that a turn was cut off before its end.
    """

    is_listen: bool
    text: str = ""
    waveform: Tensor | None = None
    end_of_turn: bool = False
    interrupted: bool = False
    n_units: int = 0
    n_tokens: int = 0
    n_speech_tokens: int = 0
    costs_s: UnitCosts = field(default_factory=UnitCosts)


@dataclass
class OpenUnit:
    """The unit under way: it starts at a cached position, and collects what is chosen."""

    start: int
    terminator: int | None = None
    is_listen: bool = False
    interrupted: bool = False
    spoken: list[tuple[int, Tensor]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    @property
    def spoken_ids(self) -> list[int]:
        """The tokens that are shown and spoken."""
        return [index for index, _ in self.spoken]

    def close(self, terminator: int) -> None:
        """End the unit with this token."""
        self.terminator = terminator
        self.ids.append(terminator)
