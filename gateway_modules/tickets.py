"""Places in the queue. Position and estimate are computed when somebody looks."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gateway_modules.models import QueueTicket, QueueTicketSummary
from gateway_modules.worker_connection import WorkerConnection

WOKEN_TOGETHER = 16
WAKING_PAUSE_S = 0.005


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
    """Wakes those who wait for the queue to change, a few at a time.

    A thousand who all tell their clients at once would hold up the frames of calls; so only the
    first few hear of a change in the same moment, and the others soon after. Whoever hears late
    hears of all changes so far at once.
    """

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], None] = {}
        self._due: deque[asyncio.Future[None]] = deque()
        self._is_waking = False

    @contextmanager
    def next(self) -> Iterator[asyncio.Future[None]]:
        """In the block, a future that is resolved soon after the next change."""
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[news] = None
        try:
            yield news
        finally:
            self._waiting.pop(news, None)
            news.cancel()

    def notify(self) -> None:
        """Something has changed for all who wait now."""
        self._due.extend(self._waiting)
        self._waiting.clear()
        if not self._is_waking:
            self._wake_some()

    def _wake_some(self) -> None:
        n_woken = 0
        while self._due and n_woken < WOKEN_TOGETHER:
            news = self._due.popleft()
            if not news.done():
                news.set_result(None)
                n_woken += 1
        self._is_waking = bool(self._due)
        if self._is_waking:
            asyncio.get_running_loop().call_later(WAKING_PAUSE_S, self._wake_some)
