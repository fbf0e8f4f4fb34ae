"""Colours of things, corners of shapes, and questions about a picture that is not there."""

from __future__ import annotations

from random import Random

from training.nano.exchange import Exchange, Maker
from training.nano.phrasing import Phrasings, Split, pick
from training.nano.words import COLOURS, NUMBERS, article, plural

COLOUR_OF = {
    "the sky": "blue",
    "grass": "green",
    "snow": "white",
    "a banana": "yellow",
    "a tomato": "red",
    "blood": "red",
    "the sun": "yellow",
    "coal": "black",
    "milk": "white",
    "an orange": "orange",
    "a carrot": "orange",
    "a lemon": "yellow",
    "the sea": "blue",
    "a leaf": "green",
    "chocolate": "brown",
    "a strawberry": "red",
    "a frog": "green",
    "an elephant": "grey",
    "the night": "black",
    "a pig": "pink",
    "a cucumber": "green",
    "a cherry": "red",
    "salt": "white",
    "wood": "brown",
    "a pumpkin": "orange",
    "a cloud": "white",
    "a polar bear": "white",
    "sugar": "white",
    "cheese": "yellow",
    "butter": "yellow",
    "corn": "yellow",
    "a rose": "red",
    "a plum": "purple",
    "an eggplant": "purple",
    "a flamingo": "pink",
    "a mouse": "grey",
    "a lion": "yellow",
    "a bear": "brown",
    "mud": "brown",
    "coffee": "brown",
    "a crow": "black",
    "a lime": "green",
    "broccoli": "green",
    "spinach": "green",
}
_MIXTURES = {
    ("red", "yellow"): "orange",
    ("blue", "yellow"): "green",
    ("red", "blue"): "purple",
    ("black", "white"): "grey",
    ("red", "white"): "pink",
}
_CORNERS = {"triangle": 3, "square": 4, "rectangle": 4, "circle": 0, "star": 5, "hexagon": 6}

