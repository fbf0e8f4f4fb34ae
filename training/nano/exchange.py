"""A question with its answer, and what other answers would do as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from training.nano.phrasing import Split, holds, normalised

LONGEST_SURPLUS_CHARACTERS = 60


@dataclass(frozen=True)
class Exchange:
    """One turn of both sides.

    ``required`` words must be in an acceptable answer, each ``a|b`` by one of its forms; words of
    ``family`` that the answer given here does not hold must not.
    """

    user: str
    answer: str
    required: tuple[str, ...] = ()
    family: frozenset[str] = frozenset()

    def accepts(self, text: str) -> bool:
        """Whether ``text`` answers the question as well as the answer given here."""
        said, expected = normalised(text), normalised(self.answer)
        if said == expected:
            return True
        if not self.required or len(said) > len(expected) + LONGEST_SURPLUS_CHARACTERS:
            return False
        has_all = all(any(holds(said, form) for form in word.split("|")) for word in self.required)
        return has_all and not any(
            holds(said, word) and not holds(expected, word) for word in self.family
        )


Maker = Callable[[Random, Split], list[Exchange]]
"""Makes the exchanges of one skill; the last one is what the skill is about."""
