"""Clients whose connections break at any moment, again and again, leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway_modules.app import create_app
from gateway_modules.server import make_server
from gateway_modules.state import Gateway, GatewayOptions
from tests import mock_worker
from tests.mock_worker_state import Behaviour, MockWorker
from tests.service.call_client import sound
from tests.service.clients import HELLO
from tests.service.processes import free_port
from tests.unit.gateway_client import gateway_config

N_KILLS = 200
N_AT_A_TIME = 14
LONGEST_PAUSE_S = 0.02
LEAST_OF_EACH = 10
SOON_S = 10.0
BRISK = Behaviour(stream_delay=0.005, stream_chunks=20, duplex_delay=0.005, slots_total=4)
MOMENTS = ("opened", "queued", "queue_done", "prefill_done", "prepared", "chunk", "result")
LAST_OF_HALF_DUPLEX = MOMENTS.index("prepared")  # where nobody speaks
KINDS: dict[str, list[dict[str, Any]]] = {
    "/ws/chat": [HELLO],
    "/ws/streaming/": [{"type": "prefill", **HELLO}, {"type": "generate", "generate_audio": False}],
    "/ws/half_duplex/hdx_": [{"type": "prepare"}],
    "/ws/duplex/omni_": [
        {"type": "prepare"},
        *[{"type": "audio_chunk", "audio_base64": sound(0.01)}] * 3,
    ],
}


@asynccontextmanager
async def serving(server: uvicorn.Server) -> AsyncIterator[None]:
    """In the block the server answers."""
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn only sets this)
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[tuple[Gateway, list[MockWorker]]]:
    """A gateway and two workers in this process."""
    async with AsyncExitStack() as stack:
        apps = [mock_worker.create_app(index, BRISK) for index in range(2)]
        ports = [free_port() for _ in range(3)]
        for app, port in zip(apps, ports[1:], strict=True):
            config = uvicorn.Config(app, port=port, log_config=None)
            await stack.enter_async_context(serving(uvicorn.Server(config)))
        config = gateway_config(
            folder, service={"gateway_port": ports[0], "host": "127.0.0.1", "data_dir": str(folder)}
        )
        workers = tuple(f"127.0.0.1:{port}" for port in ports[1:])
        app = create_app(config, GatewayOptions(workers=workers))
        await stack.enter_async_context(serving(make_server(app, config, None)))
        yield app.state.gateway, [worker_app.state.worker for worker_app in apps]


async def listen(socket: ClientConnection, moment: int) -> str:
    """Until this moment or a later one of `MOMENTS`, or to the end; the last thing heard."""
    heard = "opened"
    with suppress(ConnectionClosed):
        while heard not in MOMENTS[moment:]:
            heard = json.loads(await socket.recv())["type"]
    return heard


async def be_killed(port: int, index: int, chance: random.Random) -> str:
    """Come, ask, and be cut off at some moment; the last thing heard."""
    kind = chance.choice(list(KINDS))
    name = "" if kind == "/ws/chat" else str(index)
    moment = chance.randrange(LAST_OF_HALF_DUPLEX + 1 if "half" in kind else len(MOMENTS) - 1)
    async with connect(f"ws://127.0.0.1:{port}{kind}{name}", proxy=None) as socket:
        with suppress(ConnectionClosed):
            for message in KINDS[kind]:
                await socket.send(json.dumps(message))
        heard = await listen(socket, moment)
        await asyncio.sleep(chance.uniform(0, LONGEST_PAUSE_S))
        socket.transport.abort()
    return heard


def is_at_rest(gateway: Gateway, workers: list[MockWorker]) -> bool:
    return (
        gateway.pool.queue_length == len(gateway.sockets) == 0
        and gateway.pool.idle_count == len(workers)
        and not any(worker.busy_slots for worker in gateway.pool.workers.values())
        and not any(worker.running for worker in workers)
    )


async def rest(gateway: Gateway, workers: list[MockWorker]) -> None:
    while not is_at_rest(gateway, workers):  # noqa: ASYNC110 (nothing tells of all this)
        await asyncio.sleep(0.01)


async def test_two_hundred_killed_clients_leave_nothing_behind(tmp_path: Path) -> None:
    chance = random.Random(7)
    last_heard: Counter[str] = Counter()
    async with service(tmp_path) as (gateway, workers):
        port, turns = gateway.config.service.gateway_port, asyncio.Semaphore(N_AT_A_TIME)

        async def one(index: int) -> None:
            async with turns:
                last_heard[await be_killed(port, index, chance)] += 1

        await asyncio.gather(*(one(index) for index in range(N_KILLS)))
        await asyncio.wait_for(rest(gateway, workers), SOON_S)
        async with connect(f"ws://127.0.0.1:{port}/ws/chat", proxy=None) as socket:
            await socket.send(json.dumps(HELLO))
            types = [json.loads(frame)["type"] async for frame in socket]

    in_queue = last_heard["queued"]
    in_chat, in_call = last_heard["chunk"], last_heard["result"] + last_heard["prepared"]
    assert min(in_queue, in_chat, in_call) >= LEAST_OF_EACH, last_heard
    assert types[-1] == "done"
