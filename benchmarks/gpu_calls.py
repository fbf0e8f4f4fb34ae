"""Full-duplex calls on one GPU: single units, and many calls in real time on one model."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.batching import Lane, Lanes
from MiniCPMO45.token2wav import Token2Wav
from tests.gpu.full_size_call import END_TURN, LISTEN, SPEAK, ScriptedCall
from tests.gpu.full_size_speech import random_voice

UNIT_S = 1.0
WARM_UP_UNITS = 6
TURN_S = 4
WARM_UP_S = 2 * TURN_S
POLL_S = 0.0005
SLOWEST = 10
STANDING = ("kv_length", "ear_frames")  # counts that tell where a unit began


def spread(times_ms: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest of some times."""
    ordered = sorted(times_ms)
    at = {"p50": len(ordered) // 2, "p99": int(0.99 * (len(ordered) - 1)), "max": -1}
    return {name: round(ordered[index], 2) for name, index in at.items()}


@dataclass(frozen=True)
class UnitTime:
    """How long a unit took, and the counts of its call before and after, see ScriptedCall."""

    took_ms: float
    before: dict[str, int]
    after: dict[str, int]

    @property
    def circumstances(self) -> dict[str, int]:
        """Where it began, and what else happened in it."""
        passed = {name: count - self.before[name] for name, count in self.after.items()}
        return {name: self.before[name] if name in STANDING else passed[name] for name in passed}


def timed_unit(call: ScriptedCall, words: list[str]) -> UnitTime:
    """One unit that chooses these words."""
    before = call.counts
    took_ms, _ = call.unit(words)
    return UnitTime(took_ms, before, call.counts)


def slowest(units: Sequence[UnitTime]) -> list[dict[str, float]]:
    """The slowest units, the slowest first: which they are, and what was special in them."""
    order = sorted(range(len(units)), key=lambda index: -units[index].took_ms)
    return [
        {"unit": index, "ms": round(units[index].took_ms, 1), **units[index].circumstances}
        for index in order[:SLOWEST]
    ]


def unit_times(model: MiniCPMO, token2wav: Token2Wav, n_units: int) -> dict[str, object]:
    """Milliseconds of units that listen or speak four words with their sound, one call alone, and
    the slowest units of each kind."""
    times: dict[str, object] = {"units": n_units}
    voice = random_voice(token2wav)
    for mode, with_pictures in (("audio", False), ("omni", True)):
        call = ScriptedCall(model, token2wav, voice, with_pictures=with_pictures)
        for name, words in (("listen", LISTEN), ("speak", SPEAK)):
            for _ in range(WARM_UP_UNITS):
                call.unit(words)
            units = [timed_unit(call, words) for _ in range(n_units)]
            times[f"{mode}_{name}_ms"] = spread([unit.took_ms for unit in units])
            times[f"{mode}_{name}_slowest"] = slowest(units)
        call.close()
    return times


class TimedUnit(Lane[None]):
    """One unit of a call in a lane, due a second after its sound arrived."""

    def __init__(self, call: ScriptedCall, words: list[str], arrived_s: float) -> None:
        super().__init__(lambda: _unit_steps(call, words), arrived_s + UNIT_S)
        self._arrived_s = arrived_s
        self.took_ms: float | None = None
        self.error: BaseException | None = None

    def finish(self, error: BaseException | None) -> None:
        torch.cuda.synchronize()
        self.took_ms = 1000 * (time.perf_counter() - self._arrived_s)
        self.error = error


def _unit_steps(call: ScriptedCall, words: list[str]) -> Generator[None, None, None]:
    yield from call.steps(words)


def words_of(second: int, index: int) -> list[str]:
    """What a call chooses in a second; every other call is half a period ahead."""
    if (second // TURN_S + index) % 2 == 0:
        return LISTEN
    return END_TURN if second % TURN_S == TURN_S - 1 else SPEAK


def sustained_calls(
    model: MiniCPMO, token2wav: Token2Wav, n_calls: int, seconds: int
) -> dict[str, object]:
    """Omni calls side by side in real time; at every moment half of them speak.

    Each speaks for four seconds, ends its turn, and listens for four. A unit is missed when it is
    not done a second after its sound arrived.
    """
    voice = random_voice(token2wav)
    calls = [ScriptedCall(model, token2wav, voice) for _ in range(n_calls)]
    begin_s = time.perf_counter() + 0.1
    arrivals = sorted(
        (begin_s + second * UNIT_S + index / n_calls, second, index)
        for second in range(WARM_UP_S + seconds)
        for index in range(n_calls)
    )
    lanes, forwards = Lanes(), model.language.n_forwards
    waiting: list[list[tuple[float, int]]] = [[] for _ in calls]
    running: list[TimedUnit | None] = [None] * n_calls
    done: list[tuple[int, TimedUnit]] = []
    while arrivals or lanes or any(waiting):
        while arrivals and arrivals[0][0] <= time.perf_counter():
            arrived_s, second, index = arrivals.pop(0)
            waiting[index].append((arrived_s, second))
        for index, units in enumerate(waiting):
            last = running[index]
            if units and (last is None or last.is_over):
                arrived_s, second = units.pop(0)
                unit = TimedUnit(calls[index], words_of(second, index), arrived_s)
                running[index] = unit
                done.append((second, unit))
                lanes.add(unit)
        if lanes:
            lanes.turn()
        else:
            time.sleep(POLL_S)
    for call in calls:
        call.close()
    for _, unit in done:
        if unit.error is not None:
            raise unit.error
    times_ms = [unit.took_ms for second, unit in done if second >= WARM_UP_S and unit.took_ms]
    return {
        "calls": n_calls,
        "seconds": seconds,
        "units": len(times_ms),
        "unit_ms": spread(times_ms),
        "missed": sum(took_ms > 1000 * UNIT_S for took_ms in times_ms),
        "forwards_per_unit": round((model.language.n_forwards - forwards) / len(done), 2),
    }
