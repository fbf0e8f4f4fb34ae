"""Clients that leave calls and workers that die in them, at every moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.service.call_client import CallClient, call
from tests.service.clients import read_to_close
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

FAST = ("--duplex-delay", "0.01", "--stream-delay", "0.01")
SOON_S = 8.0
DUPLEX, HALF_DUPLEX = "/ws/duplex/omni_a", "/ws/half_duplex/hdx_a"


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("duplex_failures")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(shared_stack: Stack) -> WorkerProcess:
    return shared_stack.start_mock_worker(*FAST)


@pytest.fixture(scope="module")
def gateway(shared_stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return shared_stack.start_gateway([worker])


async def until(gateway: GatewayProcess, **expected: Any) -> None:
    await asyncio.to_thread(gateway.wait_for_status, SOON_S, **expected)


# -- clients that leave ----------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["queued", "assigned", "preparing", "active", "paused"])
@pytest.mark.parametrize("way", ["abort", "close"])
async def test_leaving_in_every_phase_frees_the_worker(
    gateway: GatewayProcess, phase: str, way: str
) -> None:
    await until(gateway, idle_workers=1)
    async with AsyncExitStack() as calls:
        if phase == "queued":
            holder = await calls.enter_async_context(call(gateway, "/ws/duplex/holder"))
            await holder.prepare()
        client = await calls.enter_async_context(call(gateway, DUPLEX))
        if phase == "queued":
            assert (await client.receive())["type"] == "queued"
        elif phase == "assigned":
            assert (await client.receive())["type"] == "queue_done"
        elif phase == "preparing":
            await client.send("prepare")
        else:
            await client.prepare()
        if phase == "active":
            for _ in range(5):
                await client.chunk()
        elif phase == "paused":
            await client.send("pause")
            await client.until("paused")
        if way == "abort":
            client.socket.transport.abort()
        else:
            await client.socket.close()
        await until(gateway, queue_length=0, idle_workers=0 if phase == "queued" else 1)
    await until(gateway, idle_workers=1)


async def test_leaving_while_the_gateway_connects_frees_the_worker(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker])
    worker.suspend()
    async with call(gateway, DUPLEX) as client:
        assert (await client.receive())["type"] == "queue_done"
        client.socket.transport.abort()
        await until(gateway, queue_length=0)
    worker.resume()
    await until(gateway, idle_workers=1)


async def test_a_worker_that_still_works_is_not_given_away(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker])
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await asyncio.to_thread(worker.configure, worker_status="duplex_active")
    async with call(gateway, HALF_DUPLEX) as waiting:
        assert (await waiting.receive())["type"] == "queued"
        await asyncio.to_thread(worker.configure, worker_status="")
        await waiting.until("queue_done")
        assert (await waiting.prepare())[-1]["type"] == "prepared"


@pytest.mark.parametrize("path", ["/ws/duplex", "/ws/half_duplex"])
async def test_twenty_clients_killed_at_any_moment_leak_nothing(
    gateway: GatewayProcess, path: str
) -> None:
    async def visit(index: int) -> None:
        async with call(gateway, f"{path}/visitor_{index}") as client:
            await client.send("prepare")
            await client.chunk()
            for _ in range(index % 4):
                await client.receive()
            client.socket.transport.abort()

    await asyncio.gather(*(visit(index) for index in range(20)))
    await until(gateway, idle_workers=1, queue_length=0)
    async with call(gateway, DUPLEX) as client:
        assert (await client.prepare())[-1]["type"] == "prepared"


async def test_a_ticket_that_is_taken_out_is_told_as_cancelled(gateway: GatewayProcess) -> None:
    await until(gateway, idle_workers=1)
    async with call(gateway, DUPLEX) as holder, call(gateway, HALF_DUPLEX) as waiting:
        await holder.prepare()
        ticket_id = (await waiting.receive())["ticket_id"]
        await asyncio.to_thread(gateway.http.delete, f"/api/queue/{ticket_id}")
        told = await read_to_close(waiting.socket)
    assert (told.last["code"], told.close_code) == ("cancelled", 1000)


# -- workers that die ------------------------------------------------------------------------------


async def killed_while(client: CallClient, worker: WorkerProcess) -> tuple[str, int | None]:
    """The last error and the close code, when the worker dies now."""
    await asyncio.to_thread(worker.kill)
    told = await read_to_close(client.socket)
    return told.last["code"], told.close_code


@pytest.mark.parametrize("path", [DUPLEX, HALF_DUPLEX])
async def test_a_worker_that_dies_in_a_call_is_told_as_lost(stack: Stack, path: str) -> None:
    first, second = stack.start_mock_worker(*FAST), stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([first, second])
    async with call(gateway, path) as client:
        await client.prepare()
        await client.chunk()
        assert await killed_while(client, first) == ("worker_lost", 1011)
    await until(gateway, offline_workers=1, idle_workers=1)
    async with call(gateway, path) as client:
        assert (await client.prepare())[-1]["type"] == "prepared"


async def test_a_worker_that_dies_in_a_pause_is_told_as_lost(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker])
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await client.send("pause")
        await client.until("paused")
        assert await killed_while(client, worker) == ("worker_lost", 1011)
    await until(gateway, offline_workers=1)
    stack.start_mock_worker(*FAST, port=worker.port)
    await until(gateway, idle_workers=1)


async def test_a_worker_that_refuses_is_replaced_silently(stack: Stack) -> None:
    first, second = stack.start_mock_worker(*FAST), stack.start_mock_worker(*FAST)
    first.configure(refuse_next=1)
    gateway = stack.start_gateway([first, second])
    async with call(gateway, DUPLEX) as client:
        opening = await client.prepare()
        assert [message["type"] for message in opening] == ["queue_done", "prepared"]
        await client.stop()
    assert [frame["type"] for frame in second.received()] == ["prepare", "stop"]


async def test_a_worker_that_dies_while_it_prepares_is_replaced_silently(stack: Stack) -> None:
    first, second = stack.start_mock_worker(*FAST), stack.start_mock_worker(*FAST)
    first.configure(hang_next=1)
    gateway = stack.start_gateway([first, second])
    async with call(gateway, DUPLEX) as client:
        await client.send("prepare", note=1)
        await client.send("playback", audio_epoch=0, played_ms=0)
        await asyncio.to_thread(
            first.wait_until, "two frames", lambda: len(first.received()) == 2, SOON_S
        )
        await asyncio.to_thread(first.kill)
        opening = await client.until("prepared")
        assert [message["type"] for message in opening] == ["queue_done", "prepared"]
    assert [frame["type"] for frame in second.received()] == ["prepare", "playback"]


async def test_two_workers_that_refuse_are_told_as_lost(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(3)]
    for worker in workers[:2]:
        worker.configure(refuse_next=1)
    gateway = stack.start_gateway(workers)
    async with call(gateway, DUPLEX) as client:
        told = await read_to_close(client.socket)
    assert (told.types, told.close_code) == (["queue_done", "error"], 1011)
    assert told.last["code"] == "worker_lost"
    assert workers[2].received() == []
    await until(gateway, idle_workers=3)


async def test_a_service_that_ends_closes_the_call(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker(*FAST)])
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await asyncio.to_thread(gateway.stop)
        assert (await read_to_close(client.socket)).close_code == 1001
