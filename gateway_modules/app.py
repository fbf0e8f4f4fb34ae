"""The gateway application: its routes, its error envelope and the pool's lifetime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from config import ServiceConfig
from core.schemas import API_VERSION, ChatRequest
from gateway_modules import openapi
from gateway_modules.error_responses import add_error_handlers
from gateway_modules.routes import (
    catalog,
    chat,
    chat_socket,
    docs,
    duplex_socket,
    half_duplex_socket,
    health,
    pages,
    queue,
    streaming_socket,
    workers,
)
from gateway_modules.state import Gateway, GatewayOptions

DESCRIPTION = (
    "MiniCPM-o 4.5 behind one address. Sockets (`/ws/chat` and `/ws/streaming`, `/ws/half_duplex` "
    "and `/ws/duplex` with a session id) are not part of this description."
)


def create_app(config: ServiceConfig, options: GatewayOptions) -> FastAPI:
    gateway = Gateway(config, options)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await gateway.pool.start()
        yield
        gateway.is_draining = True
        await gateway.pool.stop()

    app = FastAPI(
        title="MiniCPMO45 Gateway",
        version=API_VERSION,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    add_error_handlers(app)
    for routes in (
        health,
        workers,
        queue,
        catalog,
        chat,
        chat_socket,
        streaming_socket,
        half_duplex_socket,
        duplex_socket,
        docs,
        pages,
    ):
        app.include_router(routes.router)
    pages.mount_static(app)
    openapi.describe(app, [ChatRequest])
    return app
