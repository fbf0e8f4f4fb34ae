"""A day at the service in short: three workers, TLS, and users of every kind at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.service.call_client import call
from tests.service.clients import HELLO, chat, open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient

N_WORKERS = 3
N_USERS = 4  # of each kind
N_CHUNKS = 5


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("e2e"), tls=True) as stack:
        yield stack


@pytest.fixture(scope="module")
def workers(stack: Stack) -> list[WorkerProcess]:
    delays = ("--chat-delay", "0.05", "--stream-delay", "0.01", "--duplex-delay", "0.01")
    return [stack.start_mock_worker(*delays, "--strict") for _ in range(N_WORKERS)]


@pytest.fixture(scope="module")
def gateway(stack: Stack, workers: list[WorkerProcess]) -> GatewayProcess:
    return stack.start_gateway(workers)


async def ask(gateway: GatewayProcess) -> None:
    answer = await asyncio.to_thread(gateway.http.post, "/api/chat", json=HELLO)
    assert answer.status_code == 200
    assert answer.json()["text"]


async def stream(gateway: GatewayProcess) -> None:
    assert (await chat(gateway)).last["type"] == "done"


async def talk(gateway: GatewayProcess, index: int) -> None:
    async with open_socket(gateway, f"/ws/streaming/talk_{index}") as socket:
        client = StreamingClient(socket)
        for question in ("Hello", "And then?"):
            assert (await client.turn(question)).last["type"] == "done"


async def phone(gateway: GatewayProcess, index: int) -> None:
    async with call(gateway, f"/ws/duplex/omni_{index}") as client:
        await client.prepare(config={"max_kv_tokens": 8192}, tts_ref_audio_base64="")
        for _ in range(N_CHUNKS):
            await client.chunk()
        results = [await client.receive() for _ in range(N_CHUNKS)]
        assert [result["current_time"] for result in results] == list(range(N_CHUNKS))
        assert (await client.stop()).close_code == 1000


async def speak(gateway: GatewayProcess, index: int) -> None:
    async with call(gateway, f"/ws/half_duplex/hdx_{index}") as client:
        await client.prepare()
        await client.say()
        assert (await client.until("turn_done"))[-1]["turn_index"] == 1
        assert (await client.stop()).close_code == 1000


async def test_users_of_every_kind_share_three_workers(
    gateway: GatewayProcess, workers: list[WorkerProcess]
) -> None:
    users = []
    for index in range(N_USERS):
        users += [ask(gateway), stream(gateway), talk(gateway, index)]
        users += [phone(gateway, index), speak(gateway, index)]

    await asyncio.gather(*users)

    await asyncio.to_thread(gateway.wait_for_status, idle_workers=N_WORKERS, queue_length=0)
    n_sessions = [worker.health()["total_requests"] for worker in workers]
    assert sum(n_sessions) >= 6 * N_USERS  # a conversation has two turns
    assert all(n_sessions)
    assert "Traceback" not in gateway.log
