"""Socket messages that every endpoint shares: the queue's progress and errors."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, computed_field

from .base import ServerMessage, WireModel


class StopMessage(WireModel):
    """The client asks to end the current generation."""

    type: Literal["stop"] = "stop"


class PlaybackMessage(WireModel):
    """The client has silenced the sound of an epoch after `played_ms` of it.

    `history_hash` and `recording_session_id` are said by the gateway to a worker: the conversation
    that was answered, and where it is recorded.
    """

    type: Literal["playback"] = "playback"
    audio_epoch: int = Field(ge=0)
    played_ms: float = Field(ge=0, allow_inf_nan=False)
    history_hash: str | None = None
    recording_session_id: str | None = None


class TruncatedMessage(ServerMessage):
    """The answer goes on in the conversation with what was heard of it, which is `text`."""

    type: Literal["truncated"] = "truncated"
    audio_epoch: int
    text: str


class _Waiting(ServerMessage):
    position: int
    estimated_wait_s: float | None
    queue_length: int

    @computed_field
    @property
    def eta_seconds(self) -> float | None:
        """The name the published documentation gives `estimated_wait_s`."""
        return self.estimated_wait_s


class QueuedMessage(_Waiting):
    """No worker was free; `position` counts from 1."""

    type: Literal["queued"] = "queued"
    ticket_id: str


class QueueUpdateMessage(_Waiting):
    """The place in the queue, or the estimate, has changed."""

    type: Literal["queue_update"] = "queue_update"


class QueueDoneMessage(ServerMessage):
    """A worker is held for this session: the next step may start."""

    type: Literal["queue_done"] = "queue_done"


class ErrorMessage(ServerMessage):
    """What went wrong: a text for people and a stable machine `code`."""

    type: Literal["error"] = "error"
    error: str
    code: str
    field: str | None = None
    limit: int | float | None = None
    retry_after_s: float | None = None

    @computed_field
    @property
    def message(self) -> str:
        """The name the published documentation gives `error`."""
        return self.error
