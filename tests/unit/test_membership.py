"""Workers that come by themselves, and go."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway_modules.health import apply_report
from gateway_modules.membership import Membership
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_connection import WorkerConnection
from gateway_modules.worker_pool import WorkerPool
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway
from tests.unit.virtual_time import run_virtual

SECRET = {"X-Worker-Secret": "s"}


def in_virtual_time(test: Any) -> Any:
    """Let a test coroutine run with a pool of one fixed worker and a heartbeat every 10 seconds."""

    def run() -> None:
        async def with_pool() -> None:
            pool = WorkerPool(["10.0.0.1:22400"])
            membership = Membership(pool, heartbeat_s=10)
            await test(pool, membership)
            membership.close()

        run_virtual(with_pool())

    run.__name__ = test.__name__
    return run


def online(worker: WorkerConnection) -> WorkerConnection:
    worker.status = GatewayWorkerStatus.IDLE
    return worker


@in_virtual_time
async def test_a_worker_that_falls_silent_is_removed(
    pool: WorkerPool, membership: Membership
) -> None:
    worker = membership.register("10.0.0.2", 22400)
    for _ in range(5):
        await asyncio.sleep(29)
        assert membership.heartbeat(worker.worker_id) is worker
    await asyncio.sleep(31)
    assert membership.heartbeat(worker.worker_id) is None
    assert list(pool.workers) == ["worker_0"]


@in_virtual_time
async def test_a_worker_of_the_list_stays_although_it_says_nothing(
    pool: WorkerPool, membership: Membership
) -> None:
    assert membership.register("10.0.0.1", 22400) is pool.workers["worker_0"]
    await asyncio.sleep(3600)
    assert list(pool.workers) == ["worker_0"]


@in_virtual_time
async def test_one_address_is_one_worker_however_often_it_registers(
    pool: WorkerPool, membership: Membership
) -> None:
    first = membership.register("10.0.0.2", 22400)
    await asyncio.sleep(20)
    assert membership.register("10.0.0.2", 22400) is first
    await asyncio.sleep(20)
    assert list(pool.workers) == ["worker_0", first.worker_id]


@in_virtual_time
async def test_this_machine_is_one_whatever_it_is_called(
    pool: WorkerPool, membership: Membership
) -> None:
    listed = pool.add_worker("localhost", 22400)
    assert membership.register("127.0.0.1", 22400) is listed
    assert membership.register("[::1]", 22400) is listed
    assert membership.register("127.0.0.1", 22401) is not listed


@in_virtual_time
async def test_a_name_is_never_given_twice(pool: WorkerPool, membership: Membership) -> None:
    gone = membership.register("10.0.0.2", 22400).worker_id
    assert membership.remove(gone)
    assert not membership.remove(gone)
    assert membership.register("10.0.0.3", 22400).worker_id != gone


@in_virtual_time
async def test_who_waits_gets_the_worker_that_came(
    pool: WorkerPool, membership: Membership
) -> None:
    _, waiting = pool.enqueue("chat")
    worker = online(membership.register("10.0.0.2", 22400))
    pool._dispatch_next()
    assert await waiting is worker


@in_virtual_time
async def test_a_draining_worker_ends_what_it_does_and_gets_nothing_new(
    pool: WorkerPool, membership: Membership
) -> None:
    worker = online(pool.workers["worker_0"])
    ticket, running = pool.enqueue("chat")
    assert await running is worker
    membership.drain("worker_0")

    _, waiting = pool.enqueue("chat")
    pool.release_ticket(worker, ticket, completed=True, still_busy=False)

    assert not waiting.done()
    assert (pool.idle_count, worker.busy_slots) == (0, [])
    assert pool.degraded_reason == "every worker is being drained"
    assert worker.to_info().draining


@in_virtual_time
async def test_a_drained_worker_is_used_again_once_it_was_restarted(
    pool: WorkerPool, membership: Membership
) -> None:
    worker = pool.workers["worker_0"]
    apply_report(worker, {"boot_id": "first"}, asked_at_s=1.0)
    membership.drain("worker_0")
    apply_report(worker, {"boot_id": "first"}, asked_at_s=2.0)
    assert not worker.is_idle
    apply_report(worker, {"boot_id": "second"}, asked_at_s=3.0)
    assert worker.is_idle


@in_virtual_time
async def test_a_worker_whose_drain_is_ended_serves_who_waits(
    pool: WorkerPool, membership: Membership
) -> None:
    worker = online(pool.workers["worker_0"])
    membership.drain("worker_0")
    _, waiting = pool.enqueue("chat")
    membership.end_drain("worker_0")
    assert waiting.done()
    assert (await waiting, pool.degraded_reason) == (worker, None)


@in_virtual_time
async def test_a_session_outlives_the_removal_of_its_worker(
    pool: WorkerPool, membership: Membership
) -> None:
    worker = online(pool.workers["worker_0"])
    ticket, running = pool.enqueue("chat")
    await running
    membership.remove("worker_0")
    pool.release_ticket(worker, ticket, completed=True, still_busy=False)
    assert worker.busy_slots == []
    assert pool.degraded_reason == "no worker is known"


# -- over HTTP -----------------------------------------------------------------------------------


def test_a_worker_registers_with_the_address_that_it_calls_from(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, security={"worker_secret": "s"})
    with running_gateway(config, STRANGER) as (http, _):
        answer = http.post("/api/workers/register", json={"port": 22400}, headers=SECRET)
        (worker,) = http.get("/workers").json()["workers"]
    assert answer.json() == {"worker_id": worker["worker_id"], "heartbeat_s": 10.0}
    assert (worker["host"], worker["port"]) == ("192.0.2.7", 22400)
    assert (worker["registered"], worker["draining"]) == (True, False)


def test_a_worker_says_where_it_is_beats_drains_and_leaves(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, security={"worker_secret": "s"})
    with running_gateway(config, STRANGER) as (http, _):
        http.headers.update(SECRET)
        place = {"host": "2001:db8::7", "port": 22400}
        name = http.post("/api/workers/register", json=place).json()["worker_id"]
        path = f"/api/workers/{name}"
        assert http.put(f"{path}/heartbeat").json()["worker_id"] == name
        drained = http.post(f"{path}/drain").json()
        assert (drained["host"], drained["draining"]) == ("[2001:db8::7]", True)
        assert not http.delete(f"{path}/drain").json()["draining"]
        assert http.delete(path).json() == {"success": True}
        assert http.put(f"{path}/heartbeat").status_code == 404
        assert http.post(f"{path}/drain").status_code == 404
        assert http.delete(f"{path}/drain").status_code == 404
        assert http.delete(path).json() == {"success": False}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/workers/register"),
        ("PUT", "/api/workers/worker_0/heartbeat"),
        ("POST", "/api/workers/worker_0/drain"),
        ("DELETE", "/api/workers/worker_0/drain"),
        ("DELETE", "/api/workers/worker_0"),
    ],
)
def test_strangers_change_nothing_about_the_workers(tmp_path: Path, method: str, path: str) -> None:
    config = gateway_config(tmp_path, security={"worker_secret": "s"})
    with running_gateway(config, STRANGER) as (http, gateway):
        answer = http.request(method, path, json={"port": 1}, headers={"X-Worker-Secret": "x"})
        assert not gateway.pool.workers
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("host", ["a/b", "a@b", "a b", "a?b", "", "::::", "a:b", "256.1.1.1"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, host: str) -> None:
    config = gateway_config(tmp_path, security={"worker_secret": "s"})
    with running_gateway(config) as (http, gateway):
        place = {"host": host, "port": 22400}
        answer = http.post("/api/workers/register", json=place, headers=SECRET)
        assert not gateway.pool.workers
    assert answer.status_code == 422
