"""Shares of accepted answers, and the answers that were not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from training.nano.exchange import Exchange


@dataclass
class Scores:
    """What became of the questions of one part of the evaluation, by skill."""

    outcomes: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    failures: list[dict[str, Any]] = field(default_factory=list)

    def note(self, skill: str, exchanges: Sequence[Exchange], said: str) -> None:
        """Judge the answer to the last of ``exchanges``."""
        expected = exchanges[-1]
        asked = [exchange.user for exchange in exchanges]
        self.judge(skill, asked, expected.answer, said, accepted=expected.accepts(said))

    def judge(
        self, skill: str, asked: Sequence[str], expected: str, said: str, *, accepted: bool
    ) -> None:
        """Keep what became of one question."""
        self.outcomes[skill].append(accepted)
        if not accepted:
            self.failures.append(
                {"skill": skill, "asked": [*asked], "expected": expected, "said": said}
            )

    def summary(self) -> dict[str, Any]:
        """The share over all, over how many, and per skill."""
        everything = [accepted for outcomes in self.outcomes.values() for accepted in outcomes]
        skills = {skill: share(outcomes) for skill, outcomes in sorted(self.outcomes.items())}
        return {"all": share(everything), "n": len(everything), "skills": skills}


def share(outcomes: Sequence[bool]) -> float:
    """Of a whole, three places."""
    return round(sum(outcomes) / len(outcomes), 3) if outcomes else 0.0
