"""Calls from the gateway to a worker, with one exception for each way in which they fail."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from config import SecurityConfig, ServiceConfig
from core import errors
from core.logs import event
from core.schemas import WORKER_SECRET_HEADER
from gateway_modules import tracing
from gateway_modules.client_socket import MEBI
from gateway_modules.worker_connection import WorkerConnection

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.0
STOP_TIMEOUT_S = 5.0
REQUEST_ID_HEADER = "X-Request-ID"


def secret_header(security: SecurityConfig) -> dict[str, str]:
    """What makes a worker on another machine believe that it is the gateway who asks."""
    return {WORKER_SECRET_HEADER: security.worker_secret} if security.worker_secret else {}


async def post_to_worker(
    http: httpx.AsyncClient, worker: WorkerConnection, path: str, body: bytes, request_id: str
) -> httpx.Response:
    """Send a JSON body on, byte for byte.

    Raises:
        WorkerLostError: the worker could not be reached, vanished without an answer, or has lost
            its device.
        SessionTimeoutError: it did not answer in time and may still be computing.
    """
    headers = {"Content-Type": "application/json", REQUEST_ID_HEADER: request_id}
    try:
        with tracing.span("relay", worker_id=worker.worker_id, path=path):
            headers |= tracing.headers()
            answer = await http.post(worker.url + path, content=body, headers=headers)
    except httpx.ConnectTimeout as error:
        raise _lost(worker, error) from error
    except httpx.TimeoutException as error:
        raise errors.SessionTimeoutError("The worker did not answer in time") from error
    except httpx.TransportError as error:
        raise _lost(worker, error) from error
    if answer.status_code == errors.DeviceLostError.http_status:
        raise _lost(worker, errors.DeviceLostError("The worker lost its device"))
    return answer


async def stop_on_worker(
    http: httpx.AsyncClient, worker: WorkerConnection, path: str, session_id: str
) -> bool:
    """Have a worker end the answer of one session; False when it gives none, or does not say."""
    try:
        answer = await http.post(
            worker.url + path, json={"session_id": session_id}, timeout=STOP_TIMEOUT_S
        )
        return answer.status_code == httpx.codes.OK and answer.json().get("success") is True
    except (httpx.TransportError, ValueError) as error:
        logger.warning(event("stop_failed", worker=worker.worker_id, error=type(error).__name__))
        return False


@asynccontextmanager
async def worker_socket(
    worker: WorkerConnection, path: str, config: ServiceConfig, request_id: str
) -> AsyncIterator[ClientConnection]:
    """An open WebSocket to the worker, closed on the way out.

    Raises:
        WorkerLostError: the worker could not be reached or refused the connection.
    """
    with tracing.span("relay", worker_id=worker.worker_id, path=path.partition("?")[0]):
        connection = await _connected(worker, path, config, request_id)
        try:
            yield connection
        finally:
            await connection.close()


async def _connected(
    worker: WorkerConnection, path: str, config: ServiceConfig, request_id: str
) -> ClientConnection:
    headers = {REQUEST_ID_HEADER: request_id} | secret_header(config.security)
    try:
        return await connect(
            f"ws://{worker.host}:{worker.port}{path}",
            additional_headers=headers | tracing.headers(),
            compression=None,
            max_size=int(config.limits.chat_body_mb * MEBI),
            open_timeout=config.sessions.worker_connect_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=config.sessions.ping_period_s,
            ping_timeout=config.sessions.pong_wait_s,
            proxy=None,
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise _lost(worker, error) from error


def _lost(worker: WorkerConnection, error: Exception) -> errors.WorkerLostError:
    logger.warning(event("worker_call_failed", worker=worker.worker_id, error=type(error).__name__))
    return errors.WorkerLostError("The connection to the worker was lost")
