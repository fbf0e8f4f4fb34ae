"""What users tell about themselves and ask for afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, normalised, words_of
from training.nano.words import (
    COLOURS,
    DAYS,
    NUMBERS,
    a_made_up_word,
    a_name,
    article,
    written_number,
)

Slots = dict[str, str]

_NOTED = "I see. Thank you for telling me."
_UNTOLD = "You have not told me that."

FOODS = words_of(
    "pizza,soup,bread,rice,pasta,salad,cheese,chocolate,cake,fish,chicken,noodles,eggs,potatoes,"
    "beans,honey,ice cream,apples,bananas,pears,grapes,tomatoes,carrots,nuts,pancakes,tea,milk",
    ",",
)
_PASTIMES = words_of(
    "music,reading,swimming,football,dancing,painting,running,chess,tennis,cooking,hiking,singing,"
    "fishing,books,games,movies,cats,dogs,horses,flowers,trains,the sea,the mountains,snow,rain",
    ",",
)
_PLACES = words_of(
    "Paris,London,Rome,Berlin,Tokyo,Madrid,Beijing,Boston,Chicago,Vienna,Dublin,Moscow,Sydney,"
    "Cairo,Lima,Toronto,a village,a small town,the mountains,Spain,China,India,Canada,Norway",
    ",",
)
_AIMS = words_of(
    "the park,the beach,the zoo,the market,the library,the museum,the lake,the station,the forest,"
    "the theater,the bank,the city,the garden,the mountains,the farm,the shop,the harbor",
    ",",
)
_FAVOURITES = {
    "color": COLOURS,
    "day": DAYS,
    "number": NUMBERS,
    "animal": words_of("dog cat horse lion owl bear duck frog rabbit wolf tiger mouse elephant"),
    "food": FOODS,
    "season": words_of("spring summer autumn winter"),
    "sport": words_of("football tennis swimming running golf skiing basketball chess"),
}
_RELATIVES = words_of("sister brother friend teacher mother father uncle aunt neighbor cousin")
_PETS = words_of("dog cat horse bird rabbit mouse fish duck parrot hamster")
_OWNED = words_of("sisters brothers cats dogs children friends cars books horses uncles hats bikes")
_WORN = words_of("coat hat car bike bag shirt house door dress cup pen umbrella")


@dataclass(frozen=True)
class Fact:
    """How something is told and asked for, and the answer; all with the same slots."""

    slots: Callable[[Random], Slots]
    told: Phrasings
    asked: Phrasings
    answer: str


def _likes(rng: Random) -> Slots:
    return {"value": rng.choice((*FOODS, *_PASTIMES, a_made_up_word(rng)))}


def _favourite(rng: Random) -> Slots:
    kind = rng.choice(sorted(_FAVOURITES))
    return {"kind": kind, "value": rng.choice(_FAVOURITES[kind])}


def _age(rng: Random) -> Slots:
    number = rng.randint(2, 20)
    return {"asked": written_number(rng, number), "value": NUMBERS[number]}


def _home(rng: Random) -> Slots:
    made_up = a_made_up_word(rng).capitalize()
    return {"value": made_up if rng.random() < 0.4 else rng.choice(_PLACES)}


def _named(rng: Random) -> Slots:
    return {"kind": rng.choice((*_RELATIVES, *_PETS)), "value": a_name(rng)}


def _number(rng: Random) -> Slots:
    number = rng.randint(2, 12)
    kind, asked = rng.choice(_OWNED), written_number(rng, number)
    return {"kind": kind, "asked": asked, "value": NUMBERS[number]}


def _meal(rng: Random) -> Slots:
    return {"meal": rng.choice("breakfast lunch dinner".split()), "value": rng.choice(FOODS)}


def _way(rng: Random) -> Slots:
    return {"day": rng.choice(DAYS), "value": rng.choice(_AIMS)}


def _look(rng: Random) -> Slots:
    colour = rng.choice(COLOURS)
    return {"kind": rng.choice(_WORN), "value": colour, "a_value": article(colour)}


_FACTS = (
    Fact(
        _likes,
        Phrasings(
            """
            I [really|] [like|love|enjoy] {value}
            I am [a fan of|fond of|crazy about] {value}
            """,
            "I am [keen on|interested in] {value}",
        ),
        Phrasings(
            """
            what do I [like|love|enjoy]?
            * the thing [that|] I [like|love|enjoy]
            ~ what I [like|love|enjoy]
            what am I [fond of|a fan of]?
            what did I [tell you|mention] that I [like|love|enjoy]?
            what makes me happy, did I say?
            """,
            """
            what is it that I like?
            which thing do I enjoy?
            """,
        ),
        "You like {value}.",
    ),
    Fact(
        _favourite,
        Phrasings(
            """
            my favorite {kind} is {value}
            {value} is my favorite {kind}
            {value} is the {kind} [that|] I like best
            of all, my favorite {kind} is {value}
            """,
            "the {kind} I love most is {value}",
        ),
        Phrasings(
            """
            * my favorite {kind}
            * the {kind} [that|] I like [best|most]
            ~ what my favorite {kind} is
            which {kind} do I [prefer|love|like best]?
            which is my favorite {kind}?
            what {kind} did I say is my favorite?
            do you [still|] know my favorite {kind}?
            """,
            """
            my favorite {kind} was which?
            which {kind} did I call my favorite?
            """,
        ),
        "Your favorite {kind} is {value}.",
    ),
    Fact(
        _age,
        Phrasings(
            """
            I am {asked} years old
            I am {asked} [years of age|]
            I turned {asked}
            my age is {asked}
            """,
            "[I have lived|I count] {asked} years",
        ),
        Phrasings(
            """
            * my age
            ~ how old I am
            what age [am I|do I have]?
            how old [did I say I am|do you think I am|would I be]?
            how many years old am I?
            [what did I say my age was|do you remember my age]?
            """,
            """
            what was my age?
            how many years do I have?
            """,
        ),
        "You are {value} years old.",
    ),
    Fact(
        _home,
        Phrasings(
            """
            I [live|am living] in {value}
            my [home|house|family] is in {value}
            I [moved to|have a house in] {value}
            """,
            "{value} is where I live",
        ),
        Phrasings(
            """
            where [do I live|is my home|is my house]?
            ~ where I live
            ~ where my home is
            * the place [where|in which] I live
            in [which|what] place do I live?
            where did I [say I live|tell you that I live]?
            do you [remember|know] my home?
            """,
            """
            in which place is my home?
            where is it that I live?
            """,
        ),
        "You live in {value}.",
    ),
    Fact(
        _named,
        Phrasings(
            """
            my {kind} is [called|named] {value}
            I have a {kind} [called|named] {value}
            the name of my {kind} is {value}
            {value} is [my {kind}|the name of my {kind}]
            """,
            "I call my {kind} {value}",
        ),
        Phrasings(
            """
            * the name of my {kind}
            what is my {kind} called?
            ~ what my {kind} is called
            how is my {kind} called?
            what do I call my {kind}?
            [which|what] name [does|has] my {kind} [have|got]?
            what did I say my {kind} is called?
            """,
            """
            what name did I give for my {kind}?
            my {kind} has which name?
            """,
        ),
        "Your {kind} is called {value}.",
    ),
    Fact(
        _number,
        Phrasings(
            """
            I have {asked} {kind}
            [at home|in fact] I have {asked} {kind}
            there are {asked} {kind} [that are mine|in my life]
            {asked} {kind} are mine
            """,
            "I own {asked} {kind}",
        ),
        Phrasings(
            """
            * the number of my {kind}
            ~ how many {kind} I have
            how many {kind} [have I got|are mine|did I mention]?
            how many {kind} did I say [I have|are mine]?
            my {kind}, how many are [they|there]?
            """,
            """
            I have how many {kind}?
            the {kind} that I have, how many?
            """,
        ),
        "You have {value} {kind}.",
    ),
    Fact(
        _meal,
        Phrasings(
            """
            I [ate|had] {value} for {meal}
            [today|yesterday] I ate {value}
            for {meal} I [had|ate] {value}
            my {meal} was {value}
            """,
            "I had some {value} [for {meal}|today]",
        ),
        Phrasings(
            """
            what did I [eat|have] [for {meal}|]?
            ~ what I [had|ate] for {meal}
            * the food [that|] I ate
            what was my {meal}?
            which food did I eat?
            what did I say I [ate|had]?
            """,
            """
            what food did I have?
            what was it that I ate?
            """,
        ),
        "You ate {value}.",
    ),
    Fact(
        _way,
        Phrasings(
            """
            I am [going|driving|walking] to {value} [later|on {day}|soon]
            [later|on {day}] I [will|want to] [go to|visit] {value}
            we [will|plan to] go to {value} [on {day}|soon|]
            """,
            "I [travel|go] to {value} [today|soon]",
        ),
        Phrasings(
            """
            where [will|do] I [want to|] go?
            ~ where I [will go|am going]
            * the place I am going to
            to which place [am I going|will I go]?
            what did I say I [will|want to] visit?
            which place [will I visit|do I want to see]?
            """,
            """
            which place am I going to?
            where did I say I will go?
            """,
        ),
        "You are going to {value}.",
    ),
    Fact(
        _look,
        Phrasings(
            """
            my {kind} is {value}
            I have {a_value} {kind}
            I [bought|got|found] {a_value} {kind}
            the [color|colour] of my {kind} is {value}
            """,
            "I own {a_value} {kind}",
        ),
        Phrasings(
            """
            * the [color|colour] of my {kind}
            ~ [what|which] [color|colour] my {kind} is
            [what|which] [color|colour] [does|has] my {kind} [have|got]?
            my {kind} [is|has] [what|which] [color|colour]?
            what [color|colour] did I say my {kind} is?
            """,
            """
            what was the color of my {kind}?
            my {kind}, what color is it?
            """,
        ),
        "Your {kind} is {value}.",
    ),
)


def told_and_asked(rng: Random, split: Split) -> list[Exchange]:
    fact = rng.choice(_FACTS)
    slots = fact.slots(rng)
    told = Exchange(fact.told.say(rng, split, **slots), _NOTED)
    answer = fact.answer.format(**slots)
    return [
        told,
        Exchange(fact.asked.say(rng, split, **slots), answer, (normalised(slots["value"]),)),
    ]


def untold(rng: Random, split: Split) -> list[Exchange]:
    fact = rng.choice(_FACTS)
    question = fact.asked.say(rng, split, **fact.slots(rng))
    return [Exchange(question, _UNTOLD, ("not told|do not know",))]


SKILLS: dict[str, Maker] = {"user facts": told_and_asked, "user facts untold": untold}
