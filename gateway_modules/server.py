"""The gateway as a process: uvicorn with our limits, TLS and an orderly end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from config import ServiceConfig
from gateway_modules.client_socket import MEBI
from gateway_modules.http_protocol import GuardedHttpProtocol, is_idle
from gateway_modules.middleware import RequestContext
from gateway_modules.socket_protocol import GuardedSocketProtocol
from gateway_modules.state import Gateway

CLOSE_SOCKETS_S = 3.0
FINISH_REQUESTS_S = 20
IDLE_SWEEP_S = 0.25


class GatewayServer(uvicorn.Server):
    """Closes the sockets with 1001 before uvicorn ends the remaining connections."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._gateway.drain(CLOSE_SOCKETS_S)
        sweeping = asyncio.create_task(self._drop_idle_connections())
        await super().shutdown(sockets)
        sweeping.cancel()

    async def _drop_idle_connections(self) -> None:
        """Drop connections that stay idle: over TLS, uvicorn waits for each client's good-bye."""
        idle_before: set[Any] = set()
        while True:
            idle = {
                connection for connection in self.server_state.connections if is_idle(connection)
            }
            for connection in idle & idle_before:
                connection.transport.abort()
            idle_before = idle
            await asyncio.sleep(IDLE_SWEEP_S)


def make_server(
    app: FastAPI, config: ServiceConfig, certificate: tuple[Path, Path] | None
) -> GatewayServer:
    """A server for `app`; `certificate` is (certificate, key), or None for plain HTTP."""
    certificate_path, key_path = certificate or (None, None)
    server_config = uvicorn.Config(
        RequestContext(app),
        host=config.service.host,
        port=config.service.gateway_port,
        ssl_certfile=certificate_path,
        ssl_keyfile=key_path,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        http=GuardedHttpProtocol,
        ws=GuardedSocketProtocol,
        ws_max_size=int(config.limits.chat_body_mb * MEBI),
        ws_ping_interval=config.sessions.ping_period_s,
        ws_ping_timeout=config.sessions.pong_wait_s,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=FINISH_REQUESTS_S,
    )
    return GatewayServer(server_config, app.state.gateway)
