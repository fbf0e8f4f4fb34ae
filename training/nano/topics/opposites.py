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
        "easy-difficult start-stop laugh-cry beautiful-ugly awake-asleep "
        "smooth-rough brave-afraid cheap-expensive safe-dangerous before-after above-below "
        "here-there alive-dead give-take tall-short fat-thin warm-cool smart-stupid"
    ).split()
]
OPPOSITES: dict[str, set[str]] = {}
for _one, _other in _PAIRS:
    OPPOSITES.setdefault(_one, set()).add(_other)
    OPPOSITES.setdefault(_other, set()).add(_one)

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
    * the opposite of {word}
    * the [opposite word|contrary|reverse|word opposite] [of|to|for] {word}
    * a word that is the opposite of {word}
    * the word that means the opposite of {word}
    ~ what the opposite of {word} is
    ~ which word [is|means] the opposite of {word}
    ~ what {word} is the opposite of
    [what|which] [word|] means the opposite of {word}?
    [what|which one|which] is the opposite of {word}?
    {word} [means|has|is] the opposite of [which word|what word]?
    {word} is [opposite to|the contrary of|the reverse of] [what|which word]?
    {word} has [what|which] opposite?
    {word}, what is [its|the] opposite?
    {word} and its opposite [is|are] what?
    not {word} but [what|the opposite]?
    if it is not {word}, what is [the opposite|it]?
    what [could|can|might] be the opposite of {word}?
    [would you know|have you got] the opposite [of|for] {word}?
    * the [antonym|counterpart|other extreme|opposite meaning] [of|to] {word}
    [what|which word] is the [antonym|contrary|counterpart] [of|to] {word}?
    what [is|would be] [as far as possible from|the very opposite of] {word}?
    [when|if] [something|a thing|it] is not {word}, then it is [what|how]?
    [if|when] I [turn|switch] {word} around, what [do I get|is it]?
    [what|which word] is [exactly|just|totally] [the opposite of|opposite to] {word}?
    {word} [versus|against|or] [what|which word]?
    the [reverse|contrary|antonym] of {word} [is|would be|please]
    [which|what] is the other [side|end] of {word}?
    if one is {word}, the other is [what|the opposite, so what]?
    the word {word}, what is its [opposite|antonym|contrary]?
    let us play opposites, [I begin with|my word is|] {word}
    [tell|give] me a word [against|opposite to|unlike] {word}
    when I say {word}, what is the opposite?
    * {word}'s [contrary|counterpart|antonym]
    [it is|that is|this is] not {word} [at all|], so it is [what|the opposite, what is it]?
    never {word}, always [what|the opposite]?
    """,
    """
    which word is the opposite of {word}?
    {word} is the opposite of what?
    what would be the opposite of {word}?
    """,
)
_NEXT = Phrasings(
    """
    and [of|] {word}?
    [and|so|okay,|now|then] what about {word}?
    [good,|yes,|ok,|thanks,] and {word}?
    [and|okay,|so|well,] how about {word}?
    [and|then|okay,] now {word}?
    the same for {word}?
    and the opposite of {word}?
    [then|next|one more|another one]: {word}
    {word}, too, [please|what is it]?
    and what is it for {word}?
    [and|now|next] the word {word}
    [good|right|fine], then {word}
    [and|then] [turn around|take] {word}
    """,
    "how about {word}?\nnow {word}?",
)
_ANSWERS = """
    The opposite of {word} is {opposite}.
    {opposite}.
"""


def opposite(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(OPPOSITES), 2)
    exchanges = [_answered(rng, _ASK.say(rng, split, word=first), first)]
    if rng.random() < 0.3:
        exchanges.append(_answered(rng, _NEXT.say(rng, split, word=second), second))
    return exchanges


def _answered(rng: Random, question: str, word: str) -> Exchange:
    opposites = sorted(OPPOSITES[word])
    answer = pick(rng, _ANSWERS, word=word, opposite=rng.choice(opposites))
    return Exchange(question, answer, ("|".join(opposites),))


SKILLS: dict[str, Maker] = {"opposites": opposite}
