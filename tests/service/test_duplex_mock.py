"""Calls through a real gateway, on mock workers that misbehave on demand."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway_modules.diagnostic_log import DIAGNOSTICS_FOLDER
from tests.service.call_client import call
from tests.service.clients import HELLO, open_socket, read_to_close, receive
from tests.service.launch import PROJECT_ROOT
from tests.service.processes import free_port
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

FAST = ("--duplex-delay", "0.01", "--stream-delay", "0.01")
SOON_S = 8.0
DUPLEX, HALF_DUPLEX = "/ws/duplex/omni_a", "/ws/half_duplex/hdx_a"
WHOLE_TURN = ["vad_state", "vad_state", "generating", *["chunk"] * 5, "turn_done"]


@pytest.fixture(scope="module")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("duplex")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(shared_stack: Stack) -> WorkerProcess:
    return shared_stack.start_mock_worker(*FAST)


@pytest.fixture(scope="module")
def gateway(shared_stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return shared_stack.start_gateway([worker])


async def until(gateway: GatewayProcess, **expected: Any) -> None:
    await asyncio.to_thread(gateway.wait_for_status, SOON_S, **expected)


async def get(gateway: GatewayProcess, path: str) -> Any:
    return (await asyncio.to_thread(gateway.http.get, path)).json()


async def post(gateway: GatewayProcess, path: str, **body: Any) -> Any:
    answer = await asyncio.to_thread(gateway.http.post, path, json=body or None)
    return answer.json()


async def received_by(worker: WorkerProcess, session_id: str) -> list[dict[str, Any]]:
    frames = await asyncio.to_thread(worker.received)
    return [frame for frame in frames if frame.get("session_id") == session_id]


# -- calls -----------------------------------------------------------------------------------------


async def test_each_chunk_has_one_result_and_stop_ends_the_call(gateway: GatewayProcess) -> None:
    await until(gateway, idle_workers=1)
    async with call(gateway, DUPLEX) as client:
        opening = await client.prepare(system_prompt="Be kind.")
        assert [message["type"] for message in opening] == ["queue_done", "prepared"]
        for _ in range(3):
            await client.chunk()
        assert [(await client.receive())["type"] for _ in range(3)] == ["result"] * 3
        ending = await client.stop()
    assert (ending.types, ending.close_code) == (["stopped"], 1000)
    await until(gateway, idle_workers=1)


@pytest.mark.parametrize(
    ("session_id", "mode"),
    [("adx_1", "audio"), ("audio_duplex_1", "audio"), ("omni_1", "omni"), ("mine 1", "omni")],
)
async def test_the_session_id_tells_the_mode(
    gateway: GatewayProcess, worker: WorkerProcess, session_id: str, mode: str
) -> None:
    async with call(gateway, f"/ws/duplex/{session_id.replace(' ', '%20')}") as client:
        await client.prepare()
        (task,) = (await get(gateway, "/status"))["running_tasks"]
        assert task["request_type"] == f"{mode}_duplex"
        await client.stop()
    (first, *_) = await received_by(worker, session_id.replace(" ", "_"))
    assert (first["path"], first["mode"]) == ("/ws/duplex", mode)


async def test_a_half_duplex_call_answers_each_pause(gateway: GatewayProcess) -> None:
    async with call(gateway, HALF_DUPLEX) as client:
        assert (await client.prepare())[-1]["session_id"] == "hdx_a"
        for turn_index in (1, 2):
            await client.say()
            turn = await client.until("turn_done")
            assert [message["type"] for message in turn] == WHOLE_TURN
            assert turn[-1]["turn_index"] == turn_index
        assert (await get(gateway, "/workers"))["workers"][0]["status"] == "busy_half_duplex"
        ending = await client.stop()
    assert (ending.types, ending.close_code) == (["stopped"], 1000)


@pytest.mark.parametrize("path", [DUPLEX, HALF_DUPLEX])
async def test_frames_sent_while_queued_reach_the_worker_in_order(
    gateway: GatewayProcess, worker: WorkerProcess, path: str
) -> None:
    waiting_path = f"{path}_{uuid.uuid4().hex[:6]}"
    async with call(gateway, path) as holder, call(gateway, waiting_path) as waiting:
        await holder.prepare()
        await waiting.send("prepare", note=0)
        await waiting.chunk(note=1)
        await waiting.send("playback", audio_epoch=0, played_ms=80, note=2)
        await waiting.chunk(note=3)
        queued = await waiting.receive()
        assert (queued["type"], queued["position"]) == ("queued", 1)
        await holder.stop()
        told = await waiting.until("prepared")
        assert [m["type"] for m in told if m["type"] != "queue_update"] == [
            "queue_done",
            "prepared",
        ]
        await waiting.stop()
    frames = await received_by(worker, waiting_path.rpartition("/")[2])
    assert [frame["type"] for frame in frames] == [
        *["prepare", "audio_chunk", "playback", "audio_chunk"],
        "stop",
    ]
    assert [frame["note"] for frame in frames[:4]] == [0, 1, 2, 3]


async def test_pausing_is_shown_and_so_is_resuming(gateway: GatewayProcess) -> None:
    async def shown() -> str:
        return (await get(gateway, "/workers"))["workers"][0]["status"]

    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        assert await shown() == "duplex_active"
        await client.send("pause")
        assert (await client.receive())["type"] == "paused"
        assert await shown() == "duplex_paused"
        assert (await get(gateway, "/status"))["duplex_workers"] == 1
        await client.send("resume")
        assert (await client.receive())["type"] == "resumed"
        assert await shown() == "duplex_active"


async def test_a_call_that_stays_paused_ends(gateway: GatewayProcess) -> None:
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await client.send("pause", timeout=0.1)
        ending = await read_to_close(client.socket)
    assert (ending.types, ending.close_code) == (["paused", "timeout"], 1000)


async def test_diagnostics_are_kept_by_the_gateway(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    session_id = f"omni_{uuid.uuid4().hex}"
    file = DIAGNOSTICS_FOLDER / f"diag_{session_id}.jsonl"
    try:
        async with call(gateway, f"/ws/duplex/{session_id}") as client:
            await client.prepare()
            await client.send("client_diagnostic", event="late", ms=12)
            await client.chunk(text="client_diagnostic")
            await client.send("client_diagnostic", event="early")
            await client.stop()
        lines = [json.loads(line) for line in file.read_text().splitlines()]
    finally:
        file.unlink(missing_ok=True)
    assert [line["event"] for line in lines] == ["late", "early"]
    assert all(line["_server_recv_ts"] > 1e9 for line in lines)
    frames = await received_by(worker, session_id)
    assert [frame["type"] for frame in frames] == ["prepare", "audio_chunk", "stop"]


# -- stopping answers ------------------------------------------------------------------------------


async def test_the_stop_route_ends_the_answer_and_not_the_call(stack: Stack) -> None:
    worker = stack.start_mock_worker("--stream-delay", "0.3")
    gateway = stack.start_gateway([worker])
    none = {"success": False, "message": "No half-duplex worker found"}
    async with call(gateway, HALF_DUPLEX) as client:
        await client.prepare()
        assert await post(gateway, "/api/half_duplex/stop") == none
        await client.say()
        await client.until("chunk")
        assert await post(gateway, "/api/half_duplex/stop", session_id="other") == none
        stopped = await post(gateway, "/api/half_duplex/stop", session_id="hdx_a")
        assert [entry["worker_id"] for entry in stopped["stopped"]] == ["worker_0"]
        assert (await client.until("turn_done"))[-1]["stopped"] is True
        await asyncio.to_thread(worker.configure, stream_delay=0.01)
        await client.say()
        assert (await client.until("turn_done"))[-1]["turn_index"] == 2


async def test_the_streaming_stop_route_ends_chats_too(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker("--stream-delay", "0.3")])
    async with open_socket(gateway) as socket:
        await socket.send(json.dumps(HELLO))
        while (await receive(socket))["type"] != "chunk":
            pass
        named = await post(gateway, "/api/streaming/stop", session_id="somebody")
        assert named["success"] is False
        assert (await post(gateway, "/api/streaming/stop"))["success"] is True
        ending = await read_to_close(socket)
    assert (ending.last["stopped"], ending.close_code) == (True, 1000)


def test_with_api_keys_the_call_must_be_named(stack: Stack) -> None:
    worker = stack.start_mock_worker()
    gateway = stack.start_gateway([worker], security={"api_keys": ["secret"]})
    key = {"X-API-Key": "secret"}
    assert gateway.http.post("/api/half_duplex/stop").status_code == 401
    unnamed = gateway.http.post("/api/half_duplex/stop", headers=key)
    assert (unnamed.status_code, unnamed.json()["field"]) == (422, "session_id")


# -- one session a socket --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("/ws/duplex/x", "/ws/duplex/x"),
        ("/ws/half_duplex/x", "/ws/half_duplex/x"),
        ("/ws/streaming/x", "/ws/streaming/x"),
        ("/ws/duplex/x", "/ws/streaming/x"),
    ],
)
async def test_a_live_session_has_one_socket(
    gateway: GatewayProcess, first: str, second: str
) -> None:
    async with call(gateway, first) as client:
        if "streaming" not in first:
            await client.prepare()
        async with open_socket(gateway, second) as socket:
            told = await read_to_close(socket)
        assert (told.last["code"], told.close_code) == ("session_active", 1008)
        await client.send("stop")
    async with call(gateway, second) as client:
        if "streaming" not in second:
            assert (await client.prepare())[-1]["type"] == "prepared"


async def test_a_client_that_lost_its_connection_may_come_back_at_once(
    gateway: GatewayProcess,
) -> None:
    for _ in range(5):
        async with call(gateway, DUPLEX) as client:
            assert (await client.prepare())[-1]["type"] == "prepared"
            client.socket.transport.abort()


# -- several calls on one worker -------------------------------------------------------------------


async def test_a_worker_with_two_slots_takes_two_calls(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker(*FAST, "--slots", "2")])

    async def shown() -> tuple[str, int, str | None]:
        (worker,) = (await get(gateway, "/workers"))["workers"]
        return worker["status"], worker["slots_busy"], worker["current_session_id"]

    async with AsyncExitStack() as calls:
        first = await calls.enter_async_context(call(gateway, "/ws/duplex/omni_1"))
        await first.prepare()
        assert await shown() == ("idle", 1, "omni_1")
        second = await calls.enter_async_context(call(gateway, "/ws/duplex/adx_2"))
        await second.prepare()
        assert await shown() == ("duplex_active", 2, "omni_1")
        third = await calls.enter_async_context(call(gateway, "/ws/duplex/omni_3"))
        await third.send("prepare")
        assert (await third.receive())["type"] == "queued"
        tasks = (await get(gateway, "/status"))["running_tasks"]
        assert [task["request_type"] for task in tasks] == ["omni_duplex", "audio_duplex"]
        await second.send("pause")
        await second.until("paused")
        assert await shown() == ("duplex_active", 2, "omni_1")
        await first.send("pause")
        await first.until("paused")
        assert await shown() == ("duplex_paused", 2, "omni_1")
        first.socket.transport.abort()
        await third.until("prepared")
        assert await shown() == ("duplex_paused", 2, "adx_2")
        await third.stop()
        await second.stop()
    await until(gateway, idle_workers=1, running_tasks=[])
    assert await shown() == ("idle", 0, None)


# -- bytes -----------------------------------------------------------------------------------------


async def test_binary_frames_pass_both_ways_in_their_order(stack: Stack) -> None:
    worker = stack.start_mock_worker(*FAST)
    worker.configure(echoes_bytes=True)
    gateway = stack.start_gateway([worker])
    frames = [bytes([number]) * 100_000 for number in range(5)]
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        for frame in frames:
            await client.socket.send(frame)
        assert [await client.socket.recv() for _ in frames] == frames
        await client.chunk()
        assert (await client.receive())["type"] == "result"
        assert (await client.stop()).close_code == 1000


async def test_what_bytes_mean_is_for_the_worker_to_say(gateway: GatewayProcess) -> None:
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await client.socket.send(b"\x00")
        told = await read_to_close(client.socket)
    assert (told.last["code"], told.close_code) == ("bad_message", 1003)


# -- too much --------------------------------------------------------------------------------------


async def test_a_frame_over_the_limit_ends_the_call(stack: Stack) -> None:
    gateway = stack.start_gateway([stack.start_mock_worker(*FAST)], limits={"frame_mb": 0.01})
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        await client.chunk(1.0)
        told = await read_to_close(client.socket)
    assert (told.last["code"], told.close_code) == ("too_large", 1009)
    await until(gateway, idle_workers=1)


async def test_a_client_that_reads_nothing_loses_its_call(stack: Stack) -> None:
    worker = stack.start_mock_worker("--duplex-delay", "0")
    worker.configure(speak_pattern="S")
    gateway = stack.start_gateway([worker], sessions={"pong_wait_s": 0.5})
    async with call(gateway, DUPLEX) as client:
        await client.prepare()
        client.socket.transport.pause_reading()
        memory_mb = gateway.resident_mb
        for _ in range(400):  # 50 MB of answers
            await client.chunk()
        await until(gateway, idle_workers=1)
        assert gateway.resident_mb < memory_mb + 20
        client.socket.transport.abort()


# -- the benchmark ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["audio", "omni"])
def test_the_benchmark_measures_every_chunk(gateway: GatewayProcess, mode: str) -> None:
    gateway.wait_for_status(SOON_S, idle_workers=1)
    arguments = ["--mode", mode, "--url", gateway.url, "--chunks", "10", "--unpaced"]
    command = [sys.executable, "tests/bench_duplex_ws.py", *arguments]
    told = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    (line,) = told.stdout.splitlines()
    measured = json.loads(line)
    assert (measured["chunks"], measured["results"], measured["errors"]) == (10, 10, [])
    assert 10 <= measured["latency_ms"]["p50"] <= measured["latency_ms"]["max"]


def test_the_benchmark_tells_what_went_wrong() -> None:
    command = [
        sys.executable,
        "tests/bench_duplex_ws.py",
        "--url",
        f"http://127.0.0.1:{free_port()}",
    ]
    told = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    measured = json.loads(told.stdout)
    assert (told.returncode, measured["results"], len(measured["errors"])) == (1, 0, 1)
