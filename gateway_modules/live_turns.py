"""The streaming turns that run now, so that they can be stopped from outside their socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class LiveTurn(Protocol):
    """A turn that may be working on a worker."""

    session_id: str
    worker_id: str | None

    async def stop(self) -> bool:
        """End the answer early; False when no worker works on the turn."""
        ...


class LiveTurns:
    """All turns of this gateway."""

    def __init__(self) -> None:
        self._turns: set[LiveTurn] = set()

    @contextmanager
    def running(self, turn: LiveTurn) -> Iterator[None]:
        """Know the turn for the length of the block."""
        self._turns.add(turn)
        try:
            yield
        finally:
            self._turns.discard(turn)

    async def stop(self, session_id: str | None) -> list[str]:
        """End the turns of one session, or all; the workers that were told."""
        turns = [turn for turn in self._turns if session_id in (None, turn.session_id)]
        return [turn.worker_id or "" for turn in turns if await turn.stop()]
