"""Where a full-duplex call stands, and which messages may come there."""

from __future__ import annotations

from enum import Enum

from core.errors import RequestError, UnknownTypeError


class Phase(str, Enum):
    """The life of a call."""

    WAITING = "waiting"
    PREPARING = "preparing"
    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


TRANSITIONS = {
    Phase.WAITING: {Phase.PREPARING, Phase.STOPPED},
    Phase.PREPARING: {Phase.WAITING, Phase.ACTIVE, Phase.STOPPED},
    Phase.ACTIVE: {Phase.PAUSED, Phase.STOPPED},
    Phase.PAUSED: {Phase.ACTIVE, Phase.STOPPED},
    Phase.STOPPED: set[Phase](),
}

_RUNNING = {Phase.ACTIVE, Phase.PAUSED}
_ALLOWED = {
    "prepare": {Phase.WAITING},
    "audio_chunk": {Phase.PREPARING, Phase.ACTIVE},
    "video_frame": {Phase.PREPARING, Phase.ACTIVE},
    "playback": _RUNNING,
    "interrupt": _RUNNING,
    "pause": _RUNNING,
    "resume": {Phase.PAUSED},
    "stop": set(Phase),
}
_REFUSALS = {
    Phase.WAITING: "{kind} must come after prepare",
    Phase.PREPARING: "{kind} must wait until the call is prepared",
    Phase.ACTIVE: "{kind} must wait until the call is paused",
    Phase.PAUSED: "Worker is paused",
}


class CallPhase:
    """The phase of one call."""

    def __init__(self) -> None:
        self.phase = Phase.WAITING

    def move_to(self, phase: Phase) -> None:
        """Change the phase; a change that the table does not know is a bug."""
        assert phase in TRANSITIONS[self.phase], f"call cannot go {self.phase} -> {phase}"
        self.phase = phase

    def prepared(self, *, successfully: bool) -> None:
        """The preparation is over; a call that was stopped meanwhile stays so."""
        if self.phase is not Phase.STOPPED:
            self.move_to(Phase.ACTIVE if successfully else Phase.WAITING)

    def refusal(self, kind: object) -> RequestError | None:
        """Why a message of this type cannot be taken now; None when it can."""
        if kind not in _ALLOWED:
            return UnknownTypeError(f"Unknown message type: {kind}", field="type")
        if self.phase in _ALLOWED[str(kind)]:
            return None
        if kind == "prepare":
            return RequestError("the call is prepared already", field="type")
        return RequestError(_REFUSALS[self.phase].format(kind=kind), field="type")
