"""Counting, up and down, and what comes next."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick
from training.nano.topics.numbers import LARGEST
from training.nano.words import NUMBERS, written_number

_FAMILY = frozenset(NUMBERS)

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
    [recite|say aloud|call out|speak] the numbers [till|up to|through to] {last}
    up to {last}, [please count|count|say all numbers|can you]
    [count|counting] [aloud|slowly|for me|out loud|once more] [up|] to {last}
    [give|tell] me [one|1] [up|] to {last}
    [let us hear you count|I am listening, count|we count] [up|] to {last}
    [try to|go ahead and|be so kind and] count to {last}
    [are you able|is it possible for you|do you manage] to count to {last}?
    a count to {last} [please|for me|]
    {last} is the last number, [start with one|count to it]
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
    count [between|from] {first} [and|up to|till] {last}
    [with|at] {first} [you begin|we start], [and|] count [up|] to {last}
    [can|could|will] you [go|say all] from {first} to {last}?
    {first} to {last}, [count|count that|in order please|all numbers please]
    [I begin with|first comes] {first}, [you|please] [go on|count] to {last}
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
    [like a rocket|before the rocket starts], count [down|backwards] from {last}
    [now|and] [the other way round|backwards|in reverse] from {last} [to one|]
    [backwards|downwards] from {last} [, please|, can you]
    {last} and then down [to one|please|one by one]
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
    what [stands|would be|follows] [just|directly|] {side} {number}?
    * the [neighbor|next one] {side} {number}
    {side} {number}, please
    [what|which number] [will|would] [I|you] count {side} {number}?
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
_GO_ON = Phrasings(
    """
    [go|carry|count] on [, please|from there|]
    [continue|further|more numbers|count further|do not stop] [, please|from there|]
    [and|what comes] [next|after those|further on]?
    [the next|five more|more|some more] [numbers|ones], please
    [can you|please] [continue|go on|count on|count further]
    [keep|please keep] [going|counting|on]
    what are the [next|following] [numbers|ones]?
    [do not stop|that is not all|you can do more], [go on|continue|what comes next]
    [and|what is] after [that|the last one]?
    [the following|a few more|other] [numbers|ones]
    """,
    """
    please carry on counting
    and more numbers?
    """,
)


def counting_on(rng: Random, split: Split) -> list[Exchange]:
    """Counting, and then five numbers more."""
    last = rng.randint(2, LARGEST - 5)
    question = _COUNT.say(rng, split, last=written_number(rng, last))
    first = _listing(question, NUMBERS[1 : last + 1])
    return [first, _listing(_GO_ON.say(rng, split), NUMBERS[last + 1 : last + 6])]


def count(rng: Random, split: Split) -> list[Exchange]:
    last = rng.randint(2, LARGEST)
    kind = rng.random()
    if kind < 0.5:
        question = _COUNT.say(rng, split, last=written_number(rng, last))
        return [_listing(question, NUMBERS[1 : last + 1])]
    if kind < 0.75:
        first = rng.randint(0, last - 1)
        slots = {"first": written_number(rng, first), "last": written_number(rng, last)}
        return [_listing(_RANGE.say(rng, split, **slots), NUMBERS[first : last + 1])]
    last = min(last, 10)
    question = _DOWN.say(rng, split, last=written_number(rng, last))
    return [_listing(question, NUMBERS[last:0:-1])]


def neighbour(rng: Random, split: Split) -> list[Exchange]:
    number = rng.randint(1, LARGEST - 1)
    side = rng.choice(("after", "before"))
    result = NUMBERS[number + (1 if side == "after" else -1)]
    question = _NEXT.say(rng, split, side=side, number=written_number(rng, number))
    answer = pick(rng, _NEXT_ANSWERS, result=result, side=side, number=NUMBERS[number])
    return [Exchange(question, answer, (result,), _FAMILY - {NUMBERS[number]})]


def _listing(question: str, numbers: list[str]) -> Exchange:
    listed = ", ".join(numbers)
    return Exchange(question, f"{listed[:1].upper()}{listed[1:]}.", (" ".join(numbers),), _FAMILY)


SKILLS: dict[str, Maker] = {
    "counting": count,
    "counting on": counting_on,
    "number neighbours": neighbour,
}
