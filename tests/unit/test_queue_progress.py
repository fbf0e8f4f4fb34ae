"""What a waiting socket hears, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core import errors
from core.schemas import ServerMessage
from gateway_modules.lease import Lease
from gateway_modules.membership import Membership
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.queue_progress import wait_in_queue
from gateway_modules.tickets import WOKEN_TOGETHER
from gateway_modules.worker_pool import WorkerPool
from tests.unit.virtual_time import run_virtual

PERIOD_S = 3.0


class FakeSocket:
    """Remembers what was sent and when."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, dict[str, Any]]] = []

    async def send(self, message: ServerMessage) -> None:
        self.heard.append((asyncio.get_running_loop().time(), message.to_wire()))

    @property
    def times(self) -> list[tuple[float, str]]:
        return [(time_s, message["type"]) for time_s, message in self.heard]


class Queueing:
    """One socket that waits behind `n_ahead` others on a busy worker."""

    def __init__(self, n_ahead: int = 0, *, idle: bool = False) -> None:
        self.pool = WorkerPool(["localhost:1"])
        self.worker = self.pool.workers["worker_0"]
        self.worker.status = GatewayWorkerStatus.IDLE
        if not idle:
            self.pool.enqueue("chat")
        self.ahead = [self.pool.enqueue("chat")[0] for _ in range(n_ahead)]
        self.socket = FakeSocket()

    async def wait(self, socket: FakeSocket | None = None, **options: bool) -> None:
        async with Lease(self.pool, "chat") as lease:
            await wait_in_queue(
                socket or self.socket,  # pyright: ignore[reportArgumentType]
                lease,
                self.pool,
                PERIOD_S,
                **options,
            )

    async def wait_while(self, events: Any) -> None:
        waiting = asyncio.create_task(self.wait())
        await events()
        await waiting


def test_a_free_worker_is_announced_on_request() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing(idle=True)
        await queueing.wait(always_says_done=True)
        return queueing.socket

    assert run_virtual(scenario()).times == [(0, "queue_done")]


def test_nothing_is_said_when_a_worker_is_free() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing(idle=True)
        await queueing.wait()
        return queueing.socket

    assert run_virtual(scenario()).heard == []


def test_the_place_is_told_at_once_and_then_every_three_seconds() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing()

        async def events() -> None:
            await asyncio.sleep(7)
            queueing.pool.release_worker(queueing.worker)

        await queueing.wait_while(events)
        return queueing.socket

    socket = run_virtual(scenario())
    assert socket.times == [
        (0, "queued"),
        (3, "queue_update"),
        (6, "queue_update"),
        (7, "queue_done"),
    ]
    first = socket.heard[0][1]
    assert first["position"] == first["queue_length"] == 1
    assert first["ticket_id"].startswith("q_")
    assert first["estimated_wait_s"] == first["eta_seconds"] == pytest.approx(15, abs=1)


def test_a_new_position_is_told_in_the_same_moment() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing(n_ahead=2)

        async def events() -> None:
            await asyncio.sleep(1)
            queueing.pool.release_worker(queueing.worker)
            await asyncio.sleep(0.5)
            queueing.pool.cancel(queueing.ahead[1].ticket_id)
            await asyncio.sleep(0.5)
            queueing.pool.release_worker(queueing.worker)

        await queueing.wait_while(events)
        return queueing.socket

    socket = run_virtual(scenario())
    assert [(time_s, message.get("position")) for time_s, message in socket.heard] == [
        (0, 3),
        (1, 2),
        (1.5, 1),
        (2, None),
    ]


def test_a_change_behind_the_waiter_is_not_told() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing()

        async def events() -> None:
            await asyncio.sleep(1)
            queueing.pool.enqueue("chat")
            await asyncio.sleep(0.5)
            queueing.pool.release_worker(queueing.worker)

        await queueing.wait_while(events)
        return queueing.socket

    assert run_virtual(scenario()).times == [(0, "queued"), (1.5, "queue_done")]


