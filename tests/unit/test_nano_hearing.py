"""Training the ear: the rows it learns from are those the service feeds for the same sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from MiniCPMO45 import (
    ChatMessage,
    ChatSession,
    MiniCPMO,
    PromptOptions,
    StreamingSession,
    voice_system_message,
)
from MiniCPMO45.sampling import GenerationOptions
from MiniCPMO45.sessions.base import Session
from MiniCPMO45.sessions.duplex_hearing import DuplexHearing
from MiniCPMO45.sessions.generation import Choice
from MiniCPMO45.sessions.streaming import PieceOptions
from tests.unit.nano_feeds import assert_same_rows, noted_feeds, sound, trained_rows
from training.nano.dialogues import Dialogue
from training.nano.ear_batch import heard
from training.nano.exchange import Exchange
from training.nano.hearing import pieces_of_turn, streamed_call, whole_clip
from training.nano.mixed_rows import (
    MixedSequence,
    batch_of,
    embedded,
    without_waste,
)
from training.nano.packing import packed
from training.nano.saying import as_said, transcript
from training.nano.spoken_rendering import SpokenRenderer, SpokenTurn


@pytest.fixture(scope="module")
def model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=2048)


@pytest.fixture(scope="module")
def renderer(embedded_checkpoint: Path) -> SpokenRenderer:
    return SpokenRenderer(embedded_checkpoint)


VOICE = voice_system_message("omni", "en", sound(2.3, seed=9))
TURNS = [
    SpokenTurn(sound(1.7, seed=1), "Hello.", "hello"),
    SpokenTurn("What is my name?", "I do not know."),
    SpokenTurn(sound(0.4, seed=2), "Yes.", "yes"),
]


@pytest.mark.parametrize("style", ["one_shot", "kv"])
def test_a_spoken_chat_is_learnt_from_the_rows_that_the_session_feeds(
    model: MiniCPMO, renderer: SpokenRenderer, monkeypatch: pytest.MonkeyPatch, style: str
):
    sequence = renderer.spoken_chat(VOICE, TURNS, on_socket=style == "kv")
    messages = [VOICE]
    for turn in TURNS:
        messages += [turn.message, ChatMessage("assistant", turn.answer)]
    with noted_feeds(monkeypatch) as feeds, ChatSession(model) as session:
        session.prefill(messages[:-1], PromptOptions(style="kv" if style == "kv" else "one_shot"))
        if style == "kv":
            next(session.generate(GenerationOptions(streaming=True, max_new_tokens=10)))
            del feeds[2:]  # the opening stays
    fed = torch.cat(feeds)
    assert_same_rows(trained_rows(model, sequence)[: len(fed)], fed)
    assert sequence.learnt.index(True) == len(fed)


def test_a_chat_that_dictates_keeps_its_instruction_behind_the_sound(
    model: MiniCPMO, renderer: SpokenRenderer, monkeypatch: pytest.MonkeyPatch
):
    turn = SpokenTurn(sound(1.2), "hello", "hello", instruction="Write it down.")
    sequence = renderer.spoken_chat(None, [turn])
    with noted_feeds(monkeypatch) as feeds, ChatSession(model) as session:
        session.prefill([turn.message])
    fed = torch.cat(feeds)
    assert_same_rows(trained_rows(model, sequence)[: len(fed)], fed)


def test_pictures_keep_their_places_beside_sound(
    model: MiniCPMO, renderer: SpokenRenderer, monkeypatch: pytest.MonkeyPatch
):
    picture = Image.new("RGB", (224, 224), (200, 30, 30))
    dialogue = Dialogue("colour", (Exchange("What is this?", "Red."),))
    sequence = without_waste(renderer.chat(dialogue, picture))
    spoken = renderer.spoken_chat(None, TURNS)
    with noted_feeds(monkeypatch) as feeds, ChatSession(model) as session:
        question = ChatMessage("user", [picture, "What is this?"])
        session.prefill([question], PromptOptions(use_image_id=False))
    rows = [[spoken, sequence]]
    batch = batch_of(rows, len(spoken.ids) + len(sequence.ids), torch.device("cpu"))
    with torch.no_grad():
        embeddings, _ = embedded(model, batch)
    n_fed = feeds.rows.shape[0]
    start = len(spoken.ids)
    assert_same_rows(embeddings[0, start : start + n_fed], feeds.rows)
    assert_same_rows(embeddings[0, :start], trained_rows(model, spoken))


@pytest.mark.parametrize("live", [False, True])
def test_spoken_turns_are_learnt_from_the_rows_that_the_session_feeds(
    model: MiniCPMO, renderer: SpokenRenderer, monkeypatch: pytest.MonkeyPatch, live: bool
):
    turns = [*TURNS, SpokenTurn(sound(7.3, seed=3), "No.", "no")]
    answers = iter([renderer.tokenizer.encode_plain(turn.answer) for turn in turns])

    def answer(session: Session, *_: object, **__: object) -> Iterator[Choice]:
        session.feed_ids(next(answers))
        return iter([])

    monkeypatch.setattr("MiniCPMO45.sessions.streaming.decode_chunked", answer)
    with noted_feeds(monkeypatch) as feeds, StreamingSession(model) as session:
        session.prefill(VOICE)
        for turn in turns:
            is_live = live and not isinstance(turn.question, str)
            for message, is_last in pieces_of(turn, is_live):
                session.prefill(message, PieceOptions(is_live=is_live, is_last_chunk=is_last))
            list(session.generate())
    sequence = renderer.spoken_turns(VOICE, turns, live=live)
    rows = trained_rows(model, sequence)
    ending = renderer.tokenizer.ids_of(["<|tts_eos|>", "<|im_end|>"])
    assert_same_rows(rows[: -len(ending)], torch.cat(feeds))
    assert sequence.ids[-len(ending) :] == ending


def pieces_of(turn: SpokenTurn, is_live: bool) -> list[tuple[ChatMessage, bool]]:
    if not is_live:
        return [(turn.message, True)]
    assert isinstance(turn.question, np.ndarray)
    starts = range(0, turn.question.size, 16000)
    pieces = [turn.question[start : start + 16000] for start in starts]
    return [(ChatMessage("user", [piece]), piece is pieces[-1]) for piece in pieces]


def test_a_call_is_heard_as_full_duplex_hears_it_beyond_the_encoders_memory(model: MiniCPMO):
    waveform = sound(33.0, seed=4)
    hearing = DuplexHearing(model, slot=0)
    units = []
    for index in range(33):
        hearing.add(waveform[index * 16000 : (index + 1) * 16000], is_first=index == 0)
        units.append(hearing.take(is_first=index == 0))
    with torch.no_grad():
        ear = heard(model, [streamed_call(waveform)])
    assert_same_rows(ear.rows, torch.cat(units))


def test_clips_of_a_batch_do_not_see_each_other(model: MiniCPMO):
    clips = [
        *(streamed_call(sound(seconds, seed=5)) for seconds in (2.0, 5.0)),
        *(whole_clip(sound(seconds, seed=6), "blocks") for seconds in (1.3, 3.4)),
        whole_clip(sound(2.2, seed=7), "whole"),
    ]
    with torch.no_grad():
        together = heard(model, clips)
        alone = [heard(model, [clip]) for clip in clips]
    for number, (rows, own) in enumerate(
        zip(together.rows.split(together.n_rows), alone, strict=True)
    ):
        torch.testing.assert_close(rows, own.rows, atol=1e-4, rtol=1e-4)
        states, wanted = together.states[together.frames[number]], own.states[own.frames[0]]
        torch.testing.assert_close(states, wanted, atol=1e-4, rtol=1e-4)


def test_a_live_turn_keeps_all_its_sound():
    waveform = sound(2.4)
    pieces = pieces_of_turn(waveform)
    assert np.array_equal(np.concatenate(pieces)[-waveform.size :], waveform)


def test_rows_hold_whole_sequences_in_order():
    sequences = []
    for n_tokens in (5, 4, 30, 3, 2):
        sequences.append(MixedSequence())
        sequences[-1].write([n_tokens] * n_tokens)
    rows = list(packed(sequences, 10))
    assert [[len(sequence.ids) for sequence in row] for row in rows] == [[5, 4], [3, 2]]


def test_numbers_and_signs_are_said_as_words():
    assert as_said("What is 16-13?") == "What is sixteen minus thirteen?"
    assert transcript("请问16加1得几?") == "请问十六加一得几"
    assert transcript("Say good-bye: 7+6!") == "say good bye seven plus six"
