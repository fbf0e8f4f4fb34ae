"""The sockets of a mock worker: canned answers in the order the real ones come."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from tests.mock_worker_state import MockWorker

SPEECH_RMS = 0.01
TURN_END_SILENCE_S = 0.5
SAMPLE_RATE = 16000
ONE_SECOND_OF_SILENCE = base64.b64encode(bytes(24000 * 4)).decode()


def add_sockets(app: FastAPI, worker: MockWorker) -> None:
    for path, status, talk in (
        ("/ws/chat", "busy_chat", chat_socket),
        ("/ws/streaming", "busy_streaming", streaming_socket),
        ("/ws/half_duplex", "busy_half_duplex", half_duplex_socket),
        ("/ws/duplex", "duplex_active", duplex_socket),
    ):
        _add_socket(app, worker, path, status, talk)


class Frames:
    """A socket read all the time: a lost client ends the session, `stop` is seen at once."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.stop = asyncio.Event()
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self) -> None:
        while True:
            message = json.loads(await self.socket.receive_text())
            if message.get("type") == "stop":
                self.stop.set()
            await self._queue.put(message)

    async def next(self) -> dict[str, Any]:
        return await self._queue.get()

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_text(json.dumps({"type": kind, **fields}))


def _add_socket(app: FastAPI, worker: MockWorker, path: str, status: str, talk: Any) -> None:
    @app.websocket(path)
    async def endpoint(socket: WebSocket) -> None:
        if worker.behaviour.take("refuse_next"):
            await socket.close(1013)
            return
        await socket.accept()
        frames = Frames(socket)
        worker.stops.add(frames.stop)
        reading = asyncio.ensure_future(frames.read())
        talking = asyncio.ensure_future(_serve(frames, worker, status, talk))
        await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, talking):
            task.cancel()
        results = await asyncio.gather(reading, talking, return_exceptions=True)
        worker.stops.discard(frames.stop)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result


async def _serve(frames: Frames, worker: MockWorker, status: str, talk: Any) -> None:
    request = await frames.next()
    try:
        async with worker.session(status, request):
            if worker.behaviour.take("fail_next"):
                await frames.send("error", error="failed on request", code="inference_error")
                await frames.socket.close(1011)
                return
            await talk(frames, worker, request)
    except asyncio.TimeoutError:
        await frames.send("error", error="Worker busy", code="worker_busy")
        await frames.socket.close(1013)
        return
    await frames.socket.close(1000)


async def chat_socket(frames: Frames, worker: MockWorker, request: dict[str, Any]) -> None:
    n_input = 10 * len(request.get("messages", []))
    worker.crash_if_due(0)
    await frames.send("prefill_done", input_tokens=n_input)
    text = ""
    n_chunks = 0
    async for _, delta in _chunks(frames, worker):
        text += delta
        n_chunks += 1
        if request.get("streaming", True):
            await frames.send("chunk", text_delta=delta)
    await frames.send(
        "done",
        text=text,
        generated_tokens=n_chunks,
        input_tokens=n_input,
        stopped=frames.stop.is_set(),
    )


async def streaming_socket(frames: Frames, worker: MockWorker, message: dict[str, Any]) -> None:
    while message.get("type") not in ("close", "stop"):
        if message.get("type") == "prefill":
            if message.get("history_hash") not in {None, *worker.kept_hashes}:
                await frames.send("cache_miss")
                message = await frames.next()
                worker.requests.append(message)
                continue
            n_input = 10 * len(message.get("messages", []))
            await frames.send(
                "prefill_done", prompt_length=n_input, input_tokens=n_input, cached_tokens=0
            )
        elif message.get("type") == "generate":
            frames.stop.clear()
            async for index, delta in _chunks(frames, worker):
                await frames.send("chunk", **_streaming_chunk(worker, index, delta))
            stopped = frames.stop.is_set()
            await frames.send("done", session_id=message.get("session_id"), stopped=stopped)
        else:
            await frames.send("error", error=f"Unknown message type: {message.get('type')}")
        message = await frames.next()
    if message.get("history_hash"):
        worker.kept_hashes.add(message["history_hash"])


