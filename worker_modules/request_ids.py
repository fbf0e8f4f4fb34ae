"""Which request of the gateway a line in the log belongs to."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.logs import REQUEST_ID

HEADER = "x-request-id"


class RequestIds:
    """ASGI middleware: what is logged for a request carries the id that the gateway gave it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            REQUEST_ID.set(HTTPConnection(scope).headers.get(HEADER))
        await self._app(scope, receive, send)
