"""What is heard in speech by a recogniser that has nothing to do with this model, and how wrong.

The recogniser is the small English model that the package `moonshine-voice` carries in its
versions up to 0.0.49.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from MiniCPMO45.mel import SAMPLE_RATE
from MiniCPMO45.token2wav.resampling import resample
from training.nano.phrasing import normalised
from training.nano.saying import as_said
from training.nano.speech_packages import SpeechError, add_packages_to_path

_LEADING_SILENCE_S, _TRAILING_SILENCE_S = 0.3, 0.5  # without it the last word gets lost
_SPELT_ALIKE = {
    "to": "two", "too": "two", "for": "four", "won": "one", "ate": "eight", "blew": "blue",
    "read": "red", "write": "right", "hi": "high", "your": "you are", "youre": "you are",
    "whats": "what is", "its": "it is", "im": "i am", "cant": "can not", "cannot": "can not",
    "dont": "do not", "theres": "there is", "thats": "that is", "gray": "grey", "color": "colour",
    "colors": "colours", "ok": "okay", "by": "bye", "buy": "bye", "there": "their", "tale": "tail",
    "sea": "see", "meat": "meet", "hear": "here", "son": "sun", "know": "no", "week": "weak",
}  # fmt: skip
"""Words that sound alike, and contractions: either is as good."""


class Recogniser:
    """English speech to text on the CPU."""

    def __init__(self) -> None:
        """Load the model.

        Raises:
            SpeechError: the package or its model is missing.
        """
        add_packages_to_path()
        try:
            from moonshine_voice import (  # pyright: ignore[reportMissingImports]
                ModelArch,
                get_assets_path,
            )
            from moonshine_voice.transcriber import (  # pyright: ignore[reportMissingImports]
                Transcriber,
            )
        except ImportError as error:
            raise SpeechError(f"the package moonshine-voice is missing: {error}") from error
        folder = Path(get_assets_path()) / "tiny-en"
        if not (folder / "encoder_model.ort").exists():
            raise SpeechError("this version of moonshine-voice carries no model; take 0.0.49")
        self._transcriber: Any = Transcriber(str(folder), ModelArch.TINY)

    def hear(self, waveform: NDArray[np.float32], sample_rate: int = SAMPLE_RATE) -> str:
        """The words in float32 ``[n]``; empty where none are heard."""
        before, after = (
            np.zeros(round(seconds * sample_rate), np.float32)
            for seconds in (_LEADING_SILENCE_S, _TRAILING_SILENCE_S)
        )
        padded = np.concatenate([before, waveform, after])
        if sample_rate != SAMPLE_RATE:  # better than the package does
            padded = resample(torch.from_numpy(padded), sample_rate, SAMPLE_RATE).numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            heard = self._transcriber.transcribe_without_streaming(padded.tolist(), SAMPLE_RATE)
        return " ".join(line.text for line in heard.lines)


def heard_words(text: str) -> list[str]:
    """The words of a text as they sound: numbers in words, one spelling for what sounds alike."""
    plain = re.sub(r"(?<=[0-9])(?=[a-z])|(?<=[a-z])(?=[0-9])", " ", normalised(as_said(text)))
    return " ".join(_SPELT_ALIKE.get(word, word) for word in plain.split()).split()


def word_error_rate(pairs: Iterable[tuple[str, str]]) -> float:
    """Wrong, missing and surplus words over the words that were said, of (said, heard) texts."""
    errors = n_words = 0
    for said, heard in pairs:
        expected = heard_words(said)
        errors += edits(expected, heard_words(heard))
        n_words += len(expected)
    return errors / max(1, n_words)


def edits(expected: Sequence[str], found: Sequence[str]) -> int:
    """Fewest insertions, deletions and substitutions from one sequence to the other."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(expected, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]
