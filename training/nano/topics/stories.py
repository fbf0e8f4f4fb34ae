"""Sums that are told in words instead of signs."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick, words_of
from training.nano.topics.numbers import LARGEST, pair
from training.nano.words import FIRST_NAMES, NUMBERS, written_number

_FAMILY = frozenset(NUMBERS)

_ADD = Phrasings(
    """
    [please|] add {left} [and|to] {right}
    add {left} and {right} [together|for me]
    [can|could|would] you [please|] add [up|] {left} and {right}?
    if [I|we|you] add {right} to {left}, what [is it|comes out|is the answer]?
    how much [do|will] [we|you] [get|have] [when|if] [we|you] add {left} and {right}?
    * the [sum|total] of {left} and {right}
    * the number that is {right} [more|larger] than {left}
    ~ what {left} and {right} [make|come to|are] together
    {left} and {right} together [is|are|make] [what|how much]?
    put {left} and {right} together
    [start with|begin with|take] {left} and [then|] add {right}
    {right} [more|] on top of {left} [makes|is] [what|how much]?
    [go|count] {right} [steps|] [up|further] from {left}
    """,
    """
    which number is {right} more than {left}?
    please sum up {left} and {right}
    """,
)
_SUBTRACT = Phrasings(
    """
    [please|] [subtract|take|remove] {right} from {left}
    [can|could|would] you [please|] [subtract|deduct] {right} from {left}?
    if [we|you] [remove|subtract] {right} from {left}, what [is it|remains|is the answer]?
    how much [remains|is left] [when|if] {right} is [removed|taken] from {left}?
    * the difference of {left} and {right}
    * the number that is {right} [less|smaller] than {left}
    ~ what is left of {left} without {right}
    ~ how much {left} [reduced|lowered] by {right} is
    {left} without {right} is [what|how much]?
    how much [bigger|larger|more] is {left} than {right}?
    [start with|begin with|take] {left} and [then|] [remove|subtract] {right}
    [go|count] {right} [steps|] [down|back] from {left}
    how far is it from {right} to {left}?
    """,
    """
    which number is {right} less than {left}?
    what remains of {left} without {right}?
    """,
)
_DOUBLE = Phrasings(
    """
    * [twice|two times] {number}
    * the double of {number}
    ~ what twice {number} is
    how much is {number} doubled?
    [please|can you] double [the number|] {number} [, what is it|for me|]
    {number} [taken|counted] twice is [what|how much]?
    what is [two|2] [of|groups of] {number}?
    """,
    "what is {number} doubled?\nhow much is the double of {number}?",
)
_HALVE = Phrasings(
    """
    * the half of {number}
    ~ [what|how much] the half of {number} is
    how much is one half of {number}?
    [please|can you] [halve|cut in half|split in two] [the number|] {number} [for me|]
    {number} [divided|split] by [two|2] is [what|how much]?
    {number} [cut|split] in [two|half] [is|makes] what?
    [two of us|we two] share {number}, how much [does each|do I] get?
    """,
    "what is {number} divided by two?\nhow much is the half of {number}?",
)
_MORE = Phrasings(
    """
    {who} {have} {left} {things} and {gain} {right} more, how many {things} {ask_have}?
    {who} {have} {left} {things}. then {who} {gain} {right} more. how many [{things}|] {ask_have}?
    {who} {have} {left} {things} and {gain} {right} [others|extra ones], how many is that?
    first {who} {have} {left} {things}, then {who} {gain} {right} more, how many [in all|are there]?
    if {who} {have} {left} {things} and {gain} {right} more, how many {ask_have} [then|in total]?
    {left} {things} are [here|on the table|in the box], {right} more come, how many are there?
    [there are|we see] {left} {things} and [then|] {right} more, how many [is that|in total]?
    {left} {things} and {right} {things}, how many {things} [is that|are they|altogether]?
    how many {things} {ask_have} if {who} {have} {left} and {gain} {right}?
    [one box|my bag|a basket] has {left} {things}, [another|yours] has {right}, how many together?
    """,
    """
    {who} {gain} {left} {things} and later {right} more, how many {things} {ask_have}?
    how many {things} are {left} {things} and {right} more {things}?
    """,
)
_LESS = Phrasings(
    """
    {who} {have} {left} {things} and {lose} {right}, how many {things} {ask_have}?
    {who} {have} {left} {things}. then {who} {lose} {right}. how many {ask_have} [left|]?
    {who} {have} {left} {things} and {lose} {right} of them, how many [remain|stay|are left over]?
    first {who} {have} {left} {things}, then {who} {lose} {right}, how many [remain|are left]?
    from {left} {things} {who} {lose} {right}, how many {things} [remain|are left]?
    {left} {things} are [here|on the table|in the box], {right} go away, how many [remain|are left]?
    [there are|we see] {left} {things}, {right} [disappear|are gone|leave], how many are there?
    how many {things} {ask_have} [left|] if {who} {have} {left} and {lose} {right}?
    [the box|my bag|a basket] has {left} {things}, {who} {lose} {right}, how many are [in it|left]?
    {right} of [my|our|the] {left} {things} are gone, how many [remain|are left|do we keep]?
    """,
    """
    {who} {lose} {right} of {left} {things}, how many {things} remain?
    how many {things} are {left} {things} without {right}?
    """,
)
_THINGS = words_of(
    "apples pears balls books coins cards stones flowers cookies eggs pens cups dogs cats birds "
    "ducks toys stamps nuts oranges hats keys balloons candies horses letters bananas cakes"
)
_GAIN = words_of("find get buy win pick make receive collect take")
_LOSE = words_of("lose sell eat drop break hide give&away throw&away use")
_ANSWERS = """
    {result}.
    That is {result}.
