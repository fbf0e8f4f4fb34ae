"""More about days and months: several days on, between, the first and the last."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.topics.calendar import named
from training.nano.words import DAYS, MONTHS, written_number

ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
)
_WEEKEND = DAYS[5:]

_APART = Phrasings(
    """
    [what|which] day [is it|comes|do we have] {number} days {side} {day}?
    * the day {number} days {side} {day}
    ~ [what|which] day [is|comes] {number} days {side} {day}
    {number} days {side} {day} [it is|we have] [what|which day]?
    [count|go] {number} days {way} from {day}, [which|what] day is [it|that]?
    which day will it be {number} days {side} {day}?
    [if|when] it is {number} days {side} {day}, [which|what] day is it?
    [start at|begin with|take] {day}, [count|go] {number} days {way}, [which|what] day is it?
    [what|which] [day of the week|weekday] [is|comes] {number} days {side} {day}?
    {day}, and [then|now] {number} days {way}, [is what|which day is that|what is it]?
    [find|name|say] the day that [is|comes] {number} days {side} {day}
    how is the day called that [is|comes] {number} days {side} {day}?
    [where|on which day] do I land {number} days {side} {day}?
    """,
    """
    which day is {number} days {side} {day}?
    {number} days {side} {day} comes which day?
    """,
)
_BETWEEN = Phrasings(
    """
    [which|what] day [lies|comes|is|stands] between {one} and {other}?
    * the day between {one} and {other}
    ~ [which|what] day [is|comes] between {one} and {other}
    between {one} and {other} [there is|comes|we have] [which|what] day?
    {one}, [what|which day], {other}?
    [which|what] day do I find between {one} and {other}?
    [find|name|say] the day [that lies|that is|] between {one} and {other}
    [from|going from] {one} to {other}, [which|what] day [is in the middle|do I pass]?
    {one} comes first and {other} last, [which|what] day is [in the middle|between them]?
    [in the middle of|in between] {one} and {other} [is|stands|comes] [what|which day]?
    [what|which] day [follows|comes after] {one} and [comes before|is followed by] {other}?
    [who|what] stands between {one} and {other}?
    """,
    """
    which day falls between {one} and {other}?
    what day stands after {one} and before {other}?
    """,
)
_ORDINAL = Phrasings(
    """
    * the {ordinal} {unit} of [the|a] {whole}
    [which|what] {unit} is the {ordinal} [of the {whole}|one|in the {whole}]?
    ~ [which|what] {unit} is the {ordinal} of the {whole}
    [in|of] the {whole}, [what|which] {unit} is the {ordinal}?
    the {ordinal} {unit} of the {whole} [is|is called] [what|which]?
    [which|what] {unit} [comes|stands] {ordinal} [in the {whole}|]?
    [name|say|find] the {ordinal} {unit} of [the|a] {whole}
    what [is|do you call] the {ordinal} {unit} [of the {whole}|in the {whole}]?
    what is the name of the {ordinal} {unit} [of the {whole}|in a {whole}]?
    the {ordinal} {unit}, [what is it|which is it|how is it named] [in the {whole}|]?
    [if|when] I [count|go through] the {unit}s of the {whole}, which [is|comes] {ordinal}?
    which {unit} do [we|you] [call|have as] the {ordinal} [of the {whole}|one]?
    a {whole} has which {unit} as [its|the] {ordinal}?
    """,
    """
    which is the {ordinal} {unit} in a {whole}?
    how is the {ordinal} {unit} of the {whole} called?
    """,
)
_WEEKEND_CHECK = Phrasings(
    """
    [is|does] {day} [part of|belong to|a day of] the weekend?
    is {day} [a weekend day|on the weekend|at the weekend] [or not|]?
    {day} is [the weekend|a free day], [right|true|yes or no]?
    ~ [if|whether] {day} is [on|at] the weekend
    do we have [weekend|the weekend] on {day}?
    does the weekend [have|include|hold] {day}?
    is {day} [a free day|a day to rest] [at|of] the weekend?
    [can|could] {day} be [at|part of] the weekend?
    [I think|they say] {day} is at the weekend, is that [right|true|correct]?
    when it is {day}, do we have [the|] weekend?
    the weekend [has|includes] {day}, [right|true|yes or no]?
    """,
    """
    would you say {day} is at the weekend?
    is it weekend when it is {day}?
    """,
)


def days_apart(rng: Random, split: Split) -> list[Exchange]:
    start, number = rng.randrange(7), rng.randint(2, 4)
    side, way = rng.choice((("after", "on"), ("before", "back")))
    found = DAYS[(start + (number if side == "after" else -number)) % 7]
    slots = {"number": written_number(rng, number), "side": side, "day": DAYS[start]}
    question = _APART.say(rng, split, way=way, **slots)
    return [named(question, f"That is {found}.", found, DAYS)]


def between(rng: Random, split: Split) -> list[Exchange]:
    start = rng.randrange(7)
    one, found, other = (DAYS[(start + step) % 7] for step in range(3))
    question = _BETWEEN.say(rng, split, one=one, other=other)
    family = frozenset(DAYS) - {one, other}
    return [named(question, f"{found} is between {one} and {other}.", found, sorted(family))]


def ordinal(rng: Random, split: Split) -> list[Exchange]:
    unit, whole, names = rng.choice((("day", "week", DAYS), ("month", "year", MONTHS)))
    index = rng.randrange(len(names))
    said = ORDINALS[index]
    if index == len(names) - 1 and rng.random() < 0.8:
        said = "last"
    question = _ORDINAL.say(rng, split, ordinal=said, unit=unit, whole=whole)
    answer = f"{names[index]} is the {said} {unit} of the {whole}."
    return [named(question, answer, names[index], names)]


def weekend(rng: Random, split: Split) -> list[Exchange]:
    day = rng.choice(DAYS)
    word = "yes" if day in _WEEKEND else "no"
    answer = f"{word.capitalize()}, the weekend is {_WEEKEND[0]} and {_WEEKEND[1]}."
    question = _WEEKEND_CHECK.say(rng, split, day=day)
    return [Exchange(question, answer, (word,), frozenset({"yes", "no"}))]


SKILLS: dict[str, Maker] = {
    "days apart": days_apart,
    "day between": between,
    "ordinal days and months": ordinal,
    "weekend": weekend,
}
