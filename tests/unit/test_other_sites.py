"""What pages of other sites may do: nothing, unless the configuration names their origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_modules.app import create_app
from gateway_modules.state import GatewayOptions
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway

READING = {"get", "head"}
EVIL = {"Origin": "https://evil.example"}
PORTAL = {"Origin": "https://portal.example"}
SOCKETS = ["/ws/chat", "/ws/streaming/s", "/ws/duplex/s", "/ws/half_duplex/s"]
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-api-key,content-type",
}


def changing_routes(folder: Path) -> Iterator[tuple[str, str]]:
    """Method and path of everything that is no mere look."""
    app = create_app(gateway_config(folder), GatewayOptions(workers=()))
    for path, operations in app.openapi()["paths"].items():
        for method in operations.keys() - READING:
            yield method.upper(), re.sub(r"\{\w+\}", "x", path)


def test_no_route_that_changes_something_is_open_to_them(tmp_path: Path) -> None:
    routes = list(changing_routes(tmp_path))
    assert len(routes) > 15
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        for method, path in routes:
            answer = http.request(method, path, headers=EVIL, content=b"{}")
            assert (path, answer.status_code, answer.json()["code"]) == (
                path,
                403,
                "origin_forbidden",
            )


def test_browsers_are_told_nothing_that_would_let_them_read(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path), STRANGER) as (http, _):
        answers = [
            http.get("/status", headers=EVIL),
            http.options("/api/chat", headers=EVIL | PREFLIGHT),
        ]
    assert not any(name.startswith("access-control") for a in answers for name in a.headers)


def test_pages_of_an_allowed_origin_may_call_and_read_without_cookies(tmp_path: Path) -> None:
    security = {"allowed_origins": ["https://portal.example/"], "api_keys": ["k"]}
    with running_gateway(gateway_config(tmp_path, security=security), STRANGER) as (http, _):
        asked = http.options("/api/chat", headers=PORTAL | PREFLIGHT)
        called = http.post("/api/chat", json={}, headers=PORTAL | {"X-API-Key": "k"})
        foreign = http.get("/status", headers=EVIL)
    assert asked.status_code == 200
    assert called.json()["code"] == "not_ready"
    for answer in (asked, called):
        assert answer.headers["access-control-allow-origin"] == "https://portal.example"
        assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in foreign.headers


@pytest.mark.parametrize(
    ("protocols", "code"),
    [
        (["minicpmo", "minicpmo.key.k"], "not_ready"),
        (["minicpmo", "minicpmo.key.wrong"], "unauthorized"),
        (["minicpmo", "minicpmo.key."], "unauthorized"),
        (["minicpmo"], "unauthorized"),
    ],
)
def test_pages_of_an_allowed_origin_name_their_key_as_a_protocol_on_sockets(
    tmp_path: Path, protocols: list[str], code: str
) -> None:
    security = {"allowed_origins": ["https://portal.example"], "api_keys": ["k"]}
    with running_gateway(gateway_config(tmp_path, security=security), STRANGER) as (http, _):
        with http.websocket_connect("/ws/chat", protocols, headers=PORTAL.copy()) as socket:
            assert socket.accepted_subprotocol == "minicpmo"
            assert socket.receive_json()["code"] == code


@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_is_open_to_them(tmp_path: Path, path: str) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        with http.websocket_connect(path, headers=EVIL.copy()) as socket:
            assert socket.receive_json()["code"] == "origin_forbidden"
            assert socket.receive()["code"] == 1008
