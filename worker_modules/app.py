"""The worker's application: routes, error answers, and the model's life from start to end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from config import ServiceConfig
from core.errors import InferenceError, ServiceError, http_body, http_headers
from core.logs import event
from core.loop_lag import watch_loop_lag
from core.schemas import API_VERSION
from core.tasks import beside
from worker_modules import (
    chat_http,
    chat_socket,
    duplex_socket,
    half_duplex_socket,
    metrics,
    status_routes,
    streaming_socket,
)
from worker_modules.model_worker import MiniCPMOWorker
from worker_modules.request_ids import RequestIds
from worker_modules.service import WorkerService

logger = logging.getLogger(__name__)


def create_app(
    worker: MiniCPMOWorker,
    config: ServiceConfig,
    on_device_lost: Callable[[], None] | None = None,
    on_ready: Callable[[], None] | None = None,
) -> FastAPI:
    """The application around `worker`; the model starts to load when the application starts.

    `on_device_lost` is called when the device failed and the process should end, `on_ready` when
    the model is loaded and warm.
    """
    app = FastAPI(title="MiniCPMO45 Worker", version=API_VERSION, lifespan=_lifespan)
    app.state.service = WorkerService(worker, config, on_device_lost, on_ready)
    app.include_router(status_routes.router)
    app.include_router(chat_http.router)
    app.include_router(chat_socket.router)
    app.include_router(streaming_socket.router)
    app.include_router(half_duplex_socket.router)
    app.include_router(duplex_socket.router)
    app.add_middleware(RequestIds)
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(Exception, _unexpected_error)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The port answers at once; loading goes on in the inference thread behind it."""
    service: WorkerService = app.state.service
    service.inference.start()
    loading = asyncio.create_task(service.load())
    async with beside(watch_loop_lag(metrics.LOOP_LAG_S.observe)):
        yield
    await service.close()
    loading.cancel()


async def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    logger.info(event("request_refused", path=request.url.path, code=error.code, field=error.field))
    return JSONResponse(http_body(error), error.http_status, http_headers(error))


async def _unexpected_error(request: Request, error: Exception) -> Response:
    logger.error(event("request_failed", path=request.url.path), exc_info=error)
    return await _service_error(request, InferenceError("internal error"))
