"""Stage 3: the ear alone learns to spell what is said, as the language model reads it.

    python -m training.nano.train_ear CHECKPOINT --out FOLDER --steps 3000

Starts from the weights in CHECKPOINT and writes those of the audio encoder and its projector to
FOLDER now and then; `training.nano.model --weights` lays them over the checkpoint. The language
model only lends its embeddings, so that a step takes a fraction of one of `train_hearing`. Prints
one JSON line.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from random import Random

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.mel import SAMPLE_RATE
from training.nano.dialogues import Dialogue, barred_sentences, training_dialogues
from training.nano.ear_batch import heard
from training.nano.hearing import Clip, led_in, streamed_call, streamed_turn, whole_clip
from training.nano.making import Making, prepared
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.phones import FRAME_S
from training.nano.recogniser import word_error_rate
from training.nano.saying import transcript
from training.nano.sounds import Draws
from training.nano.spelling import Speller
from training.nano.spoken_data import heard_speech, held_out_dialogues
from training.nano.stage import Stage

LONGEST_PIECE = 4  # words, or Chinese characters
PIECE_SHARE = 0.4  # of the clips; the others are whole questions
READS_NOTHING = 0.9  # of the words wrong, at least: an ear that has never spelt

STAGE = Stage("ear", ("apm.", "audio_projection_layer."))


def spoken_clips(seed: int) -> Iterator[Clip]:
    """Endless questions of a seed, and pieces of them, heard in all the ways in which the service
    hears."""
    rng, draws = _randomness(seed)
    for text in _questions(training_dialogues(seed + 300_000_000)):
        shorter = rng.random() < PIECE_SHARE
        yield some_clip(rng, draws, piece(rng, text, LONGEST_PIECE) if shorter else text)


def held_out_clips(seed: int) -> Iterator[Clip]:
    """Whole questions, and voices, that training never hears."""
    rng, draws = _randomness(seed)
    for text in _questions(held_out_dialogues(seed)):
        yield some_clip(rng, draws, text, held_out=True)


def _randomness(seed: int) -> tuple[Random, Draws]:
    return Random(f"ear {seed}"), np.random.default_rng([seed, 11])


def _questions(dialogues: Iterator[Dialogue]) -> Iterator[str]:
    return (exchange.user for dialogue in dialogues for exchange in dialogue.exchanges)


def piece(rng: Random, text: str, longest: int) -> str:
    """At most ``longest`` words of a text, in Chinese characters, that follow each other; the whole
    text where they would be a sentence of a test, or nothing that can be heard."""
    parts, gap = (text.split(), " ") if text.isascii() else (list(text), "")
    count = rng.randint(1, longest)
    first = rng.randrange(max(1, len(parts) - count + 1))
    some = gap.join(parts[first : first + count])
    heard_as = transcript(some)
    return some if heard_as and heard_as not in barred_sentences() else text


def some_clip(rng: Random, draws: Draws, text: str, *, held_out: bool = False) -> Clip:
    """A question as chat, turns or calls hear it."""
    speech = heard_speech(draws, text, held_out=held_out)
    waveform, phones = speech.waveform, speech.phones
    kind = rng.randrange(4)
    if kind == 0:
        clip = whole_clip(waveform, "blocks", text)
    elif kind == 1:
        clip = whole_clip(waveform, "whole", text)
    else:
        whole_seconds = np.pad(waveform, (0, SAMPLE_RATE))  # of a call they alone count
        clip = streamed_turn(waveform, text) if kind == 2 else streamed_call(whole_seconds, text)
        waveform = led_in(waveform)
        phones = phones.later((waveform.size - speech.waveform.size) / SAMPLE_RATE)
    clip.phones = phones.in_frames(math.ceil(waveform.size / SAMPLE_RATE / FRAME_S))
    return clip


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    with (
        Making(spoken_clips, options.seed, options.rows, options.processes) as making,
        Making(held_out_clips, 0, options.held_out, -(-options.processes // 4)) as held_out,
    ):
        device = torch.device(options.device)
        model = load_for_training(options.checkpoint, device, STAGE.prefixes)
        speller = Speller(model)
        test = held_out.everything()
        wrong_before = word_error_rate(spellings(speller, test))
        if wrong_before > READS_NOTHING:
            speller.begin_with_silence()
        with prepared(lambda: making.take(options.batch)) as batches:

            def next_loss() -> Tensor:
                clips = next(batches)
                return speller.spelling_loss(heard(model, clips, disturbed=True), clips)

            done = STAGE.train(options, model, Optimisation.of(options, speller), next_loss)
        spelt = spellings(speller, test)
    report(
        **done,
        phones_loss=round(float(speller.phones_loss.detach()), 4),
        tokens_loss=round(float(speller.tokens_loss.detach()), 4),
        clips=len(making.items),
        held_out={
            "words_wrong_before": round(wrong_before, 3),
            "words_wrong": round(word_error_rate(spelt), 3),
            "heard": spelt[:10],
        },
    )
    return 0


@torch.no_grad()
def spellings(speller: Speller, clips: list[Clip], n_at_once: int = 16) -> list[tuple[str, str]]:
    """What is said in clips, and what is heard."""
    pairs: list[tuple[str, str]] = []
    for first in range(0, len(clips), n_at_once):
        batch = clips[first : first + n_at_once]
        with half_precision(speller.model.device):
            ear = heard(speller.model, batch)
        pairs += [
            (clip.text or "", speller.spelt(ear, number)) for number, clip in enumerate(batch)
        ]
    return pairs


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=3000, batch=64, rate=1e-3, rows="questions")
    parser.add_argument("--rows", type=int, default=60_000, help="questions of training data")
    parser.add_argument("--held-out", type=int, default=96, help="questions of the test")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
