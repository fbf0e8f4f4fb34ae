"""Calls to learn from, from seeds: who says what when, and what the model does each second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import numpy as np

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.speech_tokens import CODES_PER_GROUP
from training.nano.answering import AnswerVoice, paced
from training.nano.dialogues import Dialogue
from training.nano.exchange import Exchange
from training.nano.rendering import Renderer
from training.nano.sounds import Waveform, background, disturbance, level_db, mixed, seconds
from training.nano.speakers import question

ANSWER_AFTER_S = 0.4  # of silence behind a question, at the end of a unit
YIELD_AFTER_S = 0.6  # of speech over the model's own
FORCED_UNITS = 3  # first ones, in which the model may not answer yet
LONGEST_BACKCHANNEL_S = 0.6
LONGEST_QUESTION_S = 7.0

BACKCHANNELS = ("uh-huh", "yeah", "oh", "right", "okay", "ah", "yes", "嗯", "哦", "好")
SILENT_CALL_SHARE = 0.15
INTERRUPTED_SHARE = 0.3  # of the answers that take more than a second
BACKCHANNEL_SHARE = 0.3  # of the others


@dataclass(frozen=True)
class SpokenUnit:
    """What the model says in a unit, ``codes`` of it within that unit.

    Args:
        token_ids: its words.
        ends_turn: nothing more follows.
        opens_turn: nothing came before.
    """

    token_ids: list[int]
    codes: list[int]
    ends_turn: bool
    opens_turn: bool


@dataclass
class Call:
    """A call of ``n_units`` seconds; in units that are not in ``spoken`` the model listens.

    Args:
        waveform: float32 at 16 kHz, made of ``sounds``, which begin at a sample each.
        unsure: units in which it listens only because it has to; they are not learnt.
        asked: when questions ended, in s, and the units in which their answers begin.
    """

    n_units: int
    waveform: Waveform = field(default_factory=lambda: np.zeros(0, np.float32))
    sounds: list[tuple[int, Waveform]] = field(default_factory=list)
    spoken: dict[int, SpokenUnit] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    asked: list[tuple[float, int]] = field(default_factory=list)
    first_free_unit: int = 0


def answering_unit(end_s: float) -> int:
    """The unit after which a question that ends at ``end_s`` is known to be over."""
    return math.ceil(end_s + ANSWER_AFTER_S) - 1


def spoken_units(renderer: Renderer, text: str, codes: list[int]) -> list[SpokenUnit]:
    """An answer as units: all but the last have a second of speech, the last one has the rest."""
    parts = paced(renderer, text, len(codes))
    units = []
    for number, token_ids in enumerate(parts):
        is_last = number == len(parts) - 1
        end = len(codes) if is_last else (number + 1) * CODES_PER_GROUP
        own = codes[number * CODES_PER_GROUP : end]
        units.append(SpokenUnit(token_ids, own, ends_turn=is_last, opens_turn=number == 0))
    return units


class CallWriter:
    """Writes calls, one after another, the same for the same seed.

    Args:
        held_out: users have voices that training never hears.
    """

    def __init__(
        self,
        renderer: Renderer,
        voice: AnswerVoice,
        dialogues: Iterator[Dialogue],
        rng: Random,
        *,
        held_out: bool = False,
    ) -> None:
        self._renderer = renderer
        self._voice = voice
        self._dialogues = dialogues
        self._rng = rng
        self._draws = np.random.default_rng(rng.getrandbits(63))
        self._held_out = held_out

    def call(self, n_units: int) -> Call:
        """A call of so many seconds."""
        rng = self._rng
        call = Call(n_units)
        talks = rng.random() >= SILENT_CALL_SHARE
        now_s = rng.uniform(0.2, 4.0)
        while now_s < n_units:
            kind = rng.random()
            if talks and kind < 0.65:
                now_s = self._dialogue(call, now_s)
            elif kind < 0.8:
                now_s = self._sound(call, now_s, disturbance(self._draws)) + rng.uniform(0.5, 3)
            else:
                now_s += rng.uniform(1, 8)
        call.spoken = {number: unit for number, unit in call.spoken.items() if number < n_units}
        call.unsure = {number for number in call.unsure if number < n_units}
        call.waveform = self._mixed(call)
        return call

    def _dialogue(self, call: Call, now_s: float) -> float:
        """A whole conversation; when it is over."""
        for exchange in next(self._dialogues).exchanges:
            now_s, interrupted = self._exchange(call, exchange, now_s)
            now_s += self._rng.uniform(0.4, 3.5)
            if interrupted or now_s >= call.n_units:
                break
        return now_s

    def _exchange(self, call: Call, exchange: Exchange, now_s: float) -> tuple[float, bool]:
        """A question and its answer; when that is over, and whether another question cut it."""
        end_s = self._sound(call, now_s, self._said(exchange.user, LONGEST_QUESTION_S))
        known = answering_unit(end_s)
        first = max(known, FORCED_UNITS, call.first_free_unit)
        call.unsure.update(range(known, first))
        call.asked.append((end_s, first))
        units = spoken_units(self._renderer, exchange.answer, self._voice.codes(exchange.answer))
        for number, unit in enumerate(units, start=first):
            call.spoken[number] = unit
        call.first_free_unit = first + len(units)
        if len(units) > 1 and self._rng.random() < INTERRUPTED_SHARE:
            return self._interruption(call, first, len(units)), True
        if self._rng.random() < BACKCHANNEL_SHARE:
            self._backchannel(call, first + self._rng.uniform(0, len(units)))
        n_late = max(0, len(units[-1].codes) - CODES_PER_GROUP) / CODES_PER_GROUP
        return call.first_free_unit + 1 + n_late, False

    def _interruption(self, call: Call, first: int, n_spoken: int) -> float:
        """Another question comes while the answer is said, which ends there."""
        start_s = first + 1 + self._rng.uniform(0.1, n_spoken - 1)
        cut = math.ceil(start_s + YIELD_AFTER_S) - 1
        if cut < call.first_free_unit:
            for number in range(cut, call.first_free_unit):
                del call.spoken[number]
            call.spoken[cut] = SpokenUnit([], [], ends_turn=True, opens_turn=False)
            call.first_free_unit = cut + 1
        question_asked = next(self._dialogues).exchanges[0]
        return self._exchange(call, question_asked, start_s)[0]

    def _backchannel(self, call: Call, start_s: float) -> None:
        """The user shows that they follow, which interrupts nobody."""
        spoken = self._said(self._rng.choice(BACKCHANNELS), LONGEST_QUESTION_S)
        if spoken.size <= seconds(LONGEST_BACKCHANNEL_S):
            self._sound(call, start_s, spoken)

    def _said(self, text: str, longest_s: float) -> Waveform:
        return question(self._draws, text, held_out=self._held_out)[: seconds(longest_s)]

    @staticmethod
    def _sound(call: Call, start_s: float, waveform: Waveform) -> float:
        """Place a sound; when it ends."""
        call.sounds.append((seconds(start_s), waveform))
        return start_s + waveform.size / SAMPLE_RATE

    def _mixed(self, call: Call) -> Waveform:
        levels = [level_db(sound) for _, sound in call.sounds]
        level = sum(levels) / len(levels) if levels else -25.0
        n_samples = call.n_units * SAMPLE_RATE
        return mixed(n_samples, call.sounds, background(self._draws, n_samples, level))
