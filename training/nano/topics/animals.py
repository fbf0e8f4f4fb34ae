"""Animals: what they say, how many legs they have, where they live, whether they fly."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.words import article

_SOUNDS = {
    "dog": "woof",
    "cat": "meow",
    "cow": "moo",
    "duck": "quack",
    "pig": "oink",
    "sheep": "baa",
    "bee": "buzz",
    "lion": "roar",
    "bird": "tweet",
    "mouse": "squeak",
    "snake": "hiss",
    "frog": "ribbit",
}
_LEGS = {
    **dict.fromkeys(("dog", "cat", "cow", "pig", "sheep", "horse", "lion", "mouse"), "four"),
    **dict.fromkeys(("duck", "bird", "chicken"), "two"),
    **dict.fromkeys(("bee", "ant", "fly"), "six"),
    **dict.fromkeys(("snake", "fish"), "no"),
    "spider": "eight",
}
_HOMES = {
    "fish": "water",
    "whale": "water",
    "bird": "tree",
    "cow": "farm",
    "pig": "farm",
    "horse": "farm",
    "lion": "grass land",
    "bear": "forest",
    "bee": "hive",
    "camel": "desert",
}
_FLIES = {
    **dict.fromkeys(("bird", "bee", "duck", "fly", "bat", "butterfly", "owl"), True),
    **dict.fromkeys(("dog", "cat", "cow", "pig", "fish", "horse", "snake", "lion", "bear"), False),
}

_SOUND = Phrasings(
    """
    what does {animal} say?
    what sound does {animal} make?
    [which|what] noise does {animal} make?
    [do you know|tell me|say] what {animal} says
    [how|what] does {animal} sound [like|]?
    """,
    """
    [make|do] the sound of {animal}
    what do you hear when {animal} calls?
    """,
)
_SOUND_NEXT = Phrasings("and {animal}?\nwhat about {animal}?", "how about {animal}?\nnow {animal}?")
_LEG = Phrasings(
    """
    how many legs does {animal} have?
    how many legs has {animal} [got|]?
    [do you know|tell me|say] how many legs {animal} has
    how many feet does {animal} have?
    """,
    """
    count the legs of {animal}
    {animal} has how many legs?
    """,
)
_HOME = Phrasings(
    """
    where does {animal} live?
    where [can|do] I find {animal}?
    [do you know|tell me] where {animal} lives
    """,
    """
    what is the home of {animal}?
    in what place does {animal} live?
    """,
)
_FLY = Phrasings(
    """
    can {animal} fly?
    does {animal} fly?
    [do you know|tell me] [if|whether] {animal} can fly
    is {animal} able to fly?
    """,
    """
    do you think {animal} can fly?
    {animal} can fly, [right|true or false]?
    """,
)


def sound(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(_SOUNDS), 2)
    exchanges = [_says(_SOUND.say(rng, split, animal=article(first)), first)]
    if rng.random() < 0.3:
        exchanges.append(_says(_SOUND_NEXT.say(rng, split, animal=article(second)), second))
    return exchanges


def legs(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_LEGS))
    answer = f"{article(animal).capitalize()} has {_LEGS[animal]} legs."
    question = _LEG.say(rng, split, animal=article(animal))
    return [Exchange(question, answer, (f"{_LEGS[animal]} legs|{_LEGS[animal]}",))]


def home(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_HOMES))
    place = _HOMES[animal]
    where = f"in {place}" if place == "water" else f"on {article(place)}"
    where = f"in {article(place)}" if place in ("tree", "hive", "forest", "desert") else where
    answer = f"{article(animal).capitalize()} lives {where}."
    return [Exchange(_HOME.say(rng, split, animal=article(animal)), answer, (place,))]


def flight(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(_FLIES))
    can = _FLIES[animal]
    verb = "can fly" if can else "cannot fly"
    answer = f"{'Yes' if can else 'No'}, {article(animal)} {verb}."
    question = _FLY.say(rng, split, animal=article(animal))
    return [Exchange(question, answer, ("yes" if can else "no",), frozenset({"yes", "no"}))]


def _says(question: str, animal: str) -> Exchange:
    answer = f"{article(animal).capitalize()} says {_SOUNDS[animal]}."
    return Exchange(question, answer, (_SOUNDS[animal],), frozenset(_SOUNDS.values()))


SKILLS: dict[str, Maker] = {
    "animal sounds": sound,
    "animal legs": legs,
    "animal homes": home,
    "animal flight": flight,
}
