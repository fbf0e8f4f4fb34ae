"""What every answer carries, a request id and the security headers, and who gets none."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import errors
from core.logs import REQUEST_ID, event
from gateway_modules import metrics
from gateway_modules.access import AccessPolicy
from gateway_modules.client_limits import ClientLimits
from gateway_modules.error_responses import error_response

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
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(self), speaker-selection=(self)",
}
TLS_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}  # browsers complain of it elsewhere
POLLED_ROUTES = {
    "/health",
    "/live",
    "/livez",
    "/ready",
    "/readyz",
    "/status",
    "/metrics",
    "/api/queue",
    "/api/workers/{worker_id}/heartbeat",
}
REST_PATHS = ("api", "status", "workers", "cache", "sessions")  # by their first part
_SAFE_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class RequestContext:
    """ASGI middleware: takes over or makes `X-Request-ID`, adds headers, logs each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = take_request_id(_given_request_id(scope))
        scope["request_id"] = request_id
        REQUEST_ID.set(request_id)
        started_at = time.monotonic()
        status = 500
        fixed_headers = SECURITY_HEADERS | (TLS_HEADERS if scope["scheme"] == "https" else {})

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                if message["type"] == "http.response.start":
                    status = message["status"]
                    for name, value in fixed_headers.items():
                        headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            duration_s = time.monotonic() - started_at
            if scope["type"] == "http":
                route = metrics.route_of(scope)
                metrics.note_request(scope["method"], route, status, duration_s)
                routine = status < 400 and route in POLLED_ROUTES
                logger.log(
                    logging.DEBUG if routine else logging.INFO,
                    event(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        duration_ms=duration_s * 1000,
                    ),
                )


class CallLimit:
    """ASGI middleware: refuses REST calls of clients that have used up their share.

    Pages and their files, the media of recordings, probes and metrics are not counted.
    """

    def __init__(self, app: ASGIApp, access: AccessPolicy, limits: ClientLimits) -> None:
        self._app = app
        self._access = access
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_counted(scope["path"]):
            try:
                self._limits.count_call(self._access.client_of(HTTPConnection(scope)))
            except errors.RateLimitedError as error:
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_counted(path: str) -> bool:
    parts = path.strip("/").split("/")
    is_media = parts[:2] == ["api", "sessions"] and parts[3:4] == ["assets"]
    return parts[0] in REST_PATHS and not is_media


def _given_request_id(scope: Scope) -> str | None:
    """From the header; browsers can set none for a socket, so there the address may carry it."""
    given = Headers(scope=scope).get("x-request-id")
    if given is None and scope["type"] == "websocket":
        given = QueryParams(scope["query_string"]).get("request_id")
    return given


def take_request_id(given: str | None) -> str:
    """The caller's id when it is harmless in logs and headers, else a new one."""
    if given is not None and _SAFE_REQUEST_ID.fullmatch(given):
        return given
    return uuid.uuid4().hex
