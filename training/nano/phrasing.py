"""Ways of saying one thing, in two sets: those that are trained on and those held out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from random import Random
from typing import Literal

Split = Literal["seen", "held_out"]

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_FRAMED = {"*": 3, "~": 3}  # a line that is put into frames is drawn as often as three others

_FRAMES = {
    "*": """
        what is ...?
        what's ...?
        [please|now|] [tell|give|show] me ...
        [do you know|do you remember|do you happen to know] ...?
        ...?
        ...
        ..., please
        [can|could|would|will] you [please|] [tell|give|show] me ... [now|]?
        [say|name|find] ... [for me|please|]
        I [want|need|would like|wish] to know ...
        I want you to [say|name|tell me] ...
        I would like to hear ...
        let me [know|hear] ...
        [and|so|now|well|okay|then], what is ...?
        [I forgot|I do not know|I am looking for|I need] ..., [what is it|can you help|do you know]?
        what [can|could|might|will] ... be?
        help me find ...
        [my question is|here is my question]: what is ...?
        I [ask|am asking] you for ...
        are you able to tell me ...?
        [would you mind|how about] [telling me|saying|naming] ...?
        [can|could|may] I [have|get|ask for|hear|know] ... [please|]?
        what was ... again?
        [remind me of|go ahead and tell me|I keep forgetting|look up] ...
        ..., [do you know it|can you say it|what would you say|that is my question]?
        [is there a way to know|how do I find out] ...?
        [all I want is|it is about|just] ... [, please|]
        [be so kind and|if you can,] tell me ...
        what do [you|people] call ...?
        [we|my friend and I] [want|would like] to know ...
        [think about|consider] ..., what is it?
    """,
    "~": """
        [do you know|do you happen to know|have you any idea] ...?
        [please|now|] [tell|show] me ...
        [can|could|would|will] you [please|] [tell me|say|explain] ...?
        I [want|need|would like|wish] to know ...
        I [wonder|ask myself|am not sure|have no idea|would love to know] ...
        [say|guess|explain] ... [please|]
        let me know ...
        are you able to say ...?
        [any idea|who knows] ...?
        I [ask|am asking] you ...
        [my friend|somebody] wants to know ...
        it would be nice to know ...
        [would you mind telling me|can I ask you|may I know|can you remind me] ...?
        [I keep forgetting|I can never remember|please remind me|go ahead and tell me] ...
        ..., do you know [that|]?
        [I would like to|I have to|we must] [learn|find out|hear] ...
        [be so kind and|if you can,] tell me ...
        [is it possible to say|does anybody know|can anyone tell me] ...?
        [think about it,|come on,|hurry,] ...?
    """,
}


class Phrasings:
    """Templates, one a line: ``[a|b|]`` is a choice, ``{slot}`` is filled in.

    A line that begins with ``*`` is a thing ("the opposite of {word}"), with ``~`` an indirect
    question ("where a {animal} lives"); either is asked for in many frames.

    Args:
        seen: templates to train on. Wordings that ``held_out`` also makes are left out.
        held_out: templates that only the evaluation uses.
    """

    def __init__(self, seen: str, held_out: str) -> None:
        self._templates: dict[Split, list[list[str]]] = {
            "seen": list(_families(seen)),
            "held_out": list(_families(held_out)),
        }
        self._held_out = self.wordings("held_out")

    def say(self, rng: Random, split: Split, **slots: str) -> str:
        """One sentence of the set, drawn at random."""
        while True:
            template = _chosen(rng, rng.choice(rng.choice(self._templates[split])))
            if split == "held_out" or normalised(template) not in self._held_out:
                return _tidy(template).format(**slots)

    def wordings(self, split: Split) -> frozenset[str]:
        """Every template of the set with its choices made and its slots open, normalised."""
        templates = (template for family in self._templates[split] for template in family)
        return frozenset(normalised(made) for template in templates for made in _all(template))


def expand(rng: Random, template: str, **slots: str) -> str:
    """A template with its choices made, innermost first, and its slots filled."""
    return _tidy(_chosen(rng, template)).format(**slots)


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


def _chosen(rng: Random, template: str) -> str:
    while _CHOICE.search(template):
        template = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    return template


def _tidy(text: str) -> str:
    return " ".join(text.split()).replace(" ?", "?").replace(" ,", ",")


def _all(template: str) -> Iterator[str]:
    choice = _CHOICE.search(template)
    if choice is None:
        yield template
        return
    for option in choice[1].split("|"):
        yield from _all(template[: choice.start()] + option + template[choice.end() :])


def _families(text: str) -> Iterator[list[str]]:
    """Each line as the templates that it stands for, as often as it is to be drawn."""
    for line in _lines(text):
        kind, thing = line[0], line[1:].strip()
        if kind in _FRAMED:
            family = [frame.replace("...", thing) for frame in _lines(_FRAMES[kind])]
            yield from [family] * _FRAMED[kind]
        else:
            yield [line]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines() if line.strip()]
