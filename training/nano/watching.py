"""Requests to watch the camera, and what is said when there is something to tell."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from training.nano.exchange import Exchange
from training.nano.phrasing import Phrasings, Split
from training.nano.scenes import Scene, a_scene, described
from training.nano.words import article

CHINESE_SHARE = 0.2
ANY_CHANGE_SHARE = 0.4

_ANY_CHANGE = Phrasings(
    """
    [please|] [tell me|let me know|say something] when [something|anything] changes
    [please|] [tell me|let me know] when [the picture|the image] changes
    [tell me|let me know|say it] when [something|anything] new [comes|appears|is there]
    [tell me|let me know] when you see something [new|else]
    [please|] watch [the camera|the picture|this] and tell me [what changes|when it changes]
    [watch|look] [closely|well|] and [say|tell me] what [comes|appears|is new]
    [can|could|will] you [tell me|let me know] when [something|it] changes?
    as soon as [something|anything] changes, [tell me|say it]
    if [something|anything] changes, [tell me|say it|let me know]
    wait until [something|the picture] changes and [tell me|say] what you see
    """,
    """
    keep an eye on the [camera|picture] and tell me what changes
    say something as soon as the picture changes
    """,
)
_FIGURE = Phrasings(
    """
    [please|] [tell me|let me know|say something] when you see {thing}
    [tell me|let me know|say it] when {thing} [comes|appears|is there]
    [tell me|let me know] when I show you {thing}
    as soon as you see {thing}, [tell me|say it|let me know]
    when [you see|there is|I show you] {thing}, [tell me|say it|let me know]
    if [you see|there is] {thing}, [tell me|say it|let me know]
    [watch|look] and [tell me|say] when {thing} [comes|appears]
    [can|could|will] you [tell me|let me know] when you see {thing}?
    wait [for|until you see] {thing} [and tell me|please]
    I will show you {thing}, [tell me|say it] when you see it
    """,
    """
    keep watching and tell me when you see {thing}
    say something as soon as {thing} appears
    """,
)
_ANY_CHANGE_ZH = Phrasings(
    "[有变化|图片变了]就告诉我\n看到新的东西[就|请]告诉我\n[请|]看着图片，变了就告诉我\n有新的东西就说",
    "图片有变化请告诉我",
)
_FIGURE_ZH = Phrasings(
    "看到{thing}就[告诉我|说]\n[请|]看着图片，有{thing}就告诉我\n有{thing}的时候告诉我",
    "要是看到{thing}就告诉我",
)
_PROMISE, _PROMISE_ZH = "Okay, I will tell you.", "好的，我会告诉你。"


@dataclass(frozen=True)
class Watch:
    """A request with its answer, and what is said when it is met.

    Args:
        wanted: colour and shape of what is waited for, the colour empty for any; None for any
            change.
    """

    exchange: Exchange
    wanted: tuple[str, str] | None
    report: str

    def is_met_by(self, scene: Scene) -> bool:
        """Whether a new scene is to be told of."""
        if self.wanted is None:
            return True
        colour, shape = self.wanted
        return any(f.shape == shape and colour in ("", f.colour) for f in scene.figures)


def watch(rng: Random, split: Split, before: Scene, coming: Scene) -> Watch:
    """A request to tell when ``coming`` is shown, of which there is nothing ``before``."""
    in_chinese = rng.random() < CHINESE_SHARE
    report = _report(coming, in_chinese=in_chinese)
    shown = {figure.shape for figure in before.figures}
    new = [figure for figure in coming.figures if figure.shape not in shown]
    if not new or rng.random() < ANY_CHANGE_SHARE:
        request = (_ANY_CHANGE_ZH if in_chinese else _ANY_CHANGE).say(rng, split)
        return Watch(_promised(request, in_chinese=in_chinese), None, report)
    figure = rng.choice(new)
    if in_chinese:
        request = _FIGURE_ZH.say(rng, split, thing=figure.name_zh)
        return Watch(_promised(request, in_chinese=True), (figure.colour, figure.shape), report)
    colour = rng.choice(("", figure.colour))
    request = _FIGURE.say(rng, split, thing=article(f"{colour} {figure.shape}".strip()))
    return Watch(_promised(request, in_chinese=False), (colour, figure.shape), report)


def said_of_camera(rng: Random) -> list[Exchange]:
    """A request with either of the things that are said to it."""
    request = watch(rng, "seen", a_scene(rng), a_scene(rng))
    return [request.exchange, Exchange(request.exchange.user, request.report)]


def _promised(request: str, *, in_chinese: bool) -> Exchange:
    return Exchange(request, _PROMISE_ZH if in_chinese else _PROMISE)


def _report(scene: Scene, *, in_chinese: bool) -> str:
    if in_chinese:
        names = "和".join(figure.name_zh for figure in scene.figures)
        return f"现在我看到{names}。" if names else "现在我没有看到形状。"
    return f"Now {described(scene)[0]}" if scene.figures else "Now I see no shape."
