"""Which animal it is that says something or lives somewhere."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.topics.animals import HOMES, SOUNDS, where_is
from training.nano.words import article

_CRIES = {
    "dog": "bark",
    "cat": "purr",
    "pig": "grunt",
    "sheep": "bleat",
    "bee": "hum",
    "lion": "roar",
    "bird": "chirp",
    "mouse": "squeak",
    "snake": "hiss",
    "frog": "croak",
    "horse": "neigh",
    "chicken": "cluck",
    "owl": "hoot",
    "wolf": "howl",
    "crow": "caw",
    "cow": "moo",
    "duck": "quack",
    "rooster": "crow",
    "donkey": "bray",
}
"""What they do when they make their sound."""

_BY_SOUND = Phrasings(
    """
    [which|what] animal [makes|does|calls|speaks] {sound}?
    who [makes|calls|shouts|speaks] {sound}?
    I hear {sound}, [which|what] animal is [it|that|this]?
    {sound}, {sound}, [who|which animal|what animal] is [that|it]?
    * the animal that [makes|goes|calls] {sound}
    * the animal with the sound {sound}
    ~ [which|what] animal [makes|goes|calls] {sound}
    if [an animal|something] [calls|makes] {sound}, what [animal is it|is it]?
    {sound} is the [sound|noise|call] of [which|what] animal?
    {sound} [comes from|is said by|is made by] [whom|which animal|what animal]?
    [who|which of the animals] [can|could|does|will] {cry}?
    * [the|an] animal that [can|does] {cry}
    I hear [something|an animal] {cry}, [who|what] is [it|that]?
    the one that can {cry} is [who|which animal|what animal]?
    """,
    """
    which animal has the sound {sound}?
    something says {sound}, what is it?
    """,
)
_BY_HOME = Phrasings(
    """
    [who|what|which animal] [lives|is at home|stays] {where}?
    [name|tell me] an animal [that lives|living] {where}
    * an animal that lives {where}
    {where} lives [who|which animal]?
    [which|what] animal [can I find|can I meet|do I see] {where}?
    [who|which animal] has its home {where}?
    [who|what|which animal] [can live|has a home|sleeps|spends its life] {where}?
    [say|find|think of] [an|some] animal {where}
    [if|when] I [go|look] {where}, [which|what] animal [is there|do I see|will I find]?
    [somebody|an animal] lives {where}, who [is it|could it be]?
    [I am looking|look] for an animal {where}, [which one|who] is it?
    what kind of animal [lives|is] {where}?
    [which|what] animals [are|live] {where}?
    {where} I [see|meet|hear] which animal?
    """,
    """
    give me an animal that lives {where}
    which animal would I meet {where}?
    """,
)


def by_sound(rng: Random, split: Split) -> list[Exchange]:
    animal = rng.choice(sorted(SOUNDS))
    slots = {"sound": SOUNDS[animal], "cry": _CRIES[animal]}
    answer = f"{article(animal).capitalize()} says {SOUNDS[animal]}."
    question = _BY_SOUND.say(rng, split, **slots)
    return [Exchange(question, answer, (animal,), frozenset(SOUNDS) - {animal})]


def by_home(rng: Random, split: Split) -> list[Exchange]:
    place = rng.choice(sorted(set(HOMES.values())))
    there = [animal for animal, home in HOMES.items() if home == place]
    answer = f"{article(rng.choice(there)).capitalize()} lives {where_is(place)}."
    question = _BY_HOME.say(rng, split, where=where_is(place))
    return [Exchange(question, answer, ("|".join(there),), frozenset(HOMES) - {*there})]


SKILLS: dict[str, Maker] = {"animals by sound": by_sound, "animals by home": by_home}
