"""Ways of saying one thing, in two sets: those that are trained on and those held out."""

from __future__ import annotations

import re
import unicodedata
from random import Random
from typing import Literal

Split = Literal["seen", "held_out"]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


class Phrasings:
    """Templates, one a line: ``[a|b|]`` is a choice, ``{slot}`` is filled in.

    Args:
        seen: templates to train on.
        held_out: templates that only the evaluation uses.
    """

    def __init__(self, seen: str, held_out: str) -> None:
        self._templates: dict[Split, list[str]] = {
            "seen": _lines(seen),
            "held_out": _lines(held_out),
        }

    def say(self, rng: Random, split: Split, **slots: str) -> str:
        """One sentence of the set, drawn at random."""
        return expand(rng, rng.choice(self._templates[split]), **slots)


def expand(rng: Random, template: str, **slots: str) -> str:
    """A template with its choices made, innermost first, and its slots filled."""
    while _CHOICE.search(template):
        template = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    text = " ".join(template.split()).replace(" ?", "?").replace(" ,", ",")
    return text.format(**slots)


def pick(rng: Random, templates: str, **slots: str) -> str:
    """One of several templates, one a line, expanded; the first letter becomes a capital."""
    text = expand(rng, rng.choice(_lines(templates)), **slots)
    return text[:1].upper() + text[1:]


def normalised(text: str) -> str:
    """Small letters and digits with single blanks between words: what counts as the same."""
    kept = (
        character if character.isalnum() else " "
        for character in unicodedata.normalize("NFKC", text).lower().replace("'", "")
    )
    return " ".join("".join(kept).split())


def holds(text: str, phrase: str) -> bool:
    """Whether normalised ``text`` holds a phrase as whole words; Chinese has no blanks."""
    if phrase.isascii():
        return f" {phrase} " in f" {text} "
    return phrase in text.replace(" ", "")


def words_of(text: str, separator: str | None = None) -> list[str]:
    """The words of a list, which blanks or a separator part."""
    return text.split(separator)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]
