"""A client of `/ws/streaming/{session_id}` that resends its history, as pages do."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.service.clients import receive


@dataclass
class Turn:
    """What a turn said, without the queue's messages."""

    messages: list[dict[str, Any]]

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def text(self) -> str:
        return "".join(m.get("text_delta") or "" for m in self.messages if m["type"] == "chunk")

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1]

    @property
    def cached_tokens(self) -> int:
        return self.messages[0]["cached_tokens"]

    @property
    def input_tokens(self) -> int:
        return self.messages[0]["input_tokens"]


@dataclass
class StreamingClient:
    """One conversation over one socket."""

    socket: ClientConnection
    history: list[dict[str, Any]] = field(default_factory=list)

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

    async def begin(self, content: Any, **prefill: Any) -> dict[str, Any]:
        """Ask for a turn with the whole history; returns `prefill_done` or `error`."""
        self.history.append({"role": "user", "content": content})
        await self.send("prefill", messages=self.history, **prefill)
        return (await self.until("prefill_done", "error"))[-1]

    async def finish(self, **generate: Any) -> Turn:
        """Ask for the answer and take it into the history."""
        await self.send("generate", **({"session_id": "r", "generate_audio": False} | generate))
        turn = Turn(await self.until("done", "error"))
        self.history.append({"role": "assistant", "content": turn.text})
        return turn

    async def turn(self, content: Any, **generate: Any) -> Turn:
        """A whole turn; the answer joins the history."""
        read = await self.begin(content)
        if read["type"] == "error":
            return Turn([read])
        return Turn([read, *(await self.finish(**generate)).messages])
