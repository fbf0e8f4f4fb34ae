"""Which application has to be switched on for a call."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.unit.gateway_client import gateway_config, running_gateway

CALLS = {
    "/ws/duplex/adx_1": "audio_duplex",
    "/ws/duplex/audio_duplex_1": "audio_duplex",
    "/ws/duplex/omni_1": "omni",
    "/ws/duplex/1": "omni",
    "/ws/half_duplex/hdx_1": "half_duplex_audio",
    "/ws/half_duplex/adx_1": "half_duplex_audio",
}


def refusal(folder: Path, path: str, *disabled: str) -> tuple[str, int]:
    """The error code and the close code of a call when no worker is there."""
    with running_gateway(gateway_config(folder)) as (client, gateway):
        for app_id in disabled:
            assert gateway.apps.set_enabled(app_id, False)
        with client.websocket_connect(path) as socket:
            error = socket.receive_json()
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_json()
    return error["code"], closed.value.code


@pytest.mark.parametrize(("path", "app_id"), CALLS.items())
def test_a_call_needs_its_own_application(path: str, app_id: str, tmp_path: Path) -> None:
    others = {*CALLS.values(), "turnbased"} - {app_id}
    assert refusal(tmp_path / "a", path, app_id) == ("app_disabled", 1008)
    assert refusal(tmp_path / "b", path, *others) == ("not_ready", 1013)
