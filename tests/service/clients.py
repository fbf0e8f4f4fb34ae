"""Socket clients for tests."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.service.stack import GatewayProcess

RECEIVE_TIMEOUT_S = 20.0
HELLO = {"messages": [{"role": "user", "content": "Hello"}]}


def open_socket(
    gateway: GatewayProcess, path: str = "/ws/chat", *, origin: str | None = None
) -> connect:
    """An async context manager that is the open connection."""
    headers = {"Origin": origin} if origin else {}
    return connect(
        gateway.ws_url + path,
        ssl=gateway.ssl_context,
        additional_headers=headers,
        max_size=None,
        proxy=None,
    )


async def receive(socket: ClientConnection, timeout_s: float = RECEIVE_TIMEOUT_S) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(socket.recv(), timeout_s))


@dataclass
class Conversation:
    """Everything a socket said until it closed."""

    messages: list[dict[str, Any]]
    close_code: int | None

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def text(self) -> str:
        """The text of the streamed chunks."""
        return "".join(self.deltas)

    @property
    def deltas(self) -> list[str]:
        return [m.get("text_delta") or "" for m in self.messages if m["type"] == "chunk"]

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1]


async def read_to_close(socket: ClientConnection) -> Conversation:
    messages = []
    try:
        while True:
            messages.append(await receive(socket))
    except ConnectionClosed:
        return Conversation(messages, socket.close_code)


async def chat(gateway: GatewayProcess, request: dict[str, Any] | None = None) -> Conversation:
    """Send one request and read the whole answer."""
    async with open_socket(gateway) as socket:
        with contextlib.suppress(ConnectionClosed):  # refused before it was asked anything
            await socket.send(json.dumps(request or HELLO))
        return await read_to_close(socket)
