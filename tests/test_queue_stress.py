"""Crowds in the queue: of the pool itself, and of clients of a real gateway with mock workers."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway_modules.worker_connection import WorkerConnection
from gateway_modules.worker_pool import WorkerPool
from tests.service.clients import HELLO, chat, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.test_queue import BUSY, make_pool, occupy, worker_of

N_WAITING = 100
UPDATE_PERIOD_S = 0.5
WITHOUT_LIMITS = {"sockets_per_client": 1000, "sessions_per_client": 1000}

# -- the pool --------------------------------------------------------------------------------------


async def test_a_hundred_concurrent_requests_get_consecutive_positions() -> None:
    pool = make_pool()
    occupy(pool)

    async def enqueue() -> int:
        return pool.enqueue("chat")[0].position

    positions = await asyncio.gather(*(enqueue() for _ in range(100)))

    assert sorted(positions) == list(range(1, 101))


async def test_positions_stay_consecutive_through_random_cancels_and_releases() -> None:
    pool = make_pool(2)
    occupy(pool)
    chance = random.Random(4)
    for _ in range(300):
        action = chance.choice(("enqueue", "enqueue", "cancel", "release"))
        if action == "enqueue":
            pool.enqueue(chance.choice(list(BUSY)))
        elif action == "cancel" and pool._queue:
            pool.cancel(chance.choice(list(pool._queue)))
        elif action == "release":
            pool.release_worker(chance.choice(list(pool.workers.values())))
        positions = [entry.ticket.position for entry in pool._queue.values()]
        assert positions == list(range(1, len(positions) + 1))


async def test_fifty_waiters_on_three_workers_all_get_their_turn() -> None:
    pool = make_pool(3)
    futures = [pool.enqueue("chat")[1] for _ in range(50)]

    while pool.queue_length:
        for worker in pool.workers.values():
            pool.release_worker(worker, "chat", 0.01)

    assert all(future.done() and not future.cancelled() for future in futures)


async def test_a_mixed_crowd_of_150_all_get_their_turn() -> None:
    pool = make_pool(3)
    kinds = ("chat", "streaming", "omni_duplex")
    futures = [pool.enqueue(kind, history_hash="h")[1] for kind in kinds for _ in range(50)]

    while pool.queue_length:
        for worker in pool.workers.values():
            pool.release_worker(worker)

    assert all(future.done() for future in futures)


async def test_cancelling_half_of_a_hundred_leaves_the_other_half_to_finish() -> None:
    pool = make_pool()
    occupy(pool)
    waiting = [pool.enqueue("chat") for _ in range(100)]
    for ticket, _ in waiting[::2]:
        pool.cancel(ticket.ticket_id)

    while pool.queue_length:
        pool.release_worker(worker_of(pool))

    assert all(future.cancelled() for _, future in waiting[::2])
    assert all(future.result() is worker_of(pool) for _, future in waiting[1::2])


async def test_two_hundred_waiters_are_served_while_others_come() -> None:
    pool = make_pool(2)
    served: list[WorkerConnection] = []

    async def visit() -> None:
        worker = await pool.enqueue("chat")[1]
        await asyncio.sleep(0)
        served.append(worker)
        pool.release_worker(worker)

    await asyncio.gather(*(visit() for _ in range(200)))

    assert len(served) == 200
    assert pool.idle_count == 2


def test_a_thousand_waiting_leave_time_for_ten_thousand_operations_a_second() -> None:
    async def operate() -> float:
        pool = WorkerPool(["localhost:22400"], max_queue_size=2000)
        worker_of(pool).mark_idle()
        for _ in range(1001):
            pool.enqueue("chat")
        started_s = time.process_time()
        for _ in range(1000):
            ticket, _ = pool.enqueue("streaming")
            pool.cancel(ticket.ticket_id)
            pool.enqueue("chat")
            pool.release_worker(worker_of(pool))
        return 4000 / (time.process_time() - started_s)

    assert asyncio.run(operate()) > 10_000


# -- clients ---------------------------------------------------------------------------------------


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path) as stack:
        yield stack


@pytest.fixture
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_mock_worker("--stream-delay", "0.001", "--chat-delay", "0.001")


@pytest.fixture
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    sessions = {"queue_update_s": UPDATE_PERIOD_S}
    return stack.start_gateway([worker], sessions=sessions, limits=WITHOUT_LIMITS)


async def test_a_crowd_of_chats_is_answered_to_the_last(gateway: GatewayProcess) -> None:
    answers = await asyncio.gather(*(chat(gateway) for _ in range(N_WAITING)))

    assert {(answer.last["type"], answer.close_code) for answer in answers} == {("done", 1000)}
    await asyncio.to_thread(gateway.wait_for_status, idle_workers=1, queue_length=0)


async def test_a_waiting_crowd_is_kept_informed_and_can_be_sent_away(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    worker.configure(hang_next=1)
    async with AsyncExitStack() as sockets:
        crowd = [await sockets.enter_async_context(open_socket(gateway)) for _ in range(N_WAITING)]
        for index, socket in enumerate(crowd):
            await socket.send(json.dumps(HELLO))
            if index == 0:
                assert (await receive(socket))["type"] == "prefill_done"
        told = await asyncio.gather(*(receive(socket) for socket in crowd[1:]))
        assert sorted(message["position"] for message in told) == list(range(1, N_WAITING))
        updates = await asyncio.gather(
            *(receive(socket, timeout_s=3 * UPDATE_PERIOD_S) for socket in crowd[1:])
        )
        assert {message["type"] for message in updates} == {"queue_update"}

        started_s = time.perf_counter()
        for message in told:
            gateway.http.delete(f"/api/queue/{message['ticket_id']}")
        endings = await asyncio.gather(*(read_to_close(socket) for socket in crowd[1:]))

        assert {(end.last["code"], end.close_code) for end in endings} == {("cancelled", 1000)}
        assert time.perf_counter() - started_s < 5
        assert gateway.status()["queue_length"] == 0
