"""Speech decoders for the recordings, whose draws were made deterministic by a cold temperature."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO, speech_tokens
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_tokens import SpeechDecoder

TEMPERATURE = 1e-5


@dataclass
class BestCode:
    """Stands in for the draw: takes the best code and remembers how close the choice was."""

    gaps: list[float] = field(default_factory=list)

    def __call__(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        best, second = scores.topk(2).values.tolist()
        self.gaps.append((best - second) * TEMPERATURE)
        return scores.argmax()


@contextmanager
def cold_decoder(model: MiniCPMO, **sampling: float) -> Iterator[tuple[SpeechDecoder, BestCode]]:
    """A decoder on a slot of its own, with its draws replaced for the time being."""
    slot = model.speech_cache.acquire()
    best = BestCode()
    decoder = SpeechDecoder(
        model.tts,
        slot,
        model.speech_rotary,
        torch.Generator(),
        SpeechSampling(temperature=TEMPERATURE, **sampling),  # type: ignore[arg-type]
    )
    try:
        with patch.object(speech_tokens, "draw_code", best):
            yield decoder, best
    finally:
        slot.close()
