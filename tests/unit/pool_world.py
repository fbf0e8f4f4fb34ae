"""A pool in a small world of its own: workers that answer health checks, and clients with leases.

Nothing here waits in real time. The workers are counters behind an httpx transport; the clients are
tasks that do with a worker what the routes do with it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from core import errors
from gateway_modules.health import HealthSettings
from gateway_modules.lease import Lease
from gateway_modules.models import EtaConfig
from gateway_modules.worker_choice import STREAMING
from gateway_modules.worker_connection import WorkerConnection
from gateway_modules.worker_pool import WorkerPool

BASE_PORT = 22400
HEALTH = HealthSettings(period_s=5, timeout_s=4, failures=2, settle_period_s=1)
STEPS_UNTIL_QUIET = 30


@dataclass
class FakeWorker:
    """A worker process as it really is, which the pool only learns by asking."""

    port: int
    n_slots: int = 1
    is_alive: bool = True
    hangs: bool = False  # takes connections and answers nothing
    is_loading: bool = False
    answer_delay_s: float = 0.0
    n_starts: int = 1
    n_leftovers: int = 0  # sessions whose client has left and that still compute
    n_foreign: int = 0  # sessions of somebody who did not ask the pool
    clients: list[FakeClient] = field(default_factory=list)

    @property
    def n_busy(self) -> int:
        return len(self.clients) + self.n_leftovers + self.n_foreign

    def report(self) -> dict[str, object]:
        status = "idle" if self.n_busy < self.n_slots else "busy_chat"
        return {
            "worker_status": "loading" if self.is_loading else status,
            "slots_total": self.n_slots,
            "slots_busy": self.n_busy,
            "boot_id": f"{self.port}-{self.n_starts}",
        }

    def die(self) -> list[FakeClient]:
        """End the process; returns the clients that lose it."""
        lost, self.clients = self.clients, []
        self.is_alive = False
        self.n_leftovers = self.n_foreign = 0
        for client in lost:
            client.worker_lost.set()
        return lost

    def start(self, n_slots: int) -> None:
        self.is_alive, self.hangs, self.is_loading = True, False, False
        self.n_slots = n_slots
        self.n_starts += 1


class FakeClient:
    """One request: waits for a worker, holds it, and ends in one of several ways."""

    def __init__(self, world: PoolWorld, request_type: str, history_hash: str | None) -> None:
        self.request_type = request_type
        self.ticket_id: str | None = None  # of the place in the queue, or of the slot
        self.worker: WorkerConnection | None = None
        self.outcome: str | None = None
        self.worker_lost = asyncio.Event()
        self.has_begun_answer = False
        self.has_moved = False
        self._world = world
        self._history_hash = history_hash
        self._done = asyncio.Event()
        self.task = asyncio.ensure_future(self._visit())

    def complete(self) -> None:
        """The answer is there."""
        self._done.set()

    def leave(self) -> None:
        """The client closes its socket, now."""
        self.task.cancel()

    async def _visit(self) -> None:
        try:
            async with Lease(
                self._world.pool, self.request_type, history_hash=self._history_hash
            ) as lease:
                while True:
                    self.ticket_id = lease.ticket.ticket_id
                    if await self._hold(lease):
                        lease.complete()
                        self.outcome = "done"
                        return
                    if self.has_begun_answer:
                        lease.lose_worker()
                        raise errors.WorkerLostError("told to the client")
                    lease.move_from_lost_worker()
                    self.has_moved = True
        except asyncio.CancelledError:
            self.outcome = "left"
        except errors.ServiceError as error:
            self.outcome = error.code
        finally:
            self.worker = self.ticket_id = None

    async def _hold(self, lease: Lease) -> bool:
        """Use a worker; False when it was lost."""
        worker = await lease.worker()
        fake = self._world.fake(worker)
        self._world.served_tickets.add(self.ticket_id)
        self.worker_lost.clear()
        if not fake.is_alive:
            return False
        self.worker = worker
        fake.clients.append(self)
        if len(fake.clients) + fake.n_leftovers > len(worker.slots):
            self._world.wrongs.append(f"{worker.worker_id} got more than it has room for")
        waits = [asyncio.ensure_future(event.wait()) for event in (self._done, self.worker_lost)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            lease.leave_worker_busy()
            if self in fake.clients:
                fake.clients.remove(self)
                fake.n_leftovers += 1
            raise
        finally:
            for wait in waits:
                wait.cancel()
        if self.worker_lost.is_set():
            self.worker = None
            return False
        fake.clients.remove(self)
        if self.request_type == STREAMING:
            worker.cached_hash, worker.last_cache_used_at = self._history_hash, datetime.now()
        return True


class PoolWorld:
    """A started pool, its workers and its clients."""

    def __init__(self, slots: list[int], max_queue_size: int) -> None:
        self.fakes = [FakeWorker(BASE_PORT + index, n_slots) for index, n_slots in enumerate(slots)]
        self.pool = WorkerPool(
            [f"localhost:{fake.port}" for fake in self.fakes],
            max_queue_size=max_queue_size,
            eta_config=EtaConfig(),
            health=HEALTH,
        )
        self.clients: list[FakeClient] = []
        self.served_tickets: set[str | None] = set()
        self.wrongs: list[str] = []
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    async def start(self) -> None:
        await self.pool._monitor.start(self._http)

    async def end(self) -> None:
        for client in self.live_clients:
            client.leave()
        await asyncio.gather(*(client.task for client in self.clients))
        await self.pool.stop()
        await self._http.aclose()

    @property
    def live_clients(self) -> list[FakeClient]:
        return [client for client in self.clients if client.outcome is None]

    @property
    def holders(self) -> list[FakeClient]:
        return [client for client in self.live_clients if client.worker is not None]

    def fake(self, worker: WorkerConnection) -> FakeWorker:
        return next(fake for fake in self.fakes if fake.port == worker.port)

    def known(self, fake: FakeWorker) -> WorkerConnection | None:
        """The pool's idea of a worker; None when it does not belong to the pool."""
        workers = self.pool.workers.values()
        return next((worker for worker in workers if worker.port == fake.port), None)

    async def arrive(self, request_type: str, history_hash: str | None) -> FakeClient:
        client = FakeClient(self, request_type, history_hash)
        self.clients.append(client)
        await self.settle()
        return client

    async def come_and_go(self, n_steps: int) -> None:
        """A client that leaves after so many steps of the loop."""
        client = FakeClient(self, "chat", None)
        self.clients.append(client)
        for _ in range(n_steps):
            await asyncio.sleep(0)
        client.leave()
        await self.settle()

    async def settle(self) -> None:
        """Let everybody act until all wait."""
        for _ in range(STEPS_UNTIL_QUIET):
            await asyncio.sleep(0)

    async def let_time_pass(self, duration_s: float) -> None:
        await asyncio.sleep(duration_s)
        await self.settle()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        port = urlsplit(str(request.url)).port
        fake = next(fake for fake in self.fakes if fake.port == port)
        report = fake.report()
        if fake.hangs:
            await asyncio.sleep(HEALTH.timeout_s)
            raise httpx.ReadTimeout("no answer")
        if not fake.is_alive:
            raise httpx.ConnectError("refused")
        await asyncio.sleep(fake.answer_delay_s)
        return httpx.Response(200, json=report)
