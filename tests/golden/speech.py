"""Speech decoders for the recordings, whose draws were made deterministic by a cold temperature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO, speech_tokens
from MiniCPMO45.sessions.speech import LOOKAHEAD_CODES
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.speech_tokens import SpeechDecoder

TEMPERATURE = 1e-5
SAMPLES_PER_CODE = 960


@dataclass
class BestCode:
    """Stands in for the draw: takes the best code and remembers how close the choice was."""

    codes: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)

    def __call__(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        values, indices = scores.topk(2)
        self.gaps.append(float(values[0] - values[1]) * TEMPERATURE)
        self.codes.append(int(indices[0]))
        return indices[0]


@contextmanager
def cold_decoder(model: MiniCPMO, **sampling: float) -> Iterator[tuple[SpeechDecoder, BestCode]]:
    """A decoder on a slot of its own, with its draws replaced for the time being."""
    slot = model.speech.cache.acquire()
    best = BestCode()
    decoder = SpeechDecoder(
        model.tts,
        model.speech,
        slot,
        torch.Generator(),
        SpeechSampling(temperature=TEMPERATURE, **sampling),  # type: ignore[arg-type]
    )
    try:
        with patch.object(speech_tokens, "draw_code", best):
            yield decoder, best
    finally:
        slot.close()


@dataclass
class RecordingVocoder:
    """Stands in for the vocoder: silence of the right length, and a list of what came in."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        self.calls.append({"tokens": list(codes), "last_chunk": last})
        rendered = len(codes) if last else len(codes) - LOOKAHEAD_CODES
        return torch.zeros(rendered * SAMPLES_PER_CODE)


def new_codes(calls: Sequence[Mapping[str, Any]]) -> list[int]:
    """Codes of recorded vocoder calls in order, without those a call was given again."""
    return [code for call in calls for code in call["tokens"][LOOKAHEAD_CODES:]]
