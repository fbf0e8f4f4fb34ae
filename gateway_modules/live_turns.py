"""The answers that are given now, so that they can be stopped from outside their socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class LiveTurn(Protocol):
    """A turn or call that may be working on a worker."""

    @property
    def session_id(self) -> str | None: ...

    @property
    def worker_id(self) -> str | None: ...

    async def stop(self) -> bool:
        """End the answer early; False when no worker works on one."""
        ...


class LiveTurns:
    """All turns of one kind of this gateway."""

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
        """End the answers of one session, or all; the workers that were told."""
        turns = [turn for turn in self._turns if session_id in (None, turn.session_id)]
        stopped = await asyncio.gather(*(turn.stop() for turn in turns))
        return [turn.worker_id or "" for turn, told in zip(turns, stopped, strict=True) if told]
