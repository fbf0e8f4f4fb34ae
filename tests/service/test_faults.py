"""Processes that are killed or freeze, and clients that go silent, while others use the service."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.service.call_client import CallClient, call, sound
from tests.service.clients import HELLO, chat, read_to_close
from tests.service.cut_line import CutLine
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

SOON_S = 10.0
LARGEST_FILE = 20_000  # bytes: less than a second of sound
SLOW = ("--stream-delay", "0.2", "--duplex-delay", "0.01")
PATIENCE = {
    "ping_period_s": 0.4,
    "pong_wait_s": 0.6,
    "worker_connect_s": 1,
    "health_period_s": 1,
    "health_timeout_s": 0.5,
}
PATHS = {"chat": "/ws/chat", "streaming": "/ws/streaming/user", "duplex": "/ws/duplex/omni_user"}
OPENINGS: dict[str, list[dict[str, Any]]] = {
    "chat": [HELLO],
    "streaming": [{"type": "prefill", **HELLO}, {"type": "generate", "generate_audio": False}],
    "duplex": [{"type": "prepare"}, {"type": "audio_chunk", "audio_base64": sound(0.01)}],
}
ANSWER_BEGINS = {"chat": "chunk", "streaming": "chunk", "duplex": "result"}
ANSWER_ENDS = {"chat": "done", "streaming": "done", "duplex": "result"}

every_kind = pytest.mark.parametrize("kind", list(PATHS))
every_fault = pytest.mark.parametrize("fault", ["killed", "frozen"])


@dataclass
class Service:
    """Two workers: the `victim` has room for one session and is used first, the other for two."""

    stack: Stack
    victim: WorkerProcess
    other: WorkerProcess
    gateway: GatewayProcess

    def strike(self, fault: str) -> None:
        if fault == "killed":
            self.victim.kill()
        else:
            self.victim.suspend()

    def heal(self) -> None:
        """The victim works again: started anew where it was killed."""
        if self.victim.is_running:
            self.victim.resume()
        else:
            self.victim = self.stack.start_mock_worker(*SLOW, port=self.victim.port)
        self.gateway.wait_for_status(SOON_S, idle_workers=2, queue_length=0)

    async def struck(self, fault: str) -> None:
        await asyncio.to_thread(self.strike, fault)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Stack(tmp_path_factory.mktemp("faults")) as stack:
        victim = stack.start_mock_worker(*SLOW)
        other = stack.start_mock_worker(*SLOW, "--slots", "2")
        gateway = stack.start_gateway([victim, other], sessions=PATIENCE)
        yield Service(stack, victim, other, gateway)


@pytest.fixture
def service(shared: Service) -> Iterator[Service]:
    """Healed before and after each test."""
    shared.heal()
    yield shared
    shared.heal()


@asynccontextmanager
async def user(port: int, kind: str) -> AsyncIterator[CallClient]:
    """Somebody who has said all that is needed for an answer."""
    async with connect(f"ws://127.0.0.1:{port}{PATHS[kind]}", proxy=None) as socket:
        for message in OPENINGS[kind]:
            await socket.send(json.dumps(message))
        yield CallClient(socket)


@asynccontextmanager
async def bystander(gateway: GatewayProcess, name: str = "bystander") -> AsyncIterator[CallClient]:
    """A caller on the other worker, who loses nothing."""
    async with call(gateway, f"/ws/duplex/{name}") as client:
        await client.prepare()
        yield client
        await client.chunk()
        assert (await client.receive())["type"] == "result"
        assert (await client.stop()).close_code == 1000


# -- workers ---------------------------------------------------------------------------------------


@every_kind
@every_fault
async def test_an_answer_that_has_begun_ends_with_a_retryable_error(
    service: Service, kind: str, fault: str
) -> None:
    async with user(service.gateway.port, kind) as client:
        await client.until(ANSWER_BEGINS[kind])
        async with bystander(service.gateway):
            await service.struck(fault)
            told = await read_to_close(client.socket)
    assert (told.last["code"], told.close_code) == ("worker_lost", 1011)


@every_kind
@every_fault
async def test_an_answer_that_has_not_begun_is_given_by_another_worker(
    service: Service, kind: str, fault: str
) -> None:
    service.victim.configure(hang_next=1)
    async with user(service.gateway.port, kind) as client:
        await asyncio.to_thread(
            service.victim.wait_until,
            "the opening",
            lambda: len(service.victim.received()) >= len(OPENINGS[kind]),
            SOON_S,
        )
        async with bystander(service.gateway):
            await service.struck(fault)
            heard = await client.until(ANSWER_ENDS[kind], "error")
    assert heard[-1]["type"] == ANSWER_ENDS[kind]


@every_kind
@every_fault
async def test_who_waits_keeps_the_place_and_is_served(
    service: Service, kind: str, fault: str
) -> None:
    async with AsyncExitStack() as users:
        held = await users.enter_async_context(call(service.gateway, "/ws/duplex/held"))
        await held.prepare()
        await held.chunk()
        await held.until("result")
        await users.enter_async_context(bystander(service.gateway))
        second = await users.enter_async_context(call(service.gateway, "/ws/duplex/second"))
        await second.prepare()
        waiting = await users.enter_async_context(user(service.gateway.port, kind))
        assert (await waiting.until("queued"))[-1]["position"] == 1
        await service.struck(fault)
        assert (await read_to_close(held.socket)).last["code"] == "worker_lost"
        assert service.gateway.status()["queue_length"] == 1
        await second.stop()
        heard = await waiting.until(ANSWER_ENDS[kind], "error")
    assert heard[-1]["type"] == ANSWER_ENDS[kind]
    assert {m["position"] for m in heard if m["type"] == "queue_update"} <= {1}


async def test_a_frozen_worker_is_given_nobody(service: Service) -> None:
    await service.struck("frozen")
    await asyncio.to_thread(service.gateway.wait_for_status, SOON_S, offline_workers=1)
    for _ in range(3):
        assert (await chat(service.gateway)).types[0] == "prefill_done"


# -- the gateway -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "close_code"), [("stop", 1001), ("kill", 1006)])
async def test_a_gateway_that_ends_leaves_the_workers_to_its_successor(
    stack: Stack, ending: str, close_code: int
) -> None:
    workers = [stack.start_mock_worker(*SLOW, "--slots", "2") for _ in range(2)]
    gateway = stack.start_gateway(workers, sessions=PATIENCE)
    async with AsyncExitStack() as users:
        clients = [await users.enter_async_context(user(gateway.port, kind)) for kind in PATHS]
        for kind, client in zip(PATHS, clients, strict=True):
            await client.until(ANSWER_BEGINS[kind])
        await asyncio.to_thread(getattr(gateway, ending))
        endings = [await read_to_close(client.socket) for client in clients]
    assert {end.close_code for end in endings} == {close_code}
    successor = await asyncio.to_thread(stack.start_gateway, workers, sessions=PATIENCE)
    await asyncio.to_thread(successor.wait_for_status, SOON_S, idle_workers=2)
    for worker in workers:
        worker.wait_until("rest", lambda w=worker: w.health()["slots_busy"] == 0, SOON_S)
    assert (await chat(successor)).last["type"] == "done"


# -- clients ---------------------------------------------------------------------------------------


@every_kind
async def test_a_connection_that_is_cut_without_a_word_frees_its_worker(
    service: Service, kind: str
) -> None:
    async with CutLine(service.gateway.port) as line:
        async with bystander(service.gateway, "first"), bystander(service.gateway, "second"):
            async with user(line.port, kind) as client:
                await client.until(ANSWER_BEGINS[kind])
                line.cut()
                await asyncio.to_thread(
                    service.gateway.wait_for_status, SOON_S, busy_workers=1, queue_length=0
                )
                client.socket.transport.abort()


async def test_a_connection_that_is_cut_while_it_waits_gives_up_its_place(
    service: Service,
) -> None:
    async with CutLine(service.gateway.port) as line, AsyncExitStack() as others:
        for name in ("first", "second", "third"):
            await others.enter_async_context(bystander(service.gateway, name))
        async with user(line.port, "duplex") as client:
            await client.until("queued")
            line.cut()
            await asyncio.to_thread(service.gateway.wait_for_status, SOON_S, queue_length=0)
            client.socket.transport.abort()


async def test_a_client_that_reads_nothing_loses_its_call_and_nobody_else_does(
    service: Service,
) -> None:
    service.victim.configure(speak_pattern="S", duplex_delay=0)
    async with call(service.gateway, "/ws/duplex/deaf") as deaf:
        await deaf.prepare()
        async with bystander(service.gateway):
            deaf.socket.transport.pause_reading()
            for _ in range(200):  # 25 MB of answers, which no buffer holds
                await deaf.chunk()
            await asyncio.to_thread(
                service.victim.wait_until,
                "the end of the call",
                lambda: service.victim.health()["slots_busy"] == 0,
                SOON_S,
            )
        deaf.socket.transport.abort()
    service.victim.configure(speak_pattern="L", duplex_delay=0.01)


# -- the disk --------------------------------------------------------------------------------------


async def test_a_full_disk_ends_the_recording_with_a_warning_and_never_the_call(
    stack: Stack,
) -> None:
    worker = await asyncio.to_thread(stack.start_worker)
    gateway = await asyncio.to_thread(stack.start_gateway, [worker])
    async with call(gateway, "/ws/duplex/adx_full_disk") as client:
        session_id = (await client.prepare())[-1]["recording_session_id"]
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
        results = []
        for _ in range(4):
            await client.chunk(1.0)
            results.append((await client.until("result"))[-1])
        assert (await client.stop()).close_code == 1000
    warnings = [result["warning"] for result in results if result.get("warning")]
    assert [warning.split(":")[0] for warning in warnings] == ["recording stopped"]
    kept = await asyncio.to_thread(gateway.http.get, f"/api/sessions/{session_id}")
    assert kept.status_code == 200
    spoken = {"tts": {"enabled": True}, **HELLO}
    assert (await chat(gateway, spoken)).last["type"] == "done"


def test_a_gateway_whose_folder_cannot_be_written_serves_all_the_same(stack: Stack) -> None:
    (stack.folder / "data").write_text("no folder")
    gateway = stack.start_gateway([stack.start_mock_worker(*SLOW, "--chat-delay", "0")])
    assert gateway.http.post("/api/chat", json=HELLO).status_code == 200
    assert gateway.http.put("/api/config/eta", json={"eta_chat_s": 5}).status_code == 200
    assert "event=secret_not_kept" in gateway.log and "Traceback" not in gateway.log
