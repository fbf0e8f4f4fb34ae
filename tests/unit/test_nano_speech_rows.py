"""Training speech: conditions and codes are those of chat, at once and while it is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45 import ChatMessage, ChatSession, MiniCPMO, PromptOptions
from MiniCPMO45.sampling import GenerationOptions
from MiniCPMO45.speech_tokens import REPLY_MINIMUM
from tests.unit.nano_feeds import (
    SilentVocoder,
    assert_same_speech,
    drawn_codes,
    noted_feeds,
    noted_speech,
    trained_speech,
)
from training.nano import speech_data
from training.nano.answering import codes_before
from training.nano.dialogues import Dialogue
from training.nano.exchange import Exchange
from training.nano.mixed_rows import MixedSequence
from training.nano.packing import NOT_LEARNT
from training.nano.rendering import Renderer
from training.nano.speech_data import answer_places, spoken_answer
from training.nano.speech_rows import code_scores, plan_of

ANSWER = "Sorry, I cannot help with that. I only know simple things."
DIALOGUE = Dialogue("refusal", (Exchange("Sing a song for me!", ANSWER),))


class Voice:
    """Says every text with the same number of codes."""

    def __init__(self, n_codes: int) -> None:
        self._codes = list(range(n_codes))

    def codes(self, text: str) -> list[int]:
        return self._codes


@pytest.fixture(scope="module")
def model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=512)


@pytest.fixture(scope="module")
def renderer(embedded_checkpoint: Path) -> Renderer:
    return Renderer(embedded_checkpoint)


def spoken_chat(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, *, whole: bool, n_codes: int = 60
) -> MixedSequence:
    """The dialogue, its answer spoken at once or in chunks."""
    monkeypatch.setattr(speech_data, "WHOLE_SHARE", float(whole))
    chat = renderer.chat(DIALOGUE, on_socket=not whole, speech=True)
    sequence = MixedSequence(chat.ids, chat.learnt)
    (places,) = answer_places(renderer, sequence)
    sequence.turns = [spoken_answer(renderer, sequence, places, Voice(n_codes), Random(1))]
    return sequence


def script_text(monkeypatch: pytest.MonkeyPatch, sequence: MixedSequence) -> None:
    """The language model chooses what it is to learn."""
    pairs = zip(sequence.ids, sequence.learnt, strict=True)
    following = iter([index for index, is_learnt in pairs if is_learnt])

    def choose(*_: object) -> Tensor:
        return torch.tensor(next(following))

    monkeypatch.setattr("MiniCPMO45.sessions.generation.draw", choose)


@pytest.mark.parametrize("whole", [True, False])
def test_an_answer_is_learnt_from_what_chat_feeds_to_the_generator(
    model: MiniCPMO, renderer: Renderer, monkeypatch: pytest.MonkeyPatch, whole: bool
):
    sequence = spoken_chat(renderer, monkeypatch, whole=whole)
    script_text(monkeypatch, sequence)
    messages = [ChatMessage("user", "Sing a song for me!")]
    codes = drawn_codes(model, sequence)
    with (
        noted_feeds(monkeypatch) as feeds,
        noted_speech(monkeypatch, codes) as turns,
        ChatSession(model) as session,
    ):
        style = "one_shot" if whole else "kv"
        session.prefill(messages, PromptOptions(style=style, use_tts_template=True))
        if whole:
            list(session.generate())
            list(session.speak(SilentVocoder()))
        else:
            options = GenerationOptions(streaming=True)
            list(session.speak_while_writing(SilentVocoder(), options))
    assert session.answer is not None
    assert session.answer.text == ANSWER
    assert_same_speech(trained_speech(model, sequence, feeds.hidden), turns)


def test_each_code_is_predicted_from_the_one_before_and_the_last_ends_speech(
    model: MiniCPMO, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
):
    sequence = spoken_chat(renderer, monkeypatch, whole=False)
    config = model.config.tts_config
    plan = plan_of(sequence, sequence.turns[0], config)
    learnt = plan.targets[plan.targets != NOT_LEARNT].tolist()
    assert learnt == drawn_codes(model, sequence)
    assert learnt[-1] == config.num_audio_tokens - 1
    assert [code for code in learnt if code != learnt[-1]] == list(range(60))
    starts = np.flatnonzero(plan.text_ids == config.audio_bos_token_id)
    chunks = sequence.turns[0]
    assert len(starts) == len(chunks) > 1
    assert (plan.targets[starts] == NOT_LEARNT).sum() == 0
    assert (plan.text_ids == config.text_eos_token_id).sum() == 1


def test_a_chunk_says_no_word_that_is_not_known_yet():
    assert codes_before("one two three", 5, 130) == 4 * 10 - 4  # two is torn apart
    assert codes_before("one two three", 7, 130) == 7 * 10 - 4
    assert codes_before("one two three", 13, 130) == 130
    assert codes_before("一二三四", 2, 80) == 40 - 4


def test_a_short_answer_that_is_spoken_at_once_goes_on_in_silence(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
):
    sequence = spoken_chat(renderer, monkeypatch, whole=True, n_codes=20)
    (stretch,) = sequence.turns[0]
    assert len(stretch.codes) >= REPLY_MINIMUM
    assert set(stretch.codes[20:]) == {4218}


def test_codes_are_scored_as_in_serving(model: MiniCPMO):
    hidden = torch.randn(3, model.config.tts_config.hidden_size)
    served: Sequence[torch.nn.Module] = list(model.tts.head_code)
    torch.testing.assert_close(code_scores(model.tts, hidden), served[0](hidden))
