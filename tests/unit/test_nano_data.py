"""The training data of the embedded model: what is held out, and what counts as an answer."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from training.nano.blind import blind_sentences
from training.nano.dialogues import (
    EVALUATIONS_PER_SKILL,
    evaluation_dialogues,
    evaluation_sentences,
    training_dialogues,
    written_dialogues,
)
from training.nano.exchange import Exchange
from training.nano.phrasing import Phrasings, expand, normalised
from training.nano.pictures import HELD_OUT_SEEDS, example
from training.nano.scores import Scores
from training.nano.topics import SKILLS
from training.nano.wording import contracted, hastily
from training.nano.words import plural


@pytest.mark.parametrize("dialogues", [training_dialogues, written_dialogues])
def test_no_sentence_of_the_fixed_or_the_blind_test_is_trained_on(dialogues):
    trained = {
        sentence
        for seed in range(2)
        for dialogue in islice(dialogues(seed), 4000)
        for sentence in dialogue.sentences
    }
    assert len(trained) > 10_000
    assert trained.isdisjoint(evaluation_sentences() | blind_sentences())


def test_every_skill_is_tested_and_trained():
    assert {dialogue.skill for dialogue in evaluation_dialogues(1)} == set(SKILLS)
    assert {dialogue.skill for dialogue in islice(training_dialogues(0), 5000)} == set(SKILLS)


def test_a_shorter_evaluation_asks_some_of_the_same_questions():
    few = {tuple(dialogue.sentences) for dialogue in evaluation_dialogues(2)}
    assert few < {tuple(dialogue.sentences) for dialogue in evaluation_dialogues()}
    assert len(evaluation_dialogues()) <= EVALUATIONS_PER_SKILL * len(SKILLS)


def test_the_same_seed_makes_the_same_conversations():
    first, second = (list(islice(training_dialogues(7), 50)) for _ in range(2))
    assert first == second
    assert first != list(islice(training_dialogues(8), 50))


@pytest.mark.parametrize("skill", sorted(SKILLS))
def test_the_answers_of_a_skill_are_acceptable_and_can_be_spoken(skill: str):
    rng = Random(1)
    for split in ("seen", "held_out"):
        for _ in range(30):
            for exchange in SKILLS[skill](rng, split):
                assert not set(exchange.answer) & set(":#@*()[]&/${}\n"), exchange.answer
            last = SKILLS[skill](rng, split)[-1]
            assert last.required
            # what makes an answer acceptable holds for the expected one itself
            assert last.accepts(f"{last.answer} Well.")


def test_another_wording_is_accepted_and_another_number_is_not():
    numbers = frozenset({"five", "six"})
    exchange = Exchange("what is 2+3", "That is five.", ("five",), numbers)
    assert exchange.accepts("Two plus three is five.")
    assert not exchange.accepts("That is six.")
    assert not exchange.accepts("Five or six.")
    assert not exchange.accepts("five " * 40)


def test_chinese_words_are_found_without_blanks():
    assert Exchange("你好吗", "我很好，谢谢！", ("很好",)).accepts("很好！你呢？")


def test_templates_choose_and_fill_in():
    assert expand(Random(0), "[|] what is {thing} ?", thing="this") == "what is this?"
    sayings = Phrasings("a [b|c]", "d")
    assert {sayings.say(Random(seed), "seen") for seed in range(20)} == {"a b", "a c"}
    assert sayings.say(Random(0), "held_out") == "d"


def test_a_thing_or_an_indirect_question_is_asked_for_in_many_frames():
    sayings = Phrasings("* the time\n~ how late it is", "what is the time?")
    said = {sayings.say(Random(seed), "seen") for seed in range(300)}
    assert len(said) > 50
    assert all("the time" in text or "how late it is" in text for text in said)


def test_a_held_out_wording_is_never_drawn_for_training():
    sayings = Phrasings("* the time of [day|night]", "what is the time of day?\nthe time of night")
    barred = sayings.wordings("held_out")
    assert barred == {"what is the time of day", "the time of night"}
    assert barred < sayings.wordings("seen")
    assert all(normalised(sayings.say(Random(seed), "seen")) not in barred for seed in range(500))


def test_words_are_drawn_together_as_in_speech_but_not_at_the_end():
    rng = Random(0)
    said = {contracted(rng, "I am not sure who I am") for _ in range(50)}
    assert said == {"I am not sure who I am", "I'm not sure who I am"}


def test_hasty_writers_leave_out_marks_and_letters():
    rng = Random(0)
    written = {hastily(rng, "What's up, are you Nano?") for _ in range(400)}
    assert {
        "What's up, are you Nano?",
        "what's up, are you nano",
        "whats up, are you nano",
    } < written
    assert any(text.startswith("What's up, r u Nano") for text in written)
    assert hastily(rng, "你好吗？") == "你好吗？"


@pytest.mark.parametrize(("one", "several"), [("fly", "flies"), ("mouse", "mice"), ("toy", "toys")])
def test_nouns_have_plurals(one: str, several: str):
    assert plural(one) == several


def test_scores_tell_the_shares_and_keep_what_was_not_accepted():
    scores = Scores()
    exchange = Exchange("what is 2+3", "That is five.", ("five",))
    scores.note("sums", [exchange], "Five!")
    scores.note("sums", [exchange], "Six.")
    assert scores.summary() == {"all": 0.5, "n": 2, "skills": {"sums": 0.5}}
    assert [failure["said"] for failure in scores.failures] == ["Six."]


# Pictures


def test_a_seed_makes_the_same_picture_and_question():
    first, second = example(5), example(5)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.exchange == second.exchange


def test_held_out_pictures_are_asked_about_in_words_that_training_lacks():
    trained = {example(seed).exchange.user for seed in range(300)}
    held_out = {example(seed).exchange.user for seed in HELD_OUT_SEEDS[:100]}
    assert trained.isdisjoint(held_out)


def test_pictures_without_shapes_are_described_as_unknown():
    empty = [picture for picture in map(example, range(120)) if picture.kind == "nothing"]
    assert empty
    assert all(picture.exchange.answer == "I see no shape that I know." for picture in empty)
