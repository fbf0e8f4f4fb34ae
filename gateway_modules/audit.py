"""Who changed the service, and when: a line in `audit.jsonl` for each attempt of administration."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from pathlib import Path

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.logs import event
from gateway_modules import metrics
from gateway_modules.access import AccessPolicy
from gateway_modules.rolling_file import RollingFile

logger = logging.getLogger(__name__)

FILE_NAME = "audit.jsonl"
MAX_BYTES = 5 << 20
READING = {"GET", "HEAD", "OPTIONS"}
LONGEST_TARGET = 200


def note_administration(connection: HTTPConnection) -> None:
    """This request asks for something that only administrators may do."""
    connection.scope["is_administration"] = True


class AuditTrail:
    """ASGI middleware: writes down what changed the service or would have, refused or not."""

    def __init__(self, app: ASGIApp, access: AccessPolicy, folder: Path) -> None:
        self._app = app
        self._access = access
        self._file = RollingFile(folder / FILE_NAME, MAX_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        status = 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            if scope.get("is_administration"):
                await asyncio.to_thread(self._write, scope, status)

    def _write(self, scope: Scope, status: int) -> None:
        line = {
            "time": datetime.now(timezone.utc).isoformat(),
            "caller": self._access.address_of(HTTPConnection(scope)),
            "action": f"{scope['method']} {metrics.route_of(scope)}",
            "target": scope["path"][:LONGEST_TARGET],
            "status": status,
            "request_id": scope.get("request_id"),
        }
        try:
            self._file.append(line)
        except OSError as error:
            logger.warning(event("audit_line_lost", reason=error.strerror, **line))
