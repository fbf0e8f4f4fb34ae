"""`WS /ws/streaming/{session_id}`: a conversation in turns, on the worker that remembers it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, WebSocket
from pydantic import BaseModel

from core import errors
from gateway_modules.client_socket import NORMAL_CLOSURE, ClientSocket, parse_object
from gateway_modules.routes.chat import APP_ID
from gateway_modules.state import Gateway, GatewayDep, require_api_key, require_same_origin
from gateway_modules.streaming_frames import clean_session_id, unknown_type
from gateway_modules.streaming_turn import StreamingTurn

router = APIRouter(tags=["chat"])


class StopRequest(BaseModel):
    """Which answers to stop: those of one session, or all."""

    session_id: str | None = None


class StoppedWorker(BaseModel):
    worker_id: str
    success: bool = True
    message: str = "Stop signal sent"


class StopResponse(BaseModel):
    success: bool
    message: str | None = None
    stopped: list[StoppedWorker] | None = None


@router.websocket("/ws/streaming/{session_id}")
async def streaming_socket(websocket: WebSocket, session_id: str, gateway: GatewayDep) -> None:
    request_id = websocket.scope["request_id"]

    async def conversation(socket: ClientSocket) -> int:
        return await stream_turns(socket, gateway, clean_session_id(session_id), request_id)

    await gateway.sockets.serve(websocket, conversation)


async def stream_turns(
    socket: ClientSocket, gateway: Gateway, session_id: str, request_id: str
) -> int:
    """Serve turns until the client closes; what is wrong with a message ends only its turn."""
    gateway.apps.require(APP_ID)
    gateway.require_ready()
    frame = await socket.receive_within(gateway.config.sessions.streaming_prefill_idle_s)
    while True:
        message = parse_object(frame, "The message")
        try:
            match message.get("type"):
                case "prefill":
                    gateway.require_ready()
                    turn = StreamingTurn(gateway, socket, session_id, message)
                    with gateway.turns.running(turn):
                        await turn.run(request_id)
                    if turn.client_closes:
                        return NORMAL_CLOSURE
                case "close":
                    return NORMAL_CLOSURE
                case "stop":
                    pass  # there is nothing to stop
                case "generate":
                    raise errors.RequestError("No active worker connection", field="type")
                case unknown:
                    raise unknown_type(unknown)
        except errors.BadJsonError:
            raise
        except (errors.RequestError, errors.QueueFullError) as error:
            await socket.send_error(error)
        frame = await socket.receive()


@router.post(
    "/api/streaming/stop",
    response_model_exclude_none=True,
    dependencies=[Depends(require_same_origin), Depends(require_api_key)],
)
async def stop_streaming(gateway: GatewayDep, body: StopRequest | None = None) -> StopResponse:
    """End the answer of one streaming session, or without `session_id` of all.

    Where API keys are configured the session must be named, because others use the service too.
    """
    session_id = body.session_id if body else None
    if session_id is None and gateway.config.security.api_keys:
        raise errors.InvalidFieldError("session_id is required", field="session_id")
    worker_ids = await gateway.turns.stop(clean_session_id(session_id) if session_id else None)
    if not worker_ids:
        return StopResponse(success=False, message="No streaming worker found")
    stopped = [StoppedWorker(worker_id=worker_id) for worker_id in worker_ids]
    return StopResponse(success=True, stopped=stopped)
