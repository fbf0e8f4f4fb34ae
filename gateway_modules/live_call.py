"""A call: one client and one worker for as long as both stay, full duplex or half duplex."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import WebSocket

from gateway_modules import metrics
from gateway_modules.client_socket import NORMAL_CLOSURE, ClientGoneError, ClientSocket
from gateway_modules.diagnostic_log import DiagnosticLog
from gateway_modules.frame_buffer import Frame
from gateway_modules.lease import Lease
from gateway_modules.models import GatewayWorkerStatus
from gateway_modules.queue_progress import wait_in_queue
from gateway_modules.relay import Relay
from gateway_modules.session_ids import clean_session_id
from gateway_modules.state import Gateway
from gateway_modules.upstream import stop_on_worker

DIAGNOSTIC = "client_diagnostic"
SHOWN_STATUS = {
    "paused": GatewayWorkerStatus.DUPLEX_PAUSED,
    "resumed": GatewayWorkerStatus.DUPLEX_ACTIVE,
}
STATUS_MESSAGE_MAX_CHARACTERS = 200


@dataclass(frozen=True)
class CallKind:
    """One way to call.

    Args:
        app_id: the application that must be switched on.
        request_type: what the pool counts it as.
        worker_path: where a worker takes it.
        mode: told to the worker, where one path serves two modes.
        stop_path: where a worker ends an answer without ending the call, if it can.
    """

    app_id: str
    request_type: str
    worker_path: str
    mode: str | None = None
    stop_path: str | None = None

    def worker_url_path(self, session_id: str) -> str:
        query = {"session_id": session_id} | ({"mode": self.mode} if self.mode else {})
        return f"{self.worker_path}?{urlencode(query)}"


async def serve_call(
    websocket: WebSocket, gateway: Gateway, session_id: str, kind: CallKind
) -> None:
    """Serve a client's socket as a call, from the queue to the close code."""
    request_id = websocket.scope["request_id"]

    async def conversation(socket: ClientSocket) -> int:
        return await hold_call(socket, gateway, clean_session_id(session_id), kind, request_id)

    await gateway.sockets.serve(
        websocket, conversation, max_frame_mb=gateway.config.limits.frame_mb
    )


async def hold_call(
    socket: ClientSocket, gateway: Gateway, session_id: str, kind: CallKind, request_id: str
) -> int:
    """Wait for a worker, then relay until one side ends the call; returns the close code.

    When the client leaves, its worker gets no new work before it says that it is idle again.
    """
    gateway.apps.require(kind.app_id)
    gateway.require_ready()
    config = gateway.config
    with gateway.session_ids.claim(session_id, socket):
        async with gateway.lease(socket.client, kind.request_type, session_id) as lease:
            update_period_s = config.sessions.queue_update_s
            await wait_in_queue(socket, lease, gateway.pool, update_period_s, always_says_done=True)
            call = LiveCall(gateway, socket, lease, session_id, kind)
            try:
                with gateway.calls.running(call):
                    worker_path = kind.worker_url_path(session_id)
                    close_code = await call.run(lease, worker_path, config, request_id)
            except (asyncio.CancelledError, ClientGoneError):
                lease.leave_worker_busy()
                raise
            if close_code == NORMAL_CLOSURE:
                lease.complete()
            return close_code


class LiveCall(Relay):
    """Passes frames on unread, but for the few that concern the gateway itself."""

    def __init__(
        self, gateway: Gateway, socket: ClientSocket, lease: Lease, session_id: str, kind: CallKind
    ) -> None:
        super().__init__(socket, session_id=session_id)
        self._gateway = gateway
        self._lease = lease
        self._stop_path = kind.stop_path
        self._diagnostics = DiagnosticLog(session_id, gateway.config.limits)

    async def stop(self) -> bool:
        """End the answer that is given now and not the call; False when there is none."""
        worker = self._gateway.pool.get_worker(self.worker_id or "")
        if worker is None or self._stop_path is None:
            return False
        http = self._gateway.pool.http
        return await stop_on_worker(http, worker, self._stop_path, self.session_id or "")

    async def _take(self, frame: Frame) -> bool:
        if isinstance(frame, bytes) or len(frame) > self._diagnostics.max_report_bytes:
            return False
        if f'"{DIAGNOSTIC}"' not in frame:
            return False
        message = _parsed(frame)
        if message.get("type") != DIAGNOSTIC:
            return False
        metrics.note_report(message)
        await asyncio.to_thread(self._diagnostics.append, message)
        return True

    def _heed(self, frame: Frame) -> None:
        if isinstance(frame, bytes) or len(frame) > STATUS_MESSAGE_MAX_CHARACTERS:
            return
        if '"paused"' in frame or '"resumed"' in frame:
            status = SHOWN_STATUS.get(str(_parsed(frame).get("type")))
            if status is not None:
                self._lease.show_status(status)


def _parsed(frame: str) -> dict[str, object]:
    """The object in a frame; an empty one when it is none, which the worker will find too."""
    try:
        message = json.loads(frame)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}
