"""Pictures of scenes, drawn with PIL and then disturbed the way cameras do it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from training.nano.exchange import Exchange
from training.nano.phrasing import Split
from training.nano.scenes import PLACES, Figure, Scene, a_scene, asked

HELD_OUT_SEEDS = range(1_000_000_000, 1_000_100_000)
"""Training seeds stay below."""

TESTED_SEEDS = HELD_OUT_SEEDS[:1000]
"""Their pictures are in the test."""

Colour = tuple[int, int, int]
Point = tuple[float, float]

_COLOURS: dict[str, Colour] = {
    "red": (220, 35, 35),
    "green": (35, 160, 60),
    "blue": (35, 70, 215),
    "yellow": (245, 220, 40),
    "orange": (245, 135, 25),
    "purple": (130, 45, 165),
    "black": (18, 18, 18),
    "white": (245, 245, 245),
    "grey": (130, 130, 130),
}
SIZES = (
    *((224, 224), (256, 256), (320, 240), (240, 320), (300, 200), (320, 180), (180, 240)),
    *((448, 448), (640, 480), (640, 360)),
)


@dataclass(frozen=True)
class Example:
    """A picture of a scene with a question about it."""

    image: Image.Image
    scene: Scene
    kind: str
    exchange: Exchange


def example(seed: int) -> Example:
    """The picture and question of one seed; held-out seeds are asked in held-out words."""
    split: Split = "held_out" if seed in HELD_OUT_SEEDS else "seen"
    rng = Random(f"picture {seed}")
    scene = a_scene(rng)
    kind, exchange = asked(rng, scene, split)
    return Example(draw(rng, scene), scene, kind, exchange)


@dataclass(frozen=True)
class Album:
    """A picture of a scene with several questions about it, in a row."""

    image: Image.Image
    scene: Scene
    exchanges: tuple[Exchange, ...]


def album(seed: int, n_questions: int) -> Album:
    """The picture of one training seed, of the same kind as `example` draws.

    Raises:
        ValueError: the seed is held out.
    """
    if seed in HELD_OUT_SEEDS:
        raise ValueError(f"seed {seed} is held out")
    rng = Random(f"album {seed}")
    scene = a_scene(rng)
    exchanges = tuple(asked(rng, scene, "seen")[1] for _ in range(n_questions))
    return Album(draw(rng, scene), scene, exchanges)


def questions_of_test() -> Iterator[str]:
    """What is asked about the pictures of the test."""
    for seed in TESTED_SEEDS:
        rng = Random(f"picture {seed}")
        yield asked(rng, a_scene(rng), "held_out")[1].user


def draw(rng: Random, scene: Scene) -> Image.Image:
    """A scene as a picture of one of several sizes, with noise, blur, shades and turns."""
    return photographed(rng, painted(rng, scene, rng.choice(SIZES)))


def painted(rng: Random, scene: Scene, size: tuple[int, int]) -> Image.Image:
    """A scene as it is, in shades and turns of its own."""
    width, height = size
    image = _background(rng, scene.background, width, height)
    painter = ImageDraw.Draw(image)
    if not scene.figures:
        _clutter(rng, painter, width, height)
    alone = len(scene.figures) == 1
    for figure in scene.figures:
        _paint(rng, painter, figure, width, height, alone=alone)
    return image


def outline(rng: Random, shape: str, centre: Point, radius: float) -> list[Point]:
    """The corners of a figure with a random turn; circles have many."""
    turn = rng.uniform(-0.25, 0.25)
    if shape == "rectangle":
        stretch = rng.choice((rng.uniform(0.4, 0.6), rng.uniform(1.7, 2.2)))
        tall = math.sqrt(stretch)
        corners = [(sx / tall, sy * tall) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        corners = [(x * 0.75, y * 0.75) for x, y in corners]
        return [_placed(x, y, turn, centre, radius) for x, y in corners]
    counts = {"circle": 60, "square": 4, "triangle": 3, "hexagon": 6, "star": 10}
    n_corners = counts[shape]
    start = math.pi / 4 if shape == "square" else -math.pi / 2
    points = []
    for index in range(n_corners):
        angle = start + 2 * math.pi * index / n_corners
        reach = 0.42 if shape == "star" and index % 2 else 1.0
        points.append(_placed(math.cos(angle), math.sin(angle), turn, centre, radius * reach))
    return points


def _placed(x: float, y: float, turn: float, centre: Point, radius: float) -> Point:
    cos, sin = math.cos(turn), math.sin(turn)
    return centre[0] + radius * (x * cos - y * sin), centre[1] + radius * (x * sin + y * cos)


def _paint(
    rng: Random,
    painter: ImageDraw.ImageDraw,
    figure: Figure,
    width: int,
    height: int,
    *,
    alone: bool,
) -> None:
    column, row = PLACES[figure.place]
    cell = min(width, height) / 3
    radius = cell * rng.uniform(0.3, 0.47)
    centre = (
        width * (2 * column + 1) / 6 + cell * rng.uniform(-0.06, 0.06),
        height * (2 * row + 1) / 6 + cell * rng.uniform(-0.06, 0.06),
    )
    if figure.place == "middle" and rng.random() < 0.6:
        radius *= rng.uniform(1.0, 2.8 if alone else 1.3)
    painter.polygon(outline(rng, figure.shape, centre, radius), fill=_shade(rng, figure.colour))


def _background(rng: Random, colour: str, width: int, height: int) -> Image.Image:
    """Plain or fading from one shade to another."""
    first, second = (np.array(_shade(rng, colour), np.float32) for _ in range(2))
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    mixed = across if rng.random() < 0.5 else down
    pixels = first + (second - first) * mixed + np.zeros((height, width, 3), np.float32)
    if rng.random() < 0.3:
        pixels += _clouds(rng, width, height) * rng.uniform(4, 22)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _clouds(rng: Random, width: int, height: int) -> NDArray[np.float32]:
    """Soft spots without an edge, about -1 to 1, ``[height, width, 3]``."""
    grid = np.random.default_rng(rng.getrandbits(32)).uniform(
        -1, 1, (rng.randint(2, 6), rng.randint(2, 6), 3)
    )
    small = Image.fromarray(((grid + 1) * 127.5).astype(np.uint8))
    large = small.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(large, np.float32) / 127.5 - 1


def _clutter(rng: Random, painter: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Lines, stripes and specks that are no shape, or nothing at all."""
    kind = rng.random()
    if kind < 0.3:
        return
    if kind < 0.45:
        return _stripe(rng, painter, width, height)
    if kind < 0.6:
        return _strew(rng, painter, width, height)
    for _ in range(rng.randint(1, 25)):
        points = [(rng.uniform(0, width), rng.uniform(0, height)) for _ in range(rng.randint(2, 5))]
        colour = tuple(rng.randrange(256) for _ in range(3))
        painter.line(points, fill=colour, width=rng.randint(1, 4))


