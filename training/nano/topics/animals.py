"""Animals: what they say, how many legs they have, where they live, whether they fly."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split
from training.nano.words import article, plural

SOUNDS = {
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
    "horse": "neigh",
    "chicken": "cluck",
    "rooster": "cock a doodle doo",
    "owl": "hoot",
    "wolf": "howl",
    "donkey": "hee haw",
    "crow": "caw",
}
LEGS = {
    **dict.fromkeys(("dog", "cat", "cow", "pig", "sheep", "horse", "lion", "mouse"), "four"),
    **dict.fromkeys(("frog", "bear", "wolf", "donkey", "camel", "elephant", "rabbit"), "four"),
    **dict.fromkeys(("duck", "bird", "chicken", "owl", "rooster", "penguin", "crow"), "two"),
    **dict.fromkeys(("bee", "ant", "fly", "butterfly", "beetle"), "six"),
    **dict.fromkeys(("snake", "fish", "whale", "worm", "snail"), "no"),
    "spider": "eight",
}
HOMES = {
    "fish": "water",
    "whale": "water",
    "shark": "water",
    "crab": "water",
    "bird": "tree",
    "owl": "tree",
    "squirrel": "tree",
    **dict.fromkeys(("cow", "pig", "horse", "sheep", "chicken", "donkey"), "farm"),
    "wolf": "forest",
    "rabbit": "hole",
    "frog": "pond",
    "spider": "web",
    "penguin": "ice",
    "lion": "grass land",
    "bear": "forest",
    "bee": "hive",
    "camel": "desert",
}
_FLIES = {
    **dict.fromkeys(("bird", "bee", "duck", "fly", "bat", "butterfly", "owl"), True),
    **dict.fromkeys(("crow", "eagle", "parrot", "mosquito", "beetle"), True),
    **dict.fromkeys(("dog", "cat", "cow", "pig", "fish", "horse", "snake", "lion", "bear"), False),
    **dict.fromkeys(("penguin", "elephant", "sheep", "frog", "whale", "worm", "rabbit"), False),
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
    [what|which] [sounds|noises] do {animals} [make|give]?
    [how|what] do {animals} [talk|call|speak|shout|sing]?
    ~ [what|how] {animals} [speak|call|talk|sing]
    what [kind|sort] of [sound|noise] does {animal} make?
    what does {animal} [shout|call|sing|tell us|do to be heard]?
    * the [sound|noise|call|voice|cry] of {animals}
    [a|the] farmer hears {animal}, what does he hear?
    the [noise|sound] [of|from] {animal} is [what|which|like]?
    what would {animal} say if you [met|saw|woke] it?
    what is it that {animals} say?
    in the story {animal} comes and says what?
    * the {bare} [noise|call|voice]
    [make|do|give me|play|try] [a|your|your best] {bare} [noise|call|voice|impression]
    {animal}'s [noise|sound|call|voice] [is|goes] [what|how|like what]?
    [what|how] is {animal}'s [sound|noise|call|voice]?
    be {animal} [for a moment|now|] and [speak|call|make a noise]
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
_ANOTHER = Phrasings(
    """
    [and|so|okay,|now|then|and then] what about [{animal}|{animals}]?
    [and|so|also|good,|yes,|ok,|thanks,] [{animal}|{animals}]?
    [okay,|so|well,] how about [{animal}|{animals}]?
    [and|then|okay,] now [{animal}|{animals}]?
    the same for [{animal}|{animals}]?
    is it the same [with|for] [{animal}|{animals}]?
    """,
    """
    and how about {animal}?
    and for {animals}?
    """,
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
    how many [legs|feet|paws] do {animals} have?
    [has|would] {animal} [got|have] [any|some] [legs|feet]?
    do {animals} have [any|many] [legs|feet]?
    on how many [legs|feet] do {animals} [walk|run|stand]?
    ~ how many [legs|feet] {animals} have
    [if I draw|when I draw|to draw] {animal}, how many legs do I [need|draw]?
    how many legs [will I see|are there] when {animal} comes?
    {animal}, how many legs [is that|does it have|are there]?
    {animals} have how many [legs|feet]?
    * the number of {animal}'s [legs|feet]
    [how many|what number of] [legs|feet] [for|on] {animal}?
    [how many|what number of] legs [belong to|carry] {animal}?
    [let us|now|please] count the feet of {animal}
    [if|when] {animal} [stands up|walks], how many legs [touch the ground|does it use]?
    [say|name] how many [legs|feet] {animal} has
    {animal}: how many [legs|feet]?
    is it two or four legs that {animal} has?
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
    where do {animals} [live|stay|have their homes|rest]?
    in [what|which] place do {animals} live?
    ~ where {animals} live
    where [must|could|should] I go to [see|meet|visit|find] {animal}?
    where [must|could|should] I go to [see|meet|visit] {animals}?
    what place do {animals} call home?
    [where is|what is] the [home|house] of {animals}?
    {animals} live where?
    to visit {animal}, where [do we|should I] go?
    * {animal}'s [home|place|house]
    what is {animal}'s [home|house|place]?
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
    [can|do|could] {animals} [really|] fly?
    are {animals} able to fly?
    ~ [if|whether] {animals} can fly
    {animals} can fly, [right|yes or no|can't they|true]?
    does {animal} [move through the air|have wings|fly around|go up in the air]?
    {animal} in the air, is that possible?
    """,
    """
    do you think {animal} can fly?
    {animal} can fly, [right|true or false]?
    """,
)


