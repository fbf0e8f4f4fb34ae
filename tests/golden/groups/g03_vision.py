"""Vision encoder and resampler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from MiniCPMO45.image import batch_slices, preprocess_image
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import build_input

RECORDING = "03_vision"
ABSOLUTE = 1e-4


def run(context: Context) -> Iterator[CaseResult]:
    recorded, arrays = context.json(RECORDING), context.arrays(RECORDING)
    for entry in recorded["images"]:
        case = Case("03", entry["key"])
        for name, tiles in _encode(context, [entry], entry["max_slice_nums"]).items():
            case.close(name, arrays[f"{entry['key']}.{name}"], tiles, absolute=ABSOLUTE)
        yield case.result()

    mixed = recorded["mixed_batch"]
    case = Case("03", "mixed_batch")
    pictures, limit = mixed["pictures"], mixed["max_slice_nums"]
    together = _encode(context, pictures, limit)["resampled"]
    case.close("resampled", arrays["mixed_batch.resampled"], together, absolute=ABSOLUTE)
    alone = [
        tile for picture in pictures for tile in _encode(context, [picture], limit)["resampled"]
    ]
    case.close("resampled one by one", torch.stack(alone), together, absolute=ABSOLUTE)
    yield case.result()


@torch.inference_mode()
def _encode(
    context: Context, pictures: Sequence[Mapping[str, Any]], max_slice_nums: int
) -> dict[str, list[Tensor]]:
    """Outputs of every stage, one tensor a tile without its padding."""
    model = context.model
    images = [
        preprocess_image(build_input(picture), model.image_settings, max_slice_nums)
        for picture in pictures
    ]
    batch = batch_slices(images).to(model.device, model.dtype)
    embedded = model.vpm.embeddings(batch.pixels, batch.target_sizes)
    encoded = model.vpm(batch.pixels, batch.patch_mask, batch.target_sizes)
    resampled = model.encode_images(images).unflatten(0, (len(encoded), -1))
    return {
        "patch_plus_pos": _valid(embedded, batch.patch_mask),
        "encoder": _valid(encoded, batch.patch_mask),
        "resampled": list(resampled),
    }


def _valid(rows: Tensor, mask: Tensor) -> list[Tensor]:
    return [tile[kept] for tile, kept in zip(rows, mask, strict=True)]
