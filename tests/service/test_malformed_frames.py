"""Frames that are nearly right, in great number: each is answered, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from websockets.exceptions import ConnectionClosed

from core.schemas import (
    ChatStreamRequest,
    DuplexAudioChunkMessage,
    DuplexPauseMessage,
    DuplexPrepareMessage,
    HalfDuplexAudioMessage,
    HalfDuplexPrepareMessage,
    PlaybackMessage,
    StopMessage,
    StreamingGenerateMessage,
    StreamingPrefillMessage,
)
from tests.service.call_client import call
from tests.service.clients import open_socket, read_to_close
from tests.service.stack import GatewayProcess, Stack
from tests.service.wire_fuzz import Fuzzer, TextBytes

N_CLIENTS = 1000 if "FULL_TESTS" in os.environ else 200
N_FRAMES = 4
AT_ONCE = 8
SOON_S = 10.0
MAX_FRAME_MB = 0.25
HUGE_CHARACTERS = int(MAX_FRAME_MB * 2**20) + 1
CLOSE_CODES = {1000, 1003, 1007, 1008, 1009, 1011, 1013}
ENDPOINTS: dict[str, tuple[type[BaseModel], ...]] = {
    "/ws/chat": (ChatStreamRequest, StopMessage),
    "/ws/streaming": (StreamingPrefillMessage, StreamingGenerateMessage, PlaybackMessage),
    "/ws/duplex": (
        DuplexPrepareMessage,
        DuplexAudioChunkMessage,
        DuplexPauseMessage,
        PlaybackMessage,
    ),
    "/ws/half_duplex": (HalfDuplexPrepareMessage, HalfDuplexAudioMessage),
}
FAREWELLS = ({"type": "stop"}, {"type": "close"}, {"type": "stop"})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with Stack(tmp_path_factory.mktemp("malformed")) as stack:
        delays = ("--stream-delay", "0.001", "--duplex-delay", "0.001")
        worker = stack.start_mock_worker(*delays, "--slots", "16")
        yield stack.start_gateway(
            [worker],
            sessions={"streaming_prefill_idle_s": 1},
            limits={"frame_mb": MAX_FRAME_MB, "chat_body_mb": MAX_FRAME_MB},
        )


def at_rest(gateway: GatewayProcess) -> bool:
    (worker,) = gateway.http.get("/workers").json()["workers"]
    return (worker["status"], worker["slots_busy"]) == ("idle", 0)


async def visit(
    gateway: GatewayProcess, path: str, fuzzer: Fuzzer, *, begins_well: bool
) -> int | None:
    """Say strange things, perhaps after a good beginning, then good-bye; returns the close code."""
    async with open_socket(gateway, path) as socket:
        with contextlib.suppress(ConnectionClosed):
            if begins_well:
                await socket.send(fuzzer.opening())
            for _ in range(N_FRAMES):
                frame = fuzzer.frame()
                await socket.send(frame, text=isinstance(frame, TextBytes) or None)
            for message in FAREWELLS:
                await socket.send(json.dumps(message))
        return (await read_to_close(socket)).close_code


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
async def test_strange_frames_end_in_a_close_code_and_harm_nobody(
    gateway: GatewayProcess, endpoint: str
) -> None:
    turnstile = asyncio.Semaphore(AT_ONCE)
    gets_id = endpoint != "/ws/chat"

    async def one(seed: int) -> int | None:
        async with turnstile:
            path = f"{endpoint}/visitor_{seed}" if gets_id else endpoint
            fuzzer = Fuzzer(ENDPOINTS[endpoint], seed, HUGE_CHARACTERS)
            return await visit(gateway, path, fuzzer, begins_well=seed % 2 == 0)

    async with call(gateway, "/ws/duplex/bystander") as bystander:
        await bystander.prepare()
        codes = await asyncio.gather(*(one(seed) for seed in range(N_CLIENTS)))
        await bystander.chunk()
        assert (await bystander.receive())["type"] == "result"
        await bystander.stop()
    assert set(codes) <= CLOSE_CODES
    await asyncio.to_thread(gateway.wait_until, "rest", lambda: at_rest(gateway), SOON_S)
    assert "Traceback" not in gateway.log
    assert "event=worker_lost" not in gateway.log
    assert "event=worker_call_failed" not in gateway.log
