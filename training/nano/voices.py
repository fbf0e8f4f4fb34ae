"""The voices that speak the training data, and those that only the evaluation hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Engine = Literal["espeak", "flite"]


@dataclass(frozen=True)
class Voice:
    """One voice of an engine.

    Args:
        speaker: for flite its voice; for espeak an accent.
        variant: of espeak; also says what is Chinese, which flite cannot.
        pace: relative to the recorded person's, for flite.
    """

    engine: Engine
    speaker: str
    variant: str
    pace: float = 1.0

    @property
    def name(self) -> str:
        """Unique among all voices."""
        return f"{self.engine}:{self.speaker}+{self.variant}"


def _espeak(accent: str, variants: str) -> list[Voice]:
    return [Voice("espeak", accent, variant) for variant in variants.split()]


OWN_VOICE = Voice("flite", "slt", "f2", pace=0.85)
"""Whom the model sounds like: its speech is learnt from this one, who is understood better when she
takes her time."""

VOICES = (
    OWN_VOICE,
    Voice("flite", "awb", "m3"),
    Voice("flite", "kal16", "m7"),
    *_espeak("en-us", "m1 m3 m4 m6 m7 m8 f1 f2 f3 f5 Alex Andy Annie Mike steph3 linda Alicia"),
    *_espeak("en-gb-x-rp", "m3 f2 edward2 anika"),
    *_espeak("en-gb-scotland", "m7 f5"),
    *_espeak("en-us-nyc", "m1 f1"),
)

HELD_OUT_VOICES = (
    Voice("flite", "rms", "m2"),
    *_espeak("en-us", "m2 m5 f4 Michael"),
    *_espeak("en-gb-x-rp", "f4 m2"),
)