def test_a_cancelled_ticket_ends_the_wait() -> None:
    async def scenario() -> None:
        queueing = Queueing()
        waiting = asyncio.create_task(queueing.wait())
        await asyncio.sleep(1)
        queueing.pool.cancel(next(iter(queueing.pool._queue)))
        await waiting

    with pytest.raises(errors.CancelledError):
        run_virtual(scenario())


def test_a_drained_worker_is_told_at_once_with_the_longer_wait() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing()
        other = queueing.pool.add_worker("localhost", 2)
        other.status = GatewayWorkerStatus.IDLE
        queueing.pool.enqueue("omni_duplex")
        membership = Membership(queueing.pool, heartbeat_s=10)

        async def events() -> None:
            await asyncio.sleep(1)
            membership.drain("worker_0")
            await asyncio.sleep(1)
            queueing.pool.release_worker(other)

        await queueing.wait_while(events)
        return queueing.socket

    socket = run_virtual(scenario())
    assert socket.times == [(0, "queued"), (1, "queue_update"), (2, "queue_done")]
    waits_s = [message.get("estimated_wait_s") for _, message in socket.heard[:2]]
    assert waits_s == pytest.approx([15, 90], abs=1)


def test_who_waits_for_workers_that_are_all_drained_gets_no_estimate() -> None:
    async def scenario() -> FakeSocket:
        queueing = Queueing()
        waiting = asyncio.create_task(queueing.wait())
        await asyncio.sleep(1)
        Membership(queueing.pool, heartbeat_s=10).drain("worker_0")
        await asyncio.sleep(1)
        waiting.cancel()
        return queueing.socket

    time_s, update = run_virtual(scenario()).heard[1]
    assert (time_s, update["position"], update["estimated_wait_s"]) == (1, 1, None)


def test_a_thousand_waiters_are_told_of_a_change_soon_but_never_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_computed = 0
    compute = WorkerPool._recalc_positions_and_eta

    def count(pool: WorkerPool) -> None:
        nonlocal n_computed
        n_computed += 1
        compute(pool)

    async def scenario() -> list[FakeSocket]:
        nonlocal n_computed
        queueing = Queueing(n_ahead=1)
        queueing.pool.max_queue_size = 1001
        sockets = [FakeSocket() for _ in range(1000)]
        waiting = [asyncio.create_task(queueing.wait(socket)) for socket in sockets]
        await asyncio.sleep(1)
        n_computed = 0
        queueing.pool.cancel(queueing.ahead[0].ticket_id)
        await asyncio.sleep(0.5)
        for task in waiting:
            task.cancel()
        return sockets

    monkeypatch.setattr(WorkerPool, "_recalc_positions_and_eta", count)
    updates = [socket.heard[-1] for socket in run_virtual(scenario())]
    assert [update["position"] for _, update in updates] == list(range(1, 1001))
    told_at_s = [time_s for time_s, _ in updates]
    assert max(told_at_s.count(time_s) for time_s in set(told_at_s)) == WOKEN_TOGETHER
    assert min(told_at_s) == 1
    assert n_computed < 50


def test_changes_that_come_fast_are_told_together() -> None:
    async def scenario() -> list[FakeSocket]:
        queueing = Queueing(n_ahead=100)
        sockets = [FakeSocket() for _ in range(500)]
        waiting = [asyncio.create_task(queueing.wait(socket)) for socket in sockets]
        await asyncio.sleep(1)
        for ticket in queueing.ahead:
            queueing.pool.cancel(ticket.ticket_id)
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.5)
        for task in waiting:
            task.cancel()
        return sockets

    sockets = run_virtual(scenario())
    assert [socket.heard[-1][1]["position"] for socket in sockets] == list(range(1, 501))
    assert max(len(socket.heard) for socket in sockets) <= 4
