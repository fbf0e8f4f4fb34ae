"""The queue in front of the workers: strict FIFO over all request types, one dispatch point."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import httpx

from core import errors
from gateway_modules.eta import OVERRUN_FLOOR_S, EtaTracker, simulate_waits
from gateway_modules.health import HEALTH_CHECK_INTERVAL, HealthMonitor, HealthSettings
from gateway_modules.history_hash import compute_history_hash
from gateway_modules.models import EtaConfig, QueueStatus, QueueTicket, RunningTaskInfo, WorkerInfo
from gateway_modules.tickets import ChangeSignal, QueueEntry, Ticket
from gateway_modules.worker_choice import busy_status, choose_worker
from gateway_modules.worker_connection import WorkerConnection, WorkerHealth

__all__ = [
    "HEALTH_CHECK_INTERVAL",
    "EtaTracker",
    "WorkerConnection",
    "WorkerPool",
    "compute_history_hash",
]

DEFAULT_BASE_PORT = 10031
CONNECT_TIMEOUT_S = 5.0
MAX_ESTIMATE_AGE_S = 0.05


class WorkerPool:
    """Workers, the requests that wait for them, and who gets the next free slot.

    `enqueue`, `cancel` and the releases never await, so no other coroutine can see them half done.
    """

    QueueFullError = errors.QueueFullError

    def __init__(
        self,
        worker_addresses: Sequence[str],
        max_queue_size: int = 1000,
        request_timeout: float = 300.0,
        eta_config: EtaConfig | None = None,
        ema_alpha: float = 0.3,
        ema_min_samples: int = 3,
        health: HealthSettings | None = None,
        overrun_floor_s: float = OVERRUN_FLOOR_S,
        worker_headers: Mapping[str, str] | None = None,
    ) -> None:
        self.max_queue_size = max_queue_size
        self.request_timeout = request_timeout
        self.eta_tracker = EtaTracker(eta_config, ema_alpha, ema_min_samples, overrun_floor_s)
        self.workers: OrderedDict[str, WorkerConnection] = OrderedDict()
        self._n_workers_so_far = 0
        for index, address in enumerate(worker_addresses):
            self._add(*split_address(address, DEFAULT_BASE_PORT + index))
        self.changes = ChangeSignal()
        self.n_capacity_changes = 0
        self._queue: OrderedDict[str, QueueEntry] = OrderedDict()
        self._places_stale = False
        self._places_computed_at = 0.0
        self._worker_headers = worker_headers
        self._http: httpx.AsyncClient | None = None
        self._monitor = HealthMonitor(self, health or HealthSettings())

    # -- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Probe every worker once, then keep probing in the background."""
        self._http = httpx.AsyncClient(
            headers=self._worker_headers,
            timeout=httpx.Timeout(self.request_timeout, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            trust_env=False,
        )
        await self._monitor.start(self._http)

    async def stop(self) -> None:
        """Stop probing and send everybody in the queue away."""
        await self._monitor.stop()
        if self._http is not None:
            await self._http.aclose()
            self._http = None
        for entry in self._queue.values():
            entry.future.cancel()
        self._queue.clear()
        self._note_change()

    @property
    def http(self) -> httpx.AsyncClient:
        """The client for calls to workers; they are refused while the pool is not started."""
        if self._http is None:
            raise errors.NotReadyError("Service not ready", retry_after_s=1)
        return self._http

    # -- workers ---------------------------------------------------------------------------------

    def add_worker(self, host: str, port: int) -> WorkerConnection:
        """Use one more worker, as soon as it has answered a health check."""
        worker = self._add(host, port)
        self._monitor.look_now()
        return worker

    def remove_worker(self, worker_id: str) -> bool:
        """Forget a worker, whose sessions may go on to their end; False when there is none."""
        removed = self.workers.pop(worker_id, None) is not None
        self.note_capacity_change()
        return removed

    def drain_worker(self, worker: WorkerConnection) -> None:
        """Give it nothing new; who waits hears at once what that means."""
        worker.draining = True
        self.note_capacity_change()

    def end_drain(self, worker: WorkerConnection) -> None:
        """Use it again; the first in line get what it has free."""
        worker.draining = False
        self.note_capacity_change()
        self._dispatch_next()

    def note_capacity_change(self) -> None:
        """Workers came or went, or can serve more or fewer sessions than before."""
        self.n_capacity_changes += 1
        self._note_change()

    def _add(self, host: str, port: int) -> WorkerConnection:
        index = self._n_workers_so_far
        self._n_workers_so_far += 1
        worker = WorkerConnection(f"worker_{index}", host, port, gpu_id=index)
        self.workers[worker.worker_id] = worker
        return worker

    # -- queue -----------------------------------------------------------------------------------

    def enqueue(
        self,
        request_type: str,
        session_id: str | None = None,
        history_hash: str | None = None,
        *,
        at_head: bool = False,
    ) -> tuple[Ticket, asyncio.Future[WorkerConnection]]:
        """Ask for a worker slot.

        The future is already resolved when a worker is free. `at_head` is for a request that lost
        its worker through no fault of its own: it goes first and needs no free place in the queue.

        Raises:
            QueueFullError: as many requests wait as may wait.
        """
        ticket = Ticket(request_type, session_id, self._refresh_places)
        future: asyncio.Future[WorkerConnection] = asyncio.get_running_loop().create_future()
        entry = QueueEntry(ticket, future, history_hash)
        if self._queue:
            self._dispatch_next()
        if not self._queue or at_head:
            worker = choose_worker(self.workers.values(), request_type, history_hash)
            if worker is not None:
                self._assign(entry, worker)
                return ticket, future
        if self.queue_full and not at_head:
            raise self.QueueFullError(
                f"Queue full ({self.max_queue_size} requests)",
                limit=self.max_queue_size,
                retry_after_s=self.eta_tracker.get_eta(request_type),
            )
        self._queue[ticket.ticket_id] = entry
        self._places_stale = True
        if at_head:
            self._queue.move_to_end(ticket.ticket_id, last=False)
            self._note_change()
        return ticket, future

    def cancel(self, ticket_id: str) -> bool:
        """Take a waiting request out of the queue; False when it does not wait."""
        entry = self._queue.pop(ticket_id, None)
        if entry is None:
            return False
        entry.ticket.cancelled = True
        entry.future.cancel()
        self._note_change()
        self._dispatch_next()
        return True

    def get_ticket(self, ticket_id: str) -> QueueTicket | None:
        entry = self._queue.get(ticket_id)
        return entry.ticket.snapshot() if entry else None

    @property
    def queue_length(self) -> int:
        return len(self._queue)

    @property
    def queue_full(self) -> bool:
        return len(self._queue) >= self.max_queue_size

    def get_queue_status(self) -> QueueStatus:
        return QueueStatus(
            queue_length=self.queue_length,
            max_queue_size=self.max_queue_size,
            items=[entry.ticket.summary() for entry in self._queue.values()],
            running_tasks=self._get_running_tasks(),
        )

    def _dispatch_next(self) -> None:
        """Give free slots to the head of the queue, and to it alone, until one of them runs out."""
        self._places_stale = True
        n_waiting = len(self._queue)
        while self._queue:
            ticket_id, entry = next(iter(self._queue.items()))
            if entry.future.done():
                del self._queue[ticket_id]
                continue
            worker = choose_worker(
                self.workers.values(), entry.ticket.request_type, entry.history_hash
            )
            if worker is None:
                break
            del self._queue[ticket_id]
            self._assign(entry, worker)
        if len(self._queue) < n_waiting:
            self._note_change()

    def _assign(self, entry: QueueEntry, worker: WorkerConnection) -> None:
        ticket = entry.ticket
        slot = worker.mark_busy(
            busy_status(ticket.request_type), ticket.request_type, ticket.session_id
        )
        slot.ticket_id = ticket.ticket_id
        ticket.place(0, 0.0)
        entry.future.set_result(worker)

    # -- release ---------------------------------------------------------------------------------

    def release_worker(
        self,
        worker: WorkerConnection,
        request_type: str | None = None,
        duration_s: float | None = None,
    ) -> None:
        """Free the worker's oldest session and hand its slot to the next in line."""
        busy = sorted(worker.busy_slots, key=lambda slot: slot.started_at or datetime.max)
        if busy:
            worker.free(busy[0])
        if request_type is not None and duration_s is not None and duration_s > 0:
            self.eta_tracker.record_duration(request_type, duration_s)
        self._dispatch_next()

    def release_ticket(
        self, worker: WorkerConnection, ticket: Ticket, *, completed: bool, still_busy: bool
    ) -> None:
        """Give back the slot that `ticket` holds; nothing happens when it holds none any more.

        Args:
            completed: the request ran to its end, so its duration is worth remembering.
            still_busy: the worker may go on computing; the slot waits for its next health answer.
        """
        slot = worker.slot_of(ticket.ticket_id)
        if slot is None:
            return
        if completed and slot.started_at is not None:
            duration_s = (datetime.now() - slot.started_at).total_seconds()
            self.eta_tracker.record_duration(ticket.request_type, duration_s)
        if still_busy:
            worker.leave_to_health(slot)
            self._monitor.look_now()
        else:
            worker.free(slot)
        self._dispatch_next()

    def report_lost(self, worker: WorkerConnection) -> None:
        """A call to this worker broke: use it again only after it answered a health check."""
        worker.take_out_of_service(WorkerHealth.OFFLINE)
        self._monitor.look_now()
        self.note_capacity_change()

    # -- what is going on ------------------------------------------------------------------------

    def get_worker(self, worker_id: str) -> WorkerConnection | None:
        return self.workers.get(worker_id)

    def get_all_workers(self) -> list[WorkerInfo]:
        return [worker.to_info() for worker in self.workers.values()]

    @property
    def idle_count(self) -> int:
        return sum(worker.is_idle for worker in self.workers.values())

    @property
    def busy_count(self) -> int:
        """Workers without a free slot, calls included."""
        return sum(worker.is_busy for worker in self.workers.values())

    @property
    def duplex_count(self) -> int:
        return sum(worker.is_duplex for worker in self.workers.values())

    @property
    def loading_count(self) -> int:
        return self._count(WorkerHealth.LOADING)

    @property
    def error_count(self) -> int:
        return self._count(WorkerHealth.ERROR)

    @property
    def offline_count(self) -> int:
        return self._count(WorkerHealth.OFFLINE)

    def _count(self, health: WorkerHealth) -> int:
        return sum(worker.health is health for worker in self.workers.values())

    @property
    def degraded_reason(self) -> str | None:
        """Why no request can be served at the moment, or None."""
        if not self.workers:
            return "no worker is known"
        if any(worker.is_usable for worker in self.workers.values()):
            return None
        if self._count(WorkerHealth.ONLINE):
            return "every worker is being drained"
        if self.loading_count:
            return "the model is still loading"
        return "no worker is reachable"

    def waiting_types(self) -> list[str]:
        """The type of each request in the queue."""
        return [entry.ticket.request_type for entry in self._queue.values()]

    def running_types(self) -> list[str]:
        """The type of each request that a worker serves."""
        return [request_type for _, request_type, _ in self._running_slots()]

    def _running_slots(self) -> Iterator[tuple[WorkerConnection, str, datetime]]:
        for worker in self.workers.values():
            for slot in worker.busy_slots:
                if slot.request_type is not None and slot.started_at is not None:
                    yield worker, slot.request_type, slot.started_at

    def _get_running_tasks(self) -> list[RunningTaskInfo]:
        now = datetime.now()
        tasks = []
        for worker, request_type, started_at in self._running_slots():
            elapsed_s = (now - started_at).total_seconds()
            remaining_s = max(0.0, self.eta_tracker.get_eta(request_type) - elapsed_s)
            tasks.append(
                RunningTaskInfo(
                    worker_id=worker.worker_id,
                    request_type=request_type,
                    started_at=started_at,
                    elapsed_s=round(elapsed_s, 1),
                    estimated_remaining_s=round(remaining_s, 1),
                )
            )
        return tasks

    # -- positions and estimates -----------------------------------------------------------------

    def _note_change(self) -> None:
        """The places of some who wait have changed; a newcomer at the end changes none."""
        self._places_stale = True
        self.changes.notify()

    def _refresh_places(self) -> None:
        age_s = time.monotonic() - self._places_computed_at
        if self._places_stale or age_s > MAX_ESTIMATE_AGE_S:
            self._recalc_positions_and_eta()

    def _recalc_positions_and_eta(self) -> None:
        """Number the waiting requests and play the queue forward on the busy slots."""
        now = datetime.now()
        entries = list(self._queue.values())
        remaining_s = [
            self.eta_tracker.remaining_s(request_type, (now - started_at).total_seconds())
            for worker, request_type, started_at in self._running_slots()
            if worker.is_usable
        ]
        etas_s = [self.eta_tracker.get_eta(entry.ticket.request_type) for entry in entries]
        waits_s = simulate_waits(remaining_s, etas_s)
        servable = self.degraded_reason is None
        for position, (entry, wait_s) in enumerate(zip(entries, waits_s, strict=True), start=1):
            entry.ticket.place(position, wait_s if servable else None)
        self._places_stale = False
        self._places_computed_at = time.monotonic()


def split_address(address: str, default_port: int) -> tuple[str, int]:
    """`host:port`, split at the last colon, or a bare `host`."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return address, default_port
    return host, int(port)
