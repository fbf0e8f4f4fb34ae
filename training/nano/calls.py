"""Calls to learn from, from seeds: who says what when, and what the model does each second."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import numpy as np
from PIL import Image

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.speech_tokens import CODES_PER_GROUP
from training.nano.answering import AnswerVoice, paced
from training.nano.camera import Camera
from training.nano.dialogues import Dialogue
from training.nano.exchange import Exchange
from training.nano.phrasing import Split
from training.nano.rendering import Renderer
from training.nano.scenes import asked
from training.nano.sounds import Waveform, background, disturbance, level_db, mixed, seconds
from training.nano.speakers import question
from training.nano.watching import watch

ANSWER_AFTER_S = 0.4  # of silence behind a question, at the end of a unit
YIELD_AFTER_S = 0.6  # of speech over the model's own
FORCED_UNITS = 3  # first ones, in which the model may not answer yet
LONGEST_BACKCHANNEL_S = 0.6
LONGEST_QUESTION_S = 7.0

BACKCHANNELS = ("uh-huh", "yeah", "oh", "right", "okay", "ah", "yes", "嗯", "哦", "好")
SILENT_CALL_SHARE = 0.15
INTERRUPTED_SHARE = 0.3  # of the answers that take more than a second
BACKCHANNEL_SHARE = 0.3  # of the others
CAMERA_TALK_SHARE = 0.6  # of what happens in a call with a camera has to do with it
SILENT_CHANGE_SHARE, WATCH_SHARE = 0.2, 0.5  # of that; the rest are questions
NEW_SCENE_SHARE = 0.4  # of the questions, about something that has just been shown
LONGEST_WATCH_S = 6.0  # from one scene to the next one
MOST_DECOYS = 2  # scenes before the one that is waited for


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
        camera: what it shows; ``frames`` are those of the units, none without a camera.
        unsure: units in which it listens only because it has to; they are not learnt.
        asked: when questions ended, in s, and the units in which their answers begin.
        noticed: units in which the model speaks up about what is new on camera.
    """

    n_units: int
    waveform: Waveform = field(default_factory=lambda: np.zeros(0, np.float32))
    sounds: list[tuple[int, Waveform]] = field(default_factory=list)
    camera: Camera | None = None
    frames: list[Image.Image | None] = field(default_factory=list)
    spoken: dict[int, SpokenUnit] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    asked: list[tuple[float, int]] = field(default_factory=list)
    noticed: list[int] = field(default_factory=list)
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


def _over_s(call: Call, units: list[SpokenUnit]) -> float:
    """When the last answer has been heard to its end."""
    n_late = max(0, len(units[-1].codes) - CODES_PER_GROUP)
    return call.first_free_unit + 1 + n_late / CODES_PER_GROUP


class CallWriter:
    """Writes calls, one after another, the same for the same seed.

    Args:
        held_out: users have voices that training never hears, and other words for the camera.
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
        self._split: Split = "held_out" if held_out else "seen"

    def call(self, n_units: int, *, with_camera: bool = False) -> Call:
        """A call of so many seconds."""
        rng = self._rng
        call = Call(n_units, camera=Camera(rng) if with_camera else None)
        talks = rng.random() >= SILENT_CALL_SHARE
        now_s = rng.uniform(0.2, 4.0)
        while now_s < n_units:
            kind = rng.random()
            if call.camera is not None and rng.random() < CAMERA_TALK_SHARE:
                now_s = self._shown(call, call.camera, now_s, talks=talks)
            elif talks and kind < 0.65:
                now_s = self._dialogue(call, now_s)
            elif kind < 0.8:
                now_s = self._sound(call, now_s, disturbance(self._draws)) + rng.uniform(0.5, 3)
            else:
                now_s += rng.uniform(1, 8)
        call.spoken = {number: unit for number, unit in call.spoken.items() if number < n_units}
        call.unsure = {number for number in call.unsure if number < n_units}
        call.frames = call.camera.frames(n_units) if call.camera is not None else []
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

    def _shown(self, call: Call, camera: Camera, now_s: float, *, talks: bool) -> float:
        """Something on camera; when it is over: a question about it, a request to watch it, or
        just another scene, of which nobody speaks."""
        kind = self._rng.random()
        if not talks or kind < SILENT_CHANGE_SHARE:
            camera.show(math.ceil(now_s), camera.another())
            return now_s + self._rng.uniform(0.5, 4)
        if kind < 1 - WATCH_SHARE:
            if self._rng.random() < NEW_SCENE_SHARE:
                camera.show(math.floor(now_s), camera.another())
            exchange = asked(self._rng, camera.scene, self._split)[1]
            return self._exchange(call, exchange, now_s)[0] + self._rng.uniform(0.4, 3)
        return self._watched(call, camera, now_s) + self._rng.uniform(0.5, 3)

    def _watched(self, call: Call, camera: Camera, now_s: float) -> float:
        """The model is asked to watch; it keeps silent until what was asked for is shown."""
        coming = camera.another()
        request = watch(self._rng, self._split, camera.scene, coming)
        now_s = self._exchange(call, request.exchange, now_s, interruptible=False)[0]
        for _ in range(self._rng.randint(0, MOST_DECOYS) if request.wanted else 0):
            decoy = camera.another()
            if not request.is_met_by(decoy):
                now_s += self._rng.uniform(0.5, LONGEST_WATCH_S)
                camera.show(math.ceil(now_s), decoy)
        unit = math.ceil(now_s + self._rng.uniform(0.5, LONGEST_WATCH_S))
        camera.show(unit, coming)
        call.noticed.append(unit)
        return _over_s(call, self._answer(call, request.report, unit))

    def _exchange(
        self, call: Call, exchange: Exchange, now_s: float, *, interruptible: bool = True
    ) -> tuple[float, bool]:
        """A question and its answer; when that is over, and whether another question cut it."""
        end_s = self._sound(call, now_s, self._said(exchange.user, LONGEST_QUESTION_S))
        known = answering_unit(end_s)
        first = max(known, FORCED_UNITS, call.first_free_unit)
        call.unsure.update(range(known, first))
        call.asked.append((end_s, first))
        units = self._answer(call, exchange.answer, first)
        if interruptible and len(units) > 1 and self._rng.random() < INTERRUPTED_SHARE:
            return self._interruption(call, first, len(units)), True
        if self._rng.random() < BACKCHANNEL_SHARE:
            self._backchannel(call, first + self._rng.uniform(0, len(units)))
        return _over_s(call, units), False

    def _answer(self, call: Call, text: str, first: int) -> list[SpokenUnit]:
        """The model speaks from unit ``first`` on; its units."""
        units = spoken_units(self._renderer, text, self._voice.codes(text))
        call.spoken |= enumerate(units, start=first)
        call.first_free_unit = first + len(units)
        return units

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
