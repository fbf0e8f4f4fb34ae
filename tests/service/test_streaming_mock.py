"""Streaming turns through a real gateway, on mock workers that misbehave on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway_modules.history_hash import compute_history_hash
from tests.service.chat_client import until
from tests.service.clients import open_socket, read_to_close
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient

FAST = ("--stream-delay", "0.01")
SLOW = ("--stream-delay", "60")
WHOLE_TURN = ["prefill_done", *["chunk"] * 5, "done"]


@asynccontextmanager
async def streaming(
    gateway: GatewayProcess, session_id: str = "chat-1"
) -> AsyncIterator[StreamingClient]:
    async with open_socket(gateway, f"/ws/streaming/{session_id}") as socket:
        yield StreamingClient(socket)


async def cache_of(gateway: GatewayProcess, path: str = "/cache") -> list[dict[str, Any]]:
    return (await asyncio.to_thread(gateway.http.get, path)).json()["workers"]


async def stop(gateway: GatewayProcess, **body: Any) -> dict[str, Any]:
    path = "/api/streaming/stop"
    answer = await asyncio.to_thread(gateway.http.post, path, json=body or None)
    assert answer.status_code == 200
    return answer.json()


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("streaming")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(shared_stack: Stack) -> WorkerProcess:
    return shared_stack.start_mock_worker(*FAST)


@pytest.fixture(scope="module")
def gateway(shared_stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return shared_stack.start_gateway([worker])


@pytest.fixture(scope="module")
def steady_gateway(shared_stack: Stack) -> GatewayProcess:
    """In front of a worker that takes 0.3 seconds a chunk."""
    return shared_stack.start_gateway([shared_stack.start_mock_worker("--stream-delay", "0.3")])


@pytest.fixture(scope="module")
def endless_gateway(shared_stack: Stack) -> GatewayProcess:
    """In front of a worker that does not finish an answer in time."""
    return shared_stack.start_gateway([shared_stack.start_mock_worker(*SLOW)])


# -- turns and the cache ---------------------------------------------------------------------------


async def test_queue_done_comes_even_when_a_worker_is_free(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        await client.send("prefill", messages=[{"role": "user", "content": "Hello"}])
        messages = await client.until("prefill_done")
    assert [message["type"] for message in messages] == ["queue_done", "prefill_done"]


async def test_the_second_turn_goes_to_the_cache_with_its_last_message_alone(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        assert (await client.turn("Hello")).types == WHOLE_TURN
        assert (await client.turn("And now?")).types == WHOLE_TURN
        history = client.history
    first, second = (await asyncio.to_thread(worker.requests))[-2:]
    assert (first["clear_kv_cache"], first["history_hash"]) == (True, None)
    assert first["messages"] == history[:1]
    assert second["clear_kv_cache"] is False
    assert second["messages"] == history[2:3]
    assert second["history_hash"] == compute_history_hash(history[:2])


async def test_the_cache_is_shown_and_names_the_whole_conversation(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Which river?")
        whole = compute_history_hash(client.history)
        (shown,) = await cache_of(gateway)
        assert shown["cached_hash"] == f"{whole[:12]}..."
        assert shown["last_cache_used_at"] is not None
        assert await cache_of(gateway, "/api/cache") == [shown]


async def test_a_different_history_is_sent_whole(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client, streaming(gateway, "other") as other:
        await client.turn("Mine")
        other.history = [
            {"role": "user", "content": "Yours"},
            {"role": "assistant", "content": "..."},
        ]
        await other.turn("Go on")
    request = (await asyncio.to_thread(worker.requests))[-1]
    assert request["clear_kv_cache"] is True
    assert len(request["messages"]) == 3


async def test_a_chat_in_between_makes_the_worker_forget(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await asyncio.to_thread(
            gateway.http.post, "/api/chat", json={"messages": client.history[:1]}
        )
        assert (await cache_of(gateway))[0]["cached_hash"] is None
        await client.turn("And now?")
    assert (await asyncio.to_thread(worker.requests))[-1]["clear_kv_cache"] is True


async def test_a_turn_returns_to_the_worker_that_has_its_history(stack: Stack) -> None:
    workers = [stack.start_mock_worker(*FAST) for _ in range(2)]
    gateway = stack.start_gateway(workers)
    async with streaming(gateway, "a") as first, streaming(gateway, "b") as second:
        for client in (first, second, first, second):
            await client.turn("Hello")
    for worker in workers:
        requests = await asyncio.to_thread(worker.requests)
        assert [request["clear_kv_cache"] for request in requests] == [True, False]


async def test_a_client_cannot_ask_for_the_cache_of_another(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Secret")
        stolen = compute_history_hash(client.history)
    async with streaming(gateway, "thief") as thief:
        await thief.begin("Hello", history_hash=stolen, clear_kv_cache=False)
        await thief.finish()
    request = (await asyncio.to_thread(worker.requests))[-1]
    assert (request["clear_kv_cache"], request["history_hash"]) == (True, None)


async def test_a_worker_that_restarted_is_sent_the_whole_history(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker])
    async with streaming(gateway) as client:
        await client.turn("Hello")
        worker.kill()
        worker = stack.start_mock_worker(*FAST, port=worker.port)
        assert (await client.turn("And now?")).types == WHOLE_TURN
    requests = await asyncio.to_thread(worker.requests)
    assert requests[-1]["clear_kv_cache"] is True
    assert len(requests[-1]["messages"]) == 3


async def test_several_prefills_use_the_same_worker(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    n_before = len(await asyncio.to_thread(worker.requests))
    async with streaming(gateway) as client:
        await client.begin("Hello")
        added = [
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "Go on"},
        ]
        await client.send("prefill", messages=added)
        assert (await client.receive())["type"] == "prefill_done"
        client.history += added
        await client.finish()
        whole = compute_history_hash(client.history)
        assert (await cache_of(gateway))[0]["cached_hash"] == f"{whole[:12]}..."
    assert len(await asyncio.to_thread(worker.requests)) == n_before + 1


# -- stop ------------------------------------------------------------------------------------------


async def begin_slow_answer(client: StreamingClient) -> None:
    assert (await client.begin("Hello"))["type"] == "prefill_done"
    await client.send("generate", session_id="r")


async def test_stop_ends_the_answer_and_the_worker_is_free(steady_gateway: GatewayProcess) -> None:
    gateway = steady_gateway
    async with streaming(gateway) as client:
        await begin_slow_answer(client)
        await client.until("chunk")
        await client.send("stop")
        await client.send("stop")
        assert (await client.until("done"))[-1]["stopped"] is True
        await until(gateway, idle_workers=1)
        assert (await client.turn("Again")).types == WHOLE_TURN


async def test_the_stop_route_ends_the_answer_of_one_session(
    steady_gateway: GatewayProcess,
) -> None:
    gateway = steady_gateway
    async with streaming(gateway, "mine+1") as client:
        await begin_slow_answer(client)
        await client.until("chunk")
        assert await stop(gateway, session_id="somebody") == {
            "success": False,
            "message": "No streaming worker found",
        }
        stopped = await stop(gateway, session_id="mine+1")
        assert [entry["worker_id"] for entry in stopped["stopped"]] == ["worker_0"]
        assert (await client.until("done"))[-1]["stopped"] is True


async def test_the_stop_route_ends_all_answers(steady_gateway: GatewayProcess) -> None:
    gateway = steady_gateway
    assert (await stop(gateway))["success"] is False
    async with streaming(gateway) as client:
        await begin_slow_answer(client)
        await client.until("chunk")
        assert (await stop(gateway))["success"] is True
        assert (await client.until("done"))[-1]["stopped"] is True


def test_with_api_keys_a_session_must_be_named(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], security={"api_keys": ["secret"]})
    key = {"X-API-Key": "secret"}
    assert gateway.http.post("/api/streaming/stop").status_code == 401
    unnamed = gateway.http.post("/api/streaming/stop", headers=key)
    assert (unnamed.status_code, unnamed.json()["field"]) == (422, "session_id")
    named = gateway.http.post("/api/streaming/stop", headers=key, json={"session_id": "a"})
    assert named.status_code == 200


# -- clients that leave ----------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["connected", "queued", "read", "answering"])
@pytest.mark.parametrize("way", ["abort", "close", "say close"])
async def test_leaving_in_every_phase_frees_the_worker(
    endless_gateway: GatewayProcess, phase: str, way: str
) -> None:
    gateway = endless_gateway
    async with streaming(gateway, "holder") as holder, streaming(gateway) as client:
        if phase == "queued":
            await holder.begin("Hello")
            await client.send("prefill", messages=[{"role": "user", "content": "Hello"}])
            assert (await client.receive())["type"] == "queued"
        elif phase != "connected":
            await client.begin("Hello")
        if phase == "answering":
            await client.send("generate")
        if way == "abort":
            client.socket.transport.abort()
        elif way == "close":
            await client.socket.close()
        else:
            await client.send("close")
            if phase == "queued":
                await holder.socket.close()
            assert (await read_to_close(client.socket)).close_code == 1000
        if phase == "queued":
            await holder.socket.close()
        await until(gateway, idle_workers=1, queue_length=0)
    async with streaming(gateway) as client:  # a worker that still worked would refuse
        assert (await client.begin("Hello"))["type"] == "prefill_done"


async def test_twenty_clients_killed_at_any_moment_leak_nothing(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "0.02")
    gateway = stack.start_gateway([worker])

    async def visit(index: int) -> None:
        async with streaming(gateway, f"visitor-{index}") as client:
            messages = [{"role": "user", "content": "Hello"}]
            await client.send("prefill", messages=messages)
            await client.send("generate")
            for _ in range(index % 5):
                await client.receive()
            client.socket.transport.abort()

    await asyncio.gather(*(visit(index) for index in range(20)))
    await until(gateway, idle_workers=1, queue_length=0)
    async with streaming(gateway) as client:
        assert (await client.turn("Hello")).types == WHOLE_TURN


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ({"type": "dance"}, "unknown_type", "Unknown type: dance"),
        ({"no": "type"}, "unknown_type", "Unknown type: None"),
        ({"type": "generate"}, "bad_message", "No active worker connection"),
        ({"type": "prefill"}, "bad_message", "messages must be a list with an entry"),
        ({"type": "prefill", "messages": ["x"]}, "bad_message", "messages[0] must be an object"),
    ],
)
async def test_a_wrong_message_is_told_and_the_socket_goes_on(
    gateway: GatewayProcess, message: dict[str, Any], code: str, text: str
) -> None:
    async with streaming(gateway) as client:
        await client.socket.send(json.dumps(message))
        error = await client.receive()
        assert (error["type"], error["code"], error["error"]) == ("error", code, text)
        await client.send("stop")
        assert (await client.turn("Hello")).types == WHOLE_TURN


@pytest.mark.parametrize("kind", ["prefill", "generate", "dance"])
async def test_a_wrong_message_during_the_answer_does_not_end_it(
    steady_gateway: GatewayProcess, kind: str
) -> None:
    gateway = steady_gateway
    async with streaming(gateway) as client:
        await begin_slow_answer(client)
        await client.until("chunk")
        await client.send(kind, messages=[{"role": "user", "content": "Hello"}])
        messages = await client.until("done")
    types = [message["type"] for message in messages]
    assert types.count("error") == 1
    assert messages[-1]["stopped"] is False


async def test_what_is_no_json_ends_the_socket(gateway: GatewayProcess) -> None:
    async with streaming(gateway) as client:
        await client.socket.send("{")
        told = await read_to_close(client.socket)
    assert (told.last["code"], told.close_code) == ("bad_json", 1007)


async def test_an_error_of_the_worker_ends_the_turn_and_not_the_socket(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await asyncio.to_thread(worker.configure, fail_next=1)
        assert (await client.turn("And now?")).last["code"] == "inference_error"
        assert (await cache_of(gateway))[0]["cached_hash"] is None
        client.history.pop()
        assert (await client.turn("Again")).types == WHOLE_TURN


async def test_a_full_queue_is_told_and_the_socket_goes_on(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], "--max-queue-size", "1")
    async with (
        streaming(gateway, "a") as holder,
        streaming(gateway, "b") as waiting,
        streaming(gateway, "c") as refused,
    ):
        await holder.begin("Hello")
        await waiting.send("prefill", messages=[{"role": "user", "content": "Hello"}])
        assert (await waiting.receive())["type"] == "queued"
        assert (await refused.begin("Hello"))["code"] == "queue_full"
        await holder.finish()
        await waiting.until("prefill_done")
        await waiting.finish()
        refused.history.clear()
        assert (await refused.turn("Hello")).types == WHOLE_TURN


async def test_a_ticket_that_is_taken_out_is_told_as_cancelled(
    endless_gateway: GatewayProcess,
) -> None:
    gateway = endless_gateway
    await until(gateway, idle_workers=1)
    async with streaming(gateway, "a") as holder, streaming(gateway, "b") as waiting:
        await holder.begin("Hello")
        await waiting.send("prefill", messages=[{"role": "user", "content": "Hello"}])
        ticket_id = (await waiting.receive())["ticket_id"]
        await asyncio.to_thread(gateway.http.delete, f"/api/queue/{ticket_id}")
        told = await read_to_close(waiting.socket)
    assert (told.last["code"], told.close_code) == ("cancelled", 1000)


def crashing(stack: Stack, chunk_index: int) -> GatewayProcess:
    bad, good = stack.start_mock_worker(*FAST), stack.start_mock_worker(*FAST)
    bad.configure(crash_after_chunks=chunk_index)
    return stack.start_gateway([bad, good])


async def test_a_worker_that_dies_before_the_first_word_is_replaced_silently(stack: Stack) -> None:
    async with streaming(crashing(stack, 0)) as client:
        assert (await client.turn("Hello")).types == WHOLE_TURN


async def test_a_worker_that_dies_after_a_word_is_told_as_lost(stack: Stack) -> None:
    gateway = crashing(stack, 2)
    async with streaming(gateway) as client:
        turn = await client.turn("Hello")
        assert turn.types == ["prefill_done", "chunk", "chunk", "error"]
        assert turn.last["code"] == "worker_lost"
        assert (await read_to_close(client.socket)).close_code == 1011
    await until(gateway, offline_workers=1, idle_workers=1)


async def test_a_socket_on_which_nothing_comes_is_closed(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    gateway = stack.start_gateway([worker], sessions={"streaming_prefill_idle_s": 0.2})
    async with streaming(gateway) as silent:
        told = await read_to_close(silent.socket)
    assert (told.last["code"], told.close_code) == ("idle_timeout", 1000)
    async with streaming(gateway) as client:
        await client.turn("Hello")
        await asyncio.sleep(0.3)  # between turns a client may take its time
        assert (await client.turn("And now?")).types == WHOLE_TURN


async def test_a_page_of_another_site_is_told_why_and_closed(gateway: GatewayProcess) -> None:
    path = "/ws/streaming/a"
    async with open_socket(gateway, path, origin="https://evil.example") as socket:
        told = await read_to_close(socket)
    assert (told.last["code"], told.close_code) == ("origin_forbidden", 1008)
