"""How well the model's own speech is understood: its spoken answers as an independent recogniser
writes them down."""

from __future__ import annotations

import base64
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np

from training.nano.dialogues import Dialogue, evaluation_dialogues
from training.nano.recogniser import word_error_rate
from training.nano.sounds import Waveform

FEWEST_WORDS, MOST_WORDS = 3, 20
_SPREAD = 7  # conversations apart in the evaluation, so that all its skills are heard

Speak = Callable[[str], tuple[str, Waveform]]
"""Asks a question; gives the answer and its sound at 24 kHz, which is empty where there is none."""

Hear = Callable[[Waveform], str]
"""Writes sound at 24 kHz down."""


@dataclass
class SpeechScores:
    """What was said, and what of it was heard."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    n_silent: int = 0

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The answers that were misheard."""
        return [
            {"skill": "own speech", "expected": said, "said": heard}
            for said, heard in self.pairs
            if word_error_rate([(said, heard)]) > 0
        ]

    def summary(self) -> dict[str, Any]:
        return {
            "word_error_rate": round(word_error_rate(self.pairs), 3),
            "n": len(self.pairs),
            "silent": self.n_silent,
        }


def speech_scores(speak: Speak, hear: Hear, dialogues: Iterable[Dialogue]) -> SpeechScores:
    """Questions that need nothing before them, asked aloud; all words of an answer without sound
    are missing."""
    scores = SpeechScores()
    for dialogue in dialogues:
        said, sound = speak(dialogue.exchanges[-1].user)
        scores.n_silent += not sound.size
        scores.pairs.append((said, hear(sound) if sound.size else ""))
    return scores


def spoken_dialogues(n_dialogues: int) -> list[Dialogue]:
    """English ones of the evaluation with one question each, no two answers alike."""
    answers: dict[str, Dialogue] = {}
    for dialogue in evaluation_dialogues():
        (first, *rest), answer = dialogue.exchanges, dialogue.exchanges[-1].answer
        is_spoken = FEWEST_WORDS <= len(answer.split()) <= MOST_WORDS
        if not rest and first.user.isascii() and answer.isascii() and is_spoken:
            answers.setdefault(answer, dialogue)
    found = list(answers.values())
    spread = [dialogue for start in range(_SPREAD) for dialogue in found[start::_SPREAD]]
    return spread[:n_dialogues]


def decoded(wav_base64: str | None) -> Waveform:
    """The samples of a 16-bit file, float32; none of None."""
    if wav_base64 is None:
        return np.zeros(0, np.float32)
    with wave.open(BytesIO(base64.b64decode(wav_base64))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    return np.divide(samples, 32768, dtype=np.float32)
