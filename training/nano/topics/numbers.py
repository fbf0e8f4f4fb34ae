"""Arithmetic up to twenty, counting, and what comes next."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick
from training.nano.words import NUMBERS

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
_SIGNS = {
    "plus": (" plus ", " and ", " + ", "+"),
    "minus": (" minus ", " take away ", " - ", "-"),
    "times": (" times ", " multiplied by ", " x "),
}

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
    """,
    """
    what if I add {number}?
    and with {number} more?
    """,
)

_COUNT = Phrasings(
    """
    count to {last}
    [please|] count [up|] to {last}
    [can|could] you count [up|] to {last} [please|]?
    count from one to {last}
    [let us|let's|now] count to {last}
    I want you to count to {last}
    [say|tell me|list] the numbers [up to|from one to] {last}
    ~ how you count [up|] to {last}
    ~ how to count to {last}
    * the numbers [up to|from one to|until] {last}
    * all [the|] numbers [from one up to|until] {last}
    [show|let] me [see|hear] [you|how you] count [up|] to {last}
    [show|tell] me that you [can|know how to] count [up|] to {last}
    [would|will] you [please|] count [up|] [to|until] {last}?
    start [counting|at one] and [stop at|go on to|go to] {last}
    [go|count] [on|] from one [up|] [to|until] {last}
    one, two, three and so on [up|] to {last}
    do you know how to count to {last}?
    [name|give me|read|write] [the|all the] numbers [until|up to] {last}
    count until {last}
    I [bet|think] you can count to {last}
    """,
    """
    show me [how|that] you [can|] count to {last}
    [name|give me] all numbers [up to|from one to] {last}
    """,
)
_RANGE = Phrasings(
    """
    count from {first} to {last}
    [please|] [start at|begin with] {first} and count to {last}
    [can|could] you count from {first} [up|] to {last}?
    [say|list] the numbers from {first} to {last}
    * the numbers [from|starting at] {first} [up|] to {last}
    * all [the|] numbers [from|between] {first} [to|and] {last}
    count [up|on|] from {first} [up|until|] to {last} [please|]
    [go|start|begin] [at|with|from] {first} and [go|count] [on|up|] to {last}
    [please|now|] go from {first} up to {last}
    [please|can you] [go|run] through the numbers from {first} to {last}
    [start|begin] at {first}, [stop|end] at {last}
    [I want|I would like] the numbers from {first} to {last}
    from {first} to {last}, [count|say the numbers|please]
    [name|give me|tell me|read] the numbers from {first} to {last} [, both included|]
    """,
    """
    [name|give me] the numbers between {first} and {last}, both included
    go from {first} to {last}
    """,
)
_DOWN = Phrasings(
    """
    count [down|backwards] from {last}
    [please|] count [down|backwards] from {last} [to one|]
    [can|could] you count [down|backwards] from {last}?
    do a countdown from {last}
    * a countdown from {last}
    * the numbers [backwards|downwards] from {last}
    [start|begin|run|give me|make] [a|the] countdown [from|with] {last}
    [start|begin] [at|with] {last} and count [down|backwards]
    [say|list|tell me|name|give me] the numbers [down|downwards] from {last}
    [go|count] [back|down|in reverse|downwards] from {last} [to one|please|]
    [name|list] the numbers from {last} [down to one|backwards]
    from {last} [down|backwards] to one [please|]
    count [in reverse|the other way], [start|starting|begin] [at|with] {last}
    """,
    """
    [start|begin] a countdown at {last}
    say the numbers backwards from {last}
    """,
)
_NEXT = Phrasings(
    """
    what [number|] [comes|is] {side} {number}?
    [which|what] number [comes|is] {side} {number}?
    [tell|] me the number {side} {number}
    [do you know|say] what comes {side} {number}
    * the number [that comes|] [right|] {side} {number}
    * the number [directly|just|right] {side} {number}
    ~ [what|which] [number|] [comes|is] [right|] {side} {number}
    [what|which number] do [I|you|we] [say|get] [right|] {side} {number} [when counting|]?
    [what|which number] do [I|you|we] [have|use|need] [right|] {side} {number} [when counting|]?
    what do [you|we] say {side} {number} when [you|we] count?
    when I count, [what|which number] [comes|is|do I say] {side} {number}?
    when counting, what [is|comes|do I say] {side} {number}?
    I count, what [comes|is] {side} {number}?
    {side} {number} [comes|is|I say] [what|which number]?
    {side} {number}, [what|which number] [comes|is it|do we have]?
    which is the number {side} {number}?
    the number {side} {number} is [what|which]?
    [directly|right|just] {side} {number} [comes|is] [which number|what]?
    """,
    """
    [name|give me] the number that comes right {side} {number}
    what do I say {side} {number} when I count?
    """,
)
_NEXT_ANSWERS = """
    {result}.
    {result} comes {side} {number}.
"""