def sound(rng: Random, split: Split) -> list[Exchange]:
    first, second = rng.sample(sorted(SOUNDS), 2)
    exchanges = [_says(_SOUND.say(rng, split, **_forms(first)), first)]
    if rng.random() < 0.3:
        exchanges.append(_says(_SOUND_NEXT.say(rng, split, animal=article(second)), second))
    return exchanges


def legs(rng: Random, split: Split) -> list[Exchange]:
    return _asked_in_turn(rng, split, _LEG, sorted(LEGS), _has_legs)


def home(rng: Random, split: Split) -> list[Exchange]:
    return _asked_in_turn(rng, split, _HOME, sorted(HOMES), _lives)


def flight(rng: Random, split: Split) -> list[Exchange]:
    return _asked_in_turn(rng, split, _FLY, sorted(_FLIES), _flies)


def _asked_in_turn(
    rng: Random,
    split: Split,
    questions: Phrasings,
    animals: list[str],
    answered: Callable[[str, str], Exchange],
) -> list[Exchange]:
    """A question about one animal, and sometimes the same for another."""
    first, second = rng.sample(animals, 2)
    exchanges = [answered(questions.say(rng, split, **_forms(first)), first)]
    if rng.random() < 0.2:
        exchanges.append(answered(_ANOTHER.say(rng, split, **_forms(second)), second))
    return exchanges


def _has_legs(question: str, animal: str) -> Exchange:
    answer = f"{article(animal).capitalize()} has {LEGS[animal]} legs."
    return Exchange(question, answer, (f"{LEGS[animal]} legs|{LEGS[animal]}",))


def _lives(question: str, animal: str) -> Exchange:
    place = HOMES[animal]
    answer = f"{article(animal).capitalize()} lives {where_is(place)}."
    return Exchange(question, answer, (place,))


def _flies(question: str, animal: str) -> Exchange:
    can = _FLIES[animal]
    verb = "can fly" if can else "cannot fly"
    answer = f"{'Yes' if can else 'No'}, {article(animal)} {verb}."
    return Exchange(question, answer, ("yes" if can else "no",), frozenset({"yes", "no"}))


def _says(question: str, animal: str) -> Exchange:
    answer = f"{article(animal).capitalize()} says {SOUNDS[animal]}."
    return Exchange(question, answer, (SOUNDS[animal],), frozenset(SOUNDS.values()))


def _forms(animal: str) -> dict[str, str]:
    """One and several of them, by slot."""
    return {"animal": article(animal), "animals": plural(animal), "bare": animal}


def where_is(place: str) -> str:
    """A place with the words before it."""
    if place in ("water", "ice"):
        return f"{'in' if place == 'water' else 'on'} {place}"
    return f"{'on' if place in ('farm', 'grass land', 'web') else 'in'} {article(place)}"


SKILLS: dict[str, Maker] = {
    "animal sounds": sound,
    "animal legs": legs,
    "animal homes": home,
    "animal flight": flight,
}