def _stripe(rng: Random, painter: ImageDraw.ImageDraw, width: int, height: int) -> None:
    colour, step = tuple(rng.randrange(256) for _ in range(3)), rng.randint(12, 60)
    thickness, slope = rng.randint(2, step // 2), rng.choice((0, width // 3, -width // 3, width))
    for x in range(-width, 2 * width, step):
        painter.line([(x, 0), (x + slope, height)], fill=colour, width=thickness)


def _strew(rng: Random, painter: ImageDraw.ImageDraw, width: int, height: int) -> None:
    """Specks that are too small to have a shape."""
    for _ in range(rng.randint(30, 300)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        colour = tuple(rng.randrange(256) for _ in range(3))
        painter.rectangle((x, y, x + rng.uniform(1, 4), y + rng.uniform(1, 4)), fill=colour)


def _shade(rng: Random, colour: str) -> Colour:
    red, green, blue = (value + rng.randint(-12, 12) for value in _COLOURS[colour])
    return tuple(min(255, max(0, value)) for value in (red, green, blue))  # pyright: ignore[reportReturnType]


def photographed(rng: Random, image: Image.Image) -> Image.Image:
    """The same as a camera takes it: blurred, darker or lighter, with noise."""
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2.0)))
    pixels = np.asarray(image, np.float32) * rng.uniform(0.85, 1.1)
    if rng.random() < 0.6:
        generator = np.random.default_rng(rng.getrandbits(32))
        noise = generator.standard_normal(pixels.shape, np.float32)
        pixels = pixels + noise * np.float32(rng.uniform(1, 14))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