def arithmetic(rng: Random, split: Split) -> list[Exchange]:
    return [_sum(rng, split, *_terms(rng))]


def more(rng: Random, split: Split) -> list[Exchange]:
    """A sum, and then another number on top."""
    left = rng.randint(0, 12)
    right = rng.randint(0, 12 - left)
    extra = rng.randint(1, LARGEST - 12)
    question = _MORE.say(rng, split, number=_written(rng, extra))
    answer = f"That is {NUMBERS[left + right + extra]}."
    follow_up = Exchange(question, answer, (NUMBERS[left + right + extra],), _FAMILY)
    return [_sum(rng, split, "plus", left, right), follow_up]


def count(rng: Random, split: Split) -> list[Exchange]:
    last = rng.randint(2, LARGEST)
    kind = rng.random()
    if kind < 0.5:
        question = _COUNT.say(rng, split, last=_written(rng, last))
        return [_listing(question, NUMBERS[1 : last + 1])]
    if kind < 0.75:
        first = rng.randint(0, last - 1)
        slots = {"first": _written(rng, first), "last": _written(rng, last)}
        return [_listing(_RANGE.say(rng, split, **slots), NUMBERS[first : last + 1])]
    last = min(last, 10)
    question = _DOWN.say(rng, split, last=_written(rng, last))
    return [_listing(question, NUMBERS[last:0:-1])]


def neighbour(rng: Random, split: Split) -> list[Exchange]:
    number = rng.randint(1, LARGEST - 1)
    side = rng.choice(("after", "before"))
    result = NUMBERS[number + (1 if side == "after" else -1)]
    question = _NEXT.say(rng, split, side=side, number=_written(rng, number))
    answer = pick(rng, _NEXT_ANSWERS, result=result, side=side, number=NUMBERS[number])
    return [Exchange(question, answer, (result,), _FAMILY - {NUMBERS[number]})]


def _terms(rng: Random) -> tuple[str, int, int]:
    operation = rng.choice(("plus", "plus", "plus", "minus", "minus", "times"))
    if operation == "plus":
        left = rng.randint(0, LARGEST)
        return operation, left, rng.randint(0, LARGEST - left)
    if operation == "minus":
        left = rng.randint(0, LARGEST)
        return operation, left, rng.randint(0, left)
    left = rng.randint(0, 10)
    return operation, left, rng.randint(0, min(10, LARGEST // left) if left else 10)


def _sum(rng: Random, split: Split, operation: str, left: int, right: int) -> Exchange:
    results = {"plus": left + right, "minus": left - right, "times": left * right}
    result = NUMBERS[results[operation]]
    in_digits = rng.random() < 0.4
    terms = (str(left), str(right)) if in_digits else (NUMBERS[left], NUMBERS[right])
    sign = rng.choice(_SIGNS[operation])
    question = _RESULT.say(rng, split, sum=(sign if in_digits else f" {sign.strip()} ").join(terms))
    spoken = f"{NUMBERS[left]} {operation} {NUMBERS[right]}"
    answer = pick(rng, _RESULT_ANSWERS, sum=spoken, result=result)
    allowed = {NUMBERS[left], NUMBERS[right]}
    return Exchange(question, answer, (result,), _FAMILY - allowed)


def _listing(question: str, numbers: list[str]) -> Exchange:
    listed = ", ".join(numbers)
    return Exchange(question, f"{listed[:1].upper()}{listed[1:]}.", (" ".join(numbers),), _FAMILY)


def _written(rng: Random, number: int) -> str:
    return str(number) if rng.random() < 0.4 else NUMBERS[number]


SKILLS: dict[str, Maker] = {
    "arithmetic": arithmetic,
    "arithmetic follow-up": more,
    "counting": count,
    "number neighbours": neighbour,
}
