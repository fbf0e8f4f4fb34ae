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
from training.nano.mixed_rows import MixedSequence, PackedRow, packed
from training.nano.speakers import voice_sample
from training.nano.spoken_data import spoken_sequences
from training.nano.spoken_rendering import SpokenRenderer

CALL_SHARE = 0.3  # of the sequences; they are many times longer than the others
LONG_CALL_SHARE = 0.2
SHORT_UNITS = range(8, 41)
LONGEST_PROMPT_TOKENS = 200  # with the voice sample
TOKENS_PER_UNIT = 15  # speaking ones have more, listening ones less
VOICE_SHARE = 0.7


@dataclass(frozen=True)
class CallRows:
    """Makes endless packed rows of a seed: calls, spoken conversations and text.

    Args:
        folder: checkpoint with the tokenizer.
        length: tokens of a row.
    """

    folder: Path
    length: int

    def __call__(self, seed: int) -> Iterator[PackedRow]:
        return packed(self._sequences(seed), self.length)

    def _sequences(self, seed: int) -> Iterator[MixedSequence]:
        rng = Random(f"calls among others {seed}")
        others = spoken_sequences(SpokenRenderer(self.folder), seed)
        calls = call_sequences(CallRenderer(self.folder), PacedVoice(), seed, self.length)
        while True:
            yield next(calls if rng.random() < CALL_SHARE else others)


def call_sequences(
    renderer: CallRenderer, voice: AnswerVoice, seed: int, length: int
) -> Iterator[MixedSequence]:
    """Endless calls, short ones and some that nearly fill a row of ``length`` tokens."""
    rng, draws = Random(f"calls {seed}"), np.random.default_rng([seed, 5])
    writer = CallWriter(renderer.text, voice, training_dialogues(seed + 500_000_000), rng)
    n_most = max(SHORT_UNITS.start, (length - LONGEST_PROMPT_TOKENS) // TOKENS_PER_UNIT)
    while True:
        is_long = n_most > SHORT_UNITS.stop and rng.random() < LONG_CALL_SHARE
        n_units = rng.randint(SHORT_UNITS.stop, n_most) if is_long else rng.choice(SHORT_UNITS)
        call = writer.call(min(n_units, n_most))
        sample = voice_sample(draws) if rng.random() < VOICE_SHARE else None
        yield renderer.render(call, rng.choice(CALL_PROMPTS), sample)
