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
    is {sum} {claimed} or [not|something else]?
    [do|will|would] [I|we] get {claimed} [for|from|out of] {sum}?
    does {sum} come [out|] [to|at|as] {claimed}?
    [I got|I have|my answer is|my result is] {claimed} for {sum}, [is it right|am I right|correct]?
    is {claimed} [right|correct|true|wrong] for {sum}?
    [can|could|must|should] {sum} be {claimed}?
    if [I|we|you] [work out|count|calculate] {sum}, is it {claimed}?
    [check|test|see] [if|whether] {sum} [is|makes|gives] {claimed}
    {claimed} is [equal to|the same as|the sum of] {sum}, [right|true|yes or no|correct]?
    for {sum} [one gets|we get|I get] {claimed}, [right|true|isn't it|yes or no]?
    [did I|do I|did we] [count|add|calculate] [right|well|correctly]: {sum} is {claimed}?
    is it {claimed} that comes out of {sum}?
    [somebody|my brother|the book] [claims|wrote|told me] that {sum} is {claimed}, [right|is it so]?
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
    is {thing} {colour} or [not|another color|something else]?
    does {thing} have the [color|colour] {colour}?
    [can|could|must|should] {thing} be {colour}?
    if [I|we|you] [draw|paint|see] {thing}, is it {colour}?
    [check|see|say] [if|whether] {thing} is {colour}
    is it {colour} that {thing} [is|looks]?
    for {thing} {colour} is the [right|usual] [color|colour], [yes or no|right|true]?
    [I draw|I paint|she paints] {thing} in {colour}, is that [right|the right color|correct]?
    {colour} is [how|what] {thing} [is|looks], [right|true|yes or no]?
    [somebody|my brother|the book] [claims|told me] that {thing} is {colour}, [right|is it so]?
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
    is the opposite of {other} {one}?
    would [you|we|people] call {one} the opposite of {other}?
    is {one} the [right|correct|usual|exact] opposite [of|for|to] {other}?
    the opposite of {other}, is [it|that] {one}?
    [can|could|must|should] {one} be the opposite of {other}?
    for {other} the opposite is {one}, [right|true|correct|yes or no]?
    [check|see|say] [if|whether] {one} is the opposite of {other}
    [my answer|my guess] for the opposite of {other} is {one}, [is it right|am I right|correct]?
    is it {one} that is the opposite of {other}?
    [somebody|my brother|the book] [claims|told me] that {one} is the opposite of {other}, [right]?
    {one} against {other}, are [they|these two] opposites?
    [do you think|would you think] that {one} is the opposite of {other}?
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
    is {thing} {kind} or [not|something else]?
    [do|would] [you|we|people] [see|take|know] {thing} as {kind}?
    if [I|somebody] [say|says|call it|think] {thing} is {kind}, is that [right|true|correct]?
    is it {kind} that {thing} is?
    is the word {thing} [used for|the name of|a name for] {kind}?
    [check|see|say] [if|whether] {thing} is {kind}
    {thing}: {kind} or not?
    [must|should|might] {thing} be {kind}?
    [somebody|my brother|the book] [claims|told me] that {thing} is {kind}, [right|is it so]?
    [do you think|would you think|do you believe] that {thing} is {kind}?
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
    is it {one} or {other} that is {more}?
    {one} and {other}: [which|which one|what] is {more}?
    [pick|choose|take|find] the {more} [one|number]: {one} or {other}
    if [you|I] compare {one} [and|with] {other}, [which|what] is {more}?
    [who|which] wins if the {more} [one|number] wins, {one} or {other}?
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
