"""The queue: order, positions, capacity, cancellation, and what is reported about it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway_modules.models import EtaConfig, GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection, WorkerHealth
from gateway_modules.worker_pool import WorkerPool, split_address

BUSY = {
    "chat": GatewayWorkerStatus.BUSY_CHAT,
    "streaming": GatewayWorkerStatus.BUSY_STREAMING,
    "omni_duplex": GatewayWorkerStatus.DUPLEX_ACTIVE,
    "duplex": GatewayWorkerStatus.DUPLEX_ACTIVE,
}


def make_pool(
    n_workers: int = 1, *, max_queue_size: int = 1000, eta: EtaConfig | None = None
) -> WorkerPool:
    addresses = [f"localhost:{22400 + index}" for index in range(n_workers)]
    pool = WorkerPool(addresses, max_queue_size=max_queue_size, eta_config=eta)
    for worker in pool.workers.values():
        worker.status = GatewayWorkerStatus.IDLE
    return pool


def worker_of(pool: WorkerPool, index: int = 0) -> WorkerConnection:
    return pool.workers[f"worker_{index}"]


def occupy(pool: WorkerPool, request_type: str = "chat", *, seconds_ago: float = 0.0) -> None:
    """Make every worker busy with a task that started a while ago."""
    for worker in pool.workers.values():
        worker.mark_busy(BUSY[request_type], request_type)
        worker.task_started_at = datetime.now() - timedelta(seconds=seconds_ago)


async def test_requests_of_all_types_wait_in_one_line() -> None:
    pool = make_pool()
    occupy(pool)

    waiting = [pool.enqueue(kind) for kind in ("chat", "streaming", "omni_duplex")]

    assert [ticket.position for ticket, _ in waiting] == [1, 2, 3]


async def test_a_release_serves_only_the_first_in_line_with_the_freed_worker() -> None:
    pool = make_pool()
    occupy(pool)
    futures = [pool.enqueue(kind)[1] for kind in ("chat", "streaming", "omni_duplex")]

    pool.release_worker(worker_of(pool))

    assert [future.done() for future in futures] == [True, False, False]
    assert futures[0].result() is worker_of(pool)


async def test_releases_work_although_the_worker_was_marked_busy_again_in_between() -> None:
    pool = make_pool()
    occupy(pool)
    futures = [pool.enqueue("chat")[1] for _ in range(3)]

    for future in futures:
        pool.release_worker(worker_of(pool))
        assert future.done()
        worker_of(pool).mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")


async def test_the_request_beyond_capacity_is_refused() -> None:
    pool = make_pool(max_queue_size=3)
    occupy(pool)
    tickets = [pool.enqueue("chat")[0] for _ in range(3)]

    with pytest.raises(WorkerPool.QueueFullError, match=r"Queue full \(3 requests\)"):
        pool.enqueue("chat")
    assert pool.queue_full
    assert pool.queue_length == 3
    pool.cancel(tickets[0].ticket_id)
    assert not pool.queue_full
    assert pool.queue_length == 2


async def test_cancelling_in_the_middle_moves_the_later_ones_up() -> None:
    pool = make_pool()
    occupy(pool)
    waiting = [pool.enqueue("chat") for _ in range(3)]
    middle, middle_future = waiting[1]

    assert pool.cancel(middle.ticket_id)

    assert middle_future.cancelled()
    assert middle.cancelled
    assert [waiting[0][0].position, waiting[2][0].position] == [1, 2]
    pool.release_worker(worker_of(pool))
    pool.release_worker(worker_of(pool))
    assert waiting[2][1].result() is worker_of(pool)


async def test_cancelling_an_unknown_ticket_does_nothing() -> None:
    assert make_pool().cancel("q_000000000000") is False


async def test_positions_shift_down_after_a_dispatch() -> None:
    pool = make_pool()
    occupy(pool)
    tickets = [pool.enqueue("chat")[0] for _ in range(4)]

    pool.release_worker(worker_of(pool))

    assert [ticket.position for ticket in tickets] == [0, 1, 2, 3]


async def test_waits_behind_a_call_are_positive_and_never_shrink_down_the_line() -> None:
    pool = make_pool()
    occupy(pool, "duplex")

    tickets = [pool.enqueue(kind)[0] for kind in ("chat", "omni_duplex", "chat", "streaming")]

    waits_s = [ticket.estimated_wait_s for ticket in tickets]
    assert all(wait_s is not None and wait_s > 0 for wait_s in waits_s)
    assert waits_s == sorted(waits_s, key=lambda wait_s: wait_s or 0)


async def test_two_releases_serve_two_waiters() -> None:
    pool = make_pool(2)
    occupy(pool)
    futures = [pool.enqueue("chat")[1] for _ in range(2)]

    for index in range(2):
        pool.release_worker(worker_of(pool, index))

    assert {future.result().worker_id for future in futures} == {"worker_0", "worker_1"}


async def test_an_idle_worker_is_assigned_at_once() -> None:
    pool = make_pool()

    ticket, future = pool.enqueue("chat", session_id="s1")

    assert future.done()
    assert (ticket.position, ticket.estimated_wait_s, pool.queue_length) == (0, 0.0, 0)
    assert worker_of(pool).current_session_id == "s1"


async def test_three_workers_take_three_requests_without_queueing() -> None:
    pool = make_pool(3)

    futures = [pool.enqueue(kind)[1] for kind in ("chat", "streaming", "audio_duplex")]

    assert len({future.result().worker_id for future in futures}) == 3
    assert pool.queue_length == 0
    assert [worker.status.value for worker in pool.workers.values()] == [
        "busy_chat",
        "busy_streaming",
        "duplex_active",
    ]


async def test_the_queue_status_lists_the_waiting_requests_in_order() -> None:
    pool = make_pool()
    occupy(pool)
    pool.enqueue("chat", session_id="a")
    pool.enqueue("omni_duplex", session_id="b")

    status = pool.get_queue_status()

    assert (status.queue_length, status.max_queue_size) == (2, 1000)
    assert [(item.request_type, item.session_id) for item in status.items] == [
        ("chat", "a"),
        ("omni_duplex", "b"),
    ]


async def test_there_is_one_running_task_for_each_busy_worker() -> None:
    pool = make_pool(3)
    pool.enqueue("chat")
    pool.enqueue("streaming")

    tasks = pool._get_running_tasks()

    assert [(task.worker_id, task.request_type) for task in tasks] == [
        ("worker_0", "chat"),
        ("worker_1", "streaming"),
    ]
    assert all(task.elapsed_s >= 0 for task in tasks)


async def test_only_waiting_tickets_are_found() -> None:
    pool = make_pool()
    assigned, _ = pool.enqueue("chat")
    waiting, _ = pool.enqueue("chat")

    assert pool.get_ticket(assigned.ticket_id) is None
    found = pool.get_ticket(waiting.ticket_id)
    assert found is not None
    assert found.position == 1


async def test_a_waiter_behind_a_running_task_waits_for_its_remaining_time() -> None:
    pool = make_pool(eta=EtaConfig(eta_chat_s=15))
    occupy(pool, seconds_ago=5)

    assert pool.enqueue("chat")[0].estimated_wait_s == pytest.approx(10, abs=1)


async def test_a_waiter_behind_an_overrun_task_waits_for_the_floor() -> None:
    pool = make_pool(eta=EtaConfig(eta_chat_s=10))
    occupy(pool, seconds_ago=20)

    assert pool.enqueue("chat")[0].estimated_wait_s == pytest.approx(15, abs=1)


async def test_waits_are_played_forward_over_two_workers() -> None:
    pool = make_pool(2, eta=EtaConfig(eta_chat_s=20))
    occupy(pool)
    for worker, seconds_ago in zip(pool.workers.values(), (5, 10), strict=True):
        worker.task_started_at = datetime.now() - timedelta(seconds=seconds_ago)

    waits_s = [pool.enqueue("chat")[0].estimated_wait_s for _ in range(3)]

    assert waits_s == pytest.approx([10, 15, 30], abs=1)


async def test_the_remaining_time_of_a_running_task_shrinks() -> None:
    pool = make_pool(eta=EtaConfig(eta_chat_s=60))
    occupy(pool, seconds_ago=10)
    before_s = pool._get_running_tasks()[0].estimated_remaining_s
    worker_of(pool).task_started_at = datetime.now() - timedelta(seconds=30)

    assert pool._get_running_tasks()[0].estimated_remaining_s == pytest.approx(before_s - 20, abs=1)


async def test_an_estimate_read_later_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = make_pool(eta=EtaConfig(eta_chat_s=60))
    occupy(pool)
    ticket, _ = pool.enqueue("chat")
    assert ticket.estimated_wait_s == pytest.approx(60, abs=1)
    worker_of(pool).task_started_at = datetime.now() - timedelta(seconds=30)

    monkeypatch.setattr("gateway_modules.worker_pool.MAX_ESTIMATE_AGE_S", -1.0)

    assert ticket.estimated_wait_s == pytest.approx(30, abs=1)


async def test_nobody_is_promised_a_wait_while_no_worker_is_reachable() -> None:
    pool = make_pool()
    worker_of(pool).status = GatewayWorkerStatus.OFFLINE

    ticket, future = pool.enqueue("chat")

    assert not future.done()
    assert ticket.estimated_wait_s is None
    assert pool.degraded_reason == "no worker is reachable"


async def test_a_lost_worker_stays_out_of_service_when_its_slot_is_given_back() -> None:
    pool = make_pool()
    occupy(pool)
    _, future = pool.enqueue("chat")
    pool.report_lost(worker_of(pool))

    pool.release_worker(worker_of(pool))

    assert worker_of(pool).health is WorkerHealth.OFFLINE
    assert not future.done()


async def test_a_moved_request_goes_first_and_needs_no_free_place() -> None:
    pool = make_pool(max_queue_size=1)
    occupy(pool)
    first, _ = pool.enqueue("chat")

    moved, _ = pool.enqueue("chat", at_head=True)

    assert (moved.position, first.position) == (1, 2)


async def test_abandoned_futures_are_skipped() -> None:
    pool = make_pool()
    occupy(pool)
    _, abandoned = pool.enqueue("chat")
    _, next_in_line = pool.enqueue("chat")
    abandoned.cancel()

    pool.release_worker(worker_of(pool))

    assert next_in_line.result() is worker_of(pool)


async def test_stopping_sends_everybody_away() -> None:
    pool = make_pool()
    occupy(pool)
    futures = [pool.enqueue("chat")[1] for _ in range(3)]

    await pool.stop()

    assert all(future.cancelled() for future in futures)
    assert pool.queue_length == 0


async def test_a_worker_with_two_slots_takes_two_sessions_and_looks_idle_until_then() -> None:
    pool = make_pool()
    worker_of(pool).set_slot_count(2)

    pool.enqueue("chat", session_id="first")
    assert worker_of(pool).status is GatewayWorkerStatus.IDLE
    pool.enqueue("chat", session_id="second")

    assert worker_of(pool).status is GatewayWorkerStatus.BUSY_CHAT
    assert worker_of(pool).current_session_id == "first"
    assert len(pool._get_running_tasks()) == 2
    assert not pool.enqueue("chat")[1].done()


async def test_the_less_loaded_of_two_workers_is_taken() -> None:
    pool = make_pool(2)
    for worker in pool.workers.values():
        worker.set_slot_count(2)

    chosen = [pool.enqueue("chat")[1].result().worker_id for _ in range(4)]

    assert chosen == ["worker_0", "worker_1", "worker_0", "worker_1"]


def test_a_bare_host_gets_the_default_port() -> None:
    assert split_address("gpu-3", 10031) == ("gpu-3", 10031)


def test_an_address_is_split_at_its_last_colon() -> None:
    assert split_address("::1:22400", 1) == ("::1", 22400)


# -- workers that remember, and what requests are expected to take ---------------------------------


async def test_a_streaming_turn_goes_to_the_worker_that_remembers_its_history() -> None:
    pool = make_pool(2)
    worker_of(pool, 1).cached_hash = "history"

    chosen = [pool.enqueue("streaming", history_hash="history")[1].result() for _ in range(2)]

    assert [worker.worker_id for worker in chosen] == ["worker_1", "worker_0"]


async def test_chat_spares_the_worker_that_remembers() -> None:
    pool = make_pool(2)
    worker_of(pool, 0).cached_hash = "history"

    assert pool.enqueue("chat")[1].result() is worker_of(pool, 1)


async def test_a_call_takes_the_worker_whose_memory_is_oldest() -> None:
    pool = make_pool(3)
    for worker, minutes_ago in zip(pool.workers.values(), (1, 9, 5), strict=True):
        worker.cached_hash = "history"
        worker.last_cache_used_at = datetime.now() - timedelta(minutes=minutes_ago)

    assert pool.enqueue("duplex")[1].result() is worker_of(pool, 1)


async def test_measured_durations_replace_the_baseline_of_the_waiting() -> None:
    pool = make_pool(eta=EtaConfig(eta_chat_s=10))
    for _ in range(3):
        worker_of(pool).mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
        pool.release_worker(worker_of(pool), "chat", 5.0)

    occupy(pool)

    assert pool.enqueue("chat")[0].estimated_wait_s == pytest.approx(5, abs=0.5)
    assert pool.eta_tracker.get_status().ema_chat_samples == 3


async def test_a_new_baseline_holds_for_those_who_wait_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway_modules.worker_pool.MAX_ESTIMATE_AGE_S", -1.0)
    pool = make_pool(eta=EtaConfig(eta_duplex_s=120))
    occupy(pool, "duplex")
    ticket, _ = pool.enqueue("chat")

    pool.eta_tracker.update_config(EtaConfig(eta_duplex_s=30))

    assert ticket.estimated_wait_s == pytest.approx(30, abs=1)
