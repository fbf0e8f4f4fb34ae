"""Several frames in one picture, for videos sent with more than one frame a second."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

LINE_WIDTH = 6


def tile_images(images: Sequence[Image.Image]) -> Image.Image:
    """One picture with all `images` in cells of equal size, parted by black lines.

    A cell has the largest width and height among the images; each is scaled to fit and centred
    on white.
    """
    cell = max(image.width for image in images), max(image.height for image in images)
    columns, rows = _layout(images, cell)
    canvas = Image.new("RGB", _canvas_size(columns, rows, cell), "black")
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        corner = column * (cell[0] + LINE_WIDTH), row * (cell[1] + LINE_WIDTH)
        canvas.paste(_centred(image, cell), corner)
    return canvas


def _layout(images: Sequence[Image.Image], cell: tuple[int, int]) -> tuple[int, int]:
    """(columns, rows): 2 or 3 images lie along the side that makes the picture squarer."""
    n_images = len(images)
    if n_images == 4:
        return 2, 2
    if n_images in (2, 3):
        wide, tall = (
            _unsquareness(_canvas_size(*grid, cell)) for grid in ((n_images, 1), (1, n_images))
        )
        mean_aspect = sum(image.width / image.height for image in images) / n_images
        tie_is_tall = n_images == 2 and mean_aspect < 1
        if tall < wide or (tall == wide and tie_is_tall):
            return 1, n_images
    return n_images, 1


def _unsquareness(size: tuple[int, int]) -> float:
    return abs(size[0] / size[1] - 1)


def _canvas_size(columns: int, rows: int, cell: tuple[int, int]) -> tuple[int, int]:
    return (
        columns * cell[0] + (columns - 1) * LINE_WIDTH,
        rows * cell[1] + (rows - 1) * LINE_WIDTH,
    )


def _centred(image: Image.Image, cell: tuple[int, int]) -> Image.Image:
    scale = min(cell[0] / image.width, cell[1] / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    background = Image.new("RGB", cell, "white")
    corner = (cell[0] - size[0]) // 2, (cell[1] - size[1]) // 2
    background.paste(image.resize(size, Image.Resampling.BICUBIC), corner)
    return background
