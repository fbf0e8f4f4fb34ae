"""How a socket of the worker is served, up to its close code."""

from __future__ import annotations

import logging
from typing import Protocol

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from core.errors import (
    DeviceLostError,
    InferenceError,
    OriginForbiddenError,
    ServiceError,
    socket_message,
)
from core.logs import event

logger = logging.getLogger(__name__)

NORMAL_CLOSURE = 1000
SERVICE_RESTART = 1012


class SocketSession(Protocol):
    """What talks over one socket."""

    session_id: str

    async def serve(self) -> None:
        """Until the conversation is over.

        Raises:
            ServiceError: what to tell the client before the socket is closed.
            WebSocketDisconnect: the client went away.
        """
        ...


async def serve_socket(websocket: WebSocket, session: SocketSession) -> None:
    """Accept the socket and serve it; errors are told before it closes.

    A lost device is not: the gateway hears from the close code that the worker is gone, and gives
    the session to another one where it is not too late.
    """
    await websocket.accept()
    try:
        try:
            if "origin" in websocket.headers:
                raise OriginForbiddenError("web pages talk to the gateway, not to a worker")
            await session.serve()
            await websocket.close(NORMAL_CLOSURE)
        except DeviceLostError as error:
            await websocket.close(SERVICE_RESTART, error.message)
        except ServiceError as error:
            logger.info(event("socket_refused", session_id=session.session_id, code=error.code))
            await _tell(websocket, error)
        except WebSocketDisconnect:
            raise
        except Exception:
            logger.exception(event("socket_failed", session_id=session.session_id))
            await _tell(websocket, InferenceError("internal error"))
    except WebSocketDisconnect:
        logger.info(event("client_left", session_id=session.session_id))


async def _tell(websocket: WebSocket, error: ServiceError) -> None:
    await websocket.send_json(socket_message(error))
    await websocket.close(error.close_code)
