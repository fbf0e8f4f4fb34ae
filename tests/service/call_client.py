"""A client of `/ws/duplex/{session_id}` and `/ws/half_duplex/{session_id}`."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.service.clients import Conversation, open_socket, read_to_close, receive
from tests.service.stack import GatewayProcess

SAMPLE_RATE = 16000


def sound(duration_s: float, level: float = 0.0) -> str:
    """Sound of constant level, as it goes over the wire."""
    n_samples = round(duration_s * SAMPLE_RATE)
    return base64.b64encode(struct.pack("<f", level) * n_samples).decode()


@dataclass
class CallClient:
    """One call over one socket."""

    socket: ClientConnection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def receive(self) -> dict[str, Any]:
        return await receive(self.socket)

    async def until(self, *kinds: str) -> list[dict[str, Any]]:
        """All messages up to one of these types."""
        messages = [await self.receive()]
        while messages[-1]["type"] not in kinds:
            messages.append(await self.receive())
        return messages

    async def prepare(self, **fields: Any) -> list[dict[str, Any]]:
        """Begin the call; returns everything up to `prepared` or `error`."""
        await self.send("prepare", **fields)
        return await self.until("prepared", "error")

    async def chunk(self, duration_s: float = 0.01, level: float = 0.0, **fields: Any) -> None:
        await self.send("audio_chunk", audio_base64=sound(duration_s, level), **fields)

    async def say(self) -> None:
        """Half a second of speech and the silence after it, which ends a half-duplex turn."""
        await self.chunk(0.5, level=0.5)
        await self.chunk(0.6)

    async def stop(self) -> Conversation:
        """End the call and read what is still said."""
        await self.send("stop")
        return await read_to_close(self.socket)


@asynccontextmanager
async def call(gateway: GatewayProcess, path: str) -> AsyncIterator[CallClient]:
    async with open_socket(gateway, path) as socket:
        yield CallClient(socket)
