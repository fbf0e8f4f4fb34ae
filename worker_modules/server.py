"""The worker as a process: uvicorn with our limits, known to a gateway while it serves."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

from config import ServiceConfig
from worker_modules.registration import Registration
from worker_modules.wire import MEBIBYTE

GRACEFUL_SHUTDOWN_S = 5


class WorkerServer(uvicorn.Server):
    """Registers once its port is open, and leaves the gateway before it closes it."""

    def __init__(self, config: uvicorn.Config, registration: Registration | None) -> None:
        super().__init__(config)
        self._registration = registration

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._registration is not None and self.started:
            self._registration.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._registration is not None:
            await self._registration.stop()
        await super().shutdown(sockets)


def make_server(
    app: ASGIApp,
    config: ServiceConfig,
    host: str,
    port: int,
    registration: Registration | None = None,
) -> WorkerServer:
    """A server for `app` that listens on this address."""
    server_config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        ws_max_size=int(config.limits.chat_body_mb * MEBIBYTE),
        ws_ping_interval=config.sessions.ping_period_s,
        ws_ping_timeout=config.sessions.pong_wait_s,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    return WorkerServer(server_config, registration)
