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
    * the sound of {animal}
    * the sound that {animal} makes
    * the noise {animal} makes
    * the call of {animal}
    ~ what {animal} says
    ~ which sound {animal} makes
    ~ how {animal} sounds
    [make|do|imitate|play] [the noise|a sound] [of|like] {animal}
    [make|do|speak|sound|talk] like {animal}
    [can|could] you [make|do|imitate] the sound of {animal} [for me|please|]?
    what [sound|noise] [do I hear|can I hear|do we hear] from {animal}?
    what do I hear when {animal} [speaks|talks|is there|is happy]?
    how does {animal} [call|talk|speak]?
    when {animal} [calls|speaks], what [do I|does one] hear?
    {animal} says what?
    {animal} makes which [sound|noise]?
    [what|which] sound [comes from|belongs to] {animal}?
    """,
    """
    [make|do] the sound of {animal}
    what do you hear when {animal} calls?
    """,
)
_SOUND_NEXT = Phrasings(
    """
    and {animal}?
    [and|so|okay,|now|then] what about {animal}?
    [and|so] {animal}?
    [good,|yes,|ok,|thanks,] and {animal}?
    what [does|would] {animal} say [then|]?
    [and|okay,|so|well,] how about {animal}?
    [and|then|okay,] now {animal}?
    the same for {animal}?
    """,
    "how about {animal}?\nnow {animal}?",
)
_LEG = Phrasings(
    """
    how many legs does {animal} have?
    how many legs has {animal} [got|]?
    [do you know|tell me|say] how many legs {animal} has
    how many feet does {animal} have?
    * the number of legs of {animal}
    * the number of legs that {animal} has
    ~ how many legs {animal} has
    ~ how many legs there are on {animal}
    [count|please count|can you count] the [legs|feet] [on|that has] {animal}
    the legs of {animal}, how many are [they|there]?
    [on|with] how many legs does {animal} [walk|stand|run]?
    how many legs [can you count|are there] on {animal}?
    does {animal} have [many|two|four] legs?
    {animal} has [what number of|how many] [feet|legs, please]?
    {animal} walks on how many legs?
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
    * the place where {animal} lives
    * the place in which {animal} lives
    ~ where {animal} lives
    ~ in [what|which] place {animal} lives
    ~ where the home of {animal} is
    where is the home of {animal}?
    [which|what] place is [the home|a home] for {animal}?
    in [which place|what kind of place] [do I find|can I find|can you find|does one find] {animal}?
    in which place does {animal} live?
    {animal} lives where?
    {animal} lives in [what|which] place?
    where is {animal} at home?
    where would {animal} live?
    what home does {animal} have?
    where should I look for {animal}?
    where does {animal} [sleep|stay]?
    [name|say] the home of {animal}
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
    ~ [if|whether] {animal} can fly
    ~ [if|whether] {animal} flies
    [I think|I believe|they say|my friend says] {animal} can fly, [is that right|is that true]?
    [I think|I believe|they say|my friend says] {animal} can fly, [correct|yes or no]?
    {animal} can fly, [correct|yes or no|is that true|or not|doesn't it]?
    [true or false|yes or no|right or wrong], {animal} can fly [, what do you think|]?
    [true or false|right or wrong]: {animal} [is able to fly|flies]
    do you [believe|guess] [that|] {animal} [can fly|flies|is able to fly]?
    do you think {animal} [flies|is able to fly]?
    would {animal} be able to fly?
    could {animal} [fly|ever fly]?
    is it [true|right] that {animal} can fly?
    {animal}, can it fly?
    is {animal} [a flying animal|something that flies]?
    has {animal} got wings to fly?
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
