"""`WS /ws/streaming/{session_id}`: a conversation in turns, on the worker that remembers it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, WebSocket

from core import errors
from gateway_modules.client_socket import NORMAL_CLOSURE, ClientSocket, parse_object
from gateway_modules.kept_answer import KeptAnswer
from gateway_modules.openapi import refusals
from gateway_modules.routes.chat import APP_ID
from gateway_modules.session_ids import clean_session_id
from gateway_modules.state import Gateway, GatewayDep, require_api_key, require_same_origin
from gateway_modules.stop_request import StopRequest, StopResponse, stop_answers
from gateway_modules.streaming_frames import unknown_type
from gateway_modules.streaming_turn import StreamingTurn

router = APIRouter(tags=["chat"])


@router.websocket("/ws/streaming/{session_id}")
async def streaming_socket(websocket: WebSocket, session_id: str, gateway: GatewayDep) -> None:
    request_id = websocket.scope["request_id"]
    cleaned_id = clean_session_id(session_id)

    async def conversation(socket: ClientSocket) -> int:
        gateway.apps.require(APP_ID)
        gateway.require_ready()
        with gateway.session_ids.claim(cleaned_id, socket):
            return await stream_turns(socket, gateway, cleaned_id, request_id)

    await gateway.sockets.serve(websocket, conversation)


async def stream_turns(
    socket: ClientSocket, gateway: Gateway, session_id: str, request_id: str
) -> int:
    """Serve turns until the client closes; what is wrong with a message ends only its turn."""
    answer: KeptAnswer | None = None
    audio_epoch = 0
    is_recorded = True
    recording_id: str | None = None
    frame = await socket.receive_text_within(gateway.config.sessions.streaming_prefill_idle_s)
    while True:
        message = parse_object(frame, "The message")
        playback = None
        try:
            match message.get("type"):
                case "prefill":
                    gateway.require_ready()
                    answer = None
                    is_recorded = message.setdefault("record", is_recorded)
                    turn = StreamingTurn(
                        gateway, socket, session_id, message, audio_epoch, recording_id
                    )
                    with gateway.turns.running(turn):
                        await turn.run(request_id)
                    audio_epoch, recording_id = turn.audio_epoch, turn.recording_id
                    if turn.client_closes:
                        return NORMAL_CLOSURE
                    answer, playback = turn.kept_answer, turn.playback
                case "playback":
                    playback = message
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
        if answer is not None and playback is not None:
            reply = await answer.cut(playback, gateway.config, request_id)
            if reply is not None:
                await socket.send_frame(reply)
        frame = await socket.receive_text()


@router.post(
    "/api/streaming/stop",
    response_model_exclude_none=True,
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_api_key)],
)
async def stop_streaming(gateway: GatewayDep, body: StopRequest | None = None) -> StopResponse:
    """End the answer of one streaming session, or without `session_id` of all, chats included.

    Where API keys are configured the session must be named, because others use the service too.
    """
    security = gateway.config.security
    return await stop_answers(gateway.turns, body, security, "No streaming worker found")
