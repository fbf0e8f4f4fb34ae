"""Health checks of the pool: what each answer of a worker, or none, does to its standing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from core.schemas import WorkerHealthResponse, WorkerStatus
from gateway_modules.health import HealthMonitor, HealthSettings, apply_report, is_unsettled
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection, WorkerHealth
from gateway_modules.worker_pool import WorkerPool
from tests.unit.virtual_time import run_virtual

Answer = Callable[[httpx.Request], httpx.Response]


def online_pool() -> tuple[WorkerPool, WorkerConnection]:
    pool = WorkerPool(["localhost:22400"])
    worker = pool.workers["worker_0"]
    worker.status = GatewayWorkerStatus.IDLE
    return pool, worker


def idle(**fields: Any) -> dict[str, Any]:
    return {"worker_status": "idle", "boot_id": "first"} | fields


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def says(status_code: int = 200, **fields: Any) -> Answer:
    return lambda request: httpx.Response(status_code, json=idle(**fields))


async def probe(pool: WorkerPool, *answers: Answer) -> None:
    """One check of all workers for each answer."""
    monitor = HealthMonitor(pool, HealthSettings())
    for answer in answers:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            await monitor.probe(http, list(pool.workers.values()))


async def test_a_good_answer_brings_a_worker_online() -> None:
    pool = WorkerPool(["localhost:22400"])
    await probe(pool, says())
    assert pool.workers["worker_0"].is_idle


async def test_the_health_model_of_the_worker_is_understood() -> None:
    pool, worker = online_pool()
    report = WorkerHealthResponse(
        status="healthy",
        worker_status=WorkerStatus.IDLE,
        gpu_id=5,
        total_requests=7,
        avg_inference_time_ms=12.5,
        gpu_memory_used_mb=2048.5,
        boot_id="a",
        slots_total=2,
        model_name="minicpm-o-nano",
        embedded_model=True,
    )
    await probe(pool, says(**report.model_dump(mode="json")))
    assert (worker.gpu_id, worker.total_requests, worker.avg_inference_time_ms) == (5, 7, 12.5)
    assert (worker.boot_id, len(worker.slots), worker.embedded_model) == ("a", 2, True)
    assert worker.to_info().gpu_memory_used_mb == 2048.5
    assert worker.to_info().model_name == "minicpm-o-nano"
    assert isinstance(worker.last_heartbeat, datetime)


async def test_a_worker_that_comes_online_serves_the_first_in_line() -> None:
    pool = WorkerPool(["localhost:22400"])
    _, future = pool.enqueue("chat")
    await probe(pool, says())
    assert future.result() is pool.workers["worker_0"]


@pytest.mark.parametrize(
    ("answer", "health"),
    [
        (unreachable, WorkerHealth.OFFLINE),
        (says(500), WorkerHealth.ERROR),
        (lambda request: httpx.Response(200, text="no json"), WorkerHealth.ERROR),
        (lambda request: httpx.Response(200, json=[1]), WorkerHealth.ERROR),
    ],
    ids=["unreachable", "500", "text", "list"],
)
async def test_one_failed_check_is_forgiven_and_two_are_not(
    answer: Answer, health: WorkerHealth
) -> None:
    pool, worker = online_pool()
    worker.cached_hash = "a"
    await probe(pool, answer)
    assert (worker.health, worker.cached_hash) == (WorkerHealth.ONLINE, "a")
    await probe(pool, answer)
    assert (worker.health, worker.cached_hash) == (health, None)


async def test_two_failures_among_three_checks_are_enough() -> None:
    pool, worker = online_pool()
    await probe(pool, unreachable, says(), unreachable)
    assert worker.health is WorkerHealth.OFFLINE


async def test_old_failures_are_forgotten() -> None:
    pool, worker = online_pool()
    await probe(pool, unreachable, says(), says(), unreachable)
    assert worker.health is WorkerHealth.ONLINE


@pytest.mark.parametrize("word", ["loading", "error"])
def test_a_worker_that_says_it_cannot_work_gets_none_at_once(word: str) -> None:
    _, worker = online_pool()
    apply_report(worker, idle(worker_status=word), asked_at_s=time.monotonic())
    assert worker.status.value == word


def test_an_unknown_word_is_an_error_and_a_missing_one_is_idle() -> None:
    _, worker = online_pool()
    apply_report(worker, idle(worker_status="dancing"), asked_at_s=time.monotonic())
    assert worker.status is GatewayWorkerStatus.ERROR
    apply_report(worker, {}, asked_at_s=time.monotonic())
    assert worker.is_idle


def test_a_restarted_worker_has_forgotten_its_cache() -> None:
    _, worker = online_pool()
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    worker.cached_hash, worker.last_cache_used_at = "a", datetime.now()
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.cached_hash == "a"
    apply_report(worker, idle(boot_id="second"), asked_at_s=time.monotonic())
    assert worker.cached_hash is worker.last_cache_used_at is None


def test_our_own_session_stays_busy_though_the_worker_says_idle() -> None:
    _, worker = online_pool()
    worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat", "mine")
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert (worker.status, worker.current_session_id) == (GatewayWorkerStatus.BUSY_CHAT, "mine")


def test_work_of_others_keeps_a_slot_until_it_is_over() -> None:
    _, worker = online_pool()
    apply_report(
        worker,
        idle(worker_status="busy_chat", slots_busy=1, current_session_id="x"),
        asked_at_s=time.monotonic(),
    )
    assert (worker.status, worker.current_session_id) == (GatewayWorkerStatus.BUSY_CHAT, "x")
    assert is_unsettled(worker)
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_idle and not is_unsettled(worker)


def test_a_session_that_just_ended_is_not_taken_for_the_work_of_others() -> None:
    _, worker = online_pool()
    slot = worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
    asked_at_s = time.monotonic()
    worker.free(slot)
    apply_report(worker, idle(worker_status="busy_chat", slots_busy=1), asked_at_s)
    assert worker.is_idle


def test_our_own_work_is_not_counted_as_that_of_others() -> None:
    _, worker = online_pool()
    worker.set_slot_count(2)
    worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
    apply_report(
        worker, idle(worker_status="idle", slots_total=2, slots_busy=1), asked_at_s=time.monotonic()
    )
    assert len(worker.busy_slots) == 1


async def test_a_slot_whose_owner_died_is_reclaimed_after_two_idle_reports() -> None:
    _, worker = online_pool()
    worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_busy
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_idle


async def test_idle_reports_from_before_a_request_do_not_count_against_it() -> None:
    _, worker = online_pool()
    for _ in range(3):
        apply_report(worker, idle(), asked_at_s=time.monotonic())
    worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_busy


async def test_a_slot_left_busy_is_not_freed_by_an_answer_asked_for_before() -> None:
    _, worker = online_pool()
    asked_at_s = time.monotonic()
    worker.leave_to_health(worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat"))
    apply_report(worker, idle(), asked_at_s)
    assert worker.is_busy
    apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_idle


async def test_numbers_that_are_none_do_no_harm() -> None:
    pool, worker = online_pool()
    nonsense = {"avg_inference_time_ms": "fast", "slots_total": [], "total_requests": {}}
    await probe(pool, says(**nonsense))
    assert worker.is_idle


def test_a_worker_that_hangs_does_not_hold_up_another() -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 22401:
            await asyncio.sleep(HealthSettings.timeout_s)
            raise httpx.ReadTimeout("no answer", request=request)
        return httpx.Response(200, json=idle())

    async def wait_for_worker() -> float:
        pool = WorkerPool(["localhost:22400", "localhost:22401"])
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            await pool._monitor.start(http)
            ticket, future = pool.enqueue("chat")
            pool.release_ticket(future.result(), ticket, completed=False, still_busy=True)
            left_at_s = asyncio.get_running_loop().time()
            await pool.enqueue("chat")[1]
            await pool.stop()
            return asyncio.get_running_loop().time() - left_at_s

    assert run_virtual(wait_for_worker()) < 1


async def test_a_slot_with_a_living_owner_is_never_reclaimed() -> None:
    _, worker = online_pool()
    slot = worker.mark_busy(GatewayWorkerStatus.BUSY_CHAT, "chat")
    slot.owner = asyncio.create_task(asyncio.sleep(3600))
    for _ in range(3):
        apply_report(worker, idle(), asked_at_s=time.monotonic())
    assert worker.is_busy
    slot.owner.cancel()


def checks_within(seconds: float, answer: Answer) -> list[float]:
    """When a monitor of one worker asks, in seconds from its start."""
    times_s: list[float] = []

    def noted(request: httpx.Request) -> httpx.Response:
        times_s.append(asyncio.get_running_loop().time())
        return answer(request)

    async def watch() -> None:
        monitor = HealthMonitor(WorkerPool(["localhost:22400"]), HealthSettings())
        async with httpx.AsyncClient(transport=httpx.MockTransport(noted)) as http:
            await monitor.start(http)
            await asyncio.sleep(seconds)
            await monitor.stop()

    run_virtual(watch())
    return times_s


def test_a_settled_worker_is_asked_every_ten_seconds() -> None:
    assert checks_within(25, says()) == pytest.approx([0, 10, 20], abs=0.01)


def test_a_worker_that_loads_is_asked_every_second() -> None:
    times_s = checks_within(4.5, says(worker_status="loading"))
    assert times_s == pytest.approx([0, 1, 2, 3, 4], abs=0.01)
