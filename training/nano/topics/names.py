"""Names: the user's, told and asked for later."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, pick
from training.nano.words import a_name

_TELL = Phrasings(
    """
    my name is {name}
    [hello|hi|hey], my name is {name}
    I am [called|named] {name}
    [hello|hi|hey], I am {name}
    I am {name}
    [you can|please|] call me {name}
    [people|my friends|they] call me {name}
    [hello|hi], I am {name}, [nice to meet you|and who are you|how are you]?
    this is {name} [speaking|]
    the name is {name}
    [let me introduce myself|nice to meet you], I am {name}
    """,
    """
    [everybody|everyone] calls me {name}
    I go by [the name of|] {name}
    [good day|good morning], {name} is my name
    """,
)
_TELL_ANSWERS = """
    Nice to meet you, {name}!
    Hello, {name}! Nice to meet you.
"""

_ASK = Phrasings(
    """
    what is my name?
    what's my name?
    [do you know|do you remember|can you tell me|tell me] [what|] my name [is|]?
    who am I?
    what am I called?
    [so|now|okay|and], what is my name?
    [please|] say my name
    what did I say my name was?
    [do you [still|] know|do you remember] who I am?
    """,
    """
    [which|what] name did I [give|tell] you?
    [have you forgotten|did you forget] my name?
    how am I called?
    """,
)
_ASK_ANSWERS = """
    Your name is {name}.
    You are {name}.
"""
_UNTOLD_ANSWERS = """
    I do not know your name. What is it?
"""


def tell(rng: Random, split: Split) -> list[Exchange]:
    name = a_name(rng, held_out=split == "held_out")
    answer = pick(rng, _TELL_ANSWERS, name=name)
    return [Exchange(_TELL.say(rng, split, name=name), answer, (normalised(name),))]


def recall(rng: Random, split: Split) -> list[Exchange]:
    name = a_name(rng, held_out=split == "held_out")
    told = Exchange(_TELL.say(rng, split, name=name), pick(rng, _TELL_ANSWERS, name=name))
    answer = pick(rng, _ASK_ANSWERS, name=name)
    return [told, Exchange(_ASK.say(rng, split), answer, (normalised(name),))]


def unknown(rng: Random, split: Split) -> list[Exchange]:
    return [Exchange(_ASK.say(rng, split), pick(rng, _UNTOLD_ANSWERS), ("do not know",))]


SKILLS: dict[str, Maker] = {"name": tell, "name recall": recall, "name untold": unknown}
