"""Opposites."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick

_PAIRS = [
    tuple(pair.split("-"))
    for pair in (
        "big-small hot-cold up-down left-right old-young fast-slow high-low long-short happy-sad "
        "light-dark day-night open-closed full-empty wet-dry hard-soft rich-poor strong-weak "
        "loud-quiet near-far early-late good-bad true-false black-white yes-no inside-outside "
        "first-last thick-thin clean-dirty sweet-sour summer-winter begin-end push-pull win-lose "
        "buy-sell come-go love-hate question-answer north-south east-west friend-enemy wide-narrow "
        "deep-shallow heavy-light right-wrong top-bottom front-back always-never more-less "
        "easy-difficult start-stop laugh-cry beautiful-ugly awake-asleep"
    ).split()
]
_OPPOSITE: dict[str, set[str]] = {}
for _one, _other in _PAIRS:
    _OPPOSITE.setdefault(_one, set()).add(_other)
    _OPPOSITE.setdefault(_other, set()).add(_one)

_ASK = Phrasings(
    """
    what is the opposite of {word}?
    what's the opposite of {word}?
    [please|] [tell|give] me the opposite of {word}
    [do you know|say|name] the opposite of {word}
    the opposite of {word} [is|please]
    the opposite of {word}?
    [can|could] you tell me the opposite of {word}?
    [and|so|now], what is the opposite of {word}?
    opposite of {word}
    """,
    """
    which word is the opposite of {word}?
    {word} is the opposite of what?
    what would be the opposite of {word}?
    """,
)
_NEXT = Phrasings("and [of|] {word}?\nwhat about {word}?", "how about {word}?\nnow {word}?")
_ANSWERS = """
    The opposite of {word} is {opposite}.
    {opposite}.
"""


def opposite(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(_OPPOSITE), 2)
    exchanges = [_answered(rng, _ASK.say(rng, split, word=first), first)]
    if rng.random() < 0.3:
        exchanges.append(_answered(rng, _NEXT.say(rng, split, word=second), second))
    return exchanges


def _answered(rng: Random, question: str, word: str) -> Exchange:
    opposites = sorted(_OPPOSITE[word])
    answer = pick(rng, _ANSWERS, word=word, opposite=rng.choice(opposites))
    return Exchange(question, answer, ("|".join(opposites),))


SKILLS: dict[str, Maker] = {"opposites": opposite}
