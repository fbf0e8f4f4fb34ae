"""Calls among other conversations, packed into rows, from seeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from training.nano.answering import AnswerVoice, PacedVoice
from training.nano.call_rendering import CALL_PROMPTS, CallRenderer
from training.nano.calls import CallWriter
from training.nano.dialogues import training_dialogues
from training.nano.mixed_rows import MixedSequence, PackedRow
from training.nano.packing import packed
from training.nano.speakers import voice_sample
from training.nano.spoken_data import held_out_dialogues, spoken_sequences
from training.nano.spoken_rendering import SpokenRenderer

CALL_SHARE = 0.2  # of the sequences; they are many times longer than the others
CAMERA_SHARE = 0.5  # of the calls
LONG_CALL_SHARE = 0.2
SHORT_UNITS = range(8, 41)
LONGEST_UNITS = 150
LONGEST_PROMPT_TOKENS = 200  # with the voice sample
TOKENS_PER_UNIT = 15  # speaking ones have more, listening ones less
TOKENS_PER_FRAME = 66
VOICE_SHARE = 0.7


@dataclass(frozen=True)
class CallRows:
    """Makes endless packed rows of a seed: calls, spoken conversations and text.

    Args:
        folder: checkpoint with the tokenizer.
        length: tokens of a row.
        held_out: only calls, with questions and voices that training never hears.
    """

    folder: Path
    length: int
    held_out: bool = False

    def __call__(self, seed: int) -> Iterator[PackedRow]:
        return packed(self._sequences(seed), self.length)

    def _sequences(self, seed: int) -> Iterator[MixedSequence]:
        rng = Random(f"calls among others {seed}")
        others = spoken_sequences(SpokenRenderer(self.folder), seed)
        calls = call_sequences(
            CallRenderer(self.folder), PacedVoice(), seed, self.length, held_out=self.held_out
        )
        while True:
            yield next(calls if self.held_out or rng.random() < CALL_SHARE else others)


def call_sequences(
    renderer: CallRenderer,
    voice: AnswerVoice,
    seed: int,
    length: int,
    *,
    held_out: bool = False,
) -> Iterator[MixedSequence]:
    """Endless calls, short ones and some that nearly fill a row of ``length`` tokens."""
    rng, draws = Random(f"calls {seed}"), np.random.default_rng([seed, 5])
    source = held_out_dialogues(seed) if held_out else training_dialogues(seed + 500_000_000)
    writer = CallWriter(renderer.text, voice, source, rng, held_out=held_out)
    while True:
        with_camera = rng.random() < CAMERA_SHARE
        call = writer.call(_some_units(rng, length, with_camera), with_camera=with_camera)
        sample = voice_sample(draws) if rng.random() < VOICE_SHARE else None
        yield renderer.render(call, rng.choice(CALL_PROMPTS), sample)


def _some_units(rng: Random, length: int, with_camera: bool) -> int:
    """How long a call is to be that a row of ``length`` tokens holds."""
    tokens_per_unit = TOKENS_PER_UNIT + (TOKENS_PER_FRAME if with_camera else 0)
    n_fitting = min(LONGEST_UNITS, (length - LONGEST_PROMPT_TOKENS) // tokens_per_unit)
    if n_fitting > SHORT_UNITS.stop and rng.random() < LONG_CALL_SHARE:
        return rng.randint(SHORT_UNITS.stop, n_fitting)
    return min(rng.choice(SHORT_UNITS), max(SHORT_UNITS.start, n_fitting))
