"""Calls of the whole service: gateway, worker and the embedded model."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from benchmarks.duplex import hold, result_of
from core.processors.voices import load_voice_file
from tests.service.call_client import CallClient, call
from tests.service.clients import open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient
from tests.unit.half_duplex_client import VOICE_FILE
from tests.wire_media import audio_data, encode, image_data

N_PLACES = 3
SOON_S = 5.0
TEN_MINUTES = 600
GROWTH_MB = 60
FULL = "FULL_TESTS" in os.environ
RESULT_FIELDS = {
    "is_listen",
    "text",
    "audio_data",
    "end_of_turn",
    "current_time",
    "wall_clock_ms",
    "kv_cache_length",
    "vision_slices",
    "vision_tokens",
    "server_send_ts",
    "audio_epoch",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("calls_real")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker(service={"sessions_per_worker": N_PLACES})


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker], service={"sessions_per_worker": N_PLACES})


async def unit(client: CallClient, **fields: Any) -> dict[str, Any]:
    await client.send("audio_chunk", audio_base64=audio_data(1.0), **fields)
    return (await client.until("result", "error"))[-1]


async def speaking(client: CallClient) -> dict[str, Any]:
    """Units until the model speaks and has not ended its turn."""
    for _ in range(60):
        result = await unit(client)
        if result["audio_data"] and not result["end_of_turn"]:
            return result
    raise AssertionError("the model listened for a minute")


async def until_idle(gateway: GatewayProcess, worker: WorkerProcess) -> None:
    def is_free() -> bool:
        return worker.health()["slots_busy"] == 0

    await asyncio.to_thread(worker.wait_until, "every place free", is_free, SOON_S)
    await asyncio.to_thread(gateway.wait_for_status, SOON_S, idle_workers=1)


# -- full duplex ----------------------------------------------------------------------------------


async def test_a_call_listens_sees_speaks_pauses_and_stops(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with call(gateway, "/ws/duplex/omni_real") as client:
        prepared = (await client.prepare(system_prompt="Be brief."))[-1]
        assert prepared["type"] == "prepared" and prepared["prompt_length"] > 0
        results = [
            await unit(client, frame_base64_list=[image_data(320, 240, "JPEG")]) for _ in range(12)
        ]
        await client.send("pause", timeout=30)
        assert (await client.until("paused"))[-1]["timeout"] == 30
        (session,) = (await asyncio.to_thread(worker.health))["sessions"]
        assert session["status"] == "duplex_paused"
        await client.send("resume")
        assert (await client.until("resumed", "error"))[-1]["type"] == "resumed"
        results.append(await unit(client))
        ending = await client.stop()
    assert all(set(result) >= RESULT_FIELDS for result in results)
    assert [result["current_time"] for result in results] == list(range(1, 14))
    assert {result["vision_tokens"] for result in results[:12]} == {64}
    assert results[12]["vision_tokens"] == 0
    assert all(result["is_listen"] for result in results[:3])
    assert not all(result["is_listen"] for result in results)
    assert (ending.messages[-1]["type"], ending.close_code) == ("stopped", 1000)
    await until_idle(gateway, worker)


async def test_force_listen_cuts_speech_and_begins_a_new_epoch(gateway: GatewayProcess) -> None:
    async with call(gateway, "/ws/duplex/adx_force") as client:
        await client.prepare()
        spoken = await speaking(client)
        cut = await unit(client, force_listen=True)
        following = await unit(client)
        await client.stop()
    assert (cut["is_listen"], cut["interrupted"]) == (True, True)
    assert cut["audio_epoch"] == following["audio_epoch"] == spoken["audio_epoch"] + 1


@pytest.mark.alone
async def test_calls_side_by_side_on_one_model_miss_no_second(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    calls = asyncio.create_task(hold(gateway, "audio", N_PLACES, 8))
    await asyncio.to_thread(
        worker.wait_until,
        "three calls",
        lambda: worker.health()["slots_busy"] == N_PLACES,
        SOON_S,
    )
    result = result_of(await calls)
    assert (result["results"], result["missed"], result["errors"]) == (3 * 8, 0, [])
    await until_idle(gateway, worker)


async def test_a_fourth_caller_waits_for_a_place(gateway: GatewayProcess) -> None:
    async with AsyncExitStack() as callers:
        clients = []
        for index in range(N_PLACES):
            client = await callers.enter_async_context(call(gateway, f"/ws/duplex/adx_{index}"))
            assert (await client.until("queue_done"))[-1]
            clients.append(client)
        fourth = await callers.enter_async_context(call(gateway, "/ws/duplex/adx_four"))
        assert (await fourth.receive())["type"] == "queued"
        await clients[0].stop()
        assert (await fourth.until("queue_done"))[-1]
        assert (await fourth.prepare())[-1]["type"] == "prepared"


@pytest.mark.slow
@pytest.mark.alone
async def test_a_long_call_misses_nothing_and_does_not_grow(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    n_chunks = TEN_MINUTES if FULL else 120
    await hold(gateway, "audio", 1, 60, unpaced=True)
    resident_mb = worker.resident_mb
    result = result_of(await hold(gateway, "audio", 1, n_chunks, unpaced=not FULL))
    assert (result["results"], result["missed"], result["errors"]) == (n_chunks, 0, [])
    assert worker.resident_mb - resident_mb < GROWTH_MB


@pytest.mark.alone
@pytest.mark.parametrize(("mode", "limit_ms"), [("audio", 150), ("omni", 300)])
async def test_units_take_a_fraction_of_their_second(
    gateway: GatewayProcess, mode: str, limit_ms: float
) -> None:
    (measured,) = await hold(gateway, mode, 1, 20, unpaced=True)
    assert statistics.quantiles(measured.worker_ms, n=20)[-1] <= 2 * limit_ms
    assert statistics.median(measured.worker_ms) <= limit_ms


# -- half duplex ----------------------------------------------------------------------------------


async def test_somebody_says_something_and_is_answered_aloud_twice(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    voice = load_voice_file(VOICE_FILE)[: 16000 * 6 // 5]
    pieces = [
        encode(bytes(4 * 9600)),
        encode(voice.astype("<f4").tobytes()),
        encode(bytes(4 * 19200)),
    ]
    async with call(gateway, "/ws/half_duplex/hdx_real") as client:
        settings = {"generation": {"max_new_tokens": 20}}
        assert (await client.prepare(config=settings))[-1]["type"] == "prepared"
        turns = []
        for _ in range(2):
            for piece in pieces:
                await client.send("audio_chunk", audio_base64=piece)
            turns.append(await client.until("turn_done", "error", "timeout"))
        ending = await client.stop()
    for number, turn in enumerate(turns, start=1):
        kinds = [message["type"] for message in turn]
        assert kinds[:3] == ["vad_state", "vad_state", "generating"]
        assert any(message.get("audio_data") for message in turn)
        assert turn[-1]["turn_index"] == number
        said = "".join(message.get("text_delta") or "" for message in turn)
        assert said == turn[-1]["text"] != ""
    assert ending.messages[-1]["type"] == "stopped"
    await until_idle(gateway, worker)


# -- one worker, every mode -----------------------------------------------------------------------


async def test_every_mode_follows_every_other_on_one_worker(gateway: GatewayProcess) -> None:
    for round_number in range(2):
        async with call(gateway, f"/ws/duplex/omni_{round_number}") as client:
            await client.prepare()
            assert (await unit(client))["type"] == "result"
            await client.stop()
        async with open_socket(gateway, f"/ws/streaming/s{round_number}") as socket:
            turn = await StreamingClient(socket).turn("Hello", max_new_tokens=10)
            assert turn.last["type"] == "done"
        async with call(gateway, f"/ws/half_duplex/hdx_{round_number}") as client:
            assert (await client.prepare())[-1]["type"] == "prepared"
            await client.stop()
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        answer = await asyncio.to_thread(gateway.http.post, "/api/chat", json=body)
        assert answer.json()["success"] is True


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"audio_base64": ""}, "audio_base64"),
        ({"audio_base64": encode(b"\x00\x00\xc0\x7f" * 16000)}, "audio_base64"),
        ({"audio_base64": audio_data(5.2)}, "audio_base64"),
        ({"audio_base64": encode(b"abc")}, "audio_base64"),
        ({"audio_base64": audio_data(1.0), "frame_base64_list": ["eHh4"]}, "frame_base64_list[0]"),
        (
            {"audio_base64": audio_data(1.0), "frame_base64_list": [image_data(8, 8)] * 50},
            "frame_base64_list",
        ),
    ],
    ids=["empty", "not a number", "too long", "no samples", "no picture", "fifty pictures"],
)
async def test_a_bad_chunk_is_named_and_the_call_goes_on(
    gateway: GatewayProcess, fields: dict[str, Any], field: str
) -> None:
    async with call(gateway, "/ws/duplex/omni_bad") as client:
        await client.prepare()
        await client.send("audio_chunk", **fields)
        error = (await client.until("result", "error"))[-1]
        assert error["type"] == "error", json.dumps(error)[:200]
        assert error["field"] == field
        assert (await unit(client))["type"] == "result"
        await client.stop()


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"temperature": -1}, "config.temperature"),
        ({"top_k": "many"}, "config.top_k"),
        ({"max_new_speak_tokens_per_chunk": 10**9}, "config.max_new_speak_tokens_per_chunk"),
        ({"sample_rate": 8000}, "config.sample_rate"),
    ],
)
async def test_an_absurd_setting_is_named_and_prepare_may_come_again(
    gateway: GatewayProcess, config: dict[str, Any], field: str
) -> None:
    async with call(gateway, "/ws/duplex/omni_absurd") as client:
        error = (await client.prepare(config=config))[-1]
        assert (error["type"], error["field"]) == ("error", field)
        assert (await client.prepare(config={"max_kv_tokens": 8192}))[-1]["type"] == "prepared"
        assert (await client.prepare())[-1]["type"] == "error"
        assert (await unit(client))["type"] == "result"
        await client.stop()
