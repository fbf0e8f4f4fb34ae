"""Arithmetic up to twenty, and what users ask after a sum."""

from __future__ import annotations

import operator
from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick
from training.nano.words import NUMBERS, written_number

LARGEST = 20
_FAMILY = frozenset(NUMBERS)

_RESULT = Phrasings(
    """
    what is {sum}?
    what's {sum}?
    {sum}
    {sum}?
    {sum} is
    how much is {sum}?
    [please|] [calculate|compute|work out] {sum}
    [can|could] you [calculate|compute|tell me|work out] {sum}?
    what [does|do] {sum} make?
    [do you know|tell me|say] [what|how much] {sum} is
    [and|so|now|okay], what is {sum}?
    {sum} equals
    {sum} equals what?
    [hello|hi|hey], what is {sum}?
    what do you get [for|from] {sum}?
    * {sum}
    * the [sum|value|outcome] of {sum}
    ~ what {sum} [is|makes|gives|equals]
    ~ how much {sum} is
    [find|give me|show me|say] the [result|answer|value] [of|for|to] {sum}
    [what|which number] [is|comes out|results] [of|from|for|with] {sum}?
    [what|which number] [do we get|will I get|do I get] [of|from|for|with] {sum}?
    [add|count|put] [it|this] [together|up]: {sum}
    [a|here is a|one] [question|task|problem|sum] [for you|]: {sum}
    [I have a question|solve this|do the math|do this sum|think about it|quick], {sum}
    I [need|want] [to have|the result of|the answer to|help with] {sum}
    how [many|great|much] [does|do] {sum} [make|give|equal]?
    how big [a number|] does {sum} make?
    if I have {sum}, how much is [it|that]?
    {sum} [makes|gives|is equal to] [what|how much|which number]
    [work|figure] it out: {sum}
    [what|how much] [would|will|might|could] {sum} be?
    what [comes out|is the outcome|do you get] [of|when you take|if I do] {sum}?
    the [answer|result] [of|to|for] {sum} [is|please|would be]
    [do|solve|try|take] {sum} [for me|please|now|]
    can you [do|solve|add up|handle|figure out] {sum}?
    {sum} [is|gives|makes|comes to] [what|how much]?
    {sum}, what is [that|it|the answer]?
    {sum}, [please|quickly|what do you say|can you do it|how much is that]
    what number [is|does] {sum} [give|make|]?
    I [do not know|cannot work out|forgot|want to check] [what|how much] {sum} is
    [my teacher asks|my homework is|the task is|next one is|the problem is]: {sum}
    [a sum for you|math question|easy one], {sum} is [what|how much]?
    [what|how much] do we have with {sum}?
    [guess|say|tell us] [the answer to|the result of] {sum}
    """,
    """
    what is the [result|answer] of {sum}?
    I [want|need] to know {sum}
    how [big|large] is {sum}?
    [add it up for me|a question], {sum}?
    """,
)
_RESULT_ANSWERS = """
    {sum} is {result}.
    That is {result}.
    {result}.
"""
_OPERATIONS = {"plus": operator.add, "minus": operator.sub, "times": operator.mul}
_SIGNS = {
    "plus": (" plus ", " plus ", " and ", " + ", "+", " added to "),
    "minus": (" minus ", " minus ", " take away ", " - ", "-", " less ", " reduced by "),
    "times": (" times ", " times ", " multiplied by ", " x ", " multiplied with "),
}

_ANOTHER = Phrasings(
    """
    [and|so|okay,|now|then] what about {sum}?
    [and|then|now|okay, and|also] {sum}?
    [next|another one|one more|now this]: {sum}
    the same for {sum}, please
    [good|thanks|right|fine], and {sum}?
    [and|now|then] {sum} [, please|, what is that]?
    and how much is {sum}?
    [right|correct|okay|well done], {sum}?
    [one more|another|a new] [sum|question|one]: {sum}
    and what do you get for {sum}?
    """,
    """
    so how about {sum}?
    {sum} as well?
    """,
)
_MORE = Phrasings(
    """
    and [plus|add] {number}?
    [now|then] add {number}
    [plus|and] {number} more?
    and if you add {number}?
    add {number} to [that|it]
    [and|now|then|so] what if [you|we] add {number} [more|to it|]?
    what [do I|do we|will I] get if I add {number} [more|]?
    what [is it|happens] [if|when] I add {number} [more|to that]?
    [and|then|so] plus {number}?
    [and|now|then|okay,] [plus|add|with] another {number}?
    [and|now|then] {number} more [on top|please|]?
    [and|] if I [add|put] {number} [to that|on top|more]?
    [put|take] {number} [more|on top|to it]
    and [together with|with another|with plus] {number}?
    add [another|] {number} [more|please|]
    [put|throw|count] {number} [on top of that|to that|on it]
    [increase|raise] [it|that] by {number}
    if {number} more [come|are added], what is it?
    with {number} on top, what [is it|do we get]?
    [and|then|now] [go up|up] {number} [more|]
    """,
    """
    what if I add {number}?
    and with {number} more?
    """,
)