_COLOUR = Phrasings(
    """
    what [color|colour] is {thing}?
    [which|what] [color|colour] does {thing} have?
    what is the [color|colour] of {thing}?
    [do you know|tell me|say] [what|which] [color|colour] {thing} is
    [can|could] you tell me the [color|colour] of {thing}?
    * the [color|colour] of {thing}
    * the [color|colour] {thing} has
    ~ [what|which] [color|colour] {thing} [is|has]
    {thing} [is|has] [what|which] [color|colour]?
    {thing}, [which|what] [color|colour] [is it|does it have|has it]?
    if I [draw|color] {thing}, [what|which] [color|colour] [should I use|do I use]?
    if I [picture|want to draw] {thing}, [what|which] [color|colour] [should I use|do I use]?
    if I [draw|color] {thing}, [what|which] [color|colour] [is right|must I take]?
    if I [picture|want to draw] {thing}, [what|which] [color|colour] [is right|must I take]?
    [which|what] [color|colour] do I [need|take|use|want] [for|to paint] {thing}?
    [which|what] [color|colour] do I [need|take|use|want] [to draw|when I paint] {thing}?
    [which|what] [pen|paint|crayon] do I take [for|to draw|to paint] {thing}?
    [which|what] [pen|paint|crayon] [do I need|should I take] [for|to draw|to paint] {thing}?
    I want to [paint|draw] {thing}, [which|what] [color|colour] [do I need|is it]?
    I [will|would like to] [paint|draw] {thing}, [which|what] [color|colour] [do I need|is it]?
    I want to [paint|draw] {thing}, [which|what] [color|colour] [do I take|should it be]?
    I [will|would like to] [paint|draw] {thing}, [which|what] [color|colour] do I take?
    I [will|would like to] [paint|draw] {thing}, [which|what] [color|colour] should it be?
    I paint {thing}, which [color|colour]?
    what [color|colour] [would|does] {thing} [be|look]?
    imagine {thing}, what [color|colour] [is it|do you see]?
    [say|name] the [color|colour] {thing} has
    [of|in] [what|which] [color|colour] is {thing}?
    {thing}: [what|which] [color|colour]?
    what [color|colour] [do people|do we|do I] see on {thing}?
    what [color|colour] [might|should|could] {thing} [be|have]?
    what is {thing} like, which [color|colour]?
    [usually|normally|in nature], what [color|colour] [is|has] {thing}?
    how would you [color|paint] {thing}?
    [think|dream] of {thing}, [what|which] [color|colour] [comes to mind|do you see]?
    the [color|colour] of {thing} [is|would be] [what|which]?
    * {thing}'s [color|colour]
    what is {thing}'s [usual|natural|] [color|colour]?
    what [color|colour] has {thing} [most of the time|mostly|on most days|in general]?
    [what|which] [color|colour] [will|can|do] you [give|use for|connect with] {thing}?
    """,
    """
    {thing}, what [color|colour] is that?
    if I paint {thing}, which [color|colour] do I [need|take]?
    """,
)
_COLOUR_OF_SEVERAL = Phrasings(
    """
    [which|what] [color|colour] do {things} have?
    * the [color|colour] of {things}
    {things} are [what|which] [color|colour]?
    ~ [what|which] [color|colour] {things} [are|have]
    [usually|normally], what [color|colour] [would|do] {things} [be|have]?
    in [what|which] [color|colour] do you [paint|draw] {things}?
    """,
    """
    what is the usual color of {things}?
    {things}, what colour are they?
    """,
)
_OF_COLOUR = Phrasings(
    """
    * an object [of|with] the [color|colour] {colour}
    * a {colour} [thing|object]
    * an example of [a|some] {colour} [thing|object]
    [what|which thing] [has|comes in] the [color|colour] {colour}?
    what do you know that is {colour}?
    which [things|objects] [have the color|are normally] {colour}?
    [can you think of|do you know] [any|a] {colour} [thing|object]?
    I [look for|need|spy] [a thing that is|something] {colour}, what [can|could] it be?
    """,
    """
    which thing is always {colour}?
    tell me any object that is {colour}
    """,
)
_COLOUR_NEXT = Phrasings(
    """
    and {thing}?
    [and|so|okay,|now|then] what about {thing}?
    [good,|yes,|ok,|thanks,] and {thing}?
    what [color|colour] [has|is] {thing} [then|]?
    [and|okay,|so|well,] how about {thing}?
    [and|then|okay,] now {thing}?
    the same for {thing}?
    [next|one more|another one]: {thing}
    {thing}, [what color is it|which color|please]?
    and [which|what] [color|colour] for {thing}?
    [right|fine|good], {thing}?
    """,
    "how about {thing}?\nnow {thing}?",
)
_MIX = Phrasings(
    """
    what [color|colour] do [you|I|we] get [from|when mixing] {one} and {other}?
    what do {one} and {other} make?
    [please|] mix {one} and {other}
    what happens when I mix {one} and {other}?
    * the [color|colour] of {one} [and|mixed with] {other}
    * the mixture of {one} and {other}
    * the result of mixing {one} and {other}
    ~ what {one} and {other} [make|give|become|mixed make]
    ~ what [color|colour] I get [from|if I mix|when I mix] {one} and {other}
    what [do|would] [I|we|you] get if [I|we|you] mix {one} [and|with] {other}?
    [which color|which colour] [do|would] [I|we|you] get if [I|we|you] mix {one} [and|with] {other}?
    if [I|we|you] [mix|combine] {one} and {other}, what [color|colour|] [do I get|comes out|is it]?
    if [I|we|you] [blend|put together|stir] {one} and {other}, what [color|colour|] do I get?
    if [I|we|you] blend {one} and {other}, what [color|colour|] [comes out|is it]?
    if [I|we|you] [put together|stir] {one} and {other}, what [color|colour|] [comes out|is it]?
    if [I|we|you] [mix|combine] {one} and {other}, what [color|colour|] happens?
    if [I|we|you] [mix|combine] {one} and {other}, what [color|colour|] [will I get|do I have]?
    if [I|we|you] [blend|put together|stir] {one} and {other}, what [color|colour|] happens?
    if [I|we|you] blend {one} and {other}, what [color|colour|] [will I get|do I have]?
    if [I|we|you] [put together|stir] {one} and {other}, what [color|colour|] will I get?
    if [I|we|you] [put together|stir] {one} and {other}, what [color|colour|] do I have?
    if [we|you] mix {one} with {other}, [what|which color|which colour] do we get?
    if [we|you] mix {one} with {other}, [what|which color|which colour] [do you get|comes out]?
    when [I|you|we] mix {one} [with|and] {other}, what [do I get|will it be]?
    when [I|you|we] mix {one} [with|and] {other}, [which color|which colour] [do I get|will it be]?
    when [I|you|we] mix {one} [with|and] {other}, what [comes out|do we get]?
    when [I|you|we] mix {one} [with|and] {other}, [which color|which colour] [comes out|do we get]?
    {one} [plus|with|and|mixed with] {other} [makes|gives|is] [what|which] [color|colour]?
    {one} and {other} [together|combined|when mixed] [make|give|are|become] what?
    {one} and {other} together [make|give|are|become] [which color|which colour]?
    {one} and {other} [combined|when mixed] [make|give|are|become] [which color|which colour]?
    {one} mixed with {other} [makes|gives|becomes] what?
    I [mix|mixed|have mixed] {one} [and|with] {other}, what [do I get|is it|came out|color is that]?
    [mix|combine|blend] {one} [and|with] {other} [for me|please|, what do you get]
    """,
    """
    {one} and {other} mixed [make|give] what?
    if I mix {one} with {other}, what do I get?
    """,
)
_CORNER = Phrasings(
    """
    how many [corners|sides] does a {shape} have?
    how many [corners|sides] has a {shape} [got|]?
    [do you know|tell me|say] how many [corners|sides] a {shape} has
    what is the number of [corners|sides] of a {shape}?
    * the number of [corners|sides] [that|] a {shape} has
    * the number of [corners|sides] in a {shape}
    ~ how many [corners|sides] a {shape} has
    ~ how many [corners|sides] there are [in|on] a {shape}
    [count|please count|can you count] the [corners|sides] [in|on|that has] a {shape}
    how many [corners|sides] [are there in|are in|can you count on|belong to] a {shape}?
    a {shape} [comes with|is made with] how many [corners|sides]?
    a {shape}, how many [corners|sides] [does it have|has it got|are there]?
    the [corners|sides] of a {shape}, how many are [there|they]?
    does a {shape} have [corners|sides|many corners|many sides]?
    what number of [corners|sides] has a {shape}?
    """,
    """
    count the [corners|sides] of a {shape}
    a {shape} has how many [corners|sides]?
    """,
)
_NO_PICTURE = Phrasings(
    """
    what do you see?
    what can you see [here|now|]?
    what is [in|on] [the|this|my] picture?
    what is this?
    [please|] describe [the|this|my] [picture|image|photo]
    [which|what] [shape|color|colour] [is this|do you see|is in the picture]?
    how many shapes [do you see|are there|are in the picture]?
    what am I [holding|showing you]?
    is there a [red|blue|green|yellow] [circle|square|triangle] [in the picture|]?
    look at this [picture|]
    * the [color|colour|shape] in [the|my|this] picture
    * the number of shapes in [the|my|this] [picture|image]
    ~ what [you see|is in the picture|this is|I am holding|the picture shows|you can see]
    [can|do] you see [me|this|that|it] [now|]?
    [can|do] you see [my picture|the image|what I see|the picture|what I hold] [now|]?
    can you see [the|my|this|a] [picture|image|photo|shape|circle|object]?
    do you see [something|anything|a shape|a color] [here|there|now|]?
    [is there|do you have] [something|anything] [in the picture|to see|in front of you]?
    what [is there|there is] to see?
    [say|describe|explain|show] [to me|] what [you see|can be seen|you are looking at]
    tell me what [is here|there is|is in the picture|you can see|can be seen|is on the image]
    what [does|do] [this|my|the] [photo|drawing|camera|screen] show?
    what does this [picture|image] [show|have]?
    what are you [seeing|looking at] [now|right now|]?
    what [shows|is on] [the|this|my] [image|photo|screen|camera]?
    what is [here|there|in front of you|on the table|in my hand]?
    [which|what] objects [do you see|are there|are here]?
    [where|what color|what colour] is the [circle|square|triangle|star|hexagon|rectangle]?
    [name|count|list] the [shapes|objects|things] [you see|in the picture|]
    how many [things|objects|circles|shapes] [are here|are in the image|can you see]?
    """,
    """
    what does the [picture|image] show?
    can you see [something|anything]?
    tell me what you [see|are seeing]
    """,
)
_NO_PICTURE_ANSWERS = """
    I see no picture. Please show me one.
"""


