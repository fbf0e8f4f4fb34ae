"""Places in the queue. Position and estimate are computed when somebody looks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gateway_modules.models import QueueTicket, QueueTicketSummary
from gateway_modules.worker_connection import WorkerConnection


class Ticket:
    """A live place in the queue, with the fields of `QueueTicket`."""

    def __init__(
        self, request_type: str, session_id: str | None, refresh: Callable[[], None]
    ) -> None:
        self.ticket_id = f"q_{uuid.uuid4().hex[:12]}"
        self.request_type = request_type
        self.session_id = session_id
        self.enqueued_at = datetime.now()
        self.cancelled = False
        self._refresh = refresh
        self._position = 0
        self._estimated_wait_s: float | None = 0.0

    @property
    def position(self) -> int:
        """Place in line from 1, or 0 once a worker is assigned."""
        self._refresh()
        return self._position

    @property
    def estimated_wait_s(self) -> float | None:
        """Seconds until a worker is free; None while no worker can serve at all."""
        self._refresh()
        return self._estimated_wait_s

    def place(self, position: int, estimated_wait_s: float | None) -> None:
        self._position = position
        self._estimated_wait_s = estimated_wait_s

    def snapshot(self) -> QueueTicket:
        return QueueTicket(
            ticket_id=self.ticket_id,
            request_type=self.request_type,
            session_id=self.session_id,
            enqueued_at=self.enqueued_at,
            position=self.position,
            estimated_wait_s=self.estimated_wait_s,
            cancelled=self.cancelled,
        )

    def summary(self) -> QueueTicketSummary:
        return QueueTicketSummary(
            ticket_id=self.ticket_id,
            request_type=self.request_type,
            session_id=self.session_id,
            enqueued_at=self.enqueued_at,
            position=self.position,
            estimated_wait_s=self.estimated_wait_s,
            wait_elapsed_s=round((datetime.now() - self.enqueued_at).total_seconds(), 1),
        )


@dataclass(eq=False)
class QueueEntry:
    """A ticket, what it waits for, and the history that it would like to find cached."""

    ticket: Ticket
    future: asyncio.Future[WorkerConnection]
    history_hash: str | None = None


class ChangeSignal:
    """Wakes everybody who waits for the queue to change, with one future for all of them."""

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None

    def next(self) -> asyncio.Future[None]:
        """A future that the next change resolves; it is shared, so wait on it, do not cancel it."""
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        return self._future

    def notify(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
        self._future = None
