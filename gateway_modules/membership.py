"""Workers that register themselves, and leave by themselves, by drain, or by falling silent."""

from __future__ import annotations

import asyncio
import logging

from config import is_loopback
from core.logs import event
from gateway_modules.worker_connection import WorkerConnection
from gateway_modules.worker_pool import WorkerPool

logger = logging.getLogger(__name__)

MISSED_HEARTBEATS = 3


class Membership:
    """Who belongs to the pool.

    Workers of the fixed list stay whatever happens. One that registered must send a heartbeat every
    `heartbeat_s` seconds; when three in a row are missing, it is removed.
    """

    def __init__(self, pool: WorkerPool, heartbeat_s: float) -> None:
        self.heartbeat_s = heartbeat_s
        self._pool = pool
        self._silences: dict[str, asyncio.TimerHandle] = {}  # of the registered workers

    def register(self, host: str, port: int) -> WorkerConnection:
        """The worker at this address, which is added unless it is known already."""
        for worker in self._pool.workers.values():
            if worker.port == port and is_same_host(worker.host, host):
                self.heartbeat(worker.worker_id)
                return worker
        worker = self._pool.add_worker(host, port)
        worker.registered = True
        self._wait_for_heartbeat(worker)
        logger.info(event("worker_registered", worker=worker.worker_id, host=host, port=port))
        return worker

    def heartbeat(self, worker_id: str) -> WorkerConnection | None:
        """The worker is still there; None when nobody knows it, so that it must register again."""
        worker = self._pool.get_worker(worker_id)
        if worker is not None and worker.registered:
            self._wait_for_heartbeat(worker)
        return worker

    def drain(self, worker_id: str) -> WorkerConnection | None:
        """Give it nothing new, until its drain is ended or its process was restarted."""
        worker = self._pool.get_worker(worker_id)
        if worker is not None:
            self._pool.drain_worker(worker)
            logger.info(event("worker_draining", worker=worker_id, n_busy=len(worker.busy_slots)))
        return worker

    def end_drain(self, worker_id: str) -> WorkerConnection | None:
        """Put it back to work."""
        worker = self._pool.get_worker(worker_id)
        if worker is not None:
            self._pool.end_drain(worker)
            logger.info(event("worker_drain_ended", worker=worker_id))
        return worker

    def remove(self, worker_id: str) -> bool:
        """It leaves; False when nobody knows it."""
        self._forget_silence(worker_id)
        removed = self._pool.remove_worker(worker_id)
        if removed:
            logger.info(event("worker_removed", worker=worker_id))
        return removed

    def close(self) -> None:
        """Wait for no heartbeat any more."""
        for worker_id in tuple(self._silences):
            self._forget_silence(worker_id)

    def _wait_for_heartbeat(self, worker: WorkerConnection) -> None:
        self._forget_silence(worker.worker_id)
        self._silences[worker.worker_id] = asyncio.get_running_loop().call_later(
            MISSED_HEARTBEATS * self.heartbeat_s, self._miss, worker.worker_id
        )

    def _forget_silence(self, worker_id: str) -> None:
        silence = self._silences.pop(worker_id, None)
        if silence is not None:
            silence.cancel()

    def _miss(self, worker_id: str) -> None:
        logger.warning(event("worker_silent", worker=worker_id))
        self.remove(worker_id)


def is_same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one machine, as far as one can tell: this one has several."""
    return one == other or (is_loopback(one.strip("[]")) and is_loopback(other.strip("[]")))
