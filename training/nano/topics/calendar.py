"""Days of the week and months."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.words import DAYS, MONTHS

_DAY = Phrasings(
    """
    what day [comes|is] {side} {day}?
    [which|what] day [comes|is] [right|] {side} {day}?
    [tell|] me the day {side} {day}
    [do you know|say] [what|which] day comes {side} {day}
    [which|what] day of the week [comes|is] {side} {day}?
    """,
    """
    [name|give me] the day that comes [right|] {side} {day}
    {side} {day} comes which day?
    """,
)
_RELATIVE = Phrasings(
    """
    [if|when] today is {day}, what [day|] is {when}?
    today is {day}, [what|which] day [is|was] {when}?
    it is {day} today, so what is {when}?
    """,
    """
    suppose today is {day}, what do we call {when}?
    [since|as] it is {day} today, [which|what] day [is|was] {when}?
    """,
)
_NEXT = Phrasings("and after that?\nand then?\nwhat comes next?", "and the next one?\nand next?")
_MONTH = Phrasings(
    """
    what month [comes|is] {side} {month}?
    [which|what] month [comes|is] {side} {month}?
    [tell|] me the month {side} {month}
    """,
    """
    [name|give me] the month that comes {side} {month}
    {side} {month} comes which month?
    """,
)
_LIST = Phrasings(
    """
    [what are|name|list|tell me|say] the days of the week
    [can|could] you [name|list|say] the days of the week?
    which days [are there|does a week have]?
    """,
    """
    [recite|go through] [all|] the days of the week
    what are all seven days called?
    """,
)
_HOW_MANY = Phrasings(
    """
    how many {small} [are there|are] in a {large}?
    how many {small} does a {large} have?
    [tell|] me how many {small} a {large} has
    """,
    """
    a {large} has how many {small}?
    what is the number of {small} in a {large}?
    """,
)
_TODAY = Phrasings(
    """
    what day is [it|today|it today]?
    what [time|date|year|month] is it [now|]?
    [do you know|tell me] [the time|the date|what day it is|what time it is]
    what is [today's date|the time|the date]?
    """,
    """
    which day do we have [today|]?
    could you tell me the [time|date]?
    """,
)
_COUNTS = {("days", "week"): "seven", ("months", "year"): "twelve"}


def day(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(7), rng.choice(("after", "before"))
    step = 1 if side == "after" else -1
    found = DAYS[(index + step) % 7]
    question = _DAY.say(rng, split, side=side, day=DAYS[index])
    exchanges = [_named(question, f"{found} comes {side} {DAYS[index]}.", found, DAYS)]
    if step == 1 and rng.random() < 0.3:
        later = DAYS[(index + 2) % 7]
        follow_up = f"{later} comes after {found}."
        exchanges.append(_named(_NEXT.say(rng, split), follow_up, later, DAYS))
    return exchanges


def relative_day(rng: Random, split: Split) -> list[Exchange]:
    index, when = rng.randrange(7), rng.choice(("tomorrow", "yesterday"))
    found = DAYS[(index + (1 if when == "tomorrow" else -1)) % 7]
    question = _RELATIVE.say(rng, split, day=DAYS[index], when=when)
    verb = "is" if when == "tomorrow" else "was"
    return [_named(question, f"{when.capitalize()} {verb} {found}.", found, DAYS)]


def month(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(12), rng.choice(("after", "before"))
    found = MONTHS[(index + (1 if side == "after" else -1)) % 12]
    question = _MONTH.say(rng, split, side=side, month=MONTHS[index])
    return [_named(question, f"{found} comes {side} {MONTHS[index]}.", found, MONTHS)]


def listing(rng: Random, split: Split) -> list[Exchange]:
    names = ", ".join(DAYS)
    return [Exchange(_LIST.say(rng, split), f"{names}.", (names.lower().replace(",", ""),))]


def how_many(rng: Random, split: Split) -> list[Exchange]:
    (small, large), number = rng.choice(sorted(_COUNTS.items()))
    question = _HOW_MANY.say(rng, split, small=small, large=large)
    return [Exchange(question, f"A {large} has {number} {small}.", (number,))]


def today(rng: Random, split: Split) -> list[Exchange]:
    answer = "Sorry, I have no clock and no calendar."
    return [Exchange(_TODAY.say(rng, split), answer, ("no clock|no calendar|do not know",))]


def _named(question: str, answer: str, found: str, names: list[str]) -> Exchange:
    family = frozenset(name.lower() for name in names)
    return Exchange(question, answer, (found.lower(),), family)


SKILLS: dict[str, Maker] = {
    "days": day,
    "tomorrow and yesterday": relative_day,
    "months": month,
    "days of the week": listing,
    "days in a week": how_many,
    "today": today,
}
