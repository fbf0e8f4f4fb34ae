"""`WS /ws/chat`: one request per socket, its answer streamed."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from gateway_modules.client_socket import NORMAL_CLOSURE, ClientSocket, check_object
from gateway_modules.queue_progress import wait_in_queue
from gateway_modules.relay import Relay
from gateway_modules.routes.chat import APP_ID, REQUEST_TYPE
from gateway_modules.state import Gateway, GatewayDep

router = APIRouter()


@router.websocket("/ws/chat")
async def chat_socket(websocket: WebSocket, gateway: GatewayDep) -> None:
    request_id = websocket.scope["request_id"]

    async def conversation(socket: ClientSocket) -> int:
        return await stream_chat(socket, gateway, request_id)

    await gateway.sockets.serve(websocket, conversation)


async def stream_chat(socket: ClientSocket, gateway: Gateway, request_id: str) -> int:
    """Queue the first frame, relay it to a worker and the answer back; returns the close code."""
    gateway.apps.require(APP_ID)
    gateway.require_ready()
    request = await socket.receive_text_within(gateway.config.sessions.streaming_prefill_idle_s)
    check_object(request, "The request")
    relay = Relay(socket, request)
    async with gateway.lease(socket.client, REQUEST_TYPE) as lease:
        await wait_in_queue(socket, lease, gateway.pool, gateway.config.sessions.queue_update_s)
        with gateway.turns.running(relay):
            close_code = await relay.run(lease, "/ws/chat", gateway.config, request_id)
        if close_code == NORMAL_CLOSURE:
            lease.complete()
        return close_code