async def half_duplex_socket(frames: Frames, worker: MockWorker, message: dict[str, Any]) -> None:
    speech_s = silence_s = 0.0
    turn_index = 0
    while message.get("type") != "stop":
        if message.get("type") == "prepare":
            await frames.send("prepared", session_id="hdx_mock", timeout_s=300)
        elif message.get("type") == "audio_chunk":
            duration_s, loud = _loudness(message.get("audio_base64", ""))
            if loud and not speech_s:
                await frames.send("vad_state", speaking=True)
            if loud:
                speech_s, silence_s = speech_s + duration_s, 0.0
            elif speech_s:
                silence_s += duration_s
            if silence_s >= TURN_END_SILENCE_S:
                turn_index += 1
                await frames.send("vad_state", speaking=False)
                await frames.send("generating", speech_duration_ms=round(speech_s * 1000))
                text = ""
                async for index, delta in _chunks(frames, worker):
                    text += delta
                    await frames.send("chunk", **_streaming_chunk(worker, index, delta))
                await frames.send("turn_done", turn_index=turn_index, text=text)
                speech_s = silence_s = 0.0
        message = await frames.next()
    await frames.send("stopped", session_id="hdx_mock")


async def duplex_socket(frames: Frames, worker: MockWorker, message: dict[str, Any]) -> None:
    unit_index = 0
    while message.get("type") != "stop":
        kind = message.get("type")
        if kind == "prepare":
            await worker.pause(0.1)
            await frames.send("prepared", prompt_length=50)
        elif kind == "audio_chunk":
            worker.crash_if_due(unit_index)
            await worker.pause(worker.behaviour.duplex_delay)
            await frames.send("result", **_duplex_result(worker, unit_index))
            unit_index += 1
        elif kind == "pause":
            await frames.send("paused", timeout=message.get("timeout", 60))
        elif kind == "resume":
            await frames.send("resumed")
        else:
            await frames.send("error", error=f"Unknown message type: {kind}")
        message = await frames.next()
    await frames.send("stopped")


async def _chunks(frames: Frames, worker: MockWorker) -> AsyncIterator[tuple[int, str]]:
    for index in range(worker.behaviour.stream_chunks):
        await worker.pause(worker.behaviour.stream_delay)
        if frames.stop.is_set():
            return
        worker.crash_if_due(index)
        yield index, f"chunk_{index} "


def _streaming_chunk(worker: MockWorker, index: int, delta: str) -> dict[str, Any]:
    if not worker.behaviour.strict:
        return {"text_delta": delta, "audio_data": None, "is_first_chunk": index == 0}
    return {
        "chunk_index": index,
        "text_delta": delta,
        "audio_data": None,
        "audio_sample_rate": 24000,
        "is_final": index == worker.behaviour.stream_chunks - 1,
        "duration_ms": worker.behaviour.stream_delay * 1000,
    }


def _duplex_result(worker: MockWorker, unit_index: int) -> dict[str, Any]:
    pattern = worker.behaviour.speak_pattern or "L"
    speaks = pattern[unit_index % len(pattern)].upper() == "S"
    audio = ONE_SECOND_OF_SILENCE if speaks else None
    result = {
        "is_listen": not speaks,
        "text": f"unit_{unit_index} " if speaks else "",
        "end_of_turn": False,
        "wall_clock_ms": worker.behaviour.duplex_delay * 1000,
        "kv_cache_length": 100,
    }
    if not worker.behaviour.strict:
        return {**result, "audio_base64": audio}
    now = time.time()
    return {**result, "audio_data": audio, "current_time": unit_index, "server_send_ts": now}


def _loudness(audio_base64: str) -> tuple[float, bool]:
    """Duration in seconds of a float32 chunk, and whether it sounds like speech."""
    raw = base64.b64decode(audio_base64)
    samples = struct.unpack(f"<{len(raw) // 4}f", raw[: len(raw) // 4 * 4])
    energy = sum(sample * sample for sample in samples)
    return len(samples) / SAMPLE_RATE, energy > SPEECH_RMS**2 * len(samples)
