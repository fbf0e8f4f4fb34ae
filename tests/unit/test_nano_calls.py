"""Training calls: second by second, what it learns from is what full duplex feeds and decides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from core.processors import RequestLimits
from core.processors.duplex_reader import DuplexReader
from core.processors.voices import Voices
from MiniCPMO45 import MiniCPMO
from MiniCPMO45.image import preprocess_image
from MiniCPMO45.sessions.duplex import UNIT_CHARACTERS, DuplexSession
from MiniCPMO45.sessions.duplex_decision import Decider
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from tests.unit.nano_feeds import (
    CPU,
    SilentVocoder,
    assert_same_rows,
    assert_same_speech,
    drawn_codes,
    noise_for_speech,
    noted_feeds,
    noted_speech,
    sound,
    spoken_as_noise,
    trained_rows,
    trained_speech,
)
from training.nano.answering import PacedVoice
from training.nano.call_data import (
    LONGEST_PROMPT_TOKENS,
    TOKENS_PER_FRAME,
    TOKENS_PER_UNIT,
    CallRows,
)
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
from training.nano.model import LONGEST_CONVERSATION
from training.nano.phrasing import normalised
from training.nano.scenes import Figure, Scene
from training.nano.seeing import tiles_of
from training.nano.watching import watch

CODES_PER_UNIT = 25


@pytest.fixture(autouse=True)
def _noise_in_place_of_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.nano.speakers.spoken", noise_for_speech)
    monkeypatch.setattr("training.nano.answering.synthesise", spoken_as_noise)


@pytest.fixture(scope="module")
def model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=2048)


@pytest.fixture(scope="module")
def renderer(embedded_checkpoint: Path) -> CallRenderer:
    return CallRenderer(embedded_checkpoint)


def calls(
    renderer: CallRenderer, n_units: int, seed: int = 1, *, with_camera: bool = False
) -> Iterator[Call]:
    dialogues = training_dialogues(seed)
    writer = CallWriter(renderer.text, PacedVoice(), dialogues, Random(seed))
    while True:
        yield writer.call(n_units, with_camera=with_camera)


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


@pytest.mark.parametrize("with_camera", [False, True], ids=["audio", "omni"])
def test_a_call_is_learnt_from_what_full_duplex_feeds_decides_and_speaks(
    model: MiniCPMO, renderer: CallRenderer, monkeypatch: pytest.MonkeyPatch, with_camera: bool
):
    if with_camera:
        call = next(call for call in calls(renderer, 14, with_camera=True) if call.spoken)
    else:
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
            frame = call.frames[number] if call.frames else None
            second = call.waveform[number * 16000 : (number + 1) * 16000]
            assert session.prefill(second, [] if frame is None else [frame]).success
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
    assert learnt.count(tokens.listen) == units.count(None) - len(call.unsure - call.spoken.keys())
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
        answered = {unit for _, unit in call.asked} | {*call.noticed}
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


# The camera


def text_from(renderer: CallRenderer, call: Call, unit: int) -> str:
    """What is said from a unit on, to the end of its turn or of the call."""
    ids: list[int] = []
    for number in range(unit, call.n_units):
        ids += call.spoken[number].token_ids
        if call.spoken[number].ends_turn:
            break
    return renderer.text.tokenizer.decode(ids)


def test_the_model_speaks_up_in_the_second_in_which_the_camera_shows_what_it_waits_for(
    renderer: CallRenderer,
):
    seen = 0
    for call in islice(calls(renderer, 30, seed=5, with_camera=True), 5):
        assert call.camera is not None
        for unit in (unit for unit in call.noticed if unit < call.n_units - 4):
            seen += 1
            scene, before = call.camera.scene_at(unit), call.camera.scene_at(unit - 1)
            assert scene.figures != before.figures
            assert call.frames[unit] is not None
            assert call.spoken[unit].opens_turn
            report = text_from(renderer, call, unit)
            for figure in scene.figures:
                assert figure.name in report or figure.name_zh in report
    assert seen


def test_nobody_speaks_of_a_scene_that_nobody_asked_for(renderer: CallRenderer):
    asked_or_noticed = changed_in_silence = 0
    for call in islice(calls(renderer, 30, seed=6, with_camera=True), 6):
        assert call.camera is not None
        begun = {unit for _, unit in call.asked} | {*call.noticed}
        asked_or_noticed += len(begun)
        for unit in range(1, call.n_units):
            is_new = call.camera.scene_at(unit) != call.camera.scene_at(unit - 1)
            changed_in_silence += is_new and unit not in begun
        assert {n for n, unit in call.spoken.items() if unit.opens_turn} <= begun
    assert asked_or_noticed and changed_in_silence


def test_a_request_is_met_only_by_what_it_names():
    circle = Scene((Figure("circle", "red", "left"),), "blue")
    star = Scene((Figure("star", "green", "top"),), "blue")
    for seed in range(30):
        request = watch(Random(seed), "seen", before=star, coming=circle)
        assert request.is_met_by(circle)
        assert request.is_met_by(star) == (request.wanted is None)
        assert request.report in ("Now I see a red circle.", "现在我看到红色的圆形。")


def test_requests_of_the_test_are_worded_otherwise():
    scenes = Scene((), "blue"), Scene((Figure("circle", "red", "left"),), "blue")
    seen, held_out = (
        {normalised(watch(Random(n), split, *scenes).exchange.user) for n in range(300)}
        for split in ("seen", "held_out")
    )
    assert seen.isdisjoint(held_out)


def test_frames_of_a_scene_are_brought_once_and_look_alike(renderer: CallRenderer):
    call = next(calls(renderer, 12, seed=7, with_camera=True))
    sequence = renderer.render(call, "Be brief.", None)
    assert len(sequence.images) == 12 - call.frames.count(None)
    assert len({id(image) for image in sequence.images}) < len(sequence.images)
    tiles = tiles_of(sequence.images, CPU)
    assert tiles.pixels.abs().max() <= 1
    settings = renderer.text.inputs.image_settings
    frames = [frame for frame in call.frames if frame is not None]
    served = [preprocess_image(frame, settings, 1).pixels[0] for frame in frames]
    for tile, strip in zip(tiles.pixels, served, strict=True):
        torch.testing.assert_close(tile[..., : strip.shape[2]], strip, atol=1e-5, rtol=0)


def test_a_call_of_a_minute_with_pictures_fits_the_longest_row():
    assert LONGEST_CONVERSATION >= 60 * (TOKENS_PER_UNIT + TOKENS_PER_FRAME) + LONGEST_PROMPT_TOKENS


@pytest.mark.slow
def test_the_same_seed_makes_the_same_rows(embedded_checkpoint: Path):
    first, second = (list(islice(CallRows(embedded_checkpoint, 500)(4), 2)) for _ in range(2))
    for row, again in zip(first, second, strict=True):
        assert [sequence.ids for sequence in row] == [sequence.ids for sequence in again]
        clips = [clip for sequence in row for clip in sequence.clips]
        others = [clip for sequence in again for clip in sequence.clips]
        for clip, other in zip(clips, others, strict=True):
            assert all(map(np.array_equal, clip.pieces, other.pieces))
