"""Regular health checks of the workers, and what their answers mean for the pool."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from core.logs import event
from core.tasks import cancel_and_wait, within
from gateway_modules.models import BUSY_STATUSES, GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection, WorkerHealth

if TYPE_CHECKING:
    from gateway_modules.worker_pool import WorkerPool

logger = logging.getLogger(__name__)

HEALTH_CHECK_INTERVAL = 10.0
RECLAIM_AFTER_IDLE_REPORTS = 2
FIRST_SETTLE_PAUSE_S = 0.05


@dataclass(frozen=True)
class HealthSettings:
    """Timing of the checks; `settle_period_s` is for workers that are about to change.

    One that has just become doubtful is looked at sooner, and then less and less often.
    """

    period_s: float = HEALTH_CHECK_INTERVAL
    timeout_s: float = 5.0
    failures: int = 2
    settle_period_s: float = 1.0


class HealthMonitor:
    """Probes all workers every period, and unsettled ones every second between.

    Each is probed by itself: a worker that hangs does not hold up what the others say.
    """

    def __init__(self, pool: WorkerPool, settings: HealthSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._look_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._probes: dict[str, asyncio.Task[None]] = {}  # those under way

    async def start(self, http: httpx.AsyncClient) -> None:
        await self.probe(http, list(self._pool.workers.values()))
        self._task = asyncio.create_task(self._run(http), name="worker health")

    async def stop(self) -> None:
        if self._task is None:
            return
        running = (self._task, *self._probes.values())
        self._task = None
        await cancel_and_wait(running)

    def look_now(self) -> None:
        """Do not wait for the next round: a worker has just become doubtful."""
        self._look_now.set()

    async def _run(self, http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        next_round_at = loop.time() + self._settings.period_s
        settle_pause_s = self._settings.settle_period_s
        while True:
            pause_s = next_round_at - loop.time()
            if any(is_unsettled(worker) for worker in self._pool.workers.values()):
                pause_s = min(pause_s, settle_pause_s)
            settle_pause_s = min(2 * settle_pause_s, self._settings.settle_period_s)
            with contextlib.suppress(asyncio.TimeoutError):
                await within(pause_s, self._look_now.wait())
                self._look_now.clear()
                settle_pause_s = FIRST_SETTLE_PAUSE_S
            if loop.time() >= next_round_at:
                next_round_at = loop.time() + self._settings.period_s
                self._begin_probes(http, list(self._pool.workers.values()))
            else:
                unsettled = [w for w in self._pool.workers.values() if is_unsettled(w)]
                self._begin_probes(http, unsettled)

    def _begin_probes(self, http: httpx.AsyncClient, workers: list[WorkerConnection]) -> None:
        """Ask these workers, but for those that have not answered yet."""
        for worker in workers:
            worker_id = worker.worker_id
            if worker_id not in self._probes:
                probe = asyncio.create_task(self._probe_one(http, worker))
                self._probes[worker_id] = probe
                probe.add_done_callback(lambda _, worker_id=worker_id: self._probes.pop(worker_id))

    async def probe(self, http: httpx.AsyncClient, workers: list[WorkerConnection]) -> None:
        """Ask these workers how they are, and wait until all have answered."""
        await asyncio.gather(*(self._probe_one(http, worker) for worker in workers))

    async def _probe_one(self, http: httpx.AsyncClient, worker: WorkerConnection) -> None:
        """Ask a worker how it is, then give out what became free."""
        before = worker.capacity
        await self._ask(http, worker)
        if worker.capacity != before:
            self._pool.note_capacity_change()
        if worker.is_idle:
            self._pool._dispatch_next()

    async def _ask(self, http: httpx.AsyncClient, worker: WorkerConnection) -> None:
        asked_at_s = time.monotonic()
        try:
            response = await http.get(f"{worker.url}/health", timeout=self._settings.timeout_s)
        except httpx.HTTPError as error:
            self._note_failure(worker, WorkerHealth.OFFLINE, type(error).__name__)
            return
        if response.status_code != httpx.codes.OK:
            self._note_failure(worker, WorkerHealth.ERROR, f"status {response.status_code}")
            return
        try:
            report = response.json()
        except ValueError:
            report = None
        if not isinstance(report, dict):
            self._note_failure(worker, WorkerHealth.ERROR, "no JSON object")
            return
        before = worker.health
        worker.recent_probes.append(True)
        apply_report(worker, report, asked_at_s)
        if worker.health is not before:
            logger.info(event("worker_health", worker=worker.worker_id, health=worker.health.value))

    def _note_failure(self, worker: WorkerConnection, health: WorkerHealth, reason: str) -> None:
        worker.recent_probes.append(False)
        failures = sum(not succeeded for succeeded in worker.recent_probes)
        if failures < self._settings.failures or worker.health is health:
            return
        worker.take_out_of_service(health)
        logger.warning(
            event("worker_lost", worker=worker.worker_id, health=health.value, reason=reason)
        )


def is_unsettled(worker: WorkerConnection) -> bool:
    """Whether a fresh look at this worker may soon make it usable."""
    return worker.health is not WorkerHealth.ONLINE or any(slot.is_foreign for slot in worker.slots)


def apply_report(worker: WorkerConnection, report: dict[str, Any], asked_at_s: float) -> None:
    """Take over what a worker says about itself in its health answer.

    Args:
        asked_at_s: when (time.monotonic) it was asked. A session that ended since then may still
            be counted in the answer, and is then not mistaken for somebody else's.
    """
    boot_id = report.get("boot_id") or None
    if worker.boot_id is not None and boot_id != worker.boot_id:
        worker.forget_cache()
        worker.draining = False
    worker.boot_id = boot_id
    worker.last_heartbeat = datetime.now()
    worker.gpu_id = _first_int(report.get("gpu_id"), worker.gpu_id)
    worker.total_requests = _first_int(report.get("total_requests"), worker.total_requests)
    average_ms = report.get("avg_inference_time_ms")
    worker.avg_inference_time_ms = average_ms if isinstance(average_ms, int | float) else 0.0
    memory_mb = report.get("gpu_memory_used_mb")
    worker.gpu_memory_used_mb = memory_mb if isinstance(memory_mb, int | float) else None
    model_name = report.get("model_name")
    worker.model_name = model_name if isinstance(model_name, str) else None
    worker.embedded_model = bool(report.get("embedded_model", False))
    worker.set_slot_count(max(1, _first_int(report.get("slots_total"), 1)))

    status = _reported_status(report)
    if status in (GatewayWorkerStatus.LOADING, GatewayWorkerStatus.ERROR):
        worker.take_out_of_service(WorkerHealth(status.value))
        return
    worker.health = WorkerHealth.ONLINE
    one_if_busy = int(status in BUSY_STATUSES)
    slots_busy = max(one_if_busy, _first_int(report.get("slots_busy"), 0))
    if worker.released_at_s < asked_at_s:
        _mark_foreign_work(worker, status, slots_busy, report.get("current_session_id"))
    _reclaim_orphans(worker, slots_busy)


def _mark_foreign_work(
    worker: WorkerConnection, status: GatewayWorkerStatus, slots_busy: int, session_id: str | None
) -> None:
    """Hold as many slots as are busy with work that did not come through a lease of ours."""
    for slot in worker.slots:
        if slot.is_foreign:
            slot.clear()
    n_foreign = slots_busy - len(worker.busy_slots)
    busy_status = status if status in BUSY_STATUSES else GatewayWorkerStatus.BUSY_CHAT
    for slot in [slot for slot in worker.slots if slot.is_free][: max(0, n_foreign)]:
        slot.status = busy_status
        slot.session_id = session_id


def _reclaim_orphans(worker: WorkerConnection, slots_busy: int) -> None:
    """Free slots whose lease died without giving them back, once the worker was idle twice."""
    worker.idle_reports = worker.idle_reports + 1 if slots_busy == 0 else 0
    if worker.idle_reports < RECLAIM_AFTER_IDLE_REPORTS:
        return
    for slot in worker.slots:
        if slot.dispatched and (slot.owner is None or slot.owner.done()):
            logger.error(event("slot_reclaimed", worker=worker.worker_id, ticket=slot.ticket_id))
            slot.clear()


def _reported_status(report: dict[str, Any]) -> GatewayWorkerStatus:
    """The worker's status: idle when it does not say, error when nobody knows the word."""
    try:
        return GatewayWorkerStatus(report.get("worker_status", GatewayWorkerStatus.IDLE.value))
    except ValueError:
        return GatewayWorkerStatus.ERROR


def _first_int(value: object, default: int) -> int:
    return value if isinstance(value, int) else default
