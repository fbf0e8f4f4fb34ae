"""Spoken answers of the whole service: how soon, in which voice, and what happens when cut."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import statistics
import time
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from benchmarks.speech import Spoken
from tests.service.clients import open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient
from tests.wire_media import audio_data, encode, tone

SOUND_RATE = 24000
SPOKEN: dict[str, Any] = {"generate_audio": True, "max_new_tokens": 20}
LONG: dict[str, Any] = {"max_new_tokens": 200, "length_penalty": 5.0}
OPENING_TOKENS = 10
N_TURNS = 100 if "FULL_TESTS" in os.environ else 40
GROWTH_MB = 40


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("speech_real")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker()


@pytest.fixture(scope="module")
def gateway(stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return stack.start_gateway([worker])


@asynccontextmanager
async def streaming(gateway: GatewayProcess) -> AsyncIterator[StreamingClient]:
    async with open_socket(gateway, "/ws/streaming/speech") as socket:
        yield StreamingClient(socket)


def sound_of(chunk: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(chunk.get("audio_data") or ""), "<f4")


async def spoken_turn(client: StreamingClient, question: str) -> Spoken:
    """One turn with the arrival times of its sound, from the question on."""
    started_s = time.monotonic()
    await client.begin(question)
    await client.send("generate", session_id="r", **SPOKEN)
    arrivals_s, durations_s = [], []
    text = ""
    while (message := await client.receive())["type"] == "chunk":
        text += message["text_delta"] or ""
        if (n_samples := sound_of(message).size) > 0:
            arrivals_s.append(time.monotonic() - started_s)
            durations_s.append(n_samples / SOUND_RATE)
    assert message["type"] == "done"
    client.history.append({"role": "assistant", "content": text})
    return Spoken(arrivals_s, durations_s, time.monotonic() - started_s)


def chat(gateway: GatewayProcess, **tts: Any) -> dict[str, Any]:
    body = {
        "messages": [{"role": "user", "content": "Hello"}],
        "generation": {"max_new_tokens": 20},
        "tts": {"enabled": True, **tts},
    }
    return gateway.http.post("/api/chat", json=body).json()


# -- how soon -------------------------------------------------------------------------------------


@pytest.mark.alone
async def test_speech_comes_soon_and_plays_without_a_gap(gateway: GatewayProcess) -> None:
    answers: list[Spoken] = []
    for number in range(20):
        async with streaming(gateway) as client:
            answers.append(await spoken_turn(client, f"Question {number}: why?"))
    total_s = sum(answer.total_s for answer in answers)
    sound_s = sum(answer.sound_s for answer in answers)
    assert statistics.median(answer.arrivals_s[0] for answer in answers) <= 0.6
    assert total_s / sound_s <= 0.5
    assert sum(answer.gaps for answer in answers) == 0


@pytest.mark.slow
async def test_memory_stays_flat_over_many_spoken_turns(
    gateway: GatewayProcess, worker: WorkerProcess
) -> None:
    async with streaming(gateway) as client:
        residents_mb = []
        for number in range(N_TURNS):
            await spoken_turn(client, f"Question {number}?")
            residents_mb.append(worker.resident_mb)
    assert residents_mb[-1] - residents_mb[N_TURNS // 3] < GROWTH_MB


# -- cut short ------------------------------------------------------------------------------------


async def test_what_was_not_heard_is_forgotten_and_the_rest_is_still_cached(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client:
        turn = await client.turn("Tell me a story.", **(SPOKEN | LONG))
        first = next(chunk for chunk in turn.messages if chunk.get("text_delta"))
        await client.send("playback", audio_epoch=turn.last["audio_epoch"], played_ms=10)
        (truncated,) = await client.until("truncated")
        client.history[-1]["content"] = truncated["text"]
        following = await client.turn("Go on.", max_new_tokens=20)
    assert truncated["text"] == first["text_delta"]
    assert len(truncated["text"]) < len(turn.text)
    generated = turn.last["token_stats"]["generated_tokens"]
    whole = turn.input_tokens + OPENING_TOKENS + generated
    assert turn.input_tokens < following.cached_tokens < whole


async def test_stopped_speech_begins_a_new_epoch_that_the_next_turn_goes_on_in(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client:
        await client.begin("Tell me a long story.")
        await client.send("generate", generate_audio=True, max_new_tokens=2000, length_penalty=5)
        first = await client.receive()
        while not first.get("audio_data"):
            first = await client.receive()
        await client.send("stop")
        done = (await client.until("done"))[-1]
        client.history.append({"role": "assistant", "content": done["full_text"]})
        following = await client.turn("Why?", **SPOKEN)
    assert (first["audio_epoch"], done["interrupted"], done["audio_epoch"]) == (0, True, 1)
    assert {message["audio_epoch"] for message in following.messages[1:]} == {1}
    assert following.cached_tokens > 0


async def test_a_chat_that_is_stopped_keeps_the_words_that_were_heard(
    gateway: GatewayProcess,
) -> None:
    request = {
        "messages": [{"role": "user", "content": "Tell me a long story."}],
        "generation": {"max_new_tokens": 1500, "length_penalty": 5},
        "tts": {"enabled": True},
        "use_tts_template": True,
    }
    async with open_socket(gateway, "/ws/chat") as socket:
        client = StreamingClient(socket)
        await client.socket.send(json.dumps(request))
        chunk = await client.receive()
        while not chunk.get("audio_data"):
            chunk = await client.receive()
        await client.send("playback", audio_epoch=0, played_ms=1)
        await client.send("stop")
        done = (await client.until("done"))[-1]
    assert (done["stopped"], done["interrupted"], done["audio_epoch"]) == (True, True, 1)
    assert done["text"] == chunk["text_delta"]


# -- voices ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", ["default", "audio_assistant", "omni", "audio_roleplay", "voice_cloning"]
)
def test_every_mode_speaks(gateway: GatewayProcess, mode: str) -> None:
    answer = chat(gateway, mode=mode)
    assert (answer["success"], answer["audio_sample_rate"]) == (True, SOUND_RATE)
    with wave.open(BytesIO(base64.b64decode(answer["audio_data"]))) as reader:
        assert reader.getnframes() > SOUND_RATE / 4


def test_a_shipped_voice_can_be_named_by_its_path(gateway: GatewayProcess) -> None:
    assert chat(gateway, ref_audio_path="assets/ref_audio/ref_en.wav")["audio_data"]


def wav_of(samples: np.ndarray, rate: int) -> str:
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes((samples * 32767).astype("<i2").tobytes())
    return encode(file.getvalue())


def test_a_voice_at_another_rate_is_resampled(gateway: GatewayProcess) -> None:
    assert chat(gateway, ref_audio_data=wav_of(tone(2.0), 44100))["audio_data"]


def test_a_long_voice_is_cropped_with_a_warning(gateway: GatewayProcess) -> None:
    answer = chat(gateway, ref_audio_data=audio_data(31.0))
    assert answer["audio_data"] and "cropped to 30 seconds" in answer["warning"]


@pytest.mark.parametrize(
    ("tts", "field"),
    [
        pytest.param({"ref_audio_data": encode(bytes(4 * 16000))}, "ref_audio_data", id="silent"),
        pytest.param({"ref_audio_data": audio_data(0.3)}, "ref_audio_data", id="short"),
        pytest.param({"ref_audio_data": encode(b"RIFF")}, "ref_audio_data", id="no sound"),
        pytest.param({"ref_audio_data": "%%%"}, "ref_audio_data", id="no base64"),
        pytest.param({"ref_audio_path": "/etc/passwd"}, "ref_audio_path", id="path"),
        pytest.param({"ref_audio_path": "assets/ref_audio/x.wav"}, "ref_audio_path", id="missing"),
    ],
)
def test_an_unusable_voice_is_named_and_the_next_request_works(
    gateway: GatewayProcess, tts: dict[str, Any], field: str
) -> None:
    answer = chat(gateway, **tts)
    assert answer["success"] is False or "error" in answer
    assert field in str(answer)
    assert "/" not in str(answer.get("error", "")) or "passwd" not in str(answer)
    assert chat(gateway)["audio_data"]


async def test_a_bad_voice_of_a_streaming_turn_is_named_as_it_was_sent(
    gateway: GatewayProcess,
) -> None:
    async with streaming(gateway) as client:
        silence = encode(bytes(4 * 16000))
        read = await client.begin("Hello", tts_ref_audio_base64=silence)
        assert read["type"] == "prefill_done"
        turn = await client.finish(**SPOKEN)
        assert turn.last["field"] == "tts_ref_audio_base64"
        client.history = []
        assert (await client.turn("Hello", **SPOKEN)).last["type"] == "done"
    await asyncio.to_thread(gateway.wait_for_status, 5.0, idle_workers=1)
