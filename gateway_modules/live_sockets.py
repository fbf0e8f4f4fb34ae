"""Every open client socket, and how one is served from its first frame to its close code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from starlette.websockets import WebSocket

from config import ServiceConfig
from core import errors
from core.logs import event
from core.tasks import within
from gateway_modules import metrics
from gateway_modules.access import SOCKET_PROTOCOL, AccessPolicy
from gateway_modules.client_limits import ClientLimits
from gateway_modules.client_socket import (
    STALLED,
    ClientGoneError,
    ClientSocket,
    ClientStalledError,
    Conversation,
)

logger = logging.getLogger(__name__)


class LiveSockets:
    """The sockets that are being served; on shutdown all are closed with 1001."""

    def __init__(self, access: AccessPolicy, limits: ClientLimits, config: ServiceConfig) -> None:
        self._access = access
        self._limits = limits
        self._config = config
        self._open: set[ClientSocket] = set()
        self._all_closed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    async def serve(
        self,
        websocket: WebSocket,
        conversation: Conversation,
        *,
        max_frame_mb: float | None = None,
    ) -> None:
        """Accept the socket, run the conversation, tell its error, close with the right code.

        The socket is accepted before anything is checked, because a browser can only read the
        reason of a refusal on an accepted one.
        """
        offered = websocket.scope.get("subprotocols", ())
        await websocket.accept(SOCKET_PROTOCOL if SOCKET_PROTOCOL in offered else None)
        client = self._access.client_of(websocket)
        socket = ClientSocket(websocket, self._config, max_frame_mb, client)
        started_at = time.monotonic()
        self._open.add(socket)
        try:
            close_code = await self._answer(websocket, socket, conversation)
        except ClientGoneError:
            close_code = None
        finally:
            self._open.discard(socket)
            if not self._open:
                self._all_closed.set()
        duration_s = time.monotonic() - started_at
        ended_by = str(close_code or "client")
        metrics.SOCKET_S.labels(metrics.route_of(websocket.scope), ended_by).observe(duration_s)
        logger.info(
            event(
                "socket_closed",
                path=websocket.url.path,
                code=ended_by,
                duration_ms=duration_s * 1000,
            )
        )

    async def _answer(
        self, websocket: WebSocket, socket: ClientSocket, conversation: Conversation
    ) -> int:
        try:
            self._access.check_origin(websocket)
            self._access.check_api_key(websocket)
            with self._limits.socket(socket.client):
                close_code = await socket.run(conversation)
        except errors.ServiceError as error:
            await socket.send_error(error)
            close_code = error.close_code
        except ClientStalledError:
            close_code = STALLED  # told to it, should it go on
        except ClientGoneError:
            raise
        except Exception:
            logger.exception(event("socket_failed", path=websocket.url.path))
            await socket.send_error(errors.InferenceError("Internal error"))
            close_code = errors.InferenceError.close_code
        await socket.close(close_code)
        return close_code

    async def close_all(self, timeout_s: float) -> None:
        """End every conversation with 1001 and wait until the sockets are closed."""
        for socket in self._open:
            socket.end()
        if self._open:
            self._all_closed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await within(timeout_s, self._all_closed.wait())
