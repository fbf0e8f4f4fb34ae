"""What a picture can hold, and what can be asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.nano.exchange import Exchange
from training.nano.phrasing import Phrasings, Split, words_of
from training.nano.words import COLOURS_ZH, NUMBERS, article

SHAPES = words_of("circle square triangle rectangle star hexagon")
SHAPES_ZH = dict(zip(SHAPES, "圆形 正方形 三角形 长方形 星形 六边形".split(), strict=True))
COLOURS = words_of("red green blue yellow orange purple black white grey")
_IN_CHINESE = dict(zip(COLOURS, COLOURS_ZH, strict=False))
PLACES = {
    "top left": (0, 0),
    "top": (1, 0),
    "top right": (2, 0),
    "left": (0, 1),
    "middle": (1, 1),
    "right": (2, 1),
    "bottom left": (0, 2),
    "bottom": (1, 2),
    "bottom right": (2, 2),
}
"""Column and row of each place on a grid of three by three."""

_SIDES = frozenset({"left", "right", "top", "bottom", "middle"})


@dataclass(frozen=True)
class Figure:
    shape: str
    colour: str
    place: str

    @property
    def name(self) -> str:
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """Up to three figures at different places, no shape twice, on a background."""

    figures: tuple[Figure, ...]
    background: str


def a_scene(rng: Random) -> Scene:
    """One figure or several; one scene in eight is empty."""
    count = rng.choice((0, 1, 1, 1, 1, 2, 2, 3))
    background, *colours = rng.sample(COLOURS, count + 1)
    shapes, places = rng.sample(SHAPES, count), rng.sample(sorted(PLACES), count)
    if count == 1 and rng.random() < 0.5:
        places = ["middle"]
    figures = map(Figure, shapes, colours, places)
    return Scene(tuple(sorted(figures, key=lambda figure: PLACES[figure.place])), background)


_DESCRIBE = Phrasings(
    """
    what do you see?
    what can you see [here|]?
    what is [in|on] [the|this] picture?
    what is this?
    [please|] describe [the|this] [picture|image]
    [which|what] shapes [do you see|are in the picture|are there]?
    what am I [holding|showing you]?
    tell me what is [here|in the picture]
    look at this
    """,
    """
    what does the [picture|image] show?
    can you tell what this is?
    tell me what you see
    """,
)
_COLOUR = Phrasings(
    """
    [what|which] [color|colour] is the {shape}?
    [what|which] [color|colour] does the {shape} have?
    what is the [color|colour] of the {shape}?
    """,
    """
    the {shape}, what [color|colour] is it?
    tell me the [color|colour] of the {shape}
    """,
)
_PLACE = Phrasings(
    """
    where is the {shape}?
    where do you see the {shape}?
    [in which place|in which part of the picture] is the {shape}?
    what is the position of the {shape}?
    """,
    """
    where can I find the {shape}?
    the {shape} is where?
    """,
)
_WHICH = Phrasings(
    """
    [what|which] shape is {colour}?
    what is {colour} [here|in the picture|]?
    """,
    """
    which of the shapes is {colour}?
    name the {colour} shape
    """,
)
_MANY = Phrasings(
    """
    how many shapes [are there|do you see|are in the picture]?
    count the shapes
    """,
    """
    what is the number of shapes?
    how many things are [here|drawn]?
    """,
)
_THERE = Phrasings(
    """
    is there a {colour} {shape} [here|in the picture|]?
    do you see a {colour} {shape}?
    can you see a {colour} {shape}?
    """,
    """
    does the picture show a {colour} {shape}?
    I think there is a {colour} {shape}, right?
    """,
)
_DESCRIBE_ZH = Phrasings(
    "你看到[了|]什么\n[这|图片里|图里]是什么\n[请|]描述[一下|]这张图片",
    "图片上有什么\n你能看见什么",
)
_COLOUR_ZH = Phrasings("{shape}是什么颜色\n{shape}的颜色是什么", "说说{shape}的颜色")


def asked(rng: Random, scene: Scene, split: Split) -> tuple[str, Exchange]:
    """A question about a scene with its kind."""
    if not scene.figures:
        return _nothing(rng, split)
    kinds = ["shapes"] * 3 + ["colour"] * 2 + ["which", "place", "place", "many", "there"]
    kind = rng.choice([*kinds, "shapes zh", "colour zh"])
    figure = rng.choice(scene.figures)
    if kind == "shapes":
        return kind, Exchange(_DESCRIBE.say(rng, split), *_seen(scene))
    if kind == "colour":
        answer = f"The {figure.shape} is {figure.colour}."
        question = _COLOUR.say(rng, split, shape=figure.shape)
        return kind, Exchange(question, answer, (figure.colour,), frozenset(COLOURS))
    if kind == "which":
        answer = f"The {figure.shape} is {figure.colour}."
        question = _WHICH.say(rng, split, colour=figure.colour)
        return kind, Exchange(question, answer, (figure.shape,), frozenset(SHAPES))
    if kind == "place":
        question = _PLACE.say(rng, split, shape=figure.shape)
        answer = f"The {figure.shape} is {_where(figure.place)}."
        return kind, Exchange(question, answer, tuple(figure.place.split()), _SIDES)
    if kind == "many":
        number = NUMBERS[len(scene.figures)]
        answer = f"I see {number} {'shape' if len(scene.figures) == 1 else 'shapes'}."
        return kind, Exchange(_MANY.say(rng, split), answer, (number,), frozenset(NUMBERS))
    if kind == "there":
        return kind, _whether_there(rng, scene, figure, split)
    if kind == "shapes zh":
        seen = "和".join(f"{_IN_CHINESE[f.colour]}的{SHAPES_ZH[f.shape]}" for f in scene.figures)
        names = tuple(f"{_IN_CHINESE[f.colour]}的{SHAPES_ZH[f.shape]}" for f in scene.figures)
        return kind, Exchange(_DESCRIBE_ZH.say(rng, split), f"我看到{seen}。", names)
    shape, found = SHAPES_ZH[figure.shape], _IN_CHINESE[figure.colour]
    question = _COLOUR_ZH.say(rng, split, shape=shape)
    return kind, Exchange(question, f"{shape}是{found}的。", (found,), frozenset(COLOURS_ZH))


def _seen(scene: Scene) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """The description with the words that it needs, and those it may not hold beside them."""
    names = [article(figure.name) for figure in scene.figures]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    required = tuple(figure.name for figure in scene.figures)
    return f"I see {listed}.", required, frozenset([*SHAPES, *COLOURS])


def _where(place: str) -> str:
    if place == "middle":
        return "in the middle"
    return f"on the {place}" if place in ("left", "right") else f"at the {place}"


def _whether_there(rng: Random, scene: Scene, figure: Figure, split: Split) -> Exchange:
    asked_for, says = figure.name.split(), "yes"
    if rng.random() < 0.5:
        there = {other.name for other in scene.figures}
        absent = [f"{c} {s}" for c in COLOURS for s in SHAPES if f"{c} {s}" not in there]
        asked_for, says = rng.choice(absent).split(), "no"
    colour, shape = asked_for
    ending = f"there is a {colour} {shape}" if says == "yes" else f"I see no {colour} {shape}"
    ending = ending.replace("a orange", "an orange")
    question = _THERE.say(rng, split, colour=colour, shape=shape)
    answer = f"{says.capitalize()}, {ending}."
    return Exchange(question, answer, (says,), frozenset({"yes", "no"}))


def _nothing(rng: Random, split: Split) -> tuple[str, Exchange]:
    answer = "I see no shape that I know."
    if rng.random() < 0.15:
        return "nothing zh", Exchange(
            _DESCRIBE_ZH.say(rng, split), "我没有看到我认识的形状。", ("没有看到",)
        )
    questions = rng.choice((_DESCRIBE, _DESCRIBE, _MANY))
    return "nothing", Exchange(questions.say(rng, split), answer, ("no shape",))
