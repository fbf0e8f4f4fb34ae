"""One socket of a mock worker: what came, what is sent, and whether to stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from core.tasks import within
from tests.mock_worker_state import MockWorker, Running

SHOWN_CHARACTERS = 100
BINARY = 1003
BAD_JSON = 1007


class Frames:
    """A socket read all the time: a lost client ends the session, `stop` is seen at once."""

    running: Running  # once a slot is held

    def __init__(self, socket: WebSocket, worker: MockWorker) -> None:
        self.socket = socket
        self.path = socket.url.path
        self.session_id = socket.query_params.get("session_id")
        self.stop = asyncio.Event()
        self.is_answering = False
        self._worker = worker
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read(self) -> None:
        about = {"path": self.path, **self.socket.query_params}
        while True:
            frame = await self._next_frame()
            if isinstance(frame, bytes):
                await self._take_bytes(frame)
                continue
            try:
                message = json.loads(frame)
            except (ValueError, RecursionError) as error:
                await self.socket.close(BAD_JSON)
                raise WebSocketDisconnect(BAD_JSON) from error
            shown = {name: _shortened(value) for name, value in message.items()}
            self._worker.received.append(about | shown)
            if message.get("type") == "stop":
                self.stop.set()
            await self._queue.put(message)

    async def _next_frame(self) -> str | bytes:
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text = message.get("text")
        return message["bytes"] if text is None else text

    async def _take_bytes(self, frame: bytes) -> None:
        if not self._worker.behaviour.echoes_bytes:
            await self.send("error", error="Binary frames are not supported", code="bad_message")
            await self.socket.close(BINARY)
            raise WebSocketDisconnect(BINARY)
        await self.socket.send_bytes(frame)

    async def next(self, timeout_s: float | None = None) -> dict[str, Any]:
        if timeout_s is None:
            return await self._queue.get()
        return await within(timeout_s, self._queue.get())

    def drop_sound(self) -> None:
        """Forget the sound that came while nobody listened."""
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for message in waiting:
            if message.get("type") != "audio_chunk":
                self._queue.put_nowait(message)

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_text(json.dumps({"type": kind, **fields}))

    async def answer(self) -> AsyncIterator[tuple[int, str]]:
        """The pieces of an answer, until it is complete or stopped."""
        behaviour = self._worker.behaviour
        self.is_answering = True
        try:
            for index in range(behaviour.stream_chunks):
                await self._worker.pause(behaviour.stream_delay)
                if self.stop.is_set():
                    return
                self._worker.crash_if_due(index)
                yield index, f"chunk_{index} "
        finally:
            self.is_answering = False

    async def send_chunk(self, index: int, delta: str) -> None:
        await self.send("chunk", **self._chunk(index, delta))

    def _chunk(self, index: int, delta: str) -> dict[str, Any]:
        behaviour = self._worker.behaviour
        if not behaviour.strict:
            return {"text_delta": delta, "audio_data": None, "is_first_chunk": index == 0}
        return {
            "chunk_index": index,
            "text_delta": delta,
            "audio_data": None,
            "audio_sample_rate": 24000,
            "is_final": index == behaviour.stream_chunks - 1,
            "duration_ms": behaviour.stream_delay * 1000,
        }


def _shortened(value: Any) -> Any:
    return value[:SHOWN_CHARACTERS] if isinstance(value, str) else value