_LESS = Phrasings(
    """
    and [minus|less|subtract] {number}?
    [now|then|and then|and] [subtract|remove|minus] {number} [from that|from it|]
    and if [you|we|I] [subtract|remove] {number}?
    [and|okay,|so] {number} less?
    [take|remove|cut] {number} [off|from that|from it]
    what if [you|we|I] take {number} off [it|that]?
    [lower|reduce] [it|that] by {number}
    without {number}, what is left?
    [and|then|now] [go down|down|back] {number}
    if {number} [go|are removed], what [is it|remains]?
    """,
    """
    what if I remove {number}?
    and with {number} less?
    """,
)
_SURE = Phrasings(
    """
    are you [really|quite|very|absolutely|so] sure?
    [is|was] that [really|] [right|correct|true]?
    [really|truly|honestly|is it|certain]?
    are you [certain|positive|right|not wrong]?
    sure about [that|it|this]?
    can I [trust|believe] [you|that|it]?
    [did you|have you] [check|checked|count|counted] [it|that|right]?
    """,
    """
    are you very certain?
    is this really so?
    """,
)


def arithmetic(rng: Random, split: Split) -> list[Exchange]:
    first = _sum(rng, split, *_terms(rng))
    if rng.random() < 0.85:
        return [first]
    return [first, _sum(rng, split, *_terms(rng), questions=_ANOTHER)]


def more(rng: Random, split: Split) -> list[Exchange]:
    """A sum, and then another number on top."""
    left = rng.randint(0, 12)
    right = rng.randint(0, 12 - left)
    extra = rng.randint(1, LARGEST - 12)
    question = _MORE.say(rng, split, number=written_number(rng, extra))
    answer = f"That is {NUMBERS[left + right + extra]}."
    follow_up = Exchange(question, answer, (NUMBERS[left + right + extra],), _FAMILY)
    return [_sum(rng, split, "plus", left, right), follow_up]


def less(rng: Random, split: Split) -> list[Exchange]:
    """A sum, and then a number off it."""
    left, right = rng.randint(0, 10), rng.randint(0, 10)
    off = rng.randint(0, left + right)
    question = _LESS.say(rng, split, number=written_number(rng, off))
    result = NUMBERS[left + right - off]
    follow_up = Exchange(question, f"That is {result}.", (result,), _FAMILY)
    return [_sum(rng, split, "plus", left, right), follow_up]


def sure(rng: Random, split: Split) -> list[Exchange]:
    first = _sum(rng, split, *_terms(rng))
    return [first, Exchange(_SURE.say(rng, split), "Yes, I am sure.", ("yes",))]


def pair(rng: Random, operation: str) -> tuple[int, int]:
    """Numbers whose sum, difference or product is between zero and `LARGEST`; rarely a zero."""
    while True:
        lowest = 0 if rng.random() < 0.15 else 1
        left, right = rng.randint(lowest, LARGEST), rng.randint(lowest, LARGEST)
        if 0 <= _OPERATIONS[operation](left, right) <= LARGEST:
            return left, right


def _terms(rng: Random) -> tuple[str, int, int]:
    operation = rng.choice(("plus", "plus", "plus", "minus", "minus", "times"))
    return (operation, *pair(rng, operation))


def _sum(
    rng: Random,
    split: Split,
    operation: str,
    left: int,
    right: int,
    questions: Phrasings = _RESULT,
) -> Exchange:
    result = NUMBERS[_OPERATIONS[operation](left, right)]
    in_digits = rng.random() < 0.4
    terms = (str(left), str(right)) if in_digits else (NUMBERS[left], NUMBERS[right])
    sign = rng.choice(_SIGNS[operation])
    question = questions.say(
        rng, split, sum=(sign if in_digits else f" {sign.strip()} ").join(terms)
    )
    spoken = f"{NUMBERS[left]} {operation} {NUMBERS[right]}"
    answer = pick(rng, _RESULT_ANSWERS, sum=spoken, result=result)
    allowed = {NUMBERS[left], NUMBERS[right]}
    return Exchange(question, answer, (result,), _FAMILY - allowed)


SKILLS: dict[str, Maker] = {
    "arithmetic": arithmetic,
    "arithmetic follow-up": more,
    "subtraction follow-up": less,
    "are you sure": sure,
}
