"""What every answer carries: a request id and the security headers."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.logs import event

logger = logging.getLogger("gateway.access")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self' ws: wss:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(self), speaker-selection=(self)",
}
POLLED_PATHS = {"/health", "/live", "/livez", "/ready", "/readyz", "/status", "/api/queue"}
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class RequestContext:
    """ASGI middleware: takes over or makes `X-Request-ID`, adds headers, logs each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = take_request_id(Headers(scope=scope).get("x-request-id"))
        scope["request_id"] = request_id
        started_at = time.monotonic()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                if message["type"] == "http.response.start":
                    status = message["status"]
                    for name, value in SECURITY_HEADERS.items():
                        headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            if scope["type"] == "http":
                routine = status < 400 and scope["path"] in POLLED_PATHS
                logger.log(
                    logging.DEBUG if routine else logging.INFO,
                    event(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        duration_ms=(time.monotonic() - started_at) * 1000,
                        request_id=request_id,
                    ),
                )


def take_request_id(given: str | None) -> str:
    """The caller's id when it is harmless in logs and headers, else a new one."""
    if given is not None and _SAFE_REQUEST_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex
