"""From a picture to patch strips: grid choice, resizing, tiles, normalisation, placeholder text.

Sizes are (width, height), grids are (columns, rows), ``target_sizes`` are (rows, columns).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.errors import CheckpointError, MediaError

Size = tuple[int, int]
Grid = tuple[int, int]

MAX_TILE_PATCHES = 4096
"""A tile holds about 1024 patches; only shapes beyond roughly 16,000:1 pass this."""


@dataclass(frozen=True)
class ImageSettings:
    """Settings of ``preprocessor_config.json``, under the published names."""

    max_slice_nums: int = 9
    scale_resolution: int = 448
    patch_size: int = 14
    image_feature_size: int = 64
    use_image_id: bool = True
    slice_mode: bool = True
    norm_mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    norm_std: tuple[float, ...] = (0.5, 0.5, 0.5)

    @classmethod
    def from_file(cls, path: Path) -> ImageSettings:
        """Read the settings of a checkpoint.

        Raises:
            CheckpointError: the file cannot be read or is not JSON.
        """
        try:
            stored = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error.strerror}") from error
        except json.JSONDecodeError as error:
            raise CheckpointError(f"{path} is not valid JSON: {error}") from error
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in stored.items() if key in known}
        for key in ("norm_mean", "norm_std"):
            if key in values:
                values[key] = tuple(values[key])
        return cls(**values)


@dataclass(frozen=True)
class ImageTensors:
    """A preprocessed picture: the overview tile, then the tiles of the grid row by row.

    ``pixels`` holds one float32 strip ``[3, patch, patch * n_patches]`` a tile, ``target_sizes``
    the patch rows and columns of each, int32 ``[n_tiles, 2]``.
    """

    pixels: list[Tensor]
    target_sizes: Tensor
    grid: Grid | None
    size: Size


@dataclass(frozen=True)
class TileBatch:
    """Tiles of several pictures padded to the longest strip.

    ``pixels`` is ``[B, 3, patch, patch * Lmax]``, ``patch_mask`` boolean ``[B, Lmax]``, true for
    real patches. ``target_sizes`` ``[B, 2]`` stays on the CPU, where position ids are made.
    """

    pixels: Tensor
    patch_mask: Tensor
    target_sizes: Tensor

    def to(self, device: torch.device, dtype: torch.dtype) -> TileBatch:
        """The batch on ``device`` with pixels in ``dtype``."""
        return TileBatch(
            self.pixels.to(device, dtype), self.patch_mask.to(device), self.target_sizes
        )


def choose_grid(
    width: int, height: int, max_slice_nums: int, settings: ImageSettings
) -> Grid | None:
    """The (columns, rows) a picture is cut into, nearest to its aspect ratio; None for no cut.

    Candidates are compared in order and the first of equals wins.
    """
    n_ideal = min(math.ceil(width * height / settings.scale_resolution**2), max_slice_nums)
    if n_ideal <= 1:
        return None
    log_ratio = math.log(width / height)
    counts = [n for n in (n_ideal - 1, n_ideal, n_ideal + 1) if 1 < n <= max_slice_nums]
    candidates = [
        (columns, n // columns) for n in counts for columns in range(1, n + 1) if n % columns == 0
    ]
    return min(candidates, key=lambda grid: abs(log_ratio - math.log(grid[0] / grid[1])))


def snap(length: float, step: int) -> int:
    """The nearest positive multiple of ``step``, ties to the even multiple."""
    return max(round(length / step) * step, step)


def fit(width: float, height: float, settings: ImageSettings, *, upscale: bool) -> Size:
    """The size of a tile: about ``scale_resolution`` squared pixels, whole patches.

    Smaller pictures keep their size unless ``upscale``. The width follows from the truncated
    height.
    """
    resolution = settings.scale_resolution
    if upscale or width * height > resolution**2:
        ratio = width / height
        height = int(resolution / math.sqrt(ratio))
        width = int(height * ratio)
    return snap(width, settings.patch_size), snap(height, settings.patch_size)


def preprocess_image(
    image: Image.Image, settings: ImageSettings, max_slice_nums: int | None = None
) -> ImageTensors:
    """Resize, cut and normalise one picture.

    Args:
        max_slice_nums: the most tiles of the grid; None takes the checkpoint's default.

    Raises:
        MediaError: the picture is empty or too narrow to be cut into patches, or
            ``max_slice_nums`` is below 1.
    """
    limit = settings.max_slice_nums if max_slice_nums is None else max_slice_nums
    if limit < 1:
        raise MediaError(f"max_slice_nums must be at least 1, got {limit}")
    width, height = image.size
    if not width or not height:
        raise MediaError(f"the image is empty ({width} x {height} pixels)")
    if image.mode != "RGB":
        image = image.convert("RGB")
    grid = choose_grid(width, height, limit, settings) if settings.slice_mode else None
    tiles = _tiles(image, grid, settings)
    strips = [_patch_strip(tile, settings) for tile in tiles]
    patch = settings.patch_size
    target_sizes = [(tile.height // patch, tile.width // patch) for tile in tiles]
    return ImageTensors(
        strips, torch.tensor(target_sizes, dtype=torch.int32), grid, (width, height)
    )


def batch_slices(images: Sequence[ImageTensors]) -> TileBatch:
    """All tiles of at least one picture, in order, as one padded batch."""
    strips = [strip for image in images for strip in image.pixels]
    target_sizes = torch.cat([image.target_sizes for image in images])
    longest = max(strip.shape[2] for strip in strips)
    pixels = torch.stack([functional.pad(strip, (0, longest - strip.shape[2])) for strip in strips])
    n_patches = longest // strips[0].shape[1]
    patch_mask = torch.arange(n_patches) < target_sizes.prod(dim=1)[:, None]
    return TileBatch(pixels, patch_mask, target_sizes)


def image_placeholder(grid: Grid | None, settings: ImageSettings, image_id: int | None) -> str:
    """The prompt text of one picture: optional number, overview slots, rows of tile slots."""
    slots = "<unk>" * settings.image_feature_size
    text = "" if image_id is None else f"<image_id>{image_id}</image_id>"
    text += f"<image>{slots}</image>"
    if grid is not None:
        columns, rows = grid
        text += "\n".join([f"<slice>{slots}</slice>" * columns] * rows)
    return text


def _tiles(image: Image.Image, grid: Grid | None, settings: ImageSettings) -> list[Image.Image]:
    width, height = image.size
    if not settings.slice_mode:
        if width % settings.patch_size or height % settings.patch_size:
            raise MediaError(
                f"the image must measure whole patches of {settings.patch_size} pixels, "
                f"got {width} x {height}"
            )
        return [image]
    if grid is None:
        return [_resize(image, fit(width, height, settings, upscale=True), settings)]
    overview = _resize(image, fit(width, height, settings, upscale=False), settings)
    columns, rows = grid
    tile_width, tile_height = fit(
        snap(width, columns) / columns, snap(height, rows) / rows, settings, upscale=True
    )
    _check_tile(image, (tile_width, tile_height), settings)
    refined = image.resize((tile_width * columns, tile_height * rows), Image.Resampling.BICUBIC)
    boxes = [
        (left, top, left + tile_width, top + tile_height)
        for top in range(0, refined.height, tile_height)
        for left in range(0, refined.width, tile_width)
    ]
    return [overview, *(refined.crop(box) for box in boxes)]


def _resize(image: Image.Image, size: Size, settings: ImageSettings) -> Image.Image:
    _check_tile(image, size, settings)
    return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)


def _check_tile(image: Image.Image, tile: Size, settings: ImageSettings) -> None:
    if tile[0] * tile[1] > MAX_TILE_PATCHES * settings.patch_size**2:
        raise MediaError(
            f"the image of {image.width} x {image.height} pixels is too narrow to be cut "
            "into patches"
        )


def _patch_strip(tile: Image.Image, settings: ImageSettings) -> Tensor:
    """Normalised patches of a tile in raster order, ``[3, patch, patch * n_patches]``."""
    patch = settings.patch_size
    rows, columns = tile.height // patch, tile.width // patch
    # uint8 [rows * patch, columns * patch, 3] -> [rows, patch, columns, patch, 3]
    patches = np.asarray(tile).reshape(rows, patch, columns, patch, 3)
    # Moved while a pixel is one byte, then normalised in place.
    strip = np.ascontiguousarray(patches.transpose(4, 1, 0, 2, 3)).astype(np.float32)
    strip = strip.reshape(3, patch, rows * columns * patch)
    strip /= np.float32(255)
    strip -= np.asarray(settings.norm_mean, np.float32)[:, None, None]
    strip /= np.asarray(settings.norm_std, np.float32)[:, None, None]
    return torch.from_numpy(strip)
