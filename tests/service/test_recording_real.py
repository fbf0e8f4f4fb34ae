"""Recordings of real conversations, fetched through the gateway."""

from __future__ import annotations

import asyncio
import io
import json
import time
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.service.call_client import call
from tests.service.clients import chat, open_socket
from tests.service.stack import GatewayProcess, Stack, WorkerProcess
from tests.service.streaming_client import StreamingClient
from tests.wire_media import audio_data, image_data

WRITTEN_S = 10.0
MERGED_S = 60.0


@pytest.fixture(scope="module")
def recording_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("recording")) as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(recording_stack: Stack) -> WorkerProcess:
    return recording_stack.start_worker()


@pytest.fixture(scope="module")
def gateway(recording_stack: Stack, worker: WorkerProcess) -> GatewayProcess:
    return recording_stack.start_gateway([worker])


async def recording_of(
    gateway: GatewayProcess, session_id: str, key: str = "session_id", timeout_s: float = WRITTEN_S
) -> dict[str, Any]:
    """The recording, as soon as it is there and has this key."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        answer = await asyncio.to_thread(gateway.http.get, f"/api/sessions/{session_id}/recording")
        if answer.status_code == 200 and key in answer.json():
            return answer.json()
        assert time.monotonic() < deadline_s, answer.text
        await asyncio.sleep(0.05)


async def fetch(gateway: GatewayProcess, session_id: str, path: str, **headers: str) -> Any:
    url = f"/api/sessions/{session_id}/{path}"
    return await asyncio.to_thread(gateway.http.get, url, headers=headers)


def seconds_of(data: bytes) -> float:
    with wave.open(io.BytesIO(data)) as reader:
        return reader.getnframes() / reader.getframerate()


async def test_a_chat_is_fetched_with_its_media_and_deleted(gateway: GatewayProcess) -> None:
    content = [
        {"type": "image", "data": image_data(32, 24)},
        {"type": "audio", "data": audio_data(0.5)},
        {"type": "text", "text": "What is this?"},
    ]
    messages = [{"role": "user", "content": content}]
    spoken = {"messages": messages, "tts": {"enabled": True}}
    done = (await chat(gateway, spoken | {"generation": {"max_new_tokens": 16}})).last
    session_id = done["recording_session_id"]
    (turn,) = (await recording_of(gateway, session_id))["turns"]
    assert turn["input"]["text"] == "What is this?"
    assert turn["output"]["text"] == done["text"]
    assert turn["timing"]["tokens"] == done["generated_tokens"]
    sound = await fetch(gateway, session_id, f"assets/{turn['input']['audio']}")
    assert seconds_of(sound.content) == 0.5
    image = await fetch(gateway, session_id, "assets/user_images/img_0.jpg", Range="bytes=1-3")
    assert (image.status_code, image.content) == (206, b"PNG")
    archive = zipfile.ZipFile(io.BytesIO((await fetch(gateway, session_id, "download")).content))
    assert archive.testzip() is None
    assert f"{session_id}/recording.json" in archive.namelist()
    listed = (await asyncio.to_thread(gateway.http.get, "/api/sessions?type=chat")).json()
    assert session_id in [session["session_id"] for session in listed["sessions"]]
    deleted = await asyncio.to_thread(gateway.http.delete, f"/api/sessions/{session_id}")
    assert deleted.json() == {"success": True}
    assert (await fetch(gateway, session_id, "recording")).status_code == 404


async def test_a_chat_over_http_has_its_spoken_answer(gateway: GatewayProcess) -> None:
    body = {
        "messages": [{"role": "user", "content": "Hello"}],
        "tts": {"enabled": True},
        "generation": {"max_new_tokens": 16, "min_new_tokens": 12},
    }
    answer = (await asyncio.to_thread(gateway.http.post, "/api/chat", json=body)).json()
    session_id = answer["recording_session_id"]
    (turn,) = (await recording_of(gateway, session_id))["turns"]
    output = turn["output"]
    assert output["text"] == answer["text"]
    sound = await fetch(gateway, session_id, f"assets/{output['audio']}")
    assert seconds_of(sound.content) * 1000 == pytest.approx(output["audio_duration_ms"], abs=1)


async def test_a_conversation_stays_one_recording_from_turn_to_turn(
    gateway: GatewayProcess,
) -> None:
    async with open_socket(gateway, "/ws/streaming/recorded") as socket:
        client = StreamingClient(socket)
        spoken = {"generate_audio": True, "max_new_tokens": 24}
        first = await client.turn([{"type": "audio", "data": audio_data(1.0)}], **spoken)
        second = await client.turn("And then?", **spoken)
        session_id = first.last["recording_session_id"]
        assert second.last["recording_session_id"] == session_id
        epoch = second.last["audio_epoch"]
        await client.send("playback", audio_epoch=epoch, played_ms=1)
        truncated = (await client.until("truncated"))[-1]
        await client.send("close")
    deadline_s = time.monotonic() + WRITTEN_S
    while True:
        turns = (await recording_of(gateway, session_id))["turns"]
        if len(turns) == 2 and turns[1]["output"]["text"] == truncated["text"]:
            break
        assert time.monotonic() < deadline_s, turns
        await asyncio.sleep(0.05)
    assert turns[0]["output"]["text"] == first.last["full_text"]
    heard = await fetch(gateway, session_id, f"assets/{turns[0]['input']['audio']}")
    assert seconds_of(heard.content) == 1.0
    for turn in turns:
        sound = await fetch(gateway, session_id, f"assets/{turn['output']['audio']}")
        lasts_ms = turn["output"]["audio_duration_ms"]
        assert seconds_of(sound.content) * 1000 == pytest.approx(lasts_ms, abs=1)


async def test_a_call_can_be_watched_afterwards(gateway: GatewayProcess, tmp_path: Path) -> None:
    n_chunks = 5
    async with call(gateway, "/ws/duplex/omni_recorded") as caller:
        config = {"force_listen_count": 0, "listen_prob_scale": 0.0}
        prepared = (await caller.prepare(config=config))[-1]
        session_id = prepared["recording_session_id"]
        for _ in range(n_chunks):
            await caller.chunk(1.0, level=0.1, frame_base64_list=[image_data(64, 48, "JPEG")])
            await caller.until("result")
        live = (await fetch(gateway, session_id, "recording")).status_code
        await caller.stop()
    assert live == 404
    recording = await recording_of(gateway, session_id, "merged_replay_video", MERGED_S)
    assert len(recording["chunks"]) == n_chunks
    assert "prefill_ms" in recording["chunks"][0]["result"]["timing"]
    speaks = [chunk for chunk in recording["chunks"] if chunk["result"]["mode"] == "SPEAK"]
    assert speaks
    sound = await fetch(gateway, session_id, "assets/merged_replay.wav")
    assert seconds_of(sound.content) >= n_chunks
    video = await fetch(gateway, session_id, "assets/merged_replay.mp4")
    assert video.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(video.content)) as container:
        kinds = [stream.type for stream in container.streams]
        assert kinds == ["video", "audio", "subtitle"]
        lasts_s = (container.duration or 0) / av.time_base
        assert lasts_s == pytest.approx(seconds_of(sound.content), abs=0.2)
        assert sum(1 for _ in container.decode(video=0)) >= n_chunks


async def test_whoever_says_no_is_not_recorded(
    gateway: GatewayProcess, recording_stack: Stack
) -> None:
    before = set((recording_stack.folder / "data" / "sessions").iterdir())
    request = {"messages": [{"role": "user", "content": "Hello"}], "record": False}
    assert "recording_session_id" not in (await chat(gateway, request)).last
    async with open_socket(gateway, "/ws/streaming/private") as socket:
        client = StreamingClient(socket)
        await client.begin("Hello", record=False)
        await client.finish()
        assert "recording_session_id" not in (await client.turn("Again")).last
    assert set((recording_stack.folder / "data" / "sessions").iterdir()) == before


def test_other_places_cannot_be_reached(gateway: GatewayProcess, recording_stack: Stack) -> None:
    (recording_stack.folder / "data" / "secret.txt").write_text("secret")
    for path in (
        "/api/sessions/..%2f..%2fsecret.txt",
        "/api/sessions/%2e%2e/assets/secret.txt",
        "/api/sessions/x/assets/..%2f..%2fsecret.txt",
    ):
        answer = gateway.http.get(path)
        assert answer.status_code == 404
        assert "secret" not in json.dumps(answer.json().get("config", ""))


def test_a_worker_that_is_killed_leaves_what_was_said(stack: Stack) -> None:
    worker = stack.start_worker()
    gateway = stack.start_gateway([worker])

    async def call_until_killed() -> str:
        async with call(gateway, "/ws/duplex/adx_killed") as caller:
            session_id = (await caller.prepare())[-1]["recording_session_id"]
            for _ in range(2):
                await caller.chunk(1.0)
                await caller.until("result")
            assert (await fetch(gateway, session_id, "recording")).status_code == 404
            await asyncio.to_thread(worker.kill)
        return session_id

    session_id = asyncio.run(call_until_killed())
    recording = gateway.http.get(f"/api/sessions/{session_id}/recording").json()
    assert [chunk["index"] for chunk in recording["chunks"]] == [0, 1]
    assert gateway.http.get(f"/api/sessions/{session_id}").json()["ended_at"] is not None
