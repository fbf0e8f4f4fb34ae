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

    @property
    def name_zh(self) -> str:
        return f"{_IN_CHINESE[self.colour]}的{SHAPES_ZH[self.shape]}"


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
    * the [content of the picture|things in the picture|shapes in the picture|shapes]
    ~ what [you see|is in the picture|this is|I am holding|you can see|is here]
    [say|describe|explain|name|list] [to me|] [what you see|what is here]
    [say|describe|explain|name|list] [to me|] [what you are looking at|the shapes|what can be seen]
    [which|what] [shape|shapes|thing|things|object|objects] [is this|is it|are here]?
    [which|what] [shape|shapes|thing|things|object|objects] [can you see|are these|is here]?
    what [is|are] [here|there|on the screen|in front of you|on the image|on the paper|in my hand]?
    what does this [picture|image|photo] [show|have|contain]?
    what does the [photo|camera|drawing|paper] show?
    what [kind of|] [shape|picture] is [this|that|it]?
    [can|do] you [see|recognize|know] [this|what this is|that|it|the picture|something]?
    can you tell me what [this is|that is|you see]?
    what do [we have|you have|I show you|you notice|you look at] [here|now|]?
    tell me what [this is|is in the image|can be seen|I am showing|there is]
    [look|see], what is [this|that|it]?
    [and|now|so|okay], what do you see [now|]?
    look [here|at the picture|at it]
    describe [it|this|what you see]
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
    * the [color|colour] the {shape} has
    * the {shape}'s [color|colour]
    ~ [what|which] [color|colour] the {shape} [is|has]
    [look at|see|here is] the {shape}, [what|which] [color|colour] [is it|does it have|has it]?
    the {shape} [is|has] [what|which] [color|colour]?
    the {shape}, [which|what] [color|colour] [has it|does it have]?
    [say|name|give] [me|] the [color|colour] [of|for] the {shape}
    in [what|which] [color|colour] is the {shape} [drawn|painted|]?
    is the {shape} [red|blue|green|yellow], or what [color|colour]?
    [what|which] [color|colour] [do you see|can you see] [for|on] the {shape}?
    can you [say|see|tell me] [what|which] [color|colour] the {shape} [is|has]?
    how is the {shape} [colored|painted]?
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
    * the [position|place|location] of the {shape}
    ~ where the {shape} is
    ~ where [you see|I can find] the {shape}
    where [can|do] [you|we] [see|find] the {shape}?
    where [in the picture|in the image|exactly] is the {shape}?
    where is the {shape} [placed|drawn|located|in the picture]?
    the {shape}, where is it?
    the {shape} [is|lies|stands] [in which place|at what place|in what part]?
    [which|what] [part|corner|side|place] [has|holds] the {shape}?
    on [which|what] side is the {shape}?
    [find|locate|show me] the {shape}
    where would I [look for|find] the {shape}?
    is the {shape} left or right, [where is it|or where]?
    is the {shape} [at the top or at the bottom|in the middle], [where is it|or where]?
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
    * the [name of the|] {colour} shape
    ~ [what|which shape] is {colour}
    [which|what] [one|of them|figure|thing|object] is {colour}?
    [which|what] [shape|figure] [has|is in|is painted in] {colour}?
    [what|which] is the {colour} [shape|one|thing|figure]?
    the {colour} [shape|one|thing], [what|which] is it?
    [say|tell me|find] the {colour} shape
    [tell me|say] [what|which shape|which one] is {colour}
    of the shapes, which is {colour}?
    do you see [a|the|any] {colour} [shape|one|thing], [what|which] is it?
    what shape has the color {colour}?
    what [do you see|is there] in {colour}?
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
    * the number of [figures|objects|the shapes]
    ~ how many [shapes|things|figures|objects] [there are|you see|are in the picture|are here]
    how many [things|objects|figures] [are there|do you see]?
    how many [things|objects|figures] [are in the picture|can you see|are in the image]?
    how many shapes [are here|are drawn|can you see|can you count|does the picture show]?
    count the [things|objects|figures] [please|]
    [can you|please|now] count the shapes
    [is there|do you see] [one shape or more|one or two shapes|more than one shape]?
    what number of [things|objects|shapes] [is here|do you see]?
    the number of [things|shapes] [is|please]
    [how many|what number] [is it|are they|are there]?
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
    ~ [if|whether] there is a {colour} {shape}
    ~ [if|whether] you see a {colour} {shape}
    [can|do] you [find|notice|recognize] a {colour} {shape} [here|in the picture|]?
    is a {colour} {shape} [here|there|in the picture|in the image]?
    does [the|this] [image|photo|drawing] [show|have|contain] a {colour} {shape}?
    does this picture [have|show|contain] a {colour} {shape}?
    there is a {colour} {shape} [here|in the picture|], [right|correct|yes|isn't there]?
    [I believe|I see|they say] there is a {colour} {shape}, [correct|yes or no|is that right]?
    [is this|is that|is it] a {colour} {shape}?
    a {colour} {shape}, [is it there|do you see one|yes or no]?
    do I show you a {colour} {shape}?
    [is there|do you see] [any|one] {colour} {shape}?
    """,
    """
    does the picture show a {colour} {shape}?
    I think there is a {colour} {shape}, right?
    """,
)
_DESCRIBE_ZH = Phrasings(
    "你看到[了|]什么\n[这|图片里|图里]是什么\n[请|]描述[一下|]这张图片"
    "\n你[能|可以|都|][看到|看见|看出][了|]什么[东西|形状|]"
    "\n[照片|画|屏幕|图|图片][里|上][是|画了|画着]什么"
    "\n[照片|画|图]上有什么[东西|]"
    "\n[这张|这个|这幅][图|图片|照片]是什么"
    "\n[说说|描述|告诉我]你[看到|看见]的[东西|图片|形状]"
    "\n[我手里|我手上|这里|纸上]是什么"
    "\n[你看|看看]，这是什么",
    "图片上有什么\n你能看见什么",
)
_COLOUR_ZH = Phrasings(
    "{shape}是什么颜色\n{shape}的颜色是什么"
    "\n[说|告诉我|讲讲|说出]{shape}的颜色"
    "\n{shape}是[哪种|哪个|什么样的]颜色[的|]"
    "\n[图里|图片里|这里]的{shape}是什么颜色"
    "\n你看{shape}是什么颜色"
    "\n[什么颜色|哪种颜色]的{shape}",
    "说说{shape}的颜色",
)


def asked(rng: Random, scene: Scene, split: Split) -> tuple[str, Exchange]:
    """A question about a scene with its kind."""
    if not scene.figures:
        return _nothing(rng, split)
    kinds = ["shapes"] * 3 + ["colour"] * 2 + ["place"] * 2 + ["which", "many", "there", "absent"]
    kind = rng.choice([*kinds, "shapes zh", "colour zh"])
    figure = rng.choice(scene.figures)
    if kind == "absent":
        return kind, _absent(rng, scene, split)
    if kind == "shapes":
        return kind, Exchange(_DESCRIBE.say(rng, split), *described(scene))
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
        names = tuple(figure.name_zh for figure in scene.figures)
        return kind, Exchange(_DESCRIBE_ZH.say(rng, split), f"我看到{'和'.join(names)}。", names)
    shape, found = SHAPES_ZH[figure.shape], _IN_CHINESE[figure.colour]
    question = _COLOUR_ZH.say(rng, split, shape=shape)
    return kind, Exchange(question, f"{shape}是{found}的。", (found,), frozenset(COLOURS_ZH))


def described(scene: Scene) -> tuple[str, tuple[str, ...], frozenset[str]]:
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
    question = _with_articles(_THERE.say(rng, split, colour=colour, shape=shape))
    answer = _with_articles(f"{says.capitalize()}, {ending}.")
    return Exchange(question, answer, (says,), frozenset({"yes", "no"}))


def _with_articles(text: str) -> str:
    return text.replace("a orange", "an orange")


def _absent(rng: Random, scene: Scene, split: Split) -> Exchange:
    """A question about a shape that is not there."""
    there = {figure.shape for figure in scene.figures}
    shape = rng.choice([shape for shape in SHAPES if shape not in there])
    question = rng.choice((_COLOUR, _PLACE)).say(rng, split, shape=shape)
    return Exchange(question, f"I see no {shape}.", (f"no {shape}",))


def _nothing(rng: Random, split: Split) -> tuple[str, Exchange]:
    answer = "I see no shape that I know."
    if rng.random() < 0.15:
        return "nothing zh", Exchange(
            _DESCRIBE_ZH.say(rng, split), "我没有看到我认识的形状。", ("没有看到",)
        )
    shape, colour = rng.choice(SHAPES), rng.choice(COLOURS)
    questions = rng.choice((_DESCRIBE, _DESCRIBE, _DESCRIBE, _MANY, _COLOUR, _PLACE, _THERE))
    question = _with_articles(questions.say(rng, split, shape=shape, colour=colour))
    return "nothing", Exchange(question, answer, ("no shape",))
