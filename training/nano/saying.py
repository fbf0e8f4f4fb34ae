"""Written questions as they are said: numbers and signs become words."""

from __future__ import annotations

import re

from training.nano.phrasing import normalised
from training.nano.words import NUMBERS, NUMBERS_ZH

_SIGNS = {"+": "plus", "*": "times"}
_NUMBER = re.compile(r"[0-9]+")
_MINUS = re.compile(r"(?<=[0-9])-(?=[0-9])|(?<=\w) - (?=\w)")


def as_said(text: str) -> str:
    """The text with words for its numbers and signs, in its own language."""
    chinese = not text.isascii()
    for sign, word in _SIGNS.items():
        text = text.replace(sign, f" {word} ")
    text = _MINUS.sub(" minus ", text)
    text = _NUMBER.sub(lambda match: _in_words(int(match[0]), chinese), text)
    return " ".join(text.replace(":", ",").split())


def transcript(text: str) -> str:
    """What can be heard of a text: small letters, no marks."""
    return normalised(as_said(text))


def _in_words(number: int, chinese: bool) -> str:
    words = NUMBERS_ZH if chinese else NUMBERS
    if number < len(words):
        return words[number]
    digits = (words[int(digit)] for digit in str(number))
    return ("" if chinese else " ").join(digits)
