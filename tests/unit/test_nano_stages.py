"""The stages of sound and speech run, learn and leave weights that load; so do their scores run."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file

from tests.unit.nano_feeds import noise_for_speech, spoken_as_noise
from tests.unit.nano_small import run_stage
from training.nano import evaluate_calls, train_duplex, train_ear, train_hearing, train_tts
from training.nano.dialogues import EVALUATION_SEED, Dialogue, evaluation_dialogues
from training.nano.evaluate_calls import Line, LiveCall, Unit, answer_delay_s, call_scores
from training.nano.evaluate_hearing import SOUND_SEED, hearing_scores
from training.nano.exchange import Exchange
from training.nano.sounds import Waveform
from training.nano.voices import HELD_OUT_VOICES, VOICES


@pytest.fixture(autouse=True)
def _noise_in_place_of_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.nano.speakers.spoken", noise_for_speech)
    monkeypatch.setattr("training.nano.answering.synthesise", spoken_as_noise)
    monkeypatch.setattr(train_tts, "TEXT_LENGTH", 200)


def test_clips_for_the_ear_are_questions_and_pieces_that_know_when_each_phone_is_said() -> None:
    clips = list(islice(train_ear.spoken_clips(1), 60))
    n_words = [len(clip.text.split()) for clip in clips if clip.text and clip.text.isascii()]
    assert min(n_words) == 1
    assert max(n_words) > train_ear.LONGEST_PIECE
    for clip in clips:
        assert clip.phones is not None
        n_frames = sum(map(len, clip.pieces)) / 2
        assert n_frames - 60 <= len(clip.phones) <= n_frames + 60
        said = np.flatnonzero(clip.phones)
        assert 0 < said[0] < said[-1] < len(clip.phones)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("main", "sizes", "prefixes"),
    [
        (train_ear.main, "--steps 8 --batch 2 --rows 4", train_ear.STAGE.prefixes),
        (train_hearing.main, "--steps 8 --batch 1 --rows 2", train_hearing.STAGE.prefixes),
        (train_tts.main, "--steps 8 --batch 1 --rows 4", train_tts.STAGE.prefixes),
        (
            train_duplex.main,
            "--steps 8 --batch 1 --rows 2 --length 350",
            train_hearing.STAGE.prefixes,
        ),
    ],
    ids=["ear", "hearing", "tts", "duplex"],
)
def test_a_stage_lowers_its_loss_and_exports_what_it_trained(
    main: Callable[[list[str]], int],
    sizes: str,
    prefixes: tuple[str, ...],
    embedded_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    printed = run_stage(main, embedded_checkpoint, tmp_path, sizes, capsys)
    assert printed["loss"] < printed["first_loss"] * 0.9
    before = load_file(embedded_checkpoint / "model.safetensors")
    trained = {k: v for name in printed["files"] for k, v in load_file(tmp_path / name).items()}
    assert {name for name in before if name.startswith(prefixes)} == set(trained)
    assert all(trained[name].shape == before[name].shape for name in trained)


# Scores

LONG = "I can count, add small numbers, name colors and shapes, and chat a little."
ASKED = Dialogue("itself", (Exchange("What can you do?", LONG),))
PARTS_OF_LONG = "I can count, add small| numbers, name colors| and shapes, and chat a| little."


class Listener:
    """Answers as soon as a sound is over, and falls silent when there is another."""

    def __init__(self, *, yields: bool = True) -> None:
        self._yields = yields
        self._heard = False
        self._rest: list[str] = []

    def __call__(self, second: Waveform) -> Unit:
        end = second[-6000:]
        is_loud, ends_loud = np.abs(second).max() > 0.01, np.abs(end).max() > 0.01
        if self._rest and ends_loud and self._yields:
            self._rest = []
            return Unit(False, "", True, 0.1)
        if not self._rest:
            self._heard = self._heard or is_loud
            if not self._heard or ends_loud:
                return Unit(True, "", False, 0.1)
            self._heard, self._rest = False, [*PARTS_OF_LONG.split("|")]
        text = self._rest.pop(0)
        return Unit(False, text, not self._rest, 0.1)


def deaf(second: Waveform) -> Unit:
    return Unit(True, "", False, 0.1)


def scored(monkeypatch: pytest.MonkeyPatch, line: Callable[[], Line]) -> dict[str, Any]:
    """Scores of calls in which only users are loud."""
    monkeypatch.setattr(evaluate_calls, "SILENT_CALL_LEVELS", (None,))
    monkeypatch.setattr(evaluate_calls, "background", lambda _, n_samples, __: silence(n_samples))
    scores = call_scores(lambda: nullcontext(line()), [ASKED], n_silent=1, n_interrupted=2)
    return scores.summary()


def silence(n_samples: int) -> Waveform:
    return np.zeros(n_samples, np.float32)


def test_a_model_that_listens_and_answers_has_full_scores(monkeypatch: pytest.MonkeyPatch):
    summary = scored(monkeypatch, Listener)
    assert summary["answered_in_time"] == summary["answers"]["all"] == summary["yields"] == 1
    assert summary["interruptions"] == 2
    assert summary["false_starts_per_minute"] == 0
    assert summary["silent_minutes"] == 1
    assert summary["unit_p95_ms"] == 100


def test_a_model_that_never_answers_or_never_yields_has_none(monkeypatch: pytest.MonkeyPatch):
    silent = scored(monkeypatch, lambda: deaf)
    assert silent["answered_in_time"] == silent["answers"]["all"] == silent["interruptions"] == 0
    assert scored(monkeypatch, partial(Listener, yields=False))["yields"] == 0


def test_spoken_questions_are_sent_as_sound_with_the_earlier_answers():
    dialogue = Dialogue("name", (Exchange("I am Ada.", "Hi!"), Exchange("Who am I?", "Ada.")))
    asked: list[list[dict[str, Any]]] = []
    scores = hearing_scores(lambda messages: asked.append(messages) or "Ada.", [dialogue])
    assert scores.summary()["all"] == 1
    ((first, given, last),) = asked
    assert given == {"role": "assistant", "content": "Hi!"}
    for message in (first, last):
        (part,) = message["content"]
        samples = np.frombuffer(base64.b64decode(part["data"]), "<f4")
        assert part["type"] == "audio"
        assert 0 < np.abs(samples).max() <= 1


def call_of(pattern: str) -> LiveCall:
    """``.`` listens, ``s`` speaks, ``e`` speaks and ends its turn."""
    return LiveCall(deaf, [Unit(mark == ".", "", mark == "e", 0.1) for mark in pattern])


def test_a_turn_counts_once_however_long_it_is():
    assert call_of("...sse..e.").turn_starts == [3, 8]
    assert call_of("..ee").turn_starts == [2, 3]
    assert call_of("....").turn_starts == []


def test_the_delay_of_an_answer_includes_the_rest_of_its_second_and_its_own_time():
    assert answer_delay_s(call_of("....se"), end_s=4.3) == pytest.approx(0.8)
    assert answer_delay_s(call_of("..e..."), end_s=4.3) == pytest.approx(-1.2)
    assert answer_delay_s(call_of("......"), end_s=4.3) is None


def test_no_voice_sentence_or_sound_seed_of_the_evaluation_is_trained_on():
    assert not {voice.name for voice in VOICES} & {voice.name for voice in HELD_OUT_VOICES}
    variants = {(voice.speaker, voice.variant) for voice in VOICES}
    assert variants.isdisjoint((voice.speaker, voice.variant) for voice in HELD_OUT_VOICES)
    largest_training_seed = 1000 * 1000 + 1000
    assert SOUND_SEED > largest_training_seed > EVALUATION_SEED
    assert evaluation_dialogues(1)
