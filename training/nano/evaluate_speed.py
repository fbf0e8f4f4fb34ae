"""How long the service takes to start, and for a second of a call with pictures, on two cores."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from training.nano.dialogues import Dialogue
from training.nano.evaluate_calls import Line, LiveCall, OpenLine, Unit, ask, percentile
from training.nano.sounds import Waveform

N_CORES = 2


@contextmanager
def on_two_cores() -> Iterator[None]:
    """Processes that are started meanwhile keep to two cores."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(mine)[:N_CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


@dataclass
class SpeedScores:
    """Times of the units of calls, those apart in which the model spoke."""

    start_s: float | None
    listening_ms: list[float] = field(default_factory=list)
    speaking_ms: list[float] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        every = self.listening_ms + self.speaking_ms
        return {
            "start_to_ready_s": self.start_s,
            "omni_unit_p50_ms": percentile(every, 50),
            "omni_unit_p95_ms": percentile(every, 95),
            "omni_speaking_unit_p95_ms": percentile(self.speaking_ms, 95),
            "units": len(every),
            "speaking_units": len(self.speaking_ms),
        }


def speed_scores(
    open_line: OpenLine, dialogues: list[Dialogue], start_s: float | None
) -> SpeedScores:
    """Each dialogue's first question in a call of its own, a second of sound every second.

    Args:
        open_line: begins a call that shows a picture each second.
        start_s: from starting the service to its being ready; None where it ran already.
    """
    scores = SpeedScores(start_s)
    for number, dialogue in enumerate(dialogues):
        with open_line() as line:
            call = LiveCall(paced(line))
            ask(call, dialogue.exchanges[0].user, number)
        for unit in call.units:
            times_ms = scores.listening_ms if unit.is_listen else scores.speaking_ms
            times_ms.append(unit.duration_s * 1000)
    return scores


def paced(line: Line) -> Line:
    """A line that sends no second of sound before the last one would have been heard."""
    next_s = time.monotonic()

    def hear(second: Waveform) -> Unit:
        nonlocal next_s
        time.sleep(max(0.0, next_s - time.monotonic()))
        next_s = time.monotonic() + 1
        return line(second)

    return hear