def colour(rng: Random, split: Split) -> list[Exchange]:
    if rng.random() < 0.15:
        return [_of_several(rng, split)]
    things = rng.sample(sorted(COLOUR_OF), 2)
    first = _colour_answer(rng, _COLOUR.say(rng, split, thing=things[0]), things[0])
    if rng.random() < 0.7:
        return [first]
    return [first, _colour_answer(rng, _COLOUR_NEXT.say(rng, split, thing=things[1]), things[1])]


def thing_of_colour(rng: Random, split: Split) -> list[Exchange]:
    colour_name = rng.choice(sorted(set(COLOUR_OF.values())))
    things = [thing for thing, its in COLOUR_OF.items() if its == colour_name]
    answer = f"{rng.choice(things)} is {colour_name}."
    required = "|".join(thing.removeprefix("the ") for thing in things)
    question = _OF_COLOUR.say(rng, split, colour=colour_name)
    return [Exchange(question, answer[:1].upper() + answer[1:], (required,))]


def mixture(rng: Random, split: Split) -> list[Exchange]:
    pair = rng.choice(sorted(_MIXTURES))
    one, other = rng.sample(pair, 2)
    question = _MIX.say(rng, split, one=one, other=other)
    answer = f"{one.capitalize()} and {other} make {_MIXTURES[pair]}."
    return [Exchange(question, answer, (_MIXTURES[pair],), frozenset(COLOURS))]


