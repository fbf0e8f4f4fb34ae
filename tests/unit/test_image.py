"""Pictures: grid choice, tile sizes, pixels, placeholder text, refusals."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from MiniCPMO45.errors import CheckpointError, MediaError
from MiniCPMO45.image import (
    ImageSettings,
    batch_slices,
    choose_grid,
    fit,
    image_placeholder,
    preprocess_image,
    snap,
)
from tests.golden.inputs import picture

SETTINGS = ImageSettings()


def gradient(width: int, height: int) -> Image.Image:
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    red, green = x * 255 // (width - 1), y * 255 // (height - 1)
    return Image.fromarray(np.stack([red, green, (x + y) % 256], axis=-1).astype(np.uint8))


@pytest.mark.parametrize(
    ("length", "step", "expected"),
    [(21, 14, 28), (35, 14, 28), (49, 14, 56), (7, 14, 14), (0, 14, 14), (448, 14, 448)],
)
def test_snap_takes_the_nearest_multiple_with_ties_to_even(
    length: float, step: int, expected: int
) -> None:
    assert snap(length, step) == expected


def test_fit_enlarges_small_pictures_only_when_asked() -> None:
    assert fit(100, 100, SETTINGS, upscale=True) == (448, 448)
    assert fit(100, 50, SETTINGS, upscale=False) == (98, 56)


def test_fit_derives_the_width_from_the_truncated_height() -> None:
    # 448 / sqrt(300 / 376) = 501.5 -> 501, whose width 399.7 -> 399 is a tie, taken to 28 * 14
    assert fit(300, 376, SETTINGS, upscale=True) == (392, 504)


def test_fit_lifts_a_side_truncated_to_nothing_to_one_patch() -> None:
    assert fit(300_000, 1, SETTINGS, upscale=True) == (14, 14)


# width, height, max_slice_nums, grid, overview, tile
WORKED_SIZES = [
    (448, 448, 9, None, (448, 448), None),
    (100, 100, 9, None, (448, 448), None),
    (28, 28, 9, None, (448, 448), None),
    (449, 448, 9, (2, 1), (448, 448), (322, 630)),
    (640, 480, 9, (2, 1), (518, 392), (364, 546)),
    (640, 480, 1, None, (518, 392), None),
    (800, 600, 9, (2, 2), (518, 392), (518, 392)),
    (1280, 720, 9, (3, 2), (602, 336), (490, 406)),
    (1280, 720, 4, (3, 1), (602, 336), (350, 588)),
    (1280, 720, 2, (2, 1), (602, 336), (420, 476)),
    (1920, 1080, 9, (4, 2), (602, 336), (420, 476)),
    (4032, 3024, 9, (3, 3), (518, 392), (518, 392)),
    (4000, 1000, 9, (8, 1), (896, 224), (322, 630)),
    (3000, 500, 9, (7, 1), (1092, 182), (420, 476)),
    (5000, 10, 9, None, (9996, 14), None),
]


@pytest.mark.parametrize(("width", "height", "limit", "grid", "overview", "tile"), WORKED_SIZES)
def test_pictures_are_cut_and_resized_as_the_worked_examples(
    width: int,
    height: int,
    limit: int,
    grid: tuple[int, int] | None,
    overview: tuple[int, int],
    tile: tuple[int, int] | None,
) -> None:
    tensors = preprocess_image(Image.new("RGB", (width, height)), SETTINGS, limit)
    tiles = [] if grid is None or tile is None else [tile] * (grid[0] * grid[1])
    sizes = [(side[1] // 14, side[0] // 14) for side in (overview, *tiles)]
    assert tensors.grid == grid
    assert [tuple(row) for row in tensors.target_sizes.tolist()] == sizes
    assert [strip.shape[2] for strip in tensors.pixels] == [14 * r * c for r, c in sizes]


@pytest.mark.parametrize(
    ("width", "height", "grid"),
    [
        (600, 600, (1, 2)),  # two tiles: rows before columns
        (1050, 1050, (3, 2)),  # six: the rounding of the logarithms decides
        (1150, 1150, (3, 2)),  # seven
        (4000, 1000, (8, 1)),
        (1000, 4000, (1, 8)),
        (2000, 2000, (3, 3)),
    ],
)
def test_grid_ties_go_to_the_first_candidate(
    width: int, height: int, grid: tuple[int, int]
) -> None:
    assert choose_grid(width, height, 9, SETTINGS) == grid


def test_one_slice_never_cuts() -> None:
    assert choose_grid(4000, 3000, 1, SETTINGS) is None


def test_tiles_carry_the_documented_pixel_values() -> None:
    tensors = preprocess_image(gradient(640, 480), SETTINGS, 9)
    expected = [
        ((3, 14, 14504), (28, 37), (-0.00389, -0.00390, 0.00505), -0.90588),
        ((3, 14, 14196), (39, 26), (-0.50480, -0.00389, 0.00497), -0.92941),
        ((3, 14, 14196), (39, 26), (0.49700, -0.00389, 0.00513), -0.92941),
    ]
    for strip, target, (shape, size, means, value) in zip(
        tensors.pixels, tensors.target_sizes.tolist(), expected, strict=True
    ):
        assert strip.shape == shape and tuple(target) == size
        assert strip.mean(dim=(1, 2)).tolist() == pytest.approx(means, abs=2e-5)
        assert strip[1, 5, 700].item() == pytest.approx(value, abs=2e-5)


def test_a_strip_holds_the_patches_in_raster_order() -> None:
    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (448, 448, 3), dtype=np.uint8)
    )
    strip = preprocess_image(image, SETTINGS, 1).pixels[0]
    row, column, i, j = 3, 17, 5, 11
    pixel = np.asarray(image)[14 * row + i, 14 * column + j]
    patch = row * 32 + column
    assert strip[:, i, 14 * patch + j].tolist() == pytest.approx(
        ((pixel / 255 - 0.5) / 0.5).tolist(), abs=1e-6
    )


def test_other_modes_are_converted_to_rgb_first() -> None:
    grey = Image.new("L", (60, 40), 255)
    assert torch.equal(preprocess_image(grey, SETTINGS).pixels[0], torch.ones(3, 14, 14 * 26 * 39))


def test_pillow_resizes_as_the_model_was_given() -> None:
    resized = picture(4, 801, 799).resize((602, 336), Image.Resampling.BICUBIC)
    assert hashlib.sha256(resized.tobytes()).hexdigest() == (
        "366b21b9a9a0aa95228123d186e61c5e915a621cad93477007f18e76a485657c"
    )


SLOTS = "<unk>" * 64


def test_placeholder_of_a_whole_picture() -> None:
    assert image_placeholder(None, SETTINGS, None) == f"<image>{SLOTS}</image>"


def test_placeholder_numbers_the_picture_and_breaks_lines_between_tile_rows() -> None:
    tile = f"<slice>{SLOTS}</slice>"
    assert image_placeholder((2, 2), SETTINGS, 12) == (
        f"<image_id>12</image_id><image>{SLOTS}</image>{tile}{tile}\n{tile}{tile}"
    )


def test_slot_count_follows_the_checkpoint() -> None:
    text = image_placeholder((1, 2), ImageSettings(image_feature_size=5), None)
    assert text.count("<unk>") == 15


def test_settings_come_from_the_checkpoint_file(tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({"max_slice_nums": 4, "norm_mean": [0.1, 0.2, 0.3], "x": 1}))
    settings = ImageSettings.from_file(path)
    assert (settings.max_slice_nums, settings.norm_mean) == (4, (0.1, 0.2, 0.3))


def test_settings_that_are_not_json_are_named(tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text("{")
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json is not valid JSON"):
        ImageSettings.from_file(path)


def test_batch_pads_to_the_longest_tile_and_marks_real_patches() -> None:
    images = [
        preprocess_image(picture(0, *size), SETTINGS, 2) for size in [(300, 200), (1024, 256)]
    ]
    batch = batch_slices(images)
    lengths = batch.target_sizes.prod(dim=1)
    assert batch.pixels.shape == (4, 3, 14, 14 * int(lengths.max()))
    assert torch.equal(batch.patch_mask.sum(dim=1), lengths)
    assert not batch.pixels[0, :, :, 14 * int(lengths[0]) :].any()


@pytest.mark.parametrize(
    ("size", "limit", "message"),
    [
        ((0, 10), 9, "empty"),
        ((1, 600_000), 1, "too narrow"),
        ((60, 40), 0, "max_slice_nums must be at least 1"),
    ],
)
def test_unusable_pictures_are_refused(size: tuple[int, int], limit: int, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        preprocess_image(Image.new("RGB", size), SETTINGS, limit)


def test_without_slicing_a_picture_passes_unresized() -> None:
    settings = ImageSettings(slice_mode=False)
    tensors = preprocess_image(Image.new("RGB", (28, 42)), settings)
    assert tensors.target_sizes.tolist() == [[3, 2]]
    with pytest.raises(MediaError, match="whole patches"):
        preprocess_image(Image.new("RGB", (30, 42)), settings)


@pytest.mark.parametrize("size", [(640, 1), (640, 3), (1, 640), (3, 5)])
def test_very_thin_pictures_are_not_mistaken_for_channels(size: tuple[int, int]) -> None:
    assert preprocess_image(Image.new("RGB", size), SETTINGS).pixels
