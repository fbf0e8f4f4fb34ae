"""Colours of things, corners of shapes, and questions about a picture that is not there."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick
from training.nano.words import COLOURS, NUMBERS, article

_COLOUR_OF = {
    "the sky": "blue",
    "grass": "green",
    "snow": "white",
    "a banana": "yellow",
    "a tomato": "red",
    "blood": "red",
    "the sun": "yellow",
    "coal": "black",
    "milk": "white",
    "an orange": "orange",
    "a carrot": "orange",
    "a lemon": "yellow",
    "the sea": "blue",
    "a leaf": "green",
    "chocolate": "brown",
    "a strawberry": "red",
    "a frog": "green",
    "an elephant": "grey",
    "the night": "black",
    "a pig": "pink",
    "a cucumber": "green",
    "a cherry": "red",
    "salt": "white",
    "wood": "brown",
    "a pumpkin": "orange",
}
_MIXTURES = {
    ("red", "yellow"): "orange",
    ("blue", "yellow"): "green",
    ("red", "blue"): "purple",
    ("black", "white"): "grey",
    ("red", "white"): "pink",
}
_CORNERS = {"triangle": 3, "square": 4, "rectangle": 4, "circle": 0, "star": 5, "hexagon": 6}

_COLOUR = Phrasings(
    """
    what [color|colour] is {thing}?
    [which|what] [color|colour] does {thing} have?
    what is the [color|colour] of {thing}?
    [do you know|tell me|say] [what|which] [color|colour] {thing} is
    [can|could] you tell me the [color|colour] of {thing}?
    """,
    """
    {thing}, what [color|colour] is that?
    if I paint {thing}, which [color|colour] do I [need|take]?
    """,
)
_COLOUR_NEXT = Phrasings("and {thing}?\nwhat about {thing}?", "how about {thing}?\nnow {thing}?")
_MIX = Phrasings(
    """
    what [color|colour] do [you|I|we] get [from|when mixing] {one} and {other}?
    what do {one} and {other} make?
    [please|] mix {one} and {other}
    what happens when I mix {one} and {other}?
    """,
    """
    {one} and {other} mixed [make|give] what?
    if I mix {one} with {other}, what do I get?
    """,
)
_CORNER = Phrasings(
    """
    how many [corners|sides] does a {shape} have?
    how many [corners|sides] has a {shape} [got|]?
    [do you know|tell me|say] how many [corners|sides] a {shape} has
    what is the number of [corners|sides] of a {shape}?
    """,
    """
    count the [corners|sides] of a {shape}
    a {shape} has how many [corners|sides]?
    """,
)
_NO_PICTURE = Phrasings(
    """
    what do you see?
    what can you see [here|now|]?
    what is [in|on] [the|this|my] picture?
    what is this?
    [please|] describe [the|this|my] [picture|image|photo]
    [which|what] [shape|color|colour] [is this|do you see|is in the picture]?
    how many shapes [do you see|are there|are in the picture]?
    what am I [holding|showing you]?
    is there a [red|blue|green|yellow] [circle|square|triangle] [in the picture|]?
    look at this [picture|]
    """,
    """
    what does the [picture|image] show?
    can you see [something|anything]?
    tell me what you [see|are seeing]
    """,
)
_NO_PICTURE_ANSWERS = """
    I see no picture. Please show me one.
"""


def colour(rng: Random, split: Split) -> list[Exchange]:
    things = rng.sample(sorted(_COLOUR_OF), 2)
    first = _colour_answer(rng, _COLOUR.say(rng, split, thing=things[0]), things[0])
    if rng.random() < 0.7:
        return [first]
    return [first, _colour_answer(rng, _COLOUR_NEXT.say(rng, split, thing=things[1]), things[1])]


def mixture(rng: Random, split: Split) -> list[Exchange]:
    pair = rng.choice(sorted(_MIXTURES))
    one, other = rng.sample(pair, 2)
    question = _MIX.say(rng, split, one=one, other=other)
    answer = f"{one.capitalize()} and {other} make {_MIXTURES[pair]}."
    return [Exchange(question, answer, (_MIXTURES[pair],), frozenset(COLOURS))]


def corners(rng: Random, split: Split) -> list[Exchange]:
    shape = rng.choice(sorted(_CORNERS))
    number = NUMBERS[_CORNERS[shape]]
    answer = f"{article(shape).capitalize()} has {number} corners."
    if not _CORNERS[shape]:
        answer, number = "A circle has no corners. It is round.", "no corners"
    question = _CORNER.say(rng, split, shape=shape)
    return [Exchange(question, answer, (number,), frozenset(NUMBERS))]


def no_picture(rng: Random, split: Split) -> list[Exchange]:
    answer = pick(rng, _NO_PICTURE_ANSWERS)
    return [Exchange(_NO_PICTURE.say(rng, split), answer, ("no picture",))]


def _colour_answer(rng: Random, question: str, thing: str) -> Exchange:
    colour_name = _COLOUR_OF[thing]
    answer = pick(rng, "{thing} is {colour}.\n{colour}.", thing=thing, colour=colour_name)
    family = frozenset(COLOURS) - set(thing.split())
    return Exchange(question, answer, (colour_name,), family)


SKILLS: dict[str, Maker] = {
    "colours of things": colour,
    "mixed colours": mixture,
    "corners of shapes": corners,
    "no picture": no_picture,
}
