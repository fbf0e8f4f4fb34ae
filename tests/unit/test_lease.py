"""Every way out of a lease gives back what it held."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from core import errors
from gateway_modules.lease import Lease
from gateway_modules.models import EtaConfig, GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection
from gateway_modules.worker_pool import WorkerPool


def make_pool(n_workers: int = 1) -> WorkerPool:
    pool = WorkerPool([f"localhost:{22400 + i}" for i in range(n_workers)], eta_config=EtaConfig())
    for worker in pool.workers.values():
        worker.status = GatewayWorkerStatus.IDLE
    return pool


async def hold(pool: WorkerPool, taken: asyncio.Event | None = None) -> None:
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        if taken is not None:
            taken.set()
        await asyncio.Event().wait()


async def start(work: asyncio.Task[None]) -> asyncio.Task[None]:
    """Let a task run until it waits."""
    for _ in range(3):
        await asyncio.sleep(0)
    return work


async def cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_leaving_frees_the_worker() -> None:
    pool = make_pool()
    async with Lease(pool, "chat") as lease:
        assert await lease.worker() is pool.workers["worker_0"]
        assert pool.idle_count == 0
    assert pool.idle_count == 1


async def test_an_error_frees_the_worker() -> None:
    pool = make_pool()
    with pytest.raises(ZeroDivisionError):
        async with Lease(pool, "chat") as lease:
            await lease.worker()
            raise ZeroDivisionError
    assert pool.idle_count == 1


async def test_cancelling_the_holder_frees_the_worker() -> None:
    pool = make_pool()
    taken = asyncio.Event()
    holder = asyncio.create_task(hold(pool, taken))
    await taken.wait()
    await cancel(holder)
    assert pool.idle_count == 1


async def test_cancelling_a_waiter_takes_its_ticket_out_of_the_queue() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    waiter = await start(asyncio.create_task(hold(pool)))
    assert pool.queue_length == 1
    await cancel(waiter)
    assert pool.queue_length == 0


async def test_a_waiter_cancelled_in_the_moment_of_its_assignment_returns_the_worker() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    waiter = await start(asyncio.create_task(hold(pool)))

    pool.release_worker(pool.workers["worker_0"])  # resolves the waiter's future ...
    assert pool.idle_count == 0
    await cancel(waiter)  # ... before the waiter could run

    assert pool.idle_count == 1


async def test_the_next_in_line_gets_what_a_cancelled_waiter_returns() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    first = await start(asyncio.create_task(hold(pool)))
    taken = asyncio.Event()
    second = await start(asyncio.create_task(hold(pool, taken)))
    pool.release_worker(pool.workers["worker_0"])

    await cancel(first)
    await asyncio.wait_for(taken.wait(), 1)

    await cancel(second)
    assert pool.idle_count == 1


async def test_releasing_twice_does_not_free_the_next_holder() -> None:
    pool = make_pool()
    async with Lease(pool, "chat") as first:
        await first.worker()
        first.release()
        async with Lease(pool, "chat") as second:
            await second.worker()
            first.release()
            assert pool.idle_count == 0


async def test_a_ticket_cancelled_by_somebody_else_is_told_as_cancelled() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    async with Lease(pool, "chat") as lease:
        pool.cancel(lease.ticket.ticket_id)
        with pytest.raises(errors.CancelledError):
            await lease.worker()


async def test_a_full_queue_leaves_nothing_behind() -> None:
    pool = make_pool()
    pool.max_queue_size = 1
    pool.enqueue("chat")
    pool.enqueue("chat")
    with pytest.raises(errors.QueueFullError):
        async with Lease(pool, "chat"):
            pass
    assert pool.queue_length == 1


async def test_the_estimate_is_the_one_given_at_arrival() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    async with Lease(pool, "chat") as lease:
        pool.release_worker(pool.workers["worker_0"])
        await lease.worker()
        assert lease.estimated_wait_s == 15.0


async def test_only_completed_requests_teach_the_estimates() -> None:
    pool = make_pool()
    async with Lease(pool, "chat") as abandoned:
        await abandoned.worker()
    async with Lease(pool, "chat") as completed:
        await completed.worker()
        completed.complete()
    assert pool.eta_tracker.get_status().ema_chat_samples == 1


async def test_chat_forgets_what_the_worker_had_cached() -> None:
    pool = make_pool()
    pool.workers["worker_0"].cached_hash = "abc"
    async with Lease(pool, "chat") as lease:
        assert (await lease.worker()).cached_hash is None


async def test_a_worker_that_may_still_compute_gets_no_new_work() -> None:
    pool = make_pool()
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        lease.leave_worker_busy()
    assert pool.idle_count == 0
    assert pool._get_running_tasks()[0].request_type == "chat"


async def test_a_request_that_lost_its_worker_moves_to_another() -> None:
    pool = make_pool(2)
    async with Lease(pool, "chat") as lease:
        lost = await lease.worker()
        lease.move_from_lost_worker()
        other = await lease.worker()
        assert other is not lost
        assert lost.status is GatewayWorkerStatus.OFFLINE
    assert other.is_idle
    assert lost.status is GatewayWorkerStatus.OFFLINE


async def test_a_moved_request_waits_at_the_head_of_the_queue() -> None:
    pool = make_pool(2)
    pool.enqueue("chat")
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        waiting, _ = pool.enqueue("chat")
        lease.move_from_lost_worker()
        assert (lease.ticket.position, waiting.position) == (1, 2)


async def test_a_request_moves_only_once() -> None:
    pool = make_pool(3)
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        lease.move_from_lost_worker()
        await lease.worker()
        with pytest.raises(errors.WorkerLostError):
            lease.move_from_lost_worker()
    assert pool.idle_count == 1


async def test_without_another_worker_the_loss_is_final() -> None:
    pool = make_pool()
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        with pytest.raises(errors.WorkerLostError):
            lease.move_from_lost_worker()
    assert pool.queue_length == 0
    assert not pool.workers["worker_0"].busy_slots


async def test_news_come_at_once_when_the_queue_moves() -> None:
    pool = make_pool()
    pool.enqueue("chat")
    ahead, _ = pool.enqueue("chat")
    async with Lease(pool, "chat") as lease:
        news = asyncio.create_task(lease.wait_for_news(60))
        await asyncio.sleep(0)
        pool.cancel(ahead.ticket_id)
        await asyncio.wait_for(news, 1)
        assert lease.ticket.position == 1


def test_a_new_worker_connection_is_offline() -> None:
    worker = WorkerConnection("worker_0", "localhost", 22400, 0)
    assert worker.status is GatewayWorkerStatus.OFFLINE
    assert worker.url == "http://localhost:22400"


async def test_the_log_tells_which_ticket_and_session_had_which_worker(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "gateway_modules.lease")
    async with Lease(make_pool(), "chat", "s_1") as lease:
        await lease.worker()
        ticket_id = lease.ticket.ticket_id
    about = f"type=chat session_id=s_1 ticket_id={ticket_id} worker=worker_0"
    assert re.search(rf"event=session_assigned {about} wait_ms=\d+\b", caplog.text)
    assert f"event=session_released {about} completed=False" in caplog.text
