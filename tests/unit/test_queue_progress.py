"""What a waiting socket hears, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core import errors
from core.schemas import ServerMessage
from gateway_modules.lease import Lease
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.queue_progress import wait_in_queue
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

    async def wait(self, **options: bool) -> None:
        async with Lease(self.pool, "chat") as lease:
            await wait_in_queue(
                self.socket,  # pyright: ignore[reportArgumentType]
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
