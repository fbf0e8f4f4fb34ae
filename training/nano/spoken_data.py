"""Spoken conversations to learn from, from seeds: rows of questions heard in all ways, and text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from random import Random

import numpy as np

from MiniCPMO45 import ChatMessage, voice_system_message
from MiniCPMO45.mel import SAMPLE_RATE
from training.nano.dialogues import (
    Dialogue,
    evaluation_dialogues,
    training_dialogues,
    written_dialogues,
)
from training.nano.mixed_rows import MixedSequence, PackedRow, without_waste
from training.nano.packing import packed
from training.nano.picture_rows import QUESTIONS, picture_sequence
from training.nano.pictures import HELD_OUT_SEEDS, album
from training.nano.saying import transcript
from training.nano.sounds import Draws, Waveform, background, level_db, mixed, seconds
from training.nano.speakers import spoken_question, voice_sample
from training.nano.speech import Speech
from training.nano.spoken_rendering import SpokenRenderer, SpokenTurn

TEXT_SHARE = 0.35  # conversations that are all text, so that nothing learnt is forgotten
PICTURE_SHARE = 0.15  # about pictures, likewise
WRITTEN_SHARE = 0.12  # questions that are typed among spoken ones
DICTATION_SHARE = 0.1
VOICE_SHARE = 0.25  # conversations whose system message gives a voice
LONGEST_QUESTION_S = 12.0

DICTATIONS = (
    "Please listen to the audio snippet carefully and transcribe the content.",
    "Please write down what is said.",
    "Write down every word that you hear.",
    "请仔细听这段音频片段，并将其内容逐字记录。",
)
_VOICE_MODES = ("omni", "audio_assistant", "audio_roleplay", "voice_cloning")


@dataclass(frozen=True)
class SpokenRows:
    """Makes endless packed rows of a seed.

    Args:
        folder: checkpoint with the tokenizer.
        length: tokens of a row.
        held_out: only questions and voices that training never hears.
    """

    folder: Path
    length: int
    held_out: bool = False

    def __call__(self, seed: int) -> Iterator[PackedRow]:
        sequences = held_out_sequences if self.held_out else spoken_sequences
        return packed(sequences(SpokenRenderer(self.folder), seed), self.length)


def held_out_sequences(renderer: SpokenRenderer, seed: int) -> Iterator[MixedSequence]:
    """Endless conversations of the test in its voices, as ``POST /api/chat`` reads them."""
    draws = np.random.default_rng([seed, 7])
    for dialogue in held_out_dialogues(seed):
        turns = [
            SpokenTurn(heard_question(draws, part.user, held_out=True), part.answer)
            for part in dialogue.exchanges
        ]
        yield renderer.spoken_chat(None, turns, speech=False)


def held_out_dialogues(seed: int) -> Iterator[Dialogue]:
    """The conversations of the test in some order, again and again."""
    dialogues = evaluation_dialogues()
    Random(seed).shuffle(dialogues)
    return cycle(dialogues)


def spoken_sequences(renderer: SpokenRenderer, seed: int) -> Iterator[MixedSequence]:
    """Endless conversations, most of them spoken; some are written, and some are about pictures."""
    rng, draws = Random(f"spoken {seed}"), np.random.default_rng([seed, 3])
    written = written_dialogues(seed)
    for dialogue in training_dialogues(seed + 100_000_000):
        kind = rng.random()
        if kind < TEXT_SHARE:
            yield without_waste(renderer.some_layout(next(written), rng))
        elif kind < TEXT_SHARE + PICTURE_SHARE:
            shown = album(rng.randrange(HELD_OUT_SEEDS.start), rng.choice(QUESTIONS))
            yield without_waste(picture_sequence(renderer, shown, rng))
        elif rng.random() < DICTATION_SHARE:
            yield dictation(renderer, dialogue, rng, draws)
        else:
            yield conversation(renderer, dialogue, rng, draws)


def conversation(
    renderer: SpokenRenderer, dialogue: Dialogue, rng: Random, draws: Draws
) -> MixedSequence:
    """A dialogue with spoken questions in one of the layouts."""
    turns = [
        SpokenTurn(exchange.user, exchange.answer)
        if rng.random() < WRITTEN_SHARE
        else SpokenTurn(heard_question(draws, exchange.user), exchange.answer, exchange.user)
        for exchange in dialogue.exchanges
    ]
    system = _system(dialogue, rng, draws)
    if len(turns) > 2 or rng.random() < 0.5:
        return renderer.spoken_turns(system, turns, live=rng.random() < 0.4)
    on_socket = rng.random() < 0.5
    return renderer.spoken_chat(system, turns, on_socket=on_socket, speech=rng.random() < 0.7)


def dictation(
    renderer: SpokenRenderer, dialogue: Dialogue, rng: Random, draws: Draws
) -> MixedSequence:
    """One question of a dialogue, to be written down instead of answered."""
    said = rng.choice(dialogue.exchanges).user
    waveform = heard_question(draws, said)
    turn = SpokenTurn(waveform, transcript(said), said, instruction=rng.choice(DICTATIONS))
    return renderer.spoken_chat(None, [turn], on_socket=rng.random() < 0.5)


def heard_question(draws: Draws, text: str, *, held_out: bool = False) -> Waveform:
    """The sound of `heard_speech`."""
    return heard_speech(draws, text, held_out=held_out).waveform


def heard_speech(draws: Draws, text: str, *, held_out: bool = False) -> Speech:
    """A question as a recording: speech with some silence around it, over some noise; see also
    `spoken_question`."""
    said = spoken_question(draws, text, held_out=held_out)
    speech = said.waveform[: seconds(LONGEST_QUESTION_S)]
    before = seconds(draws.uniform(0.0, 0.7))
    n_samples = before + speech.size + seconds(draws.uniform(0.05, 0.9))
    floor = background(draws, n_samples, level_db(speech))
    waveform = mixed(n_samples, [(before, speech)], floor)
    return Speech(waveform, said.phones.later(before / SAMPLE_RATE))


def _system(dialogue: Dialogue, rng: Random, draws: Draws) -> ChatMessage | None:
    if rng.random() < VOICE_SHARE:
        mode, language = rng.choice(_VOICE_MODES), rng.choice(("en", "zh"))
        return voice_system_message(mode, language, voice_sample(draws))
    return ChatMessage("system", dialogue.system) if dialogue.system else None
