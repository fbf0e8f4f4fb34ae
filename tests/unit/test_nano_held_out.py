"""What the tests ask, show and sound like occurs nowhere in the training data of any stage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from unittest.mock import Mock

import pytest

from tests.unit.nano_feeds import noise_for_speech, spoken_as_noise
from training.nano import picture_rows, speakers, spoken_data
from training.nano.answering import PacedVoice
from training.nano.blind import blind_questions
from training.nano.call_data import call_sequences
from training.nano.dialogues import evaluation_dialogues, training_dialogues
from training.nano.evaluate_calls import INTERRUPTION
from training.nano.phrasing import Split
from training.nano.pictures import HELD_OUT_SEEDS, Album, album, questions_of_test
from training.nano.rendering import Renderer
from training.nano.saying import transcript
from training.nano.scenes import a_scene
from training.nano.spoken_data import spoken_sequences
from training.nano.voices import HELD_OUT_VOICES, Voice
from training.nano.watching import watch

CALL_TOKENS = 600


def asked_in_tests() -> Iterator[str]:
    for dialogue in evaluation_dialogues():
        yield from (exchange.user for exchange in dialogue.exchanges)
    for question in blind_questions():
        yield from question.turns
    yield from questions_of_test()
    yield INTERRUPTION


@pytest.fixture(scope="module")
def tested() -> frozenset[str]:
    """Everything the tests ask, as it sounds, so that spelling hides nothing."""
    return frozenset(map(transcript, asked_in_tests()))


class Noted:
    """What is said with whose voice, and which pictures are shown, while data is made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts: set[str] = set()
        self.voices: set[Voice] = set()
        self.pictures: set[int] = set()
        monkeypatch.setattr(speakers, "spoken", self._say)
        monkeypatch.setattr("training.nano.answering.synthesise", spoken_as_noise)
        for module in (spoken_data, picture_rows):
            monkeypatch.setattr(module, "album", self._show)

    def _say(self, text: str, voice: Voice, *rest: object):
        self.texts.add(transcript(text))
        self.voices.add(voice)
        return noise_for_speech(text, voice, *rest)

    def _show(self, seed: int, n_questions: int) -> Album:
        self.pictures.add(seed)
        return album(seed, n_questions)

    def assert_apart_from(self, tested: frozenset[str]) -> None:
        assert self.texts.isdisjoint(tested)
        assert self.voices.isdisjoint(HELD_OUT_VOICES)
        assert self.pictures.isdisjoint(HELD_OUT_SEEDS)


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Noted:
    return Noted(monkeypatch)


def test_no_conversation_asks_what_a_test_asks_in_another_spelling(tested: frozenset[str]):
    dialogues = islice(training_dialogues(3), 4000)
    trained = {transcript(part.user) for dialogue in dialogues for part in dialogue.exchanges}
    assert len(trained) > 5000
    assert trained.isdisjoint(tested)


def test_spoken_conversations_say_and_show_nothing_of_a_test(
    noted: Noted, tested: frozenset[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spoken_data, "picture_sequence", Mock())
    monkeypatch.setattr(spoken_data, "without_waste", Mock())
    list(islice(spoken_sequences(Mock(), 0), 80))
    assert len(noted.texts) > 50 and len(noted.voices) > 10 and noted.pictures
    noted.assert_apart_from(tested)


def test_calls_say_nothing_of_a_test(
    noted: Noted, tested: frozenset[str], embedded_checkpoint: Path
):
    without_rows = Mock(text=Renderer(embedded_checkpoint))
    list(islice(call_sequences(without_rows, PacedVoice(), 0, CALL_TOKENS), 12))
    assert len(noted.texts) > 20 and len(noted.voices) > 5
    noted.assert_apart_from(tested)


def test_the_camera_is_asked_for_in_other_words_than_in_a_test():
    def requests(split: Split) -> set[str]:
        rng = Random(0)
        scenes = ((a_scene(rng), a_scene(rng)) for _ in range(300))
        return {transcript(watch(rng, split, *pair).exchange.user) for pair in scenes}

    assert len(requests("held_out")) > 5
    assert requests("seen").isdisjoint(requests("held_out"))
