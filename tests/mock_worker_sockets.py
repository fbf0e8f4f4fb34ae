"""The sockets of a mock worker: canned answers in the order the real ones come."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from tests.mock_worker_calls import duplex_socket, half_duplex_socket
from tests.mock_worker_frames import Frames
from tests.mock_worker_state import MockWorker


def add_sockets(app: FastAPI, worker: MockWorker) -> None:
    for path, status, talk in (
        ("/ws/chat", "busy_chat", chat_socket),
        ("/ws/streaming", "busy_streaming", streaming_socket),
        ("/ws/half_duplex", "busy_half_duplex", half_duplex_socket),
        ("/ws/duplex", "duplex_active", duplex_socket),
    ):
        _add_socket(app, worker, path, status, talk)


def _add_socket(app: FastAPI, worker: MockWorker, path: str, status: str, talk: Any) -> None:
    @app.websocket(path)
    async def endpoint(socket: WebSocket) -> None:
        if worker.behaviour.take("refuse_next"):
            await socket.close(1013)
            return
        await socket.accept()
        frames = Frames(socket, worker)
        worker.sockets.add(frames)
        reading = asyncio.ensure_future(frames.read())
        talking = asyncio.ensure_future(_serve(frames, worker, status, talk))
        await asyncio.wait({reading, talking}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, talking):
            task.cancel()
        results = await asyncio.gather(reading, talking, return_exceptions=True)
        worker.sockets.discard(frames)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result


async def _serve(frames: Frames, worker: MockWorker, status: str, talk: Any) -> None:
    request = await frames.next()
    try:
        async with worker.session(status, request, frames.session_id) as frames.running:
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
    async for _, delta in frames.answer():
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
    audio_epoch = 0
    while message.get("type") != "close":
        match message.get("type"):
            case "prefill" | "playback" if not worker.keeps(message.get("history_hash")):
                await frames.send("cache_miss")
                message = await frames.next()
                worker.requests.append(message)
                continue
            case "prefill":
                n_input = 10 * len(message.get("messages", []))
                audio_epoch = message.get("audio_epoch", 0)
                await frames.send(
                    "prefill_done", prompt_length=n_input, input_tokens=n_input, cached_tokens=0
                )
            case "generate":
                frames.stop.clear()
                async for index, delta in frames.answer():
                    await frames.send_chunk(index, delta)
                stopped = frames.stop.is_set()
                about = {"stopped": stopped, "audio_epoch": audio_epoch + stopped}
                await frames.send("done", session_id=message.get("session_id"), **about)
            case "stop":
                pass  # the answer has ended
            case "playback":
                worker.kept_hashes.discard(message["history_hash"])
                heard = f"heard {message['played_ms']} ms"
                epoch = message["audio_epoch"]
                await frames.send("truncated", audio_epoch=epoch, text=heard)
            case kind:
                await frames.send("error", error=f"Unknown message type: {kind}")
        message = await frames.next()
    if message.get("history_hash"):
        worker.kept_hashes.add(message["history_hash"])
