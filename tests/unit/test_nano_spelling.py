"""Spelling by what is heard: rows near the embeddings of what is said cost nothing."""

from __future__ import annotations

import copy
from itertools import chain
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from MiniCPMO45 import MiniCPMO
from tests.unit.nano_feeds import sound
from training.nano.dialogues import barred_sentences
from training.nano.ear_batch import Heard, heard
from training.nano.hearing import Clip, streamed_call, whole_clip
from training.nano.phones import SILENCE
from training.nano.spelling import PLACEHOLDER, Speller
from training.nano.train_ear import piece


@pytest.fixture(scope="module")
def speller(embedded_checkpoint: Path) -> Speller:
    return Speller(MiniCPMO.load(str(embedded_checkpoint), max_length=256))


def heard_exactly(speller: Speller, texts: list[str]) -> Heard:
    """What an ear would hear that makes no mistake: each token twice, placeholders between."""
    tokenizer = speller.model.tokenizer
    (placeholder,) = tokenizer.ids_of([PLACEHOLDER])
    rows = [
        list(chain.from_iterable([index, index, placeholder] for index in tokenizer.encode(text)))
        for text in texts
    ]
    table = speller.model.llm.model.embed_tokens.weight
    frames = np.split(np.arange(50 * len(texts)), len(texts))
    states = torch.zeros(50 * len(texts), speller.phones.in_features)
    ids = torch.tensor(list(chain.from_iterable(rows)))
    return Heard(table[ids].detach().clone(), [len(row) for row in rows], states, frames)


def clips_of(*texts: str | None) -> list[Clip]:
    return [Clip("whole", [], 0, text=text) for text in texts]


def test_rows_at_the_embeddings_of_tokens_are_read_as_these(speller: Speller) -> None:
    texts = ["hello hello", "what is two", "你好"]
    ear = heard_exactly(speller, texts)
    assert [speller.spelt(ear, number) for number in range(3)] == texts


def test_what_was_said_costs_less_than_anything_else(speller: Speller) -> None:
    ear = heard_exactly(speller, ["hello", "what is two"])
    speller.spelling_loss(ear, clips_of("Hello!", "What is 2?"))
    right = float(speller.tokens_loss)
    speller.spelling_loss(ear, clips_of("What is 2?", "Hello!"))
    assert right < 0.1 * float(speller.tokens_loss)


def test_sounds_without_words_are_left_out(speller: Speller) -> None:
    ear = heard_exactly(speller, ["hello", "what is two"])
    assert float(speller.spelling_loss(ear, clips_of(None, None))) == 0
    speller.spelling_loss(ear, clips_of(None, "what is two"))
    assert float(speller.tokens_loss) < 1


@torch.no_grad()
def test_frames_are_to_tell_the_phones_that_are_said_in_them(speller: Speller) -> None:
    told_apart = Speller(speller.model)
    told_apart.phones.weight.zero_()
    told_apart.phones.weight[[7, 9, SILENCE], [0, 1, 2]] = 20.0
    ear = heard_exactly(speller, ["hello", "what is two"])
    first = int(ear.frames[1][0])
    for dimension, start, end in ((0, 0, 20), (1, 20, 45), (2, 45, 50)):
        ear.states[first + start : first + end, dimension] = 1.0
    clips = clips_of("hello", "what is two")
    assert float(told_apart.spelling_loss(ear, clips)) < 1  # when phones are said is not known
    clips[1].phones = np.array([7] * 20 + [9] * 25, np.int16)  # silent at the end
    told_apart.spelling_loss(ear, clips)
    assert float(told_apart.phones_loss) < 0.01
    assert float(told_apart.phones_right) == 1
    clips[1].phones = np.array([9] * 20 + [7] * 25, np.int16)
    told_apart.spelling_loss(ear, clips)
    assert float(told_apart.phones_loss) > 10


def test_the_ear_learns_and_the_embeddings_do_not(speller: Speller) -> None:
    clips = [whole_clip(sound(1.3, seed=1), "whole", "hello")]
    clips.append(streamed_call(sound(2.5, seed=2), "what is two"))
    model = speller.model.requires_grad_(True)
    speller.spelling_loss(heard(model, clips), clips).backward()
    ears = [model.apm.conv1.weight, next(model.audio_projection_layer.parameters())]
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in ears)
    assert model.llm.model.embed_tokens.weight.grad is None


def test_an_ear_that_begins_with_silence_spells_nothing_and_tells_sounds_apart(
    speller: Speller,
) -> None:
    model = speller.model
    before = copy.deepcopy(model.audio_projection_layer.state_dict())
    clips = [whole_clip(sound(1.3, seed=seed), "whole", "hello") for seed in (1, 2)]
    loud = heard(model, clips)
    speller.begin_with_silence()
    quiet = heard(model, clips)
    model.audio_projection_layer.load_state_dict(before)
    assert [speller.spelt(quiet, number) for number in range(2)] == ["", ""]
    first, second = quiet.rows.detach().split(quiet.n_rows)
    assert 0 < float((first - second).norm()) < float((loud.rows - quiet.rows).detach().norm())


def test_a_piece_follows_the_words_of_its_question_and_is_no_sentence_of_a_test() -> None:
    rng = Random(1)
    question = "Please tell me what is two plus three"
    pieces = {piece(rng, question, 4) for _ in range(300)}
    assert {"me what", "two plus three"} < pieces
    assert all(some in question and len(some.split()) <= 4 for some in pieces)
    assert len(piece(rng, "二加三等于多少", 2)) <= 2
    barred = min(barred_sentences(), key=lambda sentence: (not sentence.isascii(), len(sentence)))
    assert len(barred.split()) <= 4
    assert all(piece(rng, f"{barred} please", 4) != barred for _ in range(300))
