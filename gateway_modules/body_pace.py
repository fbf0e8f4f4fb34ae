"""Bodies have to come at some pace, so that nobody keeps a request open by sending a little."""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import errors
from core.tasks import within

GRACE_S = 20.0
SLOWEST_BYTES_PER_S = 2048


class BodyPace:
    """ASGI middleware: a body that comes more slowly ends its request with 408."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at_s = time.monotonic()
        n_bytes = 0
        is_complete = False

        async def take() -> Message:
            return await receive()

        async def receive_in_time() -> Message:
            nonlocal n_bytes, is_complete
            if is_complete:
                return await receive()
            allowed_s = GRACE_S + n_bytes / SLOWEST_BYTES_PER_S
            try:
                message = await within(started_at_s + allowed_s - time.monotonic(), take())
            except asyncio.TimeoutError as late:
                raise errors.IdleTimeoutError("The body came too slowly") from late
            n_bytes += len(message.get("body", b""))
            is_complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
