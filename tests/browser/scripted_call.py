"""The service's side of a full-duplex call, played by a test instead of a model."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.async_api import Page, WebSocketRoute

SPEECH_RATE = 24000
WAIT_S = 15.0


def speech(seconds: float = 1.0, pitch_hz: float = 220.0) -> str:
    """Sound of the model as it goes over the wire."""
    time_s = np.arange(int(seconds * SPEECH_RATE)) / SPEECH_RATE
    samples = (0.4 * np.sin(2 * np.pi * pitch_hz * time_s)).astype("<f4")
    return base64.b64encode(samples.tobytes()).decode()


class ScriptedCall:
    """Answers chunk after chunk with the next result of `script`, then listens.

    What is not answered by itself, such as `queue_done` while `queue` is set, a test says with
    `say`.
    """

    def __init__(self) -> None:
        self.script: list[dict[str, Any]] = []
        self.queue: list[dict[str, Any]] = []
        self.prepared: dict[str, Any] = {}
        self.answers_chunks = True
        self.answers_stop = True
        self.connections = 0
        self.url = ""
        self.sent: list[dict[str, Any]] = []
        self.is_closed = False
        self._epoch = 0
        self._units = 0
        self._speaking = False
        self._socket: WebSocketRoute | None = None

    async def install(self, page: Page) -> None:
        await page.route_web_socket("**/ws/duplex/**", self._accept)

    def say(self, message_type: str, **fields: Any) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps({"type": message_type, **fields}))

    def of(self, message_type: str) -> list[dict[str, Any]]:
        """The messages of one type that the page has sent."""
        return [message for message in self.sent if message["type"] == message_type]

    async def wait_for(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + WAIT_S
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"no {what} in time"
            await asyncio.sleep(0.02)

    async def wait_for_sent(self, message_type: str, count: int = 1) -> list[dict[str, Any]]:
        await self.wait_for(message_type, lambda: len(self.of(message_type)) >= count)
        return self.of(message_type)

    def _accept(self, socket: WebSocketRoute) -> None:
        self._socket = socket
        self.connections += 1
        self.url = socket.url
        self.is_closed = False
        self._units = 0
        socket.on_message(lambda text: self._receive(json.loads(text)))
        socket.on_close(lambda code, reason: self._closed())
        for message in self.queue:
            self.say("queued", **message)
        if not self.queue:
            self.say("queue_done")

    def _closed(self) -> None:
        self.is_closed = True

    def _receive(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        kind = message["type"]
        if kind == "prepare":
            window = {"mode": "auto", "high": 8000, "low": 6000}
            self.say("prepared", **({"prompt_length": 40, "window": window} | self.prepared))
        elif kind == "audio_chunk" and self.answers_chunks:
            self._answer(message)
        elif kind == "pause":
            self.say("paused", timeout=60.0)
        elif kind == "resume":
            self.say("resumed")
        elif kind == "stop" and self.answers_stop:
            self.say("stopped", session_id="scripted", audio_epoch=self._epoch)

    def _answer(self, chunk: dict[str, Any]) -> None:
        self._units += 1
        result: dict[str, Any] = {"is_listen": True, "text": "", "audio_data": None}
        if not chunk.get("force_listen"):
            result |= self.script.pop(0) if self.script else {}
        elif self._speaking:
            self._epoch += 1
            result["interrupted"] = True
        self._speaking = not result["is_listen"]
        self.say(
            "result",
            **{
                "end_of_turn": False,
                "current_time": self._units,
                "wall_clock_ms": 400.0,
                "cost_all_ms": 380.0,
                "kv_cache_length": 60 * self._units,
                "vision_slices": 0,
                "vision_tokens": 0,
                "server_send_ts": 1_700_000_000.0 + self._units,
                "audio_epoch": self._epoch,
            }
            | result,
        )


def spoken(text: str, seconds: float = 1.0, **fields: Any) -> dict[str, Any]:
    return {"is_listen": False, "text": text, "audio_data": speech(seconds), **fields}
