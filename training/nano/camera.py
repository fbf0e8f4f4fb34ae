"""What a camera shows during a call: scenes one after another, every one in several frames."""

from __future__ import annotations

from random import Random

from PIL import Image

from training.nano.pictures import SIZES, painted, photographed
from training.nano.scenes import Scene, a_scene

N_FRAMES = 3  # of a scene; they differ as those of a camera that nobody moves
LARGEST_SHIFT = 0.03  # of a frame's width and height
MISSING_SHARE = 0.04  # seconds without a frame


class Camera:
    """Shows scenes, each from a unit of the call on."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._size = rng.choice(SIZES)
        self._shots = [(0, a_scene(rng))]

    @property
    def scene(self) -> Scene:
        """What was shown last."""
        return self._shots[-1][1]

    def show(self, unit: int, scene: Scene) -> None:
        """Show a scene from ``unit`` on, which does not lie before that of the last one."""
        if unit == self._shots[-1][0]:
            self._shots.pop()
        self._shots.append((unit, scene))

    def another(self) -> Scene:
        """A scene that can be told from the one shown last."""
        while (scene := a_scene(self._rng)).figures == self.scene.figures:
            pass
        return scene

    def scene_at(self, unit: int) -> Scene:
        """What is shown in a unit."""
        return next(scene for first, scene in reversed(self._shots) if first <= unit)

    def frames(self, n_units: int) -> list[Image.Image | None]:
        """The frame of every unit; a few have none."""
        frames: list[Image.Image | None] = []
        ends = [first for first, _ in self._shots[1:]] + [n_units]
        for (first, scene), end in zip(self._shots, ends, strict=True):
            n_shown = max(0, min(end, n_units) - first)
            views = self._views(scene, min(n_shown, N_FRAMES))
            frames += (self._rng.choice(views) for _ in range(n_shown))
        known = {first for first, _ in self._shots}  # what is new is seen at once
        return [
            None if unit not in known and self._rng.random() < MISSING_SHARE else frame
            for unit, frame in enumerate(frames)
        ]

    def _views(self, scene: Scene, count: int) -> list[Image.Image]:
        picture = painted(self._rng, scene, self._size)
        return [photographed(self._rng, self._moved(picture)) for _ in range(count)]

    def _moved(self, picture: Image.Image) -> Image.Image:
        width, height = self._size
        left, top, right, bottom = (self._rng.uniform(0, LARGEST_SHIFT) for _ in range(4))
        box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
        return picture.resize(self._size, Image.Resampling.BILINEAR, box)