"""


def sum_in_words(rng: Random, split: Split) -> list[Exchange]:
    kind = rng.choice(("add", "add", "subtract", "subtract", "double", "halve"))
    if kind == "double":
        number = rng.randint(0, LARGEST // 2)
        question = _DOUBLE.say(rng, split, number=written_number(rng, number))
        return [_answered(rng, question, 2 * number)]
    if kind == "halve":
        result = rng.randint(0, LARGEST // 2)
        question = _HALVE.say(rng, split, number=written_number(rng, 2 * result))
        return [_answered(rng, question, result)]
    left, right = pair(rng, "plus" if kind == "add" else "minus")
    slots = {"left": written_number(rng, left), "right": written_number(rng, right)}
    question = (_ADD if kind == "add" else _SUBTRACT).say(rng, split, **slots)
    return [_answered(rng, question, left + right if kind == "add" else left - right)]


def story(rng: Random, split: Split) -> list[Exchange]:
    """Somebody has some things, and gets or loses others."""
    gains = rng.random() < 0.5
    left, right = pair(rng, "plus" if gains else "minus")
    slots = {
        **_people(rng),
        "things": rng.choice(_THINGS),
        "left": written_number(rng, left),
        "right": written_number(rng, right),
    }
    question = (_MORE if gains else _LESS).say(rng, split, **slots)
    return [_answered(rng, question, left + right if gains else left - right)]


def _people(rng: Random) -> dict[str, str]:
    """Somebody with the forms of verbs that fit, by slot."""
    gain, lose = rng.choice(_GAIN), rng.choice(_LOSE).replace("&", " ")
    if rng.random() < 0.5:
        who = rng.choice(("I", "I", "we", "you", "they"))
        return {
            "who": who,
            "have": "have",
            "gain": gain,
            "lose": lose,
            "ask_have": f"do {who} have",
        }
    who = rng.choice(("she", "he", "my friend", "my sister", rng.choice(FIRST_NAMES)))
    return {
        "who": who,
        "have": "has",
        "gain": f"{gain}s",
        "lose": lose.replace(" ", "s ") if " " in lose else f"{lose}s",
        "ask_have": f"does {who} have",
    }


def _answered(rng: Random, question: str, result: int) -> Exchange:
    answer = pick(rng, _ANSWERS, result=NUMBERS[result])
    return Exchange(question, answer, (NUMBERS[result],), _FAMILY)


SKILLS: dict[str, Maker] = {"sums in words": sum_in_words, "story problems": story}
