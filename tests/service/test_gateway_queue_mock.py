"""The queue, and clients that leave: a real gateway in front of mock workers that are slow."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.service.chat_client import FAST, SOON_S, begin, post, until
from tests.service.clients import HELLO, chat, open_socket, read_to_close, receive
from tests.service.stack import Stack

# -- the queue -----------------------------------------------------------------------------------


async def test_a_full_queue_is_told_at_once(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker], "--max-queue-size", "1")
    async with open_socket(gateway) as working, open_socket(gateway) as waiting:
        await begin(working)
        await waiting.send(json.dumps(HELLO))
        assert (await receive(waiting))["type"] == "queued"

        over_http = await asyncio.to_thread(post, gateway)
        over_socket = await chat(gateway)

    assert over_http.status_code == 503
    assert over_http.json()["error"] == "Queue full (1 requests)"
    assert over_http.json()["code"] == over_socket.last["code"] == "queue_full"
    assert int(over_http.headers["Retry-After"]) > 0
    assert over_socket.close_code == 1013


async def test_a_waiting_socket_hears_its_place_and_then_the_answer(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    worker.configure(hang_next=1)
    gateway = stack.start_gateway([worker])
    async with (
        open_socket(gateway) as working,
        open_socket(gateway) as first,
        open_socket(gateway) as second,
    ):
        await begin(working)
        for socket, position in ((first, 1), (second, 2)):
            await socket.send(json.dumps(HELLO))
            queued = await receive(socket)
            assert (queued["type"], queued["position"]) == ("queued", position)
            assert queued["estimated_wait_s"] == queued["eta_seconds"] > 0
            assert queued["queue_length"] == position

        await working.close()

        assert [await read_to_close(first), moved := await read_to_close(second)]
    assert moved.types[0] == "queue_update"
    assert moved.messages[0]["position"] == 1
    assert moved.types[moved.types.index("queue_done") + 1] == "prefill_done"
    assert (moved.last["type"], moved.close_code) == ("done", 1000)


async def test_queue_updates_come_at_least_every_three_seconds(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker], sessions={"queue_update_s": 0.3})
    async with open_socket(gateway) as working, open_socket(gateway) as waiting:
        await begin(working)
        await waiting.send(json.dumps(HELLO))
        assert (await receive(waiting))["type"] == "queued"
        updates = [await receive(waiting, timeout_s=1) for _ in range(3)]
    assert [update["type"] for update in updates] == ["queue_update"] * 3
    waits_s = [update["estimated_wait_s"] for update in updates]
    assert waits_s == sorted(waits_s, reverse=True)
    assert waits_s[0] > waits_s[-1]


async def test_frames_sent_while_waiting_reach_the_worker_in_order(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "0.2")
    worker.configure(hang_next=1)
    gateway = stack.start_gateway([worker])
    async with open_socket(gateway) as working, open_socket(gateway) as waiting:
        await begin(working)
        await waiting.send(json.dumps(HELLO))
        await waiting.send(json.dumps({"type": "stop"}))
        assert (await receive(waiting))["type"] == "queued"
        await working.close()
        answer = await read_to_close(waiting)
    assert (answer.last["type"], answer.last["stopped"]) == ("done", True)


async def test_too_many_frames_while_waiting_end_the_socket_with_1009(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker], limits={"early_frames": 4})
    async with open_socket(gateway) as working, open_socket(gateway) as waiting:
        await begin(working)
        for _ in range(8):
            await waiting.send(json.dumps(HELLO))
        told = await read_to_close(waiting)
        assert (told.last["code"], told.close_code) == ("too_large", 1009)
        await until(gateway, queue_length=0)


async def test_a_client_that_leaves_the_queue_leaves_no_ticket(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker])
    async with open_socket(gateway) as working:
        await begin(working)
        async with open_socket(gateway) as waiting:
            await waiting.send(json.dumps(HELLO))
            assert (await receive(waiting))["type"] == "queued"
            await until(gateway, queue_length=1)
            waiting.transport.abort()
        await until(gateway, queue_length=0)


async def test_an_http_client_that_leaves_the_queue_leaves_no_ticket(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker])
    async with open_socket(gateway) as working, httpx.AsyncClient(base_url=gateway.url) as client:
        await begin(working)
        asking = asyncio.create_task(client.post("/api/chat", json=HELLO))
        await until(gateway, queue_length=1)
        asking.cancel()
        await until(gateway, queue_length=0)


async def test_twenty_waiting_chats_are_all_answered(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(2)]
    gateway = stack.start_gateway(workers)
    over_sockets = [chat(gateway) for _ in range(10)]
    over_http = [asyncio.to_thread(post, gateway) for _ in range(10)]
    answers: list[Any] = await asyncio.gather(*over_sockets, *over_http)
    assert [answer.last["type"] for answer in answers[:10]] == ["done"] * 10
    assert [answer.status_code for answer in answers[10:]] == [200] * 10
    await until(gateway, idle_workers=2, queue_length=0)


# -- clients that leave --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_socket_client_that_leaves_frees_the_worker(stack: Stack, how: str) -> None:
    worker = stack.start_mock_worker("--stream-delay", "60")
    gateway = stack.start_gateway([worker])
    async with open_socket(gateway) as socket:
        await begin(socket)
        if how == "abort":
            socket.transport.abort()
        else:
            await socket.close()
    await until(gateway, idle_workers=1)
    worker.wait_until("idle", lambda: worker.health()["worker_status"] == "idle", SOON_S)


async def test_an_http_client_that_leaves_frees_the_worker(stack: Stack) -> None:
    worker = stack.start_mock_worker("--chat-delay", "60")
    gateway = stack.start_gateway([worker])
    async with httpx.AsyncClient(base_url=gateway.url) as client:
        asking = asyncio.create_task(client.post("/api/chat", json=HELLO))
        await until(gateway, busy_workers=1)
        asking.cancel()
        await until(gateway, idle_workers=1)
    worker.wait_until("idle", lambda: worker.health()["worker_status"] == "idle", SOON_S)


async def test_clients_killed_in_every_phase_leak_nothing(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "0.02")
    gateway = stack.start_gateway([worker])

    async def visit(index: int) -> None:
        async with open_socket(gateway) as socket:
            await socket.send(json.dumps(HELLO))
            for _ in range(index % 4):
                await receive(socket)
            socket.transport.abort()

    await asyncio.gather(*(visit(index) for index in range(40)))

    await until(gateway, idle_workers=1, queue_length=0)
    assert (await chat(gateway)).last["type"] == "done"
