"""The scores of speech and speed, and the model card that is made of all scores."""

from __future__ import annotations

import base64
import json
from contextlib import nullcontext
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from core.processors.sound import wav_base64
from tests.unit.nano_feeds import noise_for_speech
from training.nano import evaluate, speech_packages
from training.nano.dialogues import Dialogue
from training.nano.evaluate import FULL, QUICK
from training.nano.evaluate_calls import Line, Unit, percentile
from training.nano.evaluate_speech import decoded, speech_scores, spoken_dialogues
from training.nano.evaluate_speed import speed_scores
from training.nano.exchange import Exchange
from training.nano.model_card import evaluation_of, model_card
from training.nano.speech_packages import SpeechError

GREETING = Dialogue("greeting", (Exchange("Hello", "Hello there, my friend!"),))
EVALUATION = {
    "text": {"all": 0.97, "skills": {"days": 1.0, "opposites": 0.94}},
    "pictures": {"all": 0.9, "n": 50, "skills": {"colour": 0.9}},
    "calls": {
        "answered_in_time": 0.95,
        "answers": {"all": 0.5, "n": 25},
        "false_starts_per_minute": 0.1,
        "yields": 0.8,
        "interruptions": 40,
    },
    "speech": {"word_error_rate": 0.25},
    "speed": {"omni_unit_p95_ms": 240, "start_to_ready_s": 7.5},
}


def test_words_that_are_not_heard_are_errors_and_answers_without_sound_are_told():
    sounds = {"Hello": ("Hello there, my friend!", np.ones(10, np.float32))}
    heard = speech_scores(sounds.__getitem__, lambda _: "hello there my", [GREETING])
    assert heard.summary() == {"word_error_rate": 0.25, "n": 1, "silent": 0}
    assert [failure["said"] for failure in heard.failures] == ["hello there my"]
    silent = speech_scores(lambda text: (text, decoded(None)), unheard, [GREETING])
    assert silent.summary() == {"word_error_rate": 1.0, "n": 1, "silent": 1}


def unheard(_: object) -> str:
    pytest.fail("there is no sound to be heard")


def test_voices_that_cannot_be_had_are_told_before_anything_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def missing(*, recogniser: bool) -> None:
        assert recogniser
        raise SpeechError("the speech packages cannot be downloaded")

    monkeypatch.setattr(evaluate, "provide", missing)
    monkeypatch.setattr(evaluate, "service", unheard)
    with pytest.raises(SystemExit) as ended:
        evaluate.main(["--quick", "--parts", "text", "speech"])
    assert ended.value.code == 2
    assert "--parts text blind pictures" in capsys.readouterr().err


def test_packages_are_collected_where_one_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    done: list[str] = []
    monkeypatch.setattr(speech_packages, "UNPACKED", tmp_path)
    monkeypatch.setattr(speech_packages.shutil, "which", lambda _: None)
    found = {"espeakng_loader"}
    monkeypatch.setattr(speech_packages, "find_spec", found.__contains__)
    for step in ("collect", "unpack", "fetch_recogniser"):
        monkeypatch.setattr(speech_packages, step, lambda step=step: done.append(step))
    speech_packages.provide(recogniser=True)
    assert done == ["collect", "unpack", "fetch_recogniser"]
    (tmp_path / "root" / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "root" / "usr" / "bin" / "flite").touch()
    speech_packages.provide(recogniser=False)
    assert len(done) == 3
    speech_packages.provide(recogniser=True)
    assert done[3:] == ["fetch_recogniser"]
    found.add("moonshine_voice")
    speech_packages.provide(recogniser=True)
    assert len(done) == 4
    found.clear()
    speech_packages.provide(recogniser=False)
    assert done[4:] == ["collect", "unpack"]


def test_the_sound_of_an_answer_is_read_as_the_service_sends_it():
    sound = np.linspace(-0.5, 0.5, 100, dtype=np.float32)
    np.testing.assert_allclose(decoded(wav_base64(sound)), sound, atol=1e-4)
    assert base64.b64decode(wav_base64(sound)).startswith(b"RIFF")


def test_answers_for_the_recogniser_are_english_and_all_different():
    answers = [dialogue.exchanges[0].answer for dialogue in spoken_dialogues(FULL.spoken_answers)]
    assert len(set(answers)) == len(answers) >= QUICK.spoken_answers
    assert all(answer.isascii() for answer in answers)
    skills = {dialogue.skill for dialogue in spoken_dialogues(QUICK.spoken_answers)}
    assert len(skills) > QUICK.spoken_answers / 3


def test_times_of_units_are_told_for_all_and_for_those_that_speak(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("training.nano.speakers.spoken", noise_for_speech)
    durations_s = cycle([0.05, 0.05, 0.2])

    def line() -> Line:
        def hear(_: object) -> Unit:
            duration_s = next(durations_s)
            return Unit(duration_s < 0.1, "", False, duration_s)

        return hear

    summary = speed_scores(lambda: nullcontext(line()), [GREETING], start_s=6.5).summary()
    assert summary["start_to_ready_s"] == 6.5
    assert (summary["omni_unit_p50_ms"], summary["omni_unit_p95_ms"]) == (50, 200)
    assert summary["omni_speaking_unit_p95_ms"] == 200
    assert 0 < summary["speaking_units"] < summary["units"]


def test_a_percentile_is_one_of_the_values():
    assert percentile([], 95) is None
    assert percentile([3.0], 95) == 3
    assert [percentile(range(100), share) for share in (0, 50, 95, 100)] == [0, 50, 95, 99]


def test_the_card_tells_what_was_reached_and_what_was_not(
    embedded_checkpoint: Path, tmp_path: Path
):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    first.write_text(json.dumps({**EVALUATION, "text": {"all": 0.1, "skills": {}}}) + "\n")
    second.write_text(json.dumps({"text": EVALUATION["text"]}) + "\n")
    card = model_card(embedded_checkpoint, evaluation_of([first, second]))
    lines = card.splitlines()
    rows = {cells[1]: cells[2:-1] for line in lines if len(cells := cut(line)) > 4}
    written = rows["Written questions, in held-out wordings"]
    spoken = rows["Spoken questions, in held-out voices"]
    assert written == ["97.0 %", "", "at least 95.0 %", "yes"]
    assert spoken == ["not measured", "", "at least 85.0 %", ""]
    assert rows["Shapes and colours"] == ["90.0 %", "50", "at least 95.0 %", "no"]
    assert rows["Calls: answers that are right"] == ["50.0 %", "25", "", ""]
    assert rows["Calls: falls silent when interrupted"] == ["80.0 %", "40", "", ""]
    own_speech = "Own speech: words an independent recogniser gets wrong"
    assert rows[own_speech] == ["25.0 %", "", "at most 20.0 %", "no"]
    assert rows["From the start of the service to its first answer"][0] == "7.5 s"
    assert "| opposites | 94 % |  |" in lines and "| colour |  | 90 % |" in lines
    assert not any("{" in line for line in lines)


def test_the_model_card_says_plainly_what_falls_short(embedded_checkpoint: Path):
    heading, speech = "## What it cannot do yet", "- Of the words that it speaks 25.0 % are not"
    assert heading in (card := model_card(embedded_checkpoint, EVALUATION)) and speech in card
    assert "of spoken questions" not in card, "of which nothing was measured"
    good = {"speech": {"word_error_rate": 0.1}, "pictures": {"all": 0.99, "skills": {}}}
    assert heading not in model_card(embedded_checkpoint, EVALUATION | good)


def cut(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]
