"""How long a half-duplex call may still go on."""

from __future__ import annotations

import time
from math import inf

from core.schemas import HalfDuplexTimeoutMessage


class CallClock:
    """Two limits: of the whole call once it is prepared, and of the time in which nobody speaks."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._max_s = inf
        self._started_s = self._active_s = time.monotonic()

    def start(self, max_s: float) -> None:
        """The call is prepared."""
        self._max_s = max_s
        self._started_s = self._active_s = time.monotonic()

    def note_activity(self, playing_s: float = 0.0) -> None:
        """Somebody speaks, or an answer is there that takes so long to play."""
        self._active_s = time.monotonic() + playing_s

    @property
    def left_s(self) -> float:
        """Seconds to the nearer limit; it may be past."""
        return min(self._started_s + self._max_s, self._active_s + self._idle_s) - time.monotonic()

    def timeout(self) -> HalfDuplexTimeoutMessage:
        """Tells which limit is past."""
        elapsed_s = time.monotonic() - self._started_s
        is_over = elapsed_s >= self._max_s
        return HalfDuplexTimeoutMessage(
            elapsed_s=round(elapsed_s, 1), reason="session_timeout" if is_over else "idle_timeout"
        )
