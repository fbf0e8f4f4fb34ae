"""Every way to use the service, one after the other, through a real gateway and a mock worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.service.call_client import call
from tests.service.clients import HELLO, chat, open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient

N_CHUNKS = 5


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("integration")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_mock_worker("--chat-delay", "0.2", "--stream-delay", "0.01")


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker], "--max-queue-size", "20")


@pytest.fixture(autouse=True)
def at_rest(gateway: GatewayProcess) -> Iterator[None]:
    """Each test finds the worker idle and leaves it so."""
    gateway.wait_for_status(idle_workers=1, queue_length=0)
    yield
    gateway.wait_for_status(idle_workers=1, queue_length=0)


def ask(gateway: GatewayProcess) -> dict[str, Any]:
    answer = gateway.http.post("/api/chat", json=HELLO)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_chat_over_http_is_answered_by_the_worker(gateway: GatewayProcess) -> None:
    answer = ask(gateway)
    assert "[Mock]" in answer["text"]
    assert answer["success"] is True


async def test_chats_over_http_wait_for_each_other(gateway: GatewayProcess) -> None:
    answers = await asyncio.gather(*(asyncio.to_thread(ask, gateway) for _ in range(4)))
    assert all("[Mock]" in answer["text"] for answer in answers)


async def test_a_chat_over_a_socket_is_streamed(gateway: GatewayProcess) -> None:
    answer = await chat(gateway)
    assert answer.types == ["prefill_done", *["chunk"] * N_CHUNKS, "done"]
    assert answer.close_code == 1000


async def test_a_conversation_goes_on_over_several_turns(gateway: GatewayProcess) -> None:
    async with open_socket(gateway, "/ws/streaming/talk") as socket:
        client = StreamingClient(socket)
        turns = [await client.turn(question) for question in ("One?", "Two?", "Three?")]
    assert [turn.types for turn in turns] == [["prefill_done", *["chunk"] * N_CHUNKS, "done"]] * 3


@pytest.mark.parametrize("session_id", ["adx_a", "omni_a"])
async def test_each_chunk_of_a_call_has_its_result(
    gateway: GatewayProcess, session_id: str
) -> None:
    async with call(gateway, f"/ws/duplex/{session_id}") as client:
        opening = await client.prepare(system_prompt="Be brief.", config={"max_kv_tokens": 8192})
        for _ in range(N_CHUNKS):
            await client.chunk(1.0)
        results = [await client.receive() for _ in range(N_CHUNKS)]
        ending = await client.stop()
    assert [message["type"] for message in opening] == ["queue_done", "prepared"]
    assert [result["type"] for result in results] == ["result"] * N_CHUNKS
    assert (ending.types, ending.close_code) == (["stopped"], 1000)


async def test_a_call_is_paused_and_resumed(gateway: GatewayProcess) -> None:
    async with call(gateway, "/ws/duplex/omni_paused") as client:
        await client.prepare()
        await client.send("pause", timeout=30)
        await client.until("paused")
        await client.send("resume")
        await client.until("resumed")
        await client.chunk()
        assert (await client.receive())["type"] == "result"
        await client.stop()


async def test_a_spoken_turn_is_heard_and_answered(gateway: GatewayProcess) -> None:
    async with call(gateway, "/ws/half_duplex/hdx_a") as client:
        await client.prepare(system_prompt="Be brief.")
        await client.say()
        turn = await client.until("turn_done")
        await client.stop()
    kinds = [message["type"] for message in turn]
    assert kinds == ["vad_state", "vad_state", "generating", *["chunk"] * N_CHUNKS, "turn_done"]


async def test_a_caller_waits_for_the_one_before(gateway: GatewayProcess) -> None:
    async with call(gateway, "/ws/duplex/omni_first") as first:
        await first.prepare()
        async with call(gateway, "/ws/duplex/omni_second") as second:
            queued = await second.receive()
            await first.stop()
            await second.until("queue_done")
            assert (await second.prepare())[-1]["type"] == "prepared"
            await second.stop()
    assert (queued["type"], queued["position"], queued["queue_length"]) == ("queued", 1, 1)


def test_expected_durations_can_be_read_and_changed(gateway: GatewayProcess) -> None:
    before = gateway.http.get("/api/config/eta").json()["config"]
    changed = gateway.http.put("/api/config/eta", json=before | {"eta_chat_s": 5.0})
    assert changed.status_code == 200
    assert gateway.http.get("/api/config/eta").json()["config"]["eta_chat_s"] == 5.0


def test_the_service_tells_of_its_workers_and_its_queue(gateway: GatewayProcess) -> None:
    status = gateway.status()
    assert (status["total_workers"], status["idle_workers"]) == (1, 1)
    assert gateway.http.get("/workers").json()["total"] == 1
    assert gateway.http.get("/api/queue").json()["items"] == []
    assert gateway.http.get("/cache").status_code == 200
