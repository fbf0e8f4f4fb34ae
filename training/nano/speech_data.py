"""Spoken answers to learn from, from seeds: conversations and calls with their audio codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from random import Random

from MiniCPMO45.configuration import MiniCPMOConfig
from MiniCPMO45.sessions.generation import CHUNK_TOKENS
from MiniCPMO45.sessions.speech import SILENCE_CODE
from MiniCPMO45.speech_tokens import REPLY_MINIMUM
from training.nano.answering import AnswerVoice, OwnVoice, codes_before
from training.nano.call_data import call_sequences
from training.nano.call_rendering import CallRenderer
from training.nano.dialogues import training_dialogues
from training.nano.mixed_rows import MixedSequence, SpokenStretch
from training.nano.packing import packed
from training.nano.rendering import SPEECH_END, TURN_END, Renderer
from training.nano.speech_rows import SpokenSequence, with_plans
from training.nano.spoken_data import held_out_dialogues

CALL_SHARE = 0.15  # of the sequences; they are longer than the others
WHOLE_SHARE = 0.4  # answers that are spoken when all of their text is known
LONGEST_SILENCE = 6  # codes of a short one beyond those that it has to have


@dataclass(frozen=True)
class SpeechData:
    """Makes endless packed rows of a seed, whose sequences know their turns of speech.

    Args:
        folder: checkpoint with the tokenizers.
        length: tokens of a row.
        held_out: conversations that training never hears.
    """

    folder: Path
    length: int
    held_out: bool = False

    def __call__(self, seed: int) -> Iterator[list[SpokenSequence]]:
        config = MiniCPMOConfig.from_folder(self.folder).tts_config
        sequences = (with_plans(sequence, config) for sequence in self._sequences(seed))
        return packed(sequences, self.length)

    def _sequences(self, seed: int) -> Iterator[MixedSequence]:
        rng, voice = Random(f"speech {seed}"), OwnVoice(self.folder)
        renderer = Renderer(self.folder)
        calls = call_sequences(
            CallRenderer(self.folder), voice, seed, self.length, held_out=self.held_out
        )
        learnt = training_dialogues(seed + 700_000_000)
        for dialogue in held_out_dialogues(seed) if self.held_out else learnt:
            if rng.random() < CALL_SHARE:
                yield next(calls)
            on_socket = rng.random() < 0.5
            sequence = (
                renderer.turns(dialogue)
                if rng.random() < 0.5
                else renderer.chat(dialogue, on_socket=on_socket, speech=True)
            )
            mixed = MixedSequence(sequence.ids, sequence.learnt)
            mixed.turns = [
                spoken_answer(renderer, mixed, places, voice, rng)
                for places in answer_places(renderer, mixed)
            ]
            yield mixed


def answer_places(renderer: Renderer, sequence: MixedSequence) -> list[list[int]]:
    """Places of the words of each answer."""
    ends = renderer.tokenizer.ids_of([SPEECH_END, TURN_END])
    answers = []
    for learnt, run in groupby(range(len(sequence.ids)), sequence.learnt.__getitem__):
        places = [place for place in run if sequence.ids[place] not in ends]
        if learnt and places:
            answers.append(places)
    return answers


def spoken_answer(
    renderer: Renderer, sequence: MixedSequence, places: list[int], voice: AnswerVoice, rng: Random
) -> list[SpokenStretch]:
    """An answer as a whole, as chat reads it aloud, or in chunks, as it is spoken while it is
    written."""
    ids = [sequence.ids[place] for place in places]
    text = renderer.tokenizer.decode(ids)
    codes = voice.codes(text)
    if rng.random() < WHOLE_SHARE:
        n_missing = REPLY_MINIMUM - len(codes)
        if n_missing > 0:
            codes = codes + [SILENCE_CODE] * (n_missing + rng.randrange(LONGEST_SILENCE))
        return [SpokenStretch(places, codes, text_finished=True, ends=True)]
    stretches = []
    n_said = 0
    for first in range(0, len(places), CHUNK_TOKENS):
        end = min(len(places), first + CHUNK_TOKENS)
        is_last = end == len(places)
        n_characters = len(text) if is_last else len(renderer.tokenizer.decode(ids[:end]))
        n_known = max(n_said, codes_before(text, n_characters, len(codes)))
        own = codes[n_said:n_known]
        stretches.append(SpokenStretch(places[first:end], own, text_finished=is_last, ends=True))
        n_said = n_known
    return stretches
