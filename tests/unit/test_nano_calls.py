"""Training calls: second by second, what it learns from is what full duplex feeds and decides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest

from core.processors import RequestLimits
from core.processors.duplex_reader import DuplexReader
from core.processors.voices import Voices
from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.duplex import UNIT_CHARACTERS, DuplexSession
from MiniCPMO45.sessions.duplex_decision import Decider
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from tests.unit.nano_feeds import (
    SilentVocoder,
    assert_same_rows,
    assert_same_speech,
    drawn_codes,
    noted_feeds,
    noted_speech,
    sound,
    spoken_as_noise,
    trained_rows,
    trained_speech,
)
from training.nano.answering import PacedVoice
from training.nano.call_data import CallRows
from training.nano.call_rendering import CallRenderer
from training.nano.calls import (
    ANSWER_AFTER_S,
    FORCED_UNITS,
    Call,
    CallWriter,
    answering_unit,
    spoken_units,
)
from training.nano.dialogues import training_dialogues

CODES_PER_UNIT = 25


@pytest.fixture(autouse=True)
def _noise_in_place_of_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.nano.speakers.synthesise", spoken_as_noise)
    monkeypatch.setattr("training.nano.answering.synthesise", spoken_as_noise)


@pytest.fixture(scope="module")
def model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=2048)


@pytest.fixture(scope="module")
def renderer(embedded_checkpoint: Path) -> CallRenderer:
    return CallRenderer(embedded_checkpoint)


def calls(renderer: CallRenderer, n_units: int, seed: int = 1) -> Iterator[Call]:
    dialogues = training_dialogues(seed)
    writer = CallWriter(renderer.text, PacedVoice(), dialogues, Random(seed))
    while True:
        yield writer.call(n_units)


def has_all(call: Call) -> bool:
    """Whether it holds a long answer to its end, a yield, and silence."""
    units = call.spoken
    yields = [n for n, unit in units.items() if unit.ends_turn and not unit.token_ids]
    closes = [n for n, unit in units.items() if unit.token_ids and unit.ends_turn]
    whole = [number for number in closes if not units[number].opens_turn]
    return bool(yields and whole and len(units) < call.n_units - FORCED_UNITS - 2)


def decisions(renderer: CallRenderer, call: Call) -> Iterator[int]:
    """What is chosen, token by token, from the first unit in which the model may choose."""
    tokens = renderer.tokens
    for number in range(FORCED_UNITS, call.n_units):
        unit = call.spoken.get(number)
        if unit is None:
            yield tokens.listen
            continue
        yield tokens.speak
        yield from unit.token_ids
        if unit.ends_turn:
            yield tokens.turn_end
        yield tokens.chunk_end


def test_a_call_is_learnt_from_what_full_duplex_feeds_decides_and_speaks(
    model: MiniCPMO, renderer: CallRenderer, monkeypatch: pytest.MonkeyPatch
):
    call = next(call for call in calls(renderer, 26) if has_all(call))
    voice = sound(1.8, seed=8)
    sequence = renderer.render(call, "Be brief.", voice)
    script = decisions(renderer, call)
    monkeypatch.setattr(Decider, "choose", lambda *_: next(script))
    options = DuplexOptions(max_new_speak_tokens_per_chunk=20)
    texts: dict[int, str] = {}
    with (
        noted_feeds(monkeypatch) as feeds,
        noted_speech(monkeypatch, drawn_codes(model, sequence)) as turns,
        DuplexSession(model, options, make_vocoder=SilentVocoder) as session,
    ):
        session.prepare(*renderer.prompt("Be brief."), voice)
        for number in range(call.n_units):
            assert session.prefill(call.waveform[number * 16000 : (number + 1) * 16000]).success
            result = session.generate()
            session.finalize()
            assert result.is_listen == (number not in call.spoken)
            if not result.is_listen:
                texts[number] = result.text
    assert next(script, None) is None
    assert_same_rows(trained_rows(model, sequence), feeds.rows)
    decode = model.tokenizer.decode
    assert texts == {number: decode(unit.token_ids) for number, unit in call.spoken.items()}
    assert_same_speech(trained_speech(model, sequence, feeds.hidden), turns)


def test_the_prompt_of_a_call_is_the_services(model: MiniCPMO, renderer: CallRenderer):
    limits = RequestLimits()
    reader = DuplexReader(model, limits, Voices(model, None, limits), DuplexOptions())
    for prompt in ("Streaming Omni Conversation.", "请认真回复。"):
        assert renderer.prompt(prompt) == reader.prompt(prompt, with_voice=True)[:2]


def test_everything_that_the_model_decides_is_learnt_but_what_it_must(renderer: CallRenderer):
    call = next(call for call in calls(renderer, 20, seed=3) if call.unsure and call.spoken)
    sequence = renderer.render(call, "Be brief.", None)
    tokens = renderer.tokens
    pairs = zip(sequence.ids, sequence.learnt, strict=True)
    learnt = [index for index, is_learnt in pairs if is_learnt]
    units = [call.spoken.get(number) for number in range(call.n_units)]
    assert learnt.count(tokens.speak) == len(call.spoken)
    assert learnt.count(tokens.listen) == units.count(None) - len(call.unsure)
    assert tokens.unit_end not in learnt


# Scripts


@pytest.mark.parametrize("seed", range(4))
def test_answers_begin_within_two_seconds_and_not_before_the_question_is_over(
    renderer: CallRenderer, seed: int
):
    for call in islice(calls(renderer, 30, seed), 5):
        for end_s, unit in call.asked:
            if unit < call.n_units and unit > FORCED_UNITS:
                assert unit + 1 - end_s >= ANSWER_AFTER_S
            if unit == answering_unit(end_s):
                assert unit + 1 - end_s <= 2
        answered = {unit for _, unit in call.asked}
        opened = {number for number, unit in call.spoken.items() if unit.opens_turn}
        assert opened <= answered


def test_the_model_falls_silent_within_two_units_of_an_interruption(renderer: CallRenderer):
    seen = 0
    for call in islice(calls(renderer, 40, seed=2), 12):
        starts = [start / 16000 for start, _ in call.sounds]
        for number, unit in call.spoken.items():
            if unit.ends_turn and not unit.token_ids:
                seen += 1
                assert any(0.5 < number + 1 - start < 2 for start in starts)
                assert not unit.opens_turn
    assert seen


def test_units_hold_whole_words_that_come_before_they_are_said(renderer: CallRenderer):
    text = "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday."
    units = spoken_units(renderer.text, text, list(range(130)))
    texts = [renderer.text.tokenizer.decode(unit.token_ids) for unit in units]
    assert "".join(texts) == text
    assert max(map(len, texts)) < UNIT_CHARACTERS
    assert all(part[0] in " M" for part in texts)
    assert [code for unit in units for code in unit.codes] == list(range(130))
    assert all(len(unit.codes) == CODES_PER_UNIT for unit in units[:-1])
    assert [unit.ends_turn for unit in units] == [False] * (len(units) - 1) + [True]


def test_chinese_marks_stay_with_what_they_end(renderer: CallRenderer):
    units = spoken_units(renderer.text, "你好！很高兴见到你。", [0] * 80)
    texts = [renderer.text.tokenizer.decode(unit.token_ids) for unit in units]
    assert len(texts) > 1
    assert not {text[0] for text in texts} & set("！。")


@pytest.mark.slow
def test_the_same_seed_makes_the_same_rows(embedded_checkpoint: Path):
    first, second = (list(islice(CallRows(embedded_checkpoint, 500)(4), 2)) for _ in range(2))
    for row, again in zip(first, second, strict=True):
        assert [sequence.ids for sequence in row] == [sequence.ids for sequence in again]
        clips = [clip for sequence in row for clip in sequence.clips]
        others = [clip for sequence in again for clip in sequence.clips]
        for clip, other in zip(clips, others, strict=True):
            assert all(map(np.array_equal, clip.pieces, other.pieces))