def corners(rng: Random, split: Split) -> list[Exchange]:
    shape = rng.choice(sorted(_CORNERS))
    number = NUMBERS[_CORNERS[shape]]
    answer = f"{article(shape).capitalize()} has {number} corners."
    if not _CORNERS[shape]:
        answer, number = "A circle has no corners. It is round.", "no corners"
    question = _CORNER.say(rng, split, shape=shape)
    return [Exchange(question, answer, (number,), frozenset(NUMBERS))]


def no_picture(rng: Random, split: Split) -> list[Exchange]:
    answer = pick(rng, _NO_PICTURE_ANSWERS)
    return [Exchange(_NO_PICTURE.say(rng, split), answer, ("no picture",))]


def _of_several(rng: Random, split: Split) -> Exchange:
    thing = rng.choice([thing for thing in sorted(COLOUR_OF) if thing.startswith(("a ", "an "))])
    things, colour_name = plural(thing.split(maxsplit=1)[1]), COLOUR_OF[thing]
    question = _COLOUR_OF_SEVERAL.say(rng, split, things=things)
    family = frozenset(COLOURS) - set(thing.split())
    return Exchange(question, f"{things.capitalize()} are {colour_name}.", (colour_name,), family)


def _colour_answer(rng: Random, question: str, thing: str) -> Exchange:
    colour_name = COLOUR_OF[thing]
    answer = pick(rng, "{thing} is {colour}.\n{colour}.", thing=thing, colour=colour_name)
    family = frozenset(COLOURS) - set(thing.split())
    return Exchange(question, answer, (colour_name,), family)


SKILLS: dict[str, Maker] = {
    "colours of things": colour,
    "things of a colour": thing_of_colour,
    "mixed colours": mixture,
    "corners of shapes": corners,
    "no picture": no_picture,
}
