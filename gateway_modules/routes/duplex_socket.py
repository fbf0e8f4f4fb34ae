"""`WS /ws/duplex/{session_id}`: a call in which both sides may speak at any time."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from gateway_modules.live_call import CallKind, serve_call
from gateway_modules.state import GatewayDep

router = APIRouter()

AUDIO_PREFIXES = ("adx_", "audio_duplex")
AUDIO_CALL = CallKind("audio_duplex", "audio_duplex", "/ws/duplex", mode="audio")
OMNI_CALL = CallKind("omni", "omni_duplex", "/ws/duplex", mode="omni")


@router.websocket("/ws/duplex/{session_id}")
async def duplex_socket(websocket: WebSocket, session_id: str, gateway: GatewayDep) -> None:
    """The session id tells whether the call has a picture."""
    kind = AUDIO_CALL if session_id.startswith(AUDIO_PREFIXES) else OMNI_CALL
    await serve_call(websocket, gateway, session_id, kind)
