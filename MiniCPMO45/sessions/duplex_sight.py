"""Frames of a full-duplex conversation as rows between their markers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from MiniCPMO45.image import ImageSettings, preprocess_image
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.sessions.duplex_decision import DuplexTokens


class DuplexSight:
    """Turns frames into embeddings: the whole picture, then its slices row by row."""

    def __init__(self, model: MiniCPMO, settings: ImageSettings, tokens: DuplexTokens) -> None:
        self._model = model
        self._settings = settings
        ids = torch.tensor([tokens.image, tokens.slice], device=model.device)
        self._whole, self._slice = (  # start and end, each [1, hidden]
            tuple(model.llm.embed(pair).split(1)) for pair in ids
        )

    def see(
        self, frames: Sequence[Image.Image], max_slice_nums: int | Sequence[int]
    ) -> tuple[list[Tensor], int]:
        """Rows ``[n, hidden]`` of all frames with their markers, and the number of tiles.

        Args:
            max_slice_nums: the most slices of a frame, for all or one each.

        Raises:
            MediaError: a frame cannot be used.
        """
        if not frames:
            return [], 0
        limits = (
            [max_slice_nums] * len(frames)
            if isinstance(max_slice_nums, int)
            else list(max_slice_nums)
        )
        images = [
            preprocess_image(frame, self._settings, limit)
            for frame, limit in zip(frames, limits, strict=True)
        ]
        tiles = iter(
            self._model.encode_images(images).split(self._model.config.query_num)
        )  # each [query_num, hidden]
        rows: list[Tensor] = []
        for image in images:
            for position in range(len(image.pixels)):
                start, end = self._slice if position else self._whole
                rows += [start, next(tiles), end]
        return rows, sum(len(image.pixels) for image in images)
