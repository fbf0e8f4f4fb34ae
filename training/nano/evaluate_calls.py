"""How well calls go: answers in time, silence kept, interruptions heeded, the time of a unit."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
from websockets.sync.client import connect

from MiniCPMO45.mel import SAMPLE_RATE
from training.nano.dialogues import Dialogue
from training.nano.evaluate_hearing import SOUND_SEED, encoded
from training.nano.scores import Scores, share
from training.nano.sounds import Waveform, background, disturbance, level_db, mixed, noise, seconds
from training.nano.speakers import question

SYSTEM_PROMPT = "Streaming Omni Conversation."
IN_TIME_S = 2.0
SILENT_CALL_S = 60
SILENT_CALL_LEVELS = (None, -60.0, -45.0, -35.0)  # of the noise; with disturbances every other time
LONG_ANSWER_CHARACTERS = 55  # more than three seconds of speech
INTERRUPTION = "Stop, wait a moment, I have another question for you."
PATIENCE_S = 3  # for an answer that is to be interrupted
YIELD_WITHIN_S = 2
LISTENING_S = 9  # after a question


@dataclass(frozen=True)
class Unit:
    """What the model did in one second, and how long it took, in s."""

    is_listen: bool
    text: str
    end_of_turn: bool
    duration_s: float


Line = Callable[[Waveform], Unit]
"""Sends one second of sound and waits for what the model does."""

OpenLine = Callable[[], AbstractContextManager[Line]]
"""Begins a call."""


@contextmanager
def line_to(url: str, pictures: Iterable[str] | None = None) -> Iterator[Line]:
    """A full-duplex call to the gateway at ``url``.

    Args:
        pictures: what the camera shows each second, as files in base64; None is a voice call.

    Raises:
        websockets.WebSocketException: the call broke off.
        RuntimeError: the service refused something.
    """
    name = f"{'adx' if pictures is None else 'omni'}_{uuid.uuid4().hex[:12]}"
    address = url.rstrip("/").replace("http", "ws", 1) + f"/ws/duplex/{name}"
    shown = None if pictures is None else cycle(pictures)
    tls = ssl._create_unverified_context() if address.startswith("wss") else None
    with connect(address, ssl=tls, max_size=None, proxy=None) as socket:

        def until(kind: str) -> dict[str, Any]:
            while (message := json.loads(socket.recv()))["type"] != kind:
                if message["type"] == "error":
                    raise RuntimeError(message["error"])
            return message

        def hear(second: Waveform) -> Unit:
            chunk: dict[str, Any] = {"type": "audio_chunk", "audio_base64": encoded(second)}
            if shown is not None:
                chunk["frame_base64_list"] = [next(shown)]
            started_s = time.perf_counter()
            socket.send(json.dumps(chunk))
            result = until("result")
            duration_s = time.perf_counter() - started_s
            return Unit(result["is_listen"], result["text"], result["end_of_turn"], duration_s)

        until("queue_done")
        prompt = {"type": "prepare", "system_prompt": SYSTEM_PROMPT, "record": False}
        socket.send(json.dumps(prompt))
        until("prepared")
        yield hear
        socket.send(json.dumps({"type": "stop"}))


@dataclass
class LiveCall:
    """A call with all that the model did in it."""

    line: Line
    units: list[Unit] = field(default_factory=list)

    def hear(self, second: Waveform) -> Unit:
        """Send one second; what the model does."""
        self.units.append(self.line(second))
        return self.units[-1]

    @property
    def turn_starts(self) -> list[int]:
        """Units in which the model began to speak."""
        starts, is_open = [], False
        for number, unit in enumerate(self.units):
            if not unit.is_listen and not is_open:
                starts.append(number)
            is_open = not unit.is_listen and not unit.end_of_turn
        return starts


@dataclass
class CallScores:
    """What became of calls."""

    in_time: list[bool] = field(default_factory=list)
    yields: list[bool] = field(default_factory=list)
    answers: Scores = field(default_factory=Scores)
    n_false_starts: int = 0
    n_silent: int = 0
    durations_ms: list[float] = field(default_factory=list)

    @property
    def failures(self) -> list[dict[str, Any]]:
        return self.answers.failures

    def summary(self) -> dict[str, Any]:
        """Shares, rates and the time of a unit as the client sees it."""
        silent_minutes = self.n_silent * SILENT_CALL_S / 60
        return {
            "answered_in_time": share(self.in_time),
            "answers": self.answers.summary(),
            "false_starts_per_minute": round(self.n_false_starts / max(1, silent_minutes), 3),
            "silent_minutes": silent_minutes,
            "yields": share(self.yields),
            "interruptions": len(self.yields),
            "unit_p95_ms": percentile(self.durations_ms, 95),
        }


def percentile(values: Sequence[float], share: int) -> int | None:
    """The value, rounded, that ``share`` of a hundred do not pass; None of none."""
    ranked = sorted(values)
    return round(ranked[min(len(ranked) - 1, len(ranked) * share // 100)]) if ranked else None


def call_scores(
    open_line: OpenLine,
    dialogues: Iterable[Dialogue],
    n_silent: int,
    n_interrupted: int,
    every: int = 1,
) -> CallScores:
    """All scores of calls.

    Args:
        dialogues: questions that need nothing before them are asked in a call of their own.
        every: ask one of so many; long answers are interrupted in all.
        n_silent: calls of a minute in which nobody speaks.
        n_interrupted: calls in which a long answer is interrupted.
    """
    scores = CallScores()
    asked = [dialogue for dialogue in dialogues if len(dialogue.exchanges) == 1]
    long_ones = [d for d in asked if len(d.exchanges[0].answer) >= LONG_ANSWER_CHARACTERS]
    for number, dialogue in enumerate(asked[::every]):
        with _call(open_line, scores) as call:
            end_s = ask(call, dialogue.exchanges[0].user, number)
        delay_s = answer_delay_s(call, end_s)
        scores.in_time.append(delay_s is not None and 0 <= delay_s <= IN_TIME_S)
        said = "".join(unit.text for unit in call.units).strip()
        scores.answers.note(dialogue.skill, dialogue.exchanges, said)
    for number in range(n_silent):
        with _call(open_line, scores) as call:
            keep_silent(call, number)
        scores.n_silent += 1
        scores.n_false_starts += len(call.turn_starts)
    for number in range(n_interrupted if long_ones else 0):
        dialogue = long_ones[number % len(long_ones)]
        with _call(open_line, scores) as call:
            yielded = interrupt(call, dialogue.exchanges[0].user, number)
        if yielded is not None:
            scores.yields.append(yielded)
    return scores


@contextmanager
def _call(open_line: OpenLine, scores: CallScores) -> Iterator[LiveCall]:
    with open_line() as line:
        call = LiveCall(line)
        yield call
    scores.durations_ms += [unit.duration_s * 1000 for unit in call.units]


def ask(call: LiveCall, text: str, number: int) -> float:
    """Ask one question and wait; when the question ended, in s."""
    draws = np.random.default_rng([SOUND_SEED, 1, number])
    spoken = question(draws, text, held_out=True)
    start_s = draws.uniform(3, 5)
    end_s = start_s + spoken.size / SAMPLE_RATE
    n_samples = seconds(int(end_s) + LISTENING_S)
    floor = background(draws, n_samples, level_db(spoken))
    for second in _seconds(mixed(n_samples, [(seconds(start_s), spoken)], floor)):
        call.hear(second)
    return end_s


def answer_delay_s(call: LiveCall, end_s: float) -> float | None:
    """From the end of the question to the answer, the time of its unit included; negative where
    the model spoke before that, None where it never did."""
    if not call.turn_starts:
        return None
    first = call.turn_starts[0]
    return first + 1 + call.units[first].duration_s - end_s


def keep_silent(call: LiveCall, number: int) -> None:
    """A minute in which nobody speaks."""
    draws = np.random.default_rng([SOUND_SEED, 2, number])
    level = SILENT_CALL_LEVELS[number % len(SILENT_CALL_LEVELS)]
    n_samples = seconds(SILENT_CALL_S)
    floor = np.zeros(n_samples, np.float32) if level is None else noise(draws, n_samples, level)
    n_sounds = 5 * (number // len(SILENT_CALL_LEVELS) % 2)
    starts = (seconds(draws.uniform(3, SILENT_CALL_S - 3)) for _ in range(n_sounds))
    sounds = [(start, disturbance(draws)) for start in starts]
    for second in _seconds(mixed(n_samples, sounds, floor)):
        call.hear(second)


def interrupt(call: LiveCall, text: str, number: int) -> bool | None:
    """Whether the model falls silent within two seconds when a user speaks over its answer; None
    where there was no answer to interrupt."""
    draws = np.random.default_rng([SOUND_SEED, 3, number])
    asked = question(draws, text, held_out=True)
    lead = np.zeros(seconds(3.2), np.float32)
    quiet = [noise(draws, SAMPLE_RATE, -70.0) for _ in range(PATIENCE_S)]
    for second in (*_seconds(np.concatenate([lead, asked])), *quiet):
        if not call.hear(second).is_listen:
            break
    if call.units[-1].is_listen or call.units[-1].end_of_turn:
        return None
    over = question(draws, INTERRUPTION, held_out=True)
    for second in _seconds(np.concatenate([lead[: seconds(0.2)], over]))[:YIELD_WITHIN_S]:
        unit = call.hear(second)
        if unit.end_of_turn or unit.is_listen:
            return True
    return False


def _seconds(waveform: Waveform) -> list[Waveform]:
    missing = -waveform.size % SAMPLE_RATE
    return np.split(np.pad(waveform, (0, missing)), (waveform.size + missing) // SAMPLE_RATE)
