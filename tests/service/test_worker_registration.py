"""Workers that come and go at run time: a real gateway, mock workers, and one real worker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.service.clients import HELLO, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

SECRET = "a secret of the test"
HEADERS = {"X-Worker-Secret": SECRET}
HEARTBEAT_S = 1.0
SECURITY = {"worker_secret": SECRET}


def start_gateway(stack: Stack, port: int | None = None) -> GatewayProcess:
    """One that knows no worker and expects heartbeats often."""
    sessions = {"health_period_s": HEARTBEAT_S}
    return stack.start_gateway(
        [], "--num-workers", "0", wait_ready=False, port=port, sessions=sessions, security=SECURITY
    )


def call(gateway: GatewayProcess, method: str, path: str, **options: Any) -> httpx.Response:
    return gateway.http.request(method, f"/api/workers/{path}", headers=HEADERS, **options)


def register(gateway: GatewayProcess, worker: WorkerProcess) -> str:
    """What a mock worker does not do by itself; returns its name."""
    place = {"host": "127.0.0.1", "port": worker.port}
    return call(gateway, "POST", "register", json=place).json()["worker_id"]


def post_chat(gateway: GatewayProcess) -> httpx.Response:
    return gateway.http.post("/api/chat", json=HELLO)


async def beat(gateway: GatewayProcess, name: str) -> None:
    """Send heartbeats until cancelled."""
    while True:
        await asyncio.to_thread(call, gateway, "PUT", f"{name}/heartbeat")
        await asyncio.sleep(HEARTBEAT_S)


def test_a_worker_serves_once_it_has_registered_and_no_longer_when_it_left(stack: Stack) -> None:
    gateway = start_gateway(stack)
    worker = stack.start_mock_worker("--chat-delay", "0.01")
    assert post_chat(gateway).json()["code"] == "not_ready"

    name = register(gateway, worker)
    gateway.wait_for_status(timeout_s=5, idle_workers=1)
    assert post_chat(gateway).status_code == 200

    assert call(gateway, "DELETE", name).json() == {"success": True}
    assert post_chat(gateway).json()["error"] == "No worker available: no worker is known"


def test_a_worker_without_heartbeat_is_removed(stack: Stack) -> None:
    gateway = start_gateway(stack)
    name = register(gateway, stack.start_mock_worker())
    assert gateway.status()["total_workers"] == 1
    gateway.wait_for_status(timeout_s=10, total_workers=0)
    assert call(gateway, "PUT", f"{name}/heartbeat").status_code == 404


async def test_a_draining_worker_ends_its_answer_and_another_one_takes_over(stack: Stack) -> None:
    gateway = start_gateway(stack)
    slow = stack.start_mock_worker("--stream-delay", "0.3", "--stream-chunks", "4")
    fast = stack.start_mock_worker("--chat-delay", "0.01")
    slow_name = register(gateway, slow)
    beating = [asyncio.create_task(beat(gateway, slow_name))]
    await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=1)
    async with open_socket(gateway) as socket:
        await socket.send(json.dumps(HELLO))
        assert (await receive(socket))["type"] == "prefill_done"

        drained = await asyncio.to_thread(call, gateway, "POST", f"{slow_name}/drain")
        assert (drained.json()["draining"], drained.json()["slots_busy"]) == (True, 1)
        refused = await asyncio.to_thread(post_chat, gateway)
        assert refused.json()["error"].endswith("every worker is being drained")

        beating.append(asyncio.create_task(beat(gateway, register(gateway, fast))))
        await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=1)
        assert (await asyncio.to_thread(post_chat, gateway)).status_code == 200
        told = await read_to_close(socket)

    assert (told.last["type"], told.close_code) == ("done", 1000)
    assert len(fast.requests()) == len(slow.requests()) == 1
    for task in beating:
        task.cancel()


@pytest.mark.slow
def test_a_real_worker_comes_to_a_gateway_and_leaves_it(stack: Stack) -> None:
    gateway = start_gateway(stack)
    worker = stack.start_worker("--register", gateway.url, security=SECURITY)
    gateway.wait_for_status(timeout_s=10, idle_workers=1)
    assert post_chat(gateway).json()["success"]

    worker.stop()

    assert gateway.status()["total_workers"] == 0


@pytest.mark.slow
def test_a_gateway_that_was_restarted_is_found_again(stack: Stack) -> None:
    first = start_gateway(stack)
    worker = stack.start_worker("--register", first.url, security=SECURITY)
    first.wait_for_status(timeout_s=10, idle_workers=1)
    first.kill()

    second = start_gateway(stack, first.port)

    second.wait_for_status(timeout_s=10, idle_workers=1)
    assert worker.is_running


@pytest.mark.slow
def test_the_secret_opens_a_worker_that_other_machines_can_reach(stack: Stack) -> None:
    gateway = start_gateway(stack)
    listens = ("--host", "0.0.0.0", "--register", gateway.url, "--advertise", "127.0.0.1")
    worker = stack.start_worker(*listens, security=SECURITY)
    gateway.wait_for_status(timeout_s=10, idle_workers=1)

    assert post_chat(gateway).json()["success"]
    for path in ("/health", "/metrics"):
        assert httpx.get(worker.url + path, trust_env=False).status_code == 401
    assert httpx.get(f"{worker.url}/live", trust_env=False).status_code == 200
