"""Pictures: grid, tiles, pixels and placeholder text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from MiniCPMO45.image import ImageSettings, image_placeholder, preprocess_image
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import build_input

RECORDING = "02_image_preproc"
ABSOLUTE = 1e-6


def run(context: Context) -> Iterator[CaseResult]:
    arrays = context.arrays(RECORDING)
    settings = ImageSettings.from_file(context.checkpoint / "preprocessor_config.json")
    for entry in context.json(RECORDING)["images"]:
        key = entry["key"]
        case = Case("02", key)
        image = build_input(entry)
        source = key.rpartition(".")[0]
        if f"{source}.rgb_sum" in arrays:
            pixels = np.asarray(image)
            sums = pixels.astype(np.int64).sum(axis=(0, 1))
            case.equal("input sums", arrays[f"{source}.rgb_sum"], sums)
            corner = arrays.whole(f"{source}.rgb_corner")
            rows, columns = corner.shape[:2]
            case.equal("input corner", corner, pixels[:rows, :columns])

        tensors = preprocess_image(image, settings, entry["max_slice_nums"])
        case.equal("grid", entry["grid_cols_rows"], tensors.grid)
        case.equal("slices", entry["n_slices"], len(tensors.pixels))
        case.equal("tgt_sizes", arrays[f"{key}.tgt_sizes"], tensors.target_sizes)
        case.close("pixels", arrays[f"{key}.pixels"], tensors.pixels, absolute=ABSOLUTE)
        for name in ("placeholder_with_id", "placeholder_without_id"):
            number = re.search(r"<image_id>(\d+)</image_id>", entry[name])
            image_id = int(number[1]) if number else None
            text = image_placeholder(tensors.grid, settings, image_id)
            case.equal(name, entry[name], text)
        yield case.result()
