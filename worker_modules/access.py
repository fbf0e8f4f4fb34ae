"""The secret that a worker asks for when other machines can reach it."""

from __future__ import annotations

import hmac
import logging

from fastapi.responses import JSONResponse
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import UnauthorizedError, http_body
from core.logs import event
from core.schemas import WORKER_SECRET_HEADER

logger = logging.getLogger(__name__)

PROBES = {"/live", "/livez", "/ready", "/readyz"}


class RequireSecret:
    """ASGI middleware: lets in who knows the secret, and anybody who only asks for a sign of life.

    The secret comes in its own header, or as the bearer token that monitoring programs send.
    """

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in PROBES or self._knows_secret(scope):
            await self._app(scope, receive, send)
            return
        logger.warning(event("request_refused", path=scope["path"], reason="worker secret"))
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": UnauthorizedError.close_code})
            return
        error = UnauthorizedError("The worker secret is required")
        await JSONResponse(http_body(error), error.http_status)(scope, receive, send)

    def _knows_secret(self, scope: Scope) -> bool:
        headers = HTTPConnection(scope).headers
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        given = headers.get(WORKER_SECRET_HEADER, bearer)
        return bool(given) and hmac.compare_digest(given.encode(), self._secret)
