"""Questions for a yes or a no, and which of two is more."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.topics.animals import LEGS
from training.nano.topics.knowledge import COLOUR_OF
from training.nano.topics.numbers import LARGEST, pair
from training.nano.topics.opposites import OPPOSITES
from training.nano.words import COLOURS, DAYS, MONTHS, NUMBERS, article, written_number

_T = TypeVar("_T")
_YES_NO = frozenset({"yes", "no"})

_SUM = Phrasings(
    """
    does {sum} [make|equal|give] {claimed}?
    is {sum} [equal to|the same as|really] {claimed}?
    [is it [true|right|correct] that|am I right that|can it be that] {sum} is {claimed}?
    {sum} is {claimed}, [correct|true or false|isn't it|am I right|yes or no]?
    {sum} [makes|equals|gives] {claimed}, [right|correct|true|doesn't it]?
    ~ [if|whether] {sum} is {claimed}
    [I think|I say|my teacher says|he says] {sum} is {claimed}, is [that|it] [right|true|correct]?
    [true or false|right or wrong|check this|yes or no]: {sum} is {claimed}
    would you say [that|] {sum} is {claimed}?
    is {claimed} the [result|answer] of {sum}?
    """,
    """
    do you agree that {sum} is {claimed}?
    is {claimed} what {sum} makes?
    """,
)
_COLOUR = Phrasings(
    """
    would you say [that|] {thing} is {colour}?
    {thing} is {colour}, [true|isn't it|correct|yes or no|am I right]?
    is {thing} [normally|usually|really|mostly|often] {colour}?
    is {colour} the [color|colour] of {thing}?
    is the [color|colour] of {thing} {colour}?
    [does|would] {thing} [look|seem] {colour}?
    [is it [true|right|correct] that|am I right that|do you think that] {thing} is {colour}?
    ~ [if|whether] {thing} is {colour}
    [true or false|right or wrong|yes or no]: {thing} is {colour}
    [I think|they say|my friend says] {thing} is {colour}, is [that|it] [right|true|correct]?
    """,
    """
    do you agree that {thing} is {colour}?
    can you say that {thing} is {colour}?
    """,
)
_OPPOSITE = Phrasings(
    """
    are {one} and {other} [opposites|contraries|opposite words]?
    {one} is the opposite of {other}, [right|true|isn't it|correct|yes or no]?
    does {one} mean the opposite of {other}?
    is {one} [opposite to|the contrary of|the reverse of] {other}?
    [is it [true|right] that|am I right that] {one} is the opposite of {other}?
    ~ [if|whether] {one} is the opposite of {other}
    [true or false|right or wrong]: {one} is the opposite of {other}
    [I think|I say] {one} is the opposite of {other}, is that [right|true|correct]?
    do {one} and {other} mean the opposite?
    """,
    """
    do you agree that {one} is the opposite of {other}?
    is {other} what you call the opposite of {one}?
    """,
)
_KIND = Phrasings(
    """
    is {thing} [a kind|a sort|some sort|an example] of {bare}?
    {thing} is {kind}, [right|true|isn't it|correct|yes or no]?
    do [you|we|people] call {thing} {kind}?
    is {thing} [really|also] {kind} [or not|]?
    [is it [true|right] that|am I right that|would you say] {thing} is {kind}?
    ~ [if|whether] {thing} is {kind}
    [true or false|right or wrong]: {thing} is {kind}
    [can|could] {thing} be {kind}?
    """,
    """
    do you agree that {thing} is {kind}?
    does {thing} count as {kind}?
    """,
)
_MORE = Phrasings(
    """
    [which|what] [number|one|] is {more}, {one} or {other}?
    is {one} {more} or is {other} {more}?
    {one} or {other}, [which|what] [number|one|] is {more}?
    what is {more}: {one} or {other}?
    * the {more} [number|one] of {one} and {other}
    ~ [which|what] [number|one|] is {more}, {one} or {other}
    [compare|look at] {one} and {other}, [which|which one] is {more}?
    [between|of] {one} and {other}, which [number|one|] is {more}?
    """,
    """
    which of {one} and {other} is {more}?
    tell me what is {more}, {one} or {other}
    """,
)
_SIZES = {True: ("bigger", "larger", "greater", "higher"), False: ("smaller", "lower", "less")}
_KINDS = {
    "animal": [article(animal) for animal in LEGS],
    "color": COLOURS,
    "day": DAYS,
    "month": MONTHS,
    "number": NUMBERS,
}


def sums(rng: Random, split: Split) -> list[Exchange]:
    operation = rng.choice(("plus", "minus"))
    left, right = pair(rng, operation)
    result = left + right if operation == "plus" else left - right
    claimed = _claimed(rng, result, [*range(max(0, result - 3), min(LARGEST, result + 3) + 1)])
    spoken = f"{NUMBERS[left]} {operation} {NUMBERS[right]}"
    asked = spoken if rng.random() < 0.6 else f"{left} {operation} {right}"
    question = _SUM.say(rng, split, sum=asked, claimed=written_number(rng, claimed))
    return [_judged(question, claimed == result, f"{spoken} is {NUMBERS[result]}")]


def colours(rng: Random, split: Split) -> list[Exchange]:
    thing = rng.choice(sorted(COLOUR_OF))
    claimed = _claimed(rng, COLOUR_OF[thing], COLOURS)
    question = _COLOUR.say(rng, split, thing=thing, colour=claimed)
    return [_judged(question, claimed == COLOUR_OF[thing], f"{thing} is {COLOUR_OF[thing]}")]


def opposites(rng: Random, split: Split) -> list[Exchange]:
    one = rng.choice(sorted(OPPOSITES))
    right = rng.choice(sorted(OPPOSITES[one]))
    claimed = _claimed(rng, right, sorted(OPPOSITES.keys() - OPPOSITES[one] - {one}))
    question = _OPPOSITE.say(rng, split, one=claimed, other=one)
    return [_judged(question, claimed == right, f"the opposite of {one} is {right}")]


def kinds(rng: Random, split: Split) -> list[Exchange]:
    right = rng.choice(sorted(_KINDS))
    claimed = _claimed(rng, right, sorted(_KINDS))
    thing = rng.choice(_KINDS[right])
    slots = {"thing": thing, "kind": article(claimed), "bare": claimed}
    return [
        _judged(_KIND.say(rng, split, **slots), claimed == right, f"{thing} is {article(right)}")
    ]


def compared(rng: Random, split: Split) -> list[Exchange]:
    wants_larger = rng.random() < 0.6
    pair = rng.sample(range(LARGEST + 1), 2)
    result = NUMBERS[max(pair) if wants_larger else min(pair)]
    more = rng.choice(_SIZES[wants_larger])
    one, other = (written_number(rng, number) for number in pair)
    question = _MORE.say(rng, split, more=more, one=one, other=other)
    answer = f"{result.capitalize()} is {more}."
    return [Exchange(question, answer, (result,), frozenset(NUMBERS) - {result})]


def _claimed(rng: Random, right: _T, others: list[_T]) -> _T:
    """What is right in half of the cases."""
    return right if rng.random() < 0.5 else rng.choice(others)


def _judged(question: str, is_right: bool, fact: str) -> Exchange:
    word = "yes" if is_right else "no"
    return Exchange(question, f"{word.capitalize()}, {fact}.", (word,), _YES_NO)


SKILLS: dict[str, Maker] = {
    "checked sums": sums,
    "checked colours": colours,
    "checked opposites": opposites,
    "checked kinds": kinds,
    "compared numbers": compared,
}
