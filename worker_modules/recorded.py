"""What every session tells its recorder, if it has one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from core.recording import SessionRecorder

Recorder = TypeVar("Recorder", bound=SessionRecorder)


class Recorded(ABC, Generic[Recorder]):
    """One session; without a recorder nothing is kept of it."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder

    @property
    def session_id(self) -> str | None:
        """Where the recording can be found."""
        return self._recorder.session_id if self._recorder is not None else None

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """Whether nothing has been answered."""

    def warning(self, other: str | None = None) -> str | None:
        """What the client should be told, together with another warning."""
        own = self._recorder.take_warning() if self._recorder is not None else None
        return "; ".join(text for text in (other, own) if text) or None

    def close(self) -> None:
        """The session is over; an empty one is not kept."""
        if self._recorder is None:
            return
        if self.is_empty:
            self._recorder.discard()
        else:
            self._recorder.finalize()
