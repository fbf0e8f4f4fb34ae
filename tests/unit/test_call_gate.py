"""Which application has to be switched on for a call."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from config import PROJECT_ROOT, load_config
from gateway_modules.app import create_app
from gateway_modules.middleware import RequestContext
from gateway_modules.state import GatewayOptions

CALLS = {
    "/ws/duplex/adx_1": "audio_duplex",
    "/ws/duplex/audio_duplex_1": "audio_duplex",
    "/ws/duplex/omni_1": "omni",
    "/ws/duplex/1": "omni",
    "/ws/half_duplex/hdx_1": "half_duplex_audio",
    "/ws/half_duplex/adx_1": "half_duplex_audio",
}


def refusal(path: str, *disabled: str) -> tuple[str, int]:
    """The error code and the close code of a call when no worker is there."""
    config = load_config(PROJECT_ROOT / "config.example.json")
    app = create_app(config, GatewayOptions(workers=(), insecure=True))
    for app_id in disabled:
        assert app.state.gateway.apps.set_enabled(app_id, False)
    with TestClient(RequestContext(app)).websocket_connect(path) as socket:
        error = socket.receive_json()
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    return error["code"], closed.value.code


@pytest.mark.parametrize(("path", "app_id"), CALLS.items())
def test_a_call_needs_its_own_application(path: str, app_id: str) -> None:
    assert refusal(path, app_id) == ("app_disabled", 1008)
    assert refusal(path, *({*CALLS.values(), "turnbased"} - {app_id})) == ("not_ready", 1013)
