"""What was heard of a streaming answer cuts what the worker keeps of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from gateway_modules.history_hash import compute_history_hash
from tests.service.clients import open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient

PLAYBACK = {"audio_epoch": 1, "played_ms": 240}
HEARD = {"type": "truncated", "audio_epoch": 1, "text": "heard 240 ms"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("playback")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_mock_worker("--stream-delay", "0.05")


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker])


@asynccontextmanager
async def streaming(
    gateway: GatewayProcess, session_id: str = "chat-1"
) -> AsyncIterator[StreamingClient]:
    async with open_socket(gateway, f"/ws/streaming/{session_id}") as socket:
        yield StreamingClient(socket)


def cached_hash(gateway: GatewayProcess) -> str:
    return gateway.http.get("/cache").json()["workers"][0]["cached_hash"]


async def goes_on_from_what_was_heard(client: StreamingClient, worker: WorkerProcess) -> bool:
    """Whether the next turn finds the cut conversation in the cache."""
    client.history[-1]["content"] = HEARD["text"]
    heard_hash = compute_history_hash(client.history)
    await client.turn("Go on")
    request = (await asyncio.to_thread(worker.requests))[-1]
    return (request["clear_kv_cache"], request["history_hash"]) == (False, heard_hash)


async def test_the_cut_answer_is_what_the_next_turn_goes_on_from(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await client.send("playback", **PLAYBACK)
        assert await client.receive() == HEARD
        assert await goes_on_from_what_was_heard(client, worker)


async def test_playback_told_during_the_answer_cuts_it_afterwards(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.begin("Hello")
        await client.send("generate", session_id="r")
        await client.until("chunk")
        await client.send("stop")
        await client.send("playback", **PLAYBACK)
        told = await client.until("truncated")
        assert [message["type"] for message in told[-2:]] == ["done", "truncated"]
        client.history.append({"role": "assistant", "content": ""})
        assert await goes_on_from_what_was_heard(client, worker)


async def test_an_answer_may_be_cut_twice(gateway: GatewayProcess, worker: WorkerProcess) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await client.send("playback", audio_epoch=1, played_ms=900)
        assert (await client.receive())["text"] == "heard 900 ms"
        await client.send("playback", **PLAYBACK)
        assert await client.receive() == HEARD
        assert await goes_on_from_what_was_heard(client, worker)


async def test_the_epochs_of_a_socket_go_on_from_turn_to_turn(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        for audio_epoch in (1, 2):
            await client.begin("Hello", audio_epoch=9)
            await client.send("generate", session_id="r")
            await client.until("chunk")
            await client.send("stop")
            assert (await client.until("done"))[-1]["audio_epoch"] == audio_epoch
        await client.turn("Go on")
    request = (await asyncio.to_thread(worker.requests))[-1]
    assert request["audio_epoch"] == 2


async def test_playback_told_before_the_answer_begins_cuts_nothing(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await client.begin("And now?")
        await client.send("playback", **PLAYBACK)
        await client.finish()
        await client.send("dance")
        assert (await client.receive())["type"] == "error"


async def test_an_answer_that_nobody_keeps_is_not_cut(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client, streaming(gateway, "other") as other:
        await client.send("playback", **PLAYBACK)
        await client.turn("Hello")
        await other.turn("Mine")
        kept = cached_hash(gateway)
        await client.send("playback", **PLAYBACK)
        await client.send("dance")
        assert (await client.receive())["type"] == "error"
        assert cached_hash(gateway) == kept


async def test_a_worker_that_died_meanwhile_is_no_matter(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "0.01")
    gateway = stack.start_gateway([worker])
    async with streaming(gateway) as client:
        await client.turn("Hello")
        worker.kill()
        await client.send("playback", **PLAYBACK)
        await client.send("dance")
        assert (await client.receive())["type"] == "error"
        assert cached_hash(gateway) is None
