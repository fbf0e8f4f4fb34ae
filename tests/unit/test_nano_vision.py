"""The eye of the embedded model: it is trained on what the service makes of a picture."""

from __future__ import annotations

from itertools import cycle, islice
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors.torch import load_file

from MiniCPMO45 import ChatMessage, ChatSession, MiniCPMO, PromptOptions, StreamingSession
from tests.unit.nano_small import (
    assert_answers,
    learnt_parts,
    small_checkpoint,
    small_model,
    trained_states,
    written_answers,
)
from training.nano import model as nano
from training.nano import train_vision
from training.nano.dialogues import Dialogue, written_dialogues
from training.nano.exchange import Exchange
from training.nano.phrasing import normalised
from training.nano.picture_rows import PictureBatch, PictureRows
from training.nano.pictures import HELD_OUT_SEEDS, album, example
from training.nano.rendering import Renderer
from training.nano.scenes import Figure, Scene
from training.nano.seeing import cells_of, patch_features, places_of_patches, with_pictures
from training.nano.wording import mistyped, surrounded

CPU = torch.device("cpu")
QUESTIONS = (
    Exchange("What is this?", "I see a red circle."),
    Exchange("Where is the circle?", "The circle is at the top left."),
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_checkpoint(tmp_path_factory.mktemp("nano") / "untrained", n_dialogues=100)


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> MiniCPMO:
    return small_model(checkpoint)


@pytest.fixture(scope="module")
def batch(checkpoint: Path) -> PictureBatch:
    return PictureBatch.of(list(islice(PictureRows(checkpoint, 512)(2), 2)), CPU)


@torch.no_grad()
def states_of(model: MiniCPMO, batch: PictureBatch) -> torch.Tensor:
    features = patch_features(model, batch.tiles)
    embeddings = with_pictures(model, batch.rows.ids, features, batch.tiles.target_sizes)
    return trained_states(model, batch.rows, embeddings)


# What is trained is what is served


def test_a_picture_in_a_batch_gives_the_hidden_states_of_a_chat(
    checkpoint: Path, model: MiniCPMO, monkeypatch: pytest.MonkeyPatch
):
    shown = [album(seed, n_questions=1) for seed in (11, 12, 13)]
    waiting = cycle(shown)
    monkeypatch.setattr("training.nano.picture_rows.album", lambda *_: next(waiting))
    monkeypatch.setattr("training.nano.picture_rows.TURNS_SHARE", 0)
    monkeypatch.setattr(Renderer, "some_layout", lambda self, dialogue, _, picture: self.chat(
        Dialogue(dialogue.skill, dialogue.exchanges), picture
    ))  # fmt: skip
    chosen = PictureBatch.of([next(PictureRows(checkpoint, 512)(1))], CPU)
    states = states_of(model, chosen)
    answers = (chosen.rows.targets != -100).nonzero()
    starts = [
        tuple(a.tolist())
        for a, b in zip(answers, [None, *answers[:-1]], strict=True)
        if not _follows(a, b)
    ]
    for (row, place), picture in zip(starts[:3], shown, strict=True):
        with ChatSession(model) as session:
            question = ChatMessage("user", [picture.image, picture.exchanges[0].user])
            session.prefill([question], PromptOptions(use_image_id=False))
            served = session.last_hidden
        torch.testing.assert_close(states[row, place], served, atol=2e-4, rtol=1e-3)


def _follows(place: torch.Tensor, before: torch.Tensor | None) -> bool:
    return before is not None and (place - before).tolist() == [0, 1]


def test_turns_about_a_picture_are_read_as_a_streamed_conversation_reads_them(
    checkpoint: Path, model: MiniCPMO, monkeypatch: pytest.MonkeyPatch
):
    renderer, picture = Renderer(checkpoint), album(3, n_questions=1).image
    answers = [exchange.answer for exchange in QUESTIONS]
    with written_answers(monkeypatch, model, answers) as fed, StreamingSession(model) as session:
        for content in ([picture, QUESTIONS[0].user], QUESTIONS[1].user):
            fed += session.prefill(ChatMessage("user", content)).ids
            list(session.generate())
    ending = renderer.tokenizer.ids_of(["<|tts_eos|>", "<|im_end|>"])
    sequence = renderer.turns(Dialogue("pictures", QUESTIONS), picture)
    assert sequence.ids == fed + ending
    assert len(sequence.images) == 1


def test_the_features_of_a_batch_are_those_of_the_encoder(model: MiniCPMO, batch: PictureBatch):
    tiles = batch.tiles
    with torch.no_grad():
        ours = patch_features(model, tiles)
        served = model.vpm(tiles.pixels, tiles.patch_mask, tiles.target_sizes)
    torch.testing.assert_close(ours[tiles.patch_mask], served[tiles.patch_mask], atol=1e-5, rtol=0)


# Data


def test_every_row_has_the_tiles_that_fill_its_places(model: MiniCPMO, batch: PictureBatch):
    n_places = int((batch.rows.ids == model.tokenizer.unk_id).sum())
    n_pictures = len(batch.tiles.target_sizes)
    assert n_pictures > 2
    assert n_places == n_pictures * model.config.query_num
    assert batch.cells.shape == (n_pictures, 9, 2)


def test_patches_lie_in_the_places_of_the_scene():
    scene = Scene((Figure("circle", "red", "top left"), Figure("star", "grey", "bottom")), "blue")
    cells = cells_of(scene)
    assert cells[0] == (1, 1)
    assert cells[7] == (5, 9)
    assert sum(cell != (0, 0) for cell in cells) == 2
    places = places_of_patches(torch.tensor([[6, 9], [12, 3]]), 54)
    assert places[0, :9].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert places[0, -1] == 8
    assert places[1, :6].tolist() == [0, 1, 2, 0, 1, 2]


def test_pictures_of_the_evaluation_are_not_trained_on():
    with pytest.raises(ValueError, match="held out"):
        album(HELD_OUT_SEEDS[5], n_questions=1)
    trained = {normalised(e.user) for seed in range(30) for e in album(seed, 5).exchanges}
    asked = {normalised(example(seed).exchange.user) for seed in HELD_OUT_SEEDS[:40]}
    assert trained.isdisjoint(asked)


def test_slips_of_typing_spare_what_is_to_be_given_back():
    rng = Random(0)
    texts = {mistyped(rng, "please repeat elephant", kept="Elephant.") for _ in range(50)}
    assert len(texts) > 10
    assert all(text.endswith(" elephant") for text in texts)
    assert {d.skill for d, _ in zip(written_dialogues(1), range(50), strict=False)}


def test_people_say_things_before_and_after_a_question():
    rng = Random(0)
    said = {surrounded(rng, "what is this?") for _ in range(200)}
    assert "what is this?" in said
    assert len(said) > 20
    assert all("what is this" in text for text in said)


# The stage


def test_the_stage_lowers_the_loss_and_its_weights_can_be_laid_over(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sizes = "--steps 6 --batch 2 --rows 2 --text-rows 4"
    parts = learnt_parts(train_vision.main, checkpoint, tmp_path, sizes, capsys)

    before = load_file(checkpoint / "model.safetensors")
    nano.lay_over(checkpoint, parts)
    after = load_file(checkpoint / "model.safetensors")
    for name in ("vpm.encoder.layers.0.mlp.fc1.weight", "resampler.query", "llm.lm_head.weight"):
        assert not torch.equal(before[name], after[name])
    assert torch.equal(before["tts.emb_text.weight"], after["tts.emb_text.weight"])
    assert_answers(checkpoint, [album(1, n_questions=1).image, "what is this?"])
