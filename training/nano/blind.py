"""Questions that somebody wrote down without a look at the templates.

Nothing of them is trained on, and no template is made after one of them: they tell how the model
answers people who know nothing of its grammar.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from training.nano.saying import transcript

_FILE = Path(__file__).with_name("blind_questions.jsonl")


@dataclass(frozen=True)
class BlindQuestion:
    """What a user says in one or two turns; the last answer counts.

    One regular expression of ``accept`` has to be found in it, in small or capital letters, and
    none of ``reject``.
    """

    skill: str
    language: str
    turns: tuple[str, ...]
    accept: tuple[str, ...]
    reject: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the skill, in the manner of the templates."""
        return self.skill if self.language == "en" else f"{self.skill} {self.language}"

    def accepts(self, text: str) -> bool:
        """Whether ``text`` answers the last turn."""
        return _any_found(self.accept, text) and not _any_found(self.reject, text)


@lru_cache(maxsize=1)
def blind_questions() -> tuple[BlindQuestion, ...]:
    """All of them, skill by skill."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    rows = ({"reject": ()} | json.loads(line) for line in lines)
    return tuple(
        BlindQuestion(
            row["skill"],
            row["language"],
            tuple(row["turns"]),
            tuple(row["accept"]),
            tuple(row["reject"]),
        )
        for row in rows
    )


@lru_cache(maxsize=1)
def blind_sentences() -> frozenset[str]:
    """Everything the user says in them, as it sounds."""
    return frozenset(transcript(turn) for question in blind_questions() for turn in question.turns)


def _any_found(patterns: tuple[str, ...], text: str) -> bool:
    return any(re.search(pattern, text, re.IGNORECASE) for pattern in patterns)
