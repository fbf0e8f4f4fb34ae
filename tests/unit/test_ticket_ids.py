"""What others can do with the ids that they see, guess, or keep for later: nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core import errors
from gateway_modules.lease import Lease
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.worker_pool import WorkerPool
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway

ADMIN = {"Authorization": "Bearer t"}


def one_worker() -> WorkerPool:
    pool = WorkerPool(["localhost:22400"])
    pool.workers["worker_0"].status = GatewayWorkerStatus.IDLE
    return pool


async def test_a_ticket_that_was_served_takes_nothing_from_who_is_served_now() -> None:
    pool = one_worker()
    worker = pool.workers["worker_0"]
    old, future = pool.enqueue("chat")
    await future
    pool.release_ticket(worker, old, completed=True, still_busy=False)
    async with Lease(pool, "chat") as lease:
        await lease.worker()
        assert not pool.cancel(old.ticket_id)
        pool.release_ticket(worker, old, completed=True, still_busy=False)
        assert [slot.ticket_id for slot in worker.busy_slots] == [lease.ticket.ticket_id]


async def test_a_ticket_that_is_served_cannot_be_cancelled_any_more() -> None:
    pool = one_worker()
    async with Lease(pool, "chat") as lease:
        assert not pool.cancel(lease.ticket.ticket_id)
        assert await lease.worker() is pool.workers["worker_0"]


async def test_a_cancelled_ticket_cannot_be_used_again() -> None:
    pool = one_worker()
    async with Lease(pool, "chat") as running, Lease(pool, "chat") as waiting:
        await running.worker()
        ticket_id = waiting.ticket.ticket_id
        assert pool.cancel(ticket_id)
        assert not pool.cancel(ticket_id)
        assert pool.get_ticket(ticket_id) is None
        with pytest.raises(errors.CancelledError):
            await waiting.worker()


def test_strangers_cancel_nothing_and_see_no_session(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, security={"admin_token": "t"})
    with running_gateway(config, STRANGER) as (http, gateway):

        async def queue_up() -> str:
            ticket, _ = gateway.pool.enqueue("omni_duplex", session_id="omni_mine")
            return ticket.ticket_id

        ticket_id = asyncio.run(queue_up())
        path = f"/api/queue/{ticket_id}"
        assert http.delete(path).status_code == 401
        assert http.get(path).json()["ticket"]["session_id"] is None
        assert "omni_mine" not in http.get("/api/queue").text
        assert "omni_mine" in http.get("/api/queue", headers=ADMIN).text
        assert http.get(path, headers=ADMIN).json()["ticket"]["session_id"] == "omni_mine"
        assert http.delete(path, headers=ADMIN).json() == {"success": True}
