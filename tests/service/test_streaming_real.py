"""Streaming turns of the whole service: gateway, worker and the embedded model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.service.clients import open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient
from tests.wire_media import audio_data, image_data

SOON_S = 5.0
SHORT: dict[str, Any] = {"max_new_tokens": 20}
LONG: dict[str, Any] = {"max_new_tokens": 4000, "length_penalty": 5.0}
HELLO = {"role": "user", "content": "Hello"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("streaming_real")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker(sessions={"streaming_prefill_idle_s": 2})


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker])


@asynccontextmanager
async def streaming(
    gateway: GatewayProcess, session_id: str = "a"
) -> AsyncIterator[StreamingClient]:
    async with open_socket(gateway, f"/ws/streaming/{session_id}") as socket:
        yield StreamingClient(socket)


async def until_idle(gateway: GatewayProcess, worker: WorkerProcess) -> None:
    def is_idle() -> bool:
        return worker.health()["worker_status"] == "idle"

    await asyncio.to_thread(worker.wait_until, "idle", is_idle, SOON_S)
    await asyncio.to_thread(gateway.wait_for_status, SOON_S, idle_workers=1)


async def test_the_next_turn_reads_only_the_new_message(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        client.history = [{"role": "system", "content": "Answer briefly."}]
        first = await client.turn("Name a river.", **SHORT)
        second = await client.turn("And a mountain?", **SHORT)
        third = await client.turn("And a lake?", **SHORT)
    assert first.cached_tokens == 0
    stats = first.last["token_stats"]
    n_opening = second.cached_tokens - first.input_tokens - stats["generated_tokens"]
    assert n_opening == 10
    assert second.input_tokens < first.input_tokens
    assert third.cached_tokens > second.cached_tokens + second.input_tokens
    assert third.last["full_text"] == third.text
    assert third.last["token_stats"]["cached_tokens"] == third.cached_tokens


async def test_the_conversation_goes_on_over_another_socket(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello", **SHORT)
    async with streaming(gateway, "later") as later:
        later.history = client.history
        assert (await later.turn("Go on.", **SHORT)).cached_tokens > 0


async def test_another_user_misses_the_cache_and_so_does_the_first_afterwards(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client, streaming(gateway, "b") as other:
        await client.turn("My secret is blue.", **SHORT)
        other.history = [HELLO, {"role": "assistant", "content": "Hi."}]
        assert (await other.turn("What is my secret?", **SHORT)).cached_tokens == 0
        again = await client.turn("What is my secret?", **SHORT)
        assert again.cached_tokens == 0
        assert again.last["type"] == "done"


async def test_a_changed_history_misses_the_cache(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello", **SHORT)
        client.history[-1] = {"role": "assistant", "content": "Something else."}
        assert (await client.turn("Go on.", **SHORT)).cached_tokens == 0


async def test_a_chat_finds_its_place_beside_a_kept_conversation(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello", **SHORT)
        assert worker.health()["kv_cache_length"] > 0
        body = {"messages": [HELLO], "generation": SHORT}
        over_gateway = await asyncio.to_thread(gateway.http.post, "/api/chat", json=body)
        assert over_gateway.json()["success"] is True
        again = await client.turn("Go on.", **SHORT)
        assert (again.cached_tokens, again.last["type"]) == (0, "done")


async def test_a_cache_that_was_lost_behind_the_gateway_is_filled_again(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello", **SHORT)
        cleared = await asyncio.to_thread(httpx.post, f"{worker.url}/clear_cache")
        assert cleared.json()["success"] is True
        again = await client.turn("Go on.", **SHORT)
    assert again.types[0] == "prefill_done"
    assert (again.cached_tokens, again.last["type"]) == (0, "done")


async def test_media_stay_in_the_cache(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        seen = await client.turn(
            [
                {"type": "image", "data": image_data(320, 200)},
                {"type": "audio", "data": audio_data(1.5)},
                {"type": "text", "text": "What is this?"},
            ],
            **SHORT,
        )
        asked = await client.turn("Are you sure?", **SHORT)
    assert seen.input_tokens > 64
    assert asked.cached_tokens > seen.input_tokens
    assert asked.input_tokens < 30


async def begin_long_answer(client: StreamingClient) -> None:
    await client.begin("Tell me a very long story.")
    await client.send("generate", session_id="r", generate_audio=False, **LONG)
    await client.until("chunk")


@pytest.mark.parametrize("way", ["message", "http"])
async def test_stop_ends_the_answer_and_keeps_the_conversation(
    gateway: GatewayProcess, worker: WorkerProcess, way: str
) -> None:
    async with streaming(gateway) as client:
        await client.begin("Tell me a very long story.")
        await client.send("generate", session_id="r", generate_audio=False, **LONG)
        messages = await client.until("chunk")
        if way == "message":
            await client.send("stop")
        else:
            await asyncio.to_thread(gateway.http.post, "/api/streaming/stop")
        messages += await client.until("done")
        assert messages[-1]["stopped"] is True
        assert messages[-1]["token_stats"]["generated_tokens"] < 1000
        await until_idle(gateway, worker)
        text = "".join(m.get("text_delta") or "" for m in messages)
        assert text == messages[-1]["full_text"]
        client.history.append({"role": "assistant", "content": text})
        assert (await client.turn("Go on.", **SHORT)).cached_tokens > 0


@pytest.mark.parametrize("phase", ["connected", "read", "answering", "done"])
async def test_leaving_in_every_phase_frees_the_worker(
    gateway: GatewayProcess, worker: WorkerProcess, phase: str
) -> None:
    async with streaming(gateway) as client:
        if phase == "read":
            await client.begin("Hello")
        elif phase == "answering":
            await begin_long_answer(client)
            assert worker.health()["worker_status"] == "busy_streaming"
        elif phase == "done":
            await client.turn("Hello", **SHORT)
        client.socket.transport.abort()
        await until_idle(gateway, worker)
    async with streaming(gateway, "next") as following:
        assert (await following.turn("Hello", **SHORT)).last["type"] == "done"


async def test_leaving_while_much_is_read_frees_the_worker(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        messages = [{"role": "user", "content": "word " * 20}] * 200
        await client.send("prefill", messages=messages)
        assert (await client.receive())["type"] == "queue_done"
        client.socket.transport.abort()
        await until_idle(gateway, worker)


async def test_a_turn_without_generate_ends_by_itself(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.begin("Hello")
        error = (await client.until("error"))[-1]
        assert error["code"] == "idle_timeout"
        await until_idle(gateway, worker)
        client.history.clear()
        assert (await client.turn("Hello", **SHORT)).last["type"] == "done"


@pytest.mark.parametrize(
    ("prefill", "field"),
    [
        ({"messages": [{"role": "ghost", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "data": "!!"}]}]},
            "messages[0].content[0].data",
        ),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages[0].role"),
    ],
)
async def test_bad_input_is_named_and_the_socket_goes_on(
    gateway: GatewayProcess, prefill: dict[str, Any], field: str
) -> None:
    async with streaming(gateway) as client:
        await client.send("prefill", **prefill)
        error = (await client.until("error"))[-1]
        assert (error["code"], error["field"]) == ("bad_message", field)
        assert (await client.turn("Hello", **SHORT)).last["type"] == "done"


async def test_ten_users_take_turns_on_one_worker(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async def talk(index: int) -> list[str]:
        async with streaming(gateway, f"user-{index}") as client:
            return [(await client.turn(f"Turn {n}", **SHORT)).last["type"] for n in range(3)]

    assert await asyncio.gather(*(talk(index) for index in range(10))) == [["done"] * 3] * 10
    await until_idle(gateway, worker)
