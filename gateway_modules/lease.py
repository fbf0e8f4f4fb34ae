"""Ownership of a place in the queue and then of a worker slot, given back on every way out."""

from __future__ import annotations

import asyncio
import logging
import time
from types import TracebackType
from typing import TYPE_CHECKING

from core import errors
from core.logs import event
from gateway_modules import metrics, tracing
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.tickets import Ticket
from gateway_modules.worker_choice import STREAMING
from gateway_modules.worker_connection import WorkerConnection

if TYPE_CHECKING:
    from gateway_modules.worker_pool import WorkerPool

logger = logging.getLogger(__name__)


class Lease:
    """Async context manager around one request's stay in the pool.

    Entering takes a ticket, `worker()` waits for the assignment, and leaving, for whatever reason,
    cancels the ticket or frees the slot. A waiter that is cancelled in the very moment in which it
    was assigned a worker holds it already, and so gives it back like any other.
    """

    def __init__(
        self,
        pool: WorkerPool,
        request_type: str,
        session_id: str | None = None,
        history_hash: str | None = None,
    ) -> None:
        self._pool = pool
        self._request_type = request_type
        self._session_id = session_id
        self._history_hash = history_hash
        self._ticket: Ticket | None = None
        self._future: asyncio.Future[WorkerConnection] | None = None
        self._entered_at = 0.0
        self._completed = False
        self._moves_left = 1
        self._was_queued = False
        self._wait_is_noted = False
        self._worker_still_busy = False
        self.estimated_wait_s: float | None = 0.0
        self.queue_wait_ms = 0

    async def __aenter__(self) -> Lease:
        self._entered_at = time.monotonic()
        self._take_ticket(at_head=False)
        self.estimated_wait_s = self.ticket.estimated_wait_s
        self._was_queued = self.is_waiting
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    @property
    def ticket(self) -> Ticket:
        if self._ticket is None:
            raise RuntimeError("the lease holds nothing: it was not entered or is released")
        return self._ticket

    @property
    def is_assigned(self) -> bool:
        return self._future is not None and self._future.done() and not self._future.cancelled()

    async def wait_for_news(self, timeout_s: float) -> None:
        """Return once assigned or cancelled, once the queue moved, or after `timeout_s`."""
        if self._future is None:
            return
        with self._pool.changes.next() as change:
            await asyncio.wait(
                {self._future, change}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )

    @property
    def is_waiting(self) -> bool:
        """Neither assigned nor cancelled yet."""
        return self._future is not None and not self._future.done()

    async def worker(self) -> WorkerConnection:
        """Wait for the worker.

        Raises:
            CancelledError: (of core.errors) somebody took the ticket out of the queue.
        """
        if self._future is None:
            raise RuntimeError("the lease holds nothing: it was not entered or is released")
        await asyncio.wait({self._future})
        if self._future.cancelled():
            raise errors.CancelledError("Request cancelled")
        worker = self._future.result()
        slot = worker.slot_of(self.ticket.ticket_id)
        if slot is not None:
            slot.owner = asyncio.current_task()
        if self._request_type != STREAMING:
            worker.forget_cache()
        wait_s = time.monotonic() - self._entered_at
        self.queue_wait_ms = round(wait_s * 1000)
        self._log("session_assigned", self.ticket, worker, wait_ms=self.queue_wait_ms)
        if not self._wait_is_noted:
            self._wait_is_noted = True
            estimate_s, was_queued = self.estimated_wait_s, self._was_queued
            metrics.note_wait(self._request_type, wait_s, estimate_s, was_queued=was_queued)
            tracing.note_wait(wait_s)
        return worker

    def show_status(self, status: GatewayWorkerStatus) -> None:
        """Tell the pool what the session does now; its clock goes on."""
        worker = self._assigned_worker()
        slot = worker.slot_of(self.ticket.ticket_id) if worker is not None else None
        if slot is not None:
            slot.status = status

    def complete(self) -> None:
        """The request ran to its end: its duration may teach the estimates."""
        self._completed = True

    def leave_worker_busy(self) -> None:
        """The worker may go on computing: it gets no new work before it reports itself idle."""
        self._worker_still_busy = True

    def move_from_lost_worker(self) -> None:
        """The worker died: give it up and, once, stand at the head of the queue for another one.

        Raises:
            WorkerLostError: this was the second one, or no other worker could take the request.
        """
        self.lose_worker()
        if not self._moves_left:
            raise errors.WorkerLostError("The worker was lost, and so was the one before it")
        if self._pool.degraded_reason is not None:
            raise errors.WorkerLostError("The worker was lost and no other one is available")
        self._moves_left -= 1
        self._take_ticket(at_head=True)

    def lose_worker(self) -> None:
        """The worker died: give it up."""
        worker = self._assigned_worker()
        if worker is not None:
            self._pool.report_lost(worker)
        self.release()

    def release(self) -> None:
        """Give back whatever is held; calling it again does nothing."""
        ticket, worker = self._ticket, self._assigned_worker()
        self._ticket = self._future = None
        if ticket is None or self._pool.cancel(ticket.ticket_id) or worker is None:
            return
        self._pool.release_ticket(
            worker, ticket, completed=self._completed, still_busy=self._worker_still_busy
        )
        self._log("session_released", ticket, worker, completed=self._completed)

    def _log(self, name: str, ticket: Ticket, worker: WorkerConnection, **fields: int) -> None:
        logger.info(
            event(
                name,
                type=self._request_type,
                session_id=self._session_id,
                ticket_id=ticket.ticket_id,
                worker=worker.worker_id,
                **fields,
            )
        )

    def _take_ticket(self, *, at_head: bool) -> None:
        self._ticket, self._future = self._pool.enqueue(
            self._request_type, self._session_id, self._history_hash, at_head=at_head
        )

    def _assigned_worker(self) -> WorkerConnection | None:
        if self._future is None or not self.is_assigned:
            return None
        return self._future.result()
