"""What a worker that other machines can reach asks of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.fake_worker import FakeWorker, fake_config, wait_until
from tests.unit.worker_client import HELLO
from worker_modules.access import RequireSecret
from worker_modules.app import create_app

SECRET = {"X-Worker-Secret": "s"}


@pytest.fixture
def http() -> Iterator[TestClient]:
    config = fake_config()
    app = RequireSecret(create_app(FakeWorker(config), config), "s")
    with TestClient(app) as client:
        wait_until(lambda: client.get("/ready").status_code == 200)
        yield client


@pytest.mark.parametrize(
    "headers", [{}, {"X-Worker-Secret": "wrong"}, {"X-Worker-Secret": ""}, {"X-API-Key": "s"}]
)
def test_without_the_secret_nothing_is_served(http: TestClient, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/health"), ("GET", "/metrics"), ("POST", "/chat")):
        refused = http.request(method, path, json=HELLO, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    with pytest.raises(WebSocketDisconnect), http.websocket_connect("/ws/chat", headers=headers):
        pytest.fail("the socket was accepted")


def test_with_the_secret_everything_is(http: TestClient) -> None:
    assert http.post("/chat", json=HELLO, headers=SECRET).json()["success"]
    with http.websocket_connect("/ws/chat", headers=SECRET) as socket:
        socket.send_json(HELLO)
        assert socket.receive_json()["type"] == "prefill_done"


def test_monitoring_may_send_it_as_a_bearer_token(http: TestClient) -> None:
    assert http.get("/metrics", headers={"Authorization": "Bearer s"}).status_code == 200


def test_a_sign_of_life_needs_no_secret(http: TestClient) -> None:
    for path in ("/live", "/livez", "/ready", "/readyz"):
        assert http.get(path).status_code == 200


def test_an_empty_secret_lets_nobody_in() -> None:
    config = fake_config()
    with TestClient(RequireSecret(create_app(FakeWorker(config), config), "")) as client:
        assert client.get("/health", headers={"Authorization": "Bearer "}).status_code == 401
