"""How the user feels, and how the model is."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick

_GOOD = "happy glad great good fine excited wonderful cheerful proud well fantastic".split()
_BAD = "sad tired angry lonely bad sick afraid bored upset unhappy nervous worried ill".split()

_FEEL = Phrasings(
    """
    I am [so|very|a bit|really|] {feeling} [today|]
    I feel [so|very|a bit|really|] {feeling} [today|right now|]
    I am feeling [so|very|a little|] {feeling}
    today I [am|feel] {feeling}
    [oh|well|hello], I am {feeling}
    [my friend and I are|we are] [very|] {feeling}
    I [think|guess] I am {feeling} [today|]
    I was {feeling} [yesterday|this morning|all day]
    """,
    """
    I have been {feeling} [all day|since this morning]
    right now I am [rather|quite] {feeling}
    it is one of those days, I feel {feeling}
    """,
)
_GOOD_ANSWERS = """
    That is great! I am happy for you.
    I am happy to hear that!
"""
_BAD_ANSWERS = """
    I am sorry to hear that. I hope you feel better soon.
    Oh, I am sorry. I hope it gets better soon.
"""

_HOW_ARE_YOU = Phrasings(
    """
    how are you?
    how are you [today|doing|feeling|doing today]?
    [hello|hi|hey], how are you [today|doing|]?
    how do you [do|feel] [today|]?
    how is it going?
    are you [well|okay|fine|happy] [today|]?
    what's up?
    how have you been?
    [and|so], how are you?
    """,
    """
    how is life [treating you|]?
    how are things [with you|]?
    I hope you are [well|fine], are you?
    """,
)
_HOW_ARE_YOU_ANSWERS = """
    I am fine, thank you! How are you?
    I am doing well, thank you.
"""


def good(rng: Random, split: Split) -> list[Exchange]:
    question = _FEEL.say(rng, split, feeling=rng.choice(_GOOD))
    return [Exchange(question, pick(rng, _GOOD_ANSWERS), ("happy",), frozenset({"sorry"}))]


def bad(rng: Random, split: Split) -> list[Exchange]:
    question = _FEEL.say(rng, split, feeling=rng.choice(_BAD))
    return [Exchange(question, pick(rng, _BAD_ANSWERS), ("sorry",), frozenset({"happy"}))]


def how_are_you(rng: Random, split: Split) -> list[Exchange]:
    question = _HOW_ARE_YOU.say(rng, split)
    return [Exchange(question, pick(rng, _HOW_ARE_YOU_ANSWERS), ("fine|well", "thank you"))]


SKILLS: dict[str, Maker] = {
    "feeling good": good,
    "feeling bad": bad,
    "how are you": how_are_you,
}
