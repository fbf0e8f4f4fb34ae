"""The gateway application: its routes, its error envelope and the pool's lifetime."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from config import ServiceConfig
from core.loop_lag import watch_loop_lag
from core.schemas import API_VERSION, ChatRequest
from core.tasks import beside
from gateway_modules import metrics, openapi
from gateway_modules.access import KEY_HEADER
from gateway_modules.audit import AuditTrail
from gateway_modules.body_pace import BodyPace
from gateway_modules.error_responses import add_error_handlers
from gateway_modules.eta_file import save_estimates
from gateway_modules.middleware import CallLimit
from gateway_modules.ref_audio_models import ExternalRefAudioRequest, UploadRefAudioRequest
from gateway_modules.routes import (
    apps,
    catalog,
    chat,
    chat_socket,
    debug,
    docs,
    duplex_socket,
    eta,
    half_duplex_socket,
    health,
    live_sessions,
    login,
    operation,
    pages,
    queue,
    ref_audio,
    sessions,
    streaming_socket,
    workers,
)
from gateway_modules.state import Gateway, GatewayOptions
from gateway_modules.upstream import REQUEST_ID_HEADER

DESCRIPTION = (
    "MiniCPM-o 4.5 behind one address. Sockets (`/ws/chat` and `/ws/streaming`, `/ws/half_duplex` "
    "and `/ws/duplex` with a session id) are not part of this description."
)


def create_app(config: ServiceConfig, options: GatewayOptions) -> FastAPI:
    gateway = Gateway(config, options)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await gateway.pool.start()
        async with (
            beside(watch_loop_lag(metrics.LOOP_LAG_S.observe)),
            gateway.recorded.cleaned_regularly(),
        ):
            yield
        gateway.is_draining = True
        gateway.membership.close()
        await gateway.pool.stop()
        save_estimates(gateway.pool.eta_tracker, gateway.estimates_file)

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
    app.add_middleware(BodyPace)
    app.add_middleware(CallLimit, access=gateway.access, limits=gateway.limits)
    app.add_middleware(AuditTrail, access=gateway.access, folder=config.data_path)
    if config.security.allowed_origins:
        let_in(app, config.security.allowed_origins)
    for routes in (
        health,
        login,
        workers,
        operation,
        queue,
        eta,
        catalog,
        apps,
        ref_audio,
        sessions,
        live_sessions,
        chat,
        chat_socket,
        streaming_socket,
        half_duplex_socket,
        duplex_socket,
        debug,
        docs,
        pages,
    ):
        app.include_router(routes.router)
    pages.mount_static(app)
    forwarded = [ChatRequest, UploadRefAudioRequest, ExternalRefAudioRequest, debug.RecordTrace]
    openapi.describe(app, forwarded)
    return app


def let_in(app: FastAPI, origins: Sequence[str]) -> None:
    """Have browsers let pages of these origins call and read; cookies stay our own pages'."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[origin.rstrip("/") for origin in origins],
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=["Authorization", "Content-Type", KEY_HEADER, REQUEST_ID_HEADER],
        expose_headers=[REQUEST_ID_HEADER, "Retry-After", "ETag"],
    )
