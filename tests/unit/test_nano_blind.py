"""The blind questions: what they hold, how they are judged, and that none is learnt."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import httpx

from training.nano.blind import BlindQuestion, blind_questions, blind_sentences
from training.nano.dialogues import barred_sentences
from training.nano.evaluate import blind_scores
from training.nano.phrasing import normalised
from training.nano.topics import SKILLS

SUM = BlindQuestion("arithmetic", "en", ("2+2",), (r"\b(4|four)\b",), ("five",))


def test_templates_that_happen_to_make_a_blind_sentence_are_kept_from_saying_it():
    rng = Random(0)
    made = {normalised(SKILLS["greeting"](rng, "seen")[0].user) for _ in range(3000)}
    assert made & blind_sentences()
    assert blind_sentences() < barred_sentences()


def test_the_questions_are_three_hundred_different_ones_in_two_languages():
    questions = blind_questions()
    assert Counter(question.language for question in questions) == {"en": 240, "zh": 60}
    assert len({question.turns for question in questions}) == len(questions)
    assert {len(question.turns) for question in questions} == {1, 2}


def test_every_pattern_can_be_read():
    for question in blind_questions():
        for pattern in question.accept + question.reject:
            re.compile(pattern)
        assert not question.accepts("")


def test_an_answer_holds_one_accepted_pattern_and_no_rejected_one():
    assert SUM.accepts("That is Four.")
    assert not SUM.accepts("Fourteen.")
    assert not SUM.accepts("Four or five.")


def test_the_model_gives_the_answers_before_the_last_one_itself():
    heard: list[list[str]] = []

    def reply(request: httpx.Request) -> httpx.Response:
        body = request.read().decode()
        heard.append(re.findall(r'"content": ?"([^"]*)"', body))
        return httpx.Response(200, json={"text": f"Answer {len(heard)}."})

    question = BlindQuestion("recall", "zh", ("one", "two"), ("answer 2",))
    transport = httpx.MockTransport(reply)
    with httpx.Client(base_url="http://service", transport=transport) as client:
        scores = blind_scores(client, [question, SUM])
    assert heard == [["one"], ["one", "Answer 1.", "two"], ["2+2"]]
    assert scores.summary()["skills"] == {"arithmetic": 0.0, "recall zh": 1.0}
    assert [failure["said"] for failure in scores.failures] == ["Answer 3."]
