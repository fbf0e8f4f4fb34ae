"""How the user feels, and how the model is."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick

_GOOD = (
    "happy glad great good fine excited wonderful cheerful proud well fantastic delighted pleased "
    "relaxed lucky joyful amazing awesome super thankful"
).split()
_BAD = (
    "sad tired angry lonely bad sick afraid bored upset unhappy nervous worried ill awful terrible "
    "scared miserable depressed stressed exhausted hurt frustrated horrible weak"
).split()

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
    [right now|at the moment|these days] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    [this week|this evening] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    [since yesterday|now] I [am|feel] [so|very|rather|quite|pretty|] {feeling}
    I [am|feel] [rather|quite|pretty|extremely] {feeling} [now|right now|today]
    I [am|feel] [rather|quite|pretty|extremely] {feeling} [these days|at the moment|]
    I [am|feel] [a little|kind of|somewhat|totally] {feeling} [now|right now|today]
    I [am|feel] [a little|kind of|somewhat|totally] {feeling} [these days|at the moment|]
    I have been [very|so|quite|rather|] {feeling} [today|since yesterday|for days|lately|this week|]
    I have [felt|been feeling] {feeling} [all day|lately|today|since this morning]
    [today|this] is [a day|one of the days] when I feel {feeling}
    it is [a|one more] day [and|when] I [am|feel] {feeling}
    [my|this] day makes me [feel|] {feeling}
    [you know|to be honest|honestly|well|listen], I [am|feel] [really|quite|so|] {feeling}
    my [mood|day|morning|week] [is|was] {feeling}
    I am in a {feeling} mood
    [what should I say|I must tell you|I have to say|I can tell you], I [am|feel] {feeling}
    [everything|life|work|school] makes me {feeling} [today|these days|]
    [feeling|so] {feeling} [today|right now|]
    I am {feeling} and I [do not know why|wanted to tell you|just want to talk]
    we [are|feel] [all|both|so|quite] {feeling} [today|]
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
    * your mood [today|]
    ~ how you are [today|doing|feeling|]
    ~ whether you are [well|fine|okay|happy]
    how are [things|you all|we] [today|going|]?
    how is [everything|your day|your day going|your life|it|the day]?
    how is everything [going|with you|today]?
    how do things go [with you|]?
    how [are|is] [things|life] [going|at your place|these days]?
    how are you [this morning|this evening|these days|right now|my friend]?
    [I hope|I trust] [you are|everything is] [okay|good] [today|], [is it|are you|yes]?
    [I hope|I trust] [you are|everything is] [all right|happy] [today|], [is it|are you|yes]?
    are you [feeling|doing] [well|fine|okay|good] [today|]?
    [is everything|are things] [okay|all right|fine|well] [with you|]?
    how does life treat you?
    how has your day been?
    what is new [with you|]?
    you [are|feel] [well|fine|okay|good] [today|], [yes|right|I hope]?
    did you sleep well?
    and you, how are you [doing|]?
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
