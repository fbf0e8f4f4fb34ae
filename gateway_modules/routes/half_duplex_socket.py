"""`WS /ws/half_duplex/{session_id}`: a call in turns, which end when the user pauses."""

from __future__ import annotations

from fastapi import APIRouter, Depends, WebSocket

from gateway_modules.live_call import CallKind, serve_call
from gateway_modules.openapi import refusals
from gateway_modules.state import GatewayDep, require_api_key, require_same_origin
from gateway_modules.stop_request import StopRequest, StopResponse, stop_answers

router = APIRouter(tags=["calls"])

CALL = CallKind(
    "half_duplex_audio", "half_duplex_audio", "/ws/half_duplex", stop_path="/half_duplex/stop"
)


@router.websocket("/ws/half_duplex/{session_id}")
async def half_duplex_socket(websocket: WebSocket, session_id: str, gateway: GatewayDep) -> None:
    await serve_call(websocket, gateway, session_id, CALL)


@router.post(
    "/api/half_duplex/stop",
    response_model_exclude_none=True,
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_api_key)],
)
async def stop_half_duplex(gateway: GatewayDep, body: StopRequest | None = None) -> StopResponse:
    """End the answer of one half-duplex call, or without `session_id` of all; the calls go on.

    Where API keys are configured the session must be named, because others use the service too.
    """
    security = gateway.config.security
    return await stop_answers(gateway.calls, body, security, "No half-duplex worker found")
