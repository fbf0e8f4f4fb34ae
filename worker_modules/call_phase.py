"""Where a half-duplex call is, and where it may go from there."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """What a call does now."""

    WAITING = "waiting"  # for a `prepare` that succeeds
    LISTENING = "listening"
    ANSWERING = "answering"
    ENDED = "ended"


TRANSITIONS: dict[Phase, set[Phase]] = {
    Phase.WAITING: {Phase.LISTENING, Phase.ENDED},
    Phase.LISTENING: {Phase.ANSWERING, Phase.ENDED},
    Phase.ANSWERING: {Phase.LISTENING, Phase.ENDED},
    Phase.ENDED: set(),
}


class CallPhase:
    """The phase of one call; a change that the table does not know is a bug."""

    def __init__(self) -> None:
        self.now = Phase.WAITING

    def move_to(self, phase: Phase) -> None:
        assert phase in TRANSITIONS[self.now], f"a call cannot go {self.now} -> {phase}"
        self.now = phase

    @property
    def has_ended(self) -> bool:
        return self.now is Phase.ENDED

    @property
    def is_answering(self) -> bool:
        return self.now is Phase.ANSWERING
