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
    * the day {side} {day}
    * the day that [comes|is] [right|] {side} {day}
    * the name of the day {side} {day}
    ~ [what|which] day [comes|is] {side} {day}
    {side} {day} [comes|is|we have] [what|which day, please|what day]?
    {side} {day}, [what|which] day [is it|comes|follows|do we have]?
    {side} {day} it is [what|which] day?
    which is the day {side} {day}?
    what do we have {side} {day}?
    which day do we [have|get] {side} {day}?
    the day {side} {day} is [called|] [what|which]?
    {side} {day}, please [tell me the day|which one]
    what day [would be|do you get|are we at] [right|just|directly|] {side} {day}?
    what [stands|follows|is found] [just|directly|right|] {side} {day} [in the week|]?
    [go|count|step] one day {way} from {day}, [what|which day] is [it|that]?
    * the [neighbor|neighboring day] {side} {day}
    [which|what] [one|day] do I [write|say|put] {side} {day}?
    in the [week|calendar], what [comes|is] {side} {day}?
    if I have {day}, what day [is|comes] {side} [it|that]?
    [{day}|it is {day}], what [is|comes] {side} [it|that]?
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
    * the day {when} if today is {day}
    ~ [what|which] day [is|was] {when} if today is {day}
    [suppose|assume] [that|] today is {day}, [what|which day] [is|was] {when}?
    [say|imagine|let us say] [that|] today is {day}, [what|which day] [is|was] {when}?
    [suppose|imagine|assume] it is {day} [today|], what day [is|was] {when}?
    [what|which] day [is|was] {when}, if [it is {day} today|today is {day}]?
    [because|since|as|if|when] today is {day}, {when} [is|was] [what|which] day?
    [since|as] today is {day}, what do we [have|call] {when}?
    today we have {day}, [and|so|] {when}?
    today is {day}, so {when} [is|was] [what|which day]?
    if it is {day} [now|today], [what|which] day [is|was|do we call|do we have] {when}?
    {when} [is|was] [what|which] day when today is {day}?
    it is {day}, [tell me what|what|which day] [is|was] {when}?
    today is {day}, what do [people|you|we] call {when}?
    {when}, if [we have|it is] {day} [today|now], [is|was] [what|which day]?
    [on|when it is] {day}, [what|which day] do we [call|say is] {when}?
    [my calendar says|they say|I know that] it is {day}, [what|which day] [is|was] {when}?
    today it is {day} and {when} it [is|was] [what|which day]?
    [we have|it is] {day} today, [tell me|say] {when}
    [with|for] {day} as today, {when} [is|was] [what|which]?
    """,
    """
    suppose today is {day}, what do we call {when}?
    [since|as] it is {day} today, [which|what] day [is|was] {when}?
    """,
)
_NEXT = Phrasings(
    """
    and after that?
    [and|what comes|what is] then?
    what [comes|is] [next|after that|the next one]?
    [and|so] what comes next?
    [and|okay,|so] the next day?
    [and|then] the day after that?
    the next one [please|is]?
    [tell me|what is] the next one
    [so|okay,|now|then] next?
    [which|what] [one|day] [is|comes] next?
    [one|a] day [later|more|further on]?
    [go|move] [on|one further|to the next one]
    [another day|next day|the following one] [, please|]?
    """,
    "and the next one?\nand next?",
)
_MONTH = Phrasings(
    """
    what month [comes|is] {side} {month}?
    [which|what] month [comes|is] {side} {month}?
    [tell|] me the month {side} {month}
    * the month {side} {month}
    * the month that [comes|is] [right|] {side} {month}
    * the name of the month {side} {month}
    ~ [what|which] month [comes|is] {side} {month}
    {side} {month} [comes|is|we have] [what|which month, please|what month]?
    {side} {month}, [what|which] month [is it|comes|follows|do we have]?
    which is the month {side} {month}?
    which month of the year [comes|is] {side} {month}?
    which month do we [have|get] {side} {month}?
    the month {side} {month} is [called|] [what|which]?
    what [stands|follows|would be|is found] [just|directly|right|] {side} {month}?
    {side} {month}, [please|the month is|tell me the month]
    [which|what] one do I [write|say|put] {side} {month}?
    in the [year|calendar], what [comes|is] {side} {month}?
    [it is {month} now|we have {month}], [what|which month] [is|comes] {side} [it|that]?
    """,
    """
    [name|give me] the month that comes {side} {month}
    {side} {month} comes which month?
    """,
)
_ANOTHER = Phrasings(
    """
    [and|so|okay, and|thanks, and] {side} {name}?
    [and|so|okay,] what [comes|is] {side} {name}?
    [and|okay,|so] [what|how] about {side} {name}?
    the same {side} {name}?
    now {side} {name} [, please|]
    [right|good|thanks|fine], {side} {name}?
    and which [one|] [is|comes|do we have] {side} {name}?
    {side} {name}, what [is it|comes]?
    [next|one more]: {side} {name}
    """,
    """
    and how is it {side} {name}?
    then {side} {name}?
    """,
)
_LIST = Phrasings(
    """
    [what are|name|list|tell me|say] the days of the week
    [can|could] you [name|list|say] the days of the week?
    which days [are there|does a week have]?
    * the days of the week
    * all the days of the week
    * the seven days of the week
    * the names of the [days|seven days|days of the week]
    ~ what the days of the week are [called|]
    ~ which days a week has
    [recite|repeat|go over] [the|all the|the seven] days [of a week|in a week|please]
    [go through|run through|tell me|read] [the|all the|the seven] days [of a week|in a week|please]
    how are the [seven|] days [of the week|] called?
    what are the [seven|] days [called|]?
    what are the names of [all|] the [seven|] days?
    Monday, Tuesday, and [so on|what else]?
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
    * the number of {small} [that|] a {large} has
    ~ how many {small} [a {large} has|are in a {large}|there are in a {large}]
    a {large} [consists of|is made of|contains] how many {small}?
    [in|within] a {large}, how many {small} [are there|do we have|are]?
    how many {small} [make|make up|are there in|fit into|do we have in|belong to] [a|one] {large}?
    the {small} of a {large}, how many are [there|they]?
    [count|please count] the {small} [of|in] a {large}
    what number of {small} does a {large} have?
    does a {large} have [five|ten|nine] {small}?
    of how many {small} is a {large} made?
    a {large} [lasts|takes|counts] how many {small}?
    how many {small} [long is|does it take for|pass in|go into] [a|one|each|every] {large}?
    how many [different|] {small} can a {large} have?
    [each|every] {large} has how many {small}?
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
    * [today's date|the date|the time|the current time|the year|the date of today]
    * the time [of day|now]
    * the day [today|we have today|it is today]
    ~ [what time it is|what day it is|what day we have]
    ~ [how late it is|which day it is today|what date we have]
    [which|what] [day|date|month|year|time] [do we have|is it|have we got] [today|now]?
    [which|what] [day|date|month|year|time] do we have [right now|at the moment|]?
    [which|what] [day|date|month|year|time] [is it|have we got] [right now|at the moment|]?
    how late is it [now|]?
    is it [late|early|Monday|Friday|morning|noon|midnight|evening] [now|already|today|]?
    have you got the time?
    what does the clock say?
    when is [it noon|my birthday|Easter|the weekend|the next holiday]?
    what is the day today?
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
    way = "on" if step == 1 else "back"
    question = _DAY.say(rng, split, side=side, day=DAYS[index], way=way)
    exchanges = [named(question, f"{found} comes {side} {DAYS[index]}.", found, DAYS)]
    if step == 1 and rng.random() < 0.3:
        later = DAYS[(index + 2) % 7]
        follow_up = f"{later} comes after {found}."
        exchanges.append(named(_NEXT.say(rng, split), follow_up, later, DAYS))
    elif rng.random() < 0.2:
        exchanges.append(_another(rng, split, DAYS))
    return exchanges


def relative_day(rng: Random, split: Split) -> list[Exchange]:
    index, when = rng.randrange(7), rng.choice(("tomorrow", "yesterday"))
    found = DAYS[(index + (1 if when == "tomorrow" else -1)) % 7]
    question = _RELATIVE.say(rng, split, day=DAYS[index], when=when)
    verb = "is" if when == "tomorrow" else "was"
    return [named(question, f"{when.capitalize()} {verb} {found}.", found, DAYS)]


def month(rng: Random, split: Split) -> list[Exchange]:
    index, side = rng.randrange(12), rng.choice(("after", "before"))
    found = MONTHS[(index + (1 if side == "after" else -1)) % 12]
    question = _MONTH.say(rng, split, side=side, month=MONTHS[index])
    exchanges = [named(question, f"{found} comes {side} {MONTHS[index]}.", found, MONTHS)]
    return exchanges if rng.random() < 0.8 else [*exchanges, _another(rng, split, MONTHS)]


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


def _another(rng: Random, split: Split, names: list[str]) -> Exchange:
    """The day or month beside another one."""
    index, side = rng.randrange(len(names)), rng.choice(("after", "before"))
    found = names[(index + (1 if side == "after" else -1)) % len(names)]
    question = _ANOTHER.say(rng, split, side=side, name=names[index])
    return named(question, f"{found} comes {side} {names[index]}.", found, names)


def named(question: str, answer: str, found: str, names: list[str]) -> Exchange:
    """An answer that must name what is found, and no other of the names."""
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
