"""Repeating, and what was said before."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, words_of
from training.nano.words import COLOURS, NUMBERS, a_made_up_word

_REPEAT = Phrasings(
    """
    repeat after me: {text}
    repeat after me, {text}
    [please|] repeat: {text}
    [please|] say: {text}
    [please|] say {text}
    [can|could] you say {text}?
    [can|could] you repeat after me: {text}
    repeat this: {text}
    [now|] say after me: {text}
    I want you to say {text}
    """,
    """
    say exactly this: {text}
    [tell me|] after me now: {text}
    [would you|] please repeat these words: {text}
    """,
)
_STATE = Phrasings(
    """
    my favorite {kind} is {text}
    I like {text} [best|the most|very much]
    [remember|remember this|listen], {text}
    the [secret|magic] word is {text}
    I have {text} at home
    """,
    """
    please keep in mind, {text}
    the password is {text}
    my lucky {kind} is {text}
    """,
)
_ASK = Phrasings(
    """
    what did I say?
    what did I just say?
    what did I [tell|say to] you?
    [please|] repeat what I said
    [do you remember|tell me] what I said
    what was [that|it] [again|I said]?
    """,
    """
    what were my words?
    could you repeat my last sentence?
    what have I [said|told you]?
    """,
)
_SUBJECTS = "the cat,the dog,my friend,a bird,the sun,the old man,the teacher,our house".split(",")
_VERBS = words_of("likes,sees,has,wants,eats,finds,takes,is near", ",")
_OBJECTS = "milk,the moon,a red ball,the tree,an apple,the window,bread,the sea,a book".split(",")


def repeat(rng: Random, split: Split) -> list[Exchange]:
    text = _words(rng)
    return [Exchange(_REPEAT.say(rng, split, text=text), f"{text}.", (normalised(text),))]


def what_did_i_say(rng: Random, split: Split) -> list[Exchange]:
    kind = rng.choice("color number animal word game song".split())
    said = _STATE.say(rng, split, kind=kind, text=_words(rng))
    answer = f"You said {said}."
    noted = Exchange(said, "I see. Thank you for telling me.")
    return [noted, Exchange(_ASK.say(rng, split), answer, (normalised(said),))]


def nothing_said(rng: Random, split: Split) -> list[Exchange]:
    answer = "You have not said anything yet."
    return [Exchange(_ASK.say(rng, split), answer, ("not said anything|nothing",))]


def _words(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return f"{rng.choice(_SUBJECTS)} {rng.choice(_VERBS)} {rng.choice(_OBJECTS)}"
    if kind < 0.6:
        return " ".join(rng.choices([*COLOURS, *NUMBERS], k=rng.randint(1, 4)))
    if kind < 0.8:
        return " ".join(a_made_up_word(rng) for _ in range(rng.randint(1, 2)))
    return rng.choice((*_OBJECTS, "hello world", "good morning", "I am happy", "one two three"))


SKILLS: dict[str, Maker] = {
    "repeat after me": repeat,
    "what did I say": what_did_i_say,
    "nothing said": nothing_said,
}
