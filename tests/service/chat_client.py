"""What tests of chats through a gateway to mock workers share."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from tests.service.clients import HELLO, receive
from tests.service.stack import GatewayProcess

FAST = ("--chat-delay", "0.02", "--stream-delay", "0.01")
SOON_S = 5.0


def post(gateway: GatewayProcess, **options: Any) -> httpx.Response:
    return gateway.http.post("/api/chat", json=HELLO, **options)


async def until(gateway: GatewayProcess, **expected: Any) -> None:
    await asyncio.to_thread(gateway.wait_for_status, SOON_S, **expected)


async def begin(socket: Any) -> None:
    """Send a request and wait until the worker works on it."""
    await socket.send(json.dumps(HELLO))
    assert (await receive(socket))["type"] == "prefill_done"
