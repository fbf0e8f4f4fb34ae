"""One worker as the pool knows it: is it reachable, and what runs in each of its slots.

Reachability (`health`) and work (`slots`) are separate axes, so that giving back the slot of a
worker that died does not make it look usable. The published single `status` is derived from both.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from gateway_modules.models import BUSY_STATUSES, DUPLEX_STATUSES, GatewayWorkerStatus, WorkerInfo

PROBES_REMEMBERED = 3


class WorkerHealth(Enum):
    """Whether a worker can take work at all."""

    ONLINE = "online"
    LOADING = GatewayWorkerStatus.LOADING.value
    ERROR = GatewayWorkerStatus.ERROR.value
    OFFLINE = GatewayWorkerStatus.OFFLINE.value


@dataclass
class Slot:
    """Room for one session on a worker. Free while `status` is idle."""

    status: GatewayWorkerStatus = GatewayWorkerStatus.IDLE
    request_type: str | None = None
    session_id: str | None = None
    started_at: datetime | None = None
    ticket_id: str | None = None
    dispatched: bool = False
    owner: asyncio.Task[object] | None = None

    @property
    def is_free(self) -> bool:
        return self.status is GatewayWorkerStatus.IDLE

    @property
    def is_foreign(self) -> bool:
        """Busy, but not with work that this gateway holds a lease for."""
        return not self.is_free and not self.dispatched

    def clear(self) -> None:
        self.__init__()


class WorkerConnection:
    """Address, health and slots of one worker.

    `status`, `current_request_type`, `current_session_id` and `task_started_at` describe the
    oldest session; with one slot that is the only one.
    """

    def __init__(
        self,
        worker_id: str,
        host: str,
        port: int,
        gpu_id: int = 0,
        status: GatewayWorkerStatus = GatewayWorkerStatus.OFFLINE,
    ) -> None:
        self.worker_id = worker_id
        self.host = host
        self.port = port
        self.gpu_id = gpu_id
        self.health = WorkerHealth.OFFLINE
        self.slots = [Slot()]
        self.cached_hash: str | None = None
        self.last_cache_used_at: datetime | None = None
        self.total_requests = 0
        self.avg_inference_time_ms = 0.0
        self.gpu_memory_used_mb: float | None = None
        self.last_heartbeat: datetime | None = None
        self.boot_id: str | None = None
        self.model_name: str | None = None
        self.embedded_model = False
        self.draining = False  # it ends what it does and gets nothing new
        self.registered = False  # by itself, so that it must tell that it is still there
        self.recent_probes: deque[bool] = deque(maxlen=PROBES_REMEMBERED)
        self.idle_reports = 0
        self.released_at_s = 0.0  # time.monotonic()
        self.status = status

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def status(self) -> GatewayWorkerStatus:
        """Health if the worker is unusable, else idle while a slot is free, else its session's."""
        if self.health is not WorkerHealth.ONLINE:
            return GatewayWorkerStatus(self.health.value)
        if any(slot.is_free for slot in self.slots):
            return GatewayWorkerStatus.IDLE
        return self._oldest_slot.status

    @status.setter
    def status(self, status: GatewayWorkerStatus) -> None:
        if status is GatewayWorkerStatus.IDLE:
            self.mark_idle()
        elif status in BUSY_STATUSES:
            self.health = WorkerHealth.ONLINE
            self._oldest_slot.status = status
        else:
            self.health = WorkerHealth(status.value)

    @property
    def is_usable(self) -> bool:
        """Whether it may get new work once it has room."""
        return self.health is WorkerHealth.ONLINE and not self.draining

    @property
    def capacity(self) -> int:
        """How many sessions it can serve at the same time, now that it is as it is."""
        return len(self.slots) if self.is_usable else 0

    @property
    def is_idle(self) -> bool:
        """Whether it may get new work now."""
        return self.status is GatewayWorkerStatus.IDLE and not self.draining

    @property
    def is_busy(self) -> bool:
        return self.status in BUSY_STATUSES

    @property
    def is_duplex(self) -> bool:
        return self.status in DUPLEX_STATUSES

    @property
    def busy_slots(self) -> list[Slot]:
        return [slot for slot in self.slots if not slot.is_free]

    @property
    def current_request_type(self) -> str | None:
        return self._oldest_slot.request_type

    @current_request_type.setter
    def current_request_type(self, request_type: str | None) -> None:
        self._oldest_slot.request_type = request_type

    @property
    def current_session_id(self) -> str | None:
        return self._oldest_slot.session_id

    @current_session_id.setter
    def current_session_id(self, session_id: str | None) -> None:
        self._oldest_slot.session_id = session_id

    @property
    def task_started_at(self) -> datetime | None:
        return self._oldest_slot.started_at

    @task_started_at.setter
    def task_started_at(self, started_at: datetime | None) -> None:
        self._oldest_slot.started_at = started_at

    @property
    def _gateway_dispatched(self) -> bool:
        return any(slot.dispatched for slot in self.slots)

    def mark_busy(
        self, status: GatewayWorkerStatus, request_type: str, session_id: str | None = None
    ) -> Slot:
        """Start a task in a free slot; with none free, restart the clock of the oldest one."""
        self.health = WorkerHealth.ONLINE
        slot = next((slot for slot in self.slots if slot.is_free), self._oldest_slot)
        slot.status = status
        slot.request_type = request_type
        slot.session_id = session_id
        slot.started_at = datetime.now()
        slot.dispatched = True
        self.idle_reports = 0
        return slot

    def update_duplex_status(self, status: GatewayWorkerStatus) -> None:
        """Switch the running call between active and paused without touching its clock."""
        self._oldest_slot.status = status

    def mark_idle(self) -> None:
        """Make the worker usable with every slot free; cache fields stay."""
        self.health = WorkerHealth.ONLINE
        for slot in self.slots:
            slot.clear()

    def slot_of(self, ticket_id: str) -> Slot | None:
        """The slot that this ticket was given, while it still holds it."""
        return next((slot for slot in self.slots if slot.ticket_id == ticket_id), None)

    def free(self, slot: Slot) -> None:
        """A session of ours is over."""
        slot.clear()
        self.idle_reports = 0
        self.released_at_s = time.monotonic()

    def leave_to_health(self, slot: Slot) -> None:
        """A session of ours is over, but maybe not for the worker: busy until a fresh report."""
        slot.dispatched = False
        slot.ticket_id = None
        slot.owner = None
        self.released_at_s = time.monotonic()

    def forget_cache(self) -> None:
        self.cached_hash = None
        self.last_cache_used_at = None

    def take_out_of_service(self, health: WorkerHealth) -> None:
        """Give it no new work from now on; what it had cached is gone."""
        self.health = health
        self.forget_cache()

    def set_slot_count(self, n_slots: int) -> None:
        """Follow the number of slots that the worker reports; busy slots are never dropped."""
        while len(self.slots) < n_slots:
            self.slots.append(Slot())
        for slot in [slot for slot in self.slots if slot.is_free][: len(self.slots) - n_slots]:
            self.slots.remove(slot)

    def to_info(self) -> WorkerInfo:
        return WorkerInfo(
            worker_id=self.worker_id,
            host=self.host,
            port=self.port,
            gpu_id=self.gpu_id,
            status=self.status,
            current_session_id=self.current_session_id,
            cached_hash=self.cached_hash,
            last_cache_used_at=self.last_cache_used_at,
            total_requests=self.total_requests,
            avg_inference_time_ms=self.avg_inference_time_ms,
            gpu_memory_used_mb=self.gpu_memory_used_mb,
            last_heartbeat=self.last_heartbeat,
            current_request_type=self.current_request_type,
            task_started_at=self.task_started_at,
            slots_total=len(self.slots),
            slots_busy=len(self.busy_slots),
            boot_id=self.boot_id,
            model_name=self.model_name,
            embedded_model=self.embedded_model,
            draining=self.draining,
            registered=self.registered,
        )

    @property
    def _oldest_slot(self) -> Slot:
        busy = self.busy_slots
        if not busy:
            return self.slots[0]
        return min(busy, key=lambda slot: slot.started_at or datetime.max)
