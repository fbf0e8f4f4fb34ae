"""Greedy decoding through the real loops, remembering how close each choice was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import torch
from torch import Tensor

from MiniCPMO45 import GenerationOptions
from MiniCPMO45.sessions import generation


@dataclass
class BestToken:
    """Stands in for the sampler."""

    ids: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)

    def __call__(
        self, scores: Tensor, options: GenerationOptions, source: torch.Generator
    ) -> Tensor:
        values, indices = scores.topk(2)
        self.gaps.append(float(values[0] - values[1]))
        self.ids.append(int(indices[0]))
        return indices[0]


@contextmanager
def recorded_choices() -> Iterator[BestToken]:
    """Every choice made inside is the best-scored one, and is listed."""
    choices = BestToken()
    with patch.object(generation, "draw", choices):
        yield choices
