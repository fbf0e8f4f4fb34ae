"""Signing in with a key or the admin token, and what the cookie is good for."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response
from starlette.testclient import TestClient

from gateway_modules import login
from gateway_modules.access import MOST_WRONG_A_MINUTE
from gateway_modules.login import COOKIE, SIGNED_IN_S, LoginCookies
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway

SITE = "https://testserver"
SECURITY = {"api_keys": ["the-key"], "admin_token": "the-token"}


@pytest.fixture
def http(tmp_path: Path) -> Iterator[TestClient]:
    """A browser on another machine; it keeps cookies."""
    with running_gateway(gateway_config(tmp_path, security=SECURITY), STRANGER) as (http, _):
        http.base_url = SITE
        yield http


def sign_in(http: TestClient, token: str, **headers: str) -> Response:
    return http.post("/api/login", json={"token": token}, headers=headers)


def status(http: TestClient) -> dict[str, bool]:
    return http.get("/api/login").json()


def told_on_socket(http: TestClient, **headers: str) -> str:
    """The code of the error that a chat is answered with; there is no worker."""
    with http.websocket_connect("wss://testserver/ws/chat", headers=headers) as socket:
        return socket.receive_json()["code"]


def test_a_stranger_is_told_to_sign_in(http: TestClient) -> None:
    assert status(http) == {"required": True, "signed_in": False, "admin": False}
    assert told_on_socket(http) == "unauthorized"


def test_a_key_opens_chats_and_calls_and_nothing_else(http: TestClient) -> None:
    answer = sign_in(http, "the-key")
    assert (answer.status_code, answer.content) == (204, b"")
    assert status(http) == {"required": True, "signed_in": True, "admin": False}
    assert told_on_socket(http) == "not_ready"
    assert http.post("/api/chat", json={"messages": []}).json()["code"] == "not_ready"
    assert http.get("/api/sessions").status_code == 401


def test_the_admin_token_opens_everything(http: TestClient) -> None:
    sign_in(http, "the-token")
    assert status(http) == {"required": True, "signed_in": True, "admin": True}
    assert told_on_socket(http) == "not_ready"
    assert http.get("/api/sessions").status_code == 200


def test_no_script_and_no_other_site_gets_the_cookie(http: TestClient) -> None:
    cookie = sign_in(http, "the-token").headers["set-cookie"]
    attributes = cookie.lower().split("; ")
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= set(attributes)
    assert not any(name.startswith("domain") for name in attributes)
    assert "token" not in cookie and "key" not in cookie


def test_signing_out_takes_the_cookie_back(http: TestClient) -> None:
    sign_in(http, "the-token")
    assert http.post("/api/logout").status_code == 204
    assert status(http)["signed_in"] is False


@pytest.mark.parametrize("token", ["", "the-key ", "wrong", "钥匙", "sha256:" + "0" * 64])
def test_a_wrong_key_signs_nobody_in(http: TestClient, token: str) -> None:
    answer = sign_in(http, token)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "set-cookie" not in answer.headers


def test_keys_cannot_be_tried_for_long(http: TestClient) -> None:
    tried = [sign_in(http, "wrong").status_code for _ in range(MOST_WRONG_A_MINUTE)]
    refused = sign_in(http, "the-key")
    assert set(tried) == {401}
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1


def test_wrong_keys_on_sockets_over_rest_and_at_the_sign_in_count_together(
    http: TestClient,
) -> None:
    for _ in range(MOST_WRONG_A_MINUTE // 2):
        assert told_on_socket(http, authorization="Bearer wrong") == "unauthorized"
        assert http.get("/metrics", headers={"X-API-Key": "wrong"}).status_code == 401
    assert told_on_socket(http, authorization="Bearer the-key") == "rate_limited"
    assert http.get("/metrics", headers={"Authorization": "Bearer the-token"}).status_code == 429
    assert sign_in(http, "the-key").status_code == 429
    assert told_on_socket(http) == "unauthorized"


def test_who_signs_in_rightly_may_do_so_often(http: TestClient) -> None:
    answers = [sign_in(http, "the-token") for _ in range(2 * MOST_WRONG_A_MINUTE)]
    assert {answer.status_code for answer in answers} == {204}


@pytest.mark.parametrize("origin", ["https://evil.example", "https://testserver:8443", "null"])
def test_pages_of_other_origins_cannot_use_the_cookie(http: TestClient, origin: str) -> None:
    sign_in(http, "the-token")
    foreign = {"Origin": origin}
    changed = http.put("/api/admin/apps/omni", json={"enabled": False}, headers=foreign)
    assert (changed.status_code, changed.json()["code"]) == (403, "origin_forbidden")
    assert http.get("/api/sessions", headers=foreign).status_code == 401
    assert http.post("/api/logout", headers=foreign).status_code == 403
    assert sign_in(http, "the-key", **foreign).status_code == 403
    assert told_on_socket(http, **foreign) == "origin_forbidden"


def test_our_own_pages_can(http: TestClient) -> None:
    sign_in(http, "the-token")
    changed = http.put("/api/admin/apps/omni", json={"enabled": False}, headers={"Origin": SITE})
    assert changed.status_code == 200


def test_a_service_without_keys_asks_for_none(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        assert status(http) == {"required": False, "signed_in": False, "admin": True}
    assert not (tmp_path / "login_key").exists()


def test_the_generated_token_signs_in_too(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path), STRANGER) as (http, _):
        http.base_url = SITE
        assert status(http) == {"required": False, "signed_in": False, "admin": False}
        sign_in(http, (tmp_path / "admin_token").read_text().strip())
        assert status(http) == {"required": False, "signed_in": True, "admin": True}


def test_a_cookie_outlives_the_process_but_not_its_key(tmp_path: Path) -> None:
    def signed_in_with(cookie: str | None, **security: object) -> tuple[bool, str]:
        with running_gateway(gateway_config(tmp_path, security=security), STRANGER) as (http, _):
            http.base_url = SITE
            if cookie is None:
                sign_in(http, "k1")
            else:
                http.cookies.set(COOKIE, cookie)
            return status(http)["signed_in"], http.cookies[COOKIE]

    _, cookie = signed_in_with(None, api_keys=["k0", "k1"])
    assert signed_in_with(cookie, api_keys=["k1", "k2"]) == (True, cookie)
    assert signed_in_with(cookie, api_keys=["k0", "k2"]) == (False, cookie)


def test_a_cookie_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies, now_s = LoginCookies(), time.time()
    cookie = cookies.make(b"me")
    monkeypatch.setattr(login.time, "time", lambda: now_s + SIGNED_IN_S - 2)
    assert cookies.is_for(b"me", cookie)
    monkeypatch.setattr(login.time, "time", lambda: now_s + SIGNED_IN_S + 2)
    assert not cookies.is_for(b"me", cookie)


def test_a_changed_cookie_is_none() -> None:
    cookies = LoginCookies()
    cookie = cookies.make(b"me")
    expires_at_s, _, signature = cookie.partition(".")
    later = f"{int(expires_at_s) + 1}.{signature}"
    changed = [later, cookie[:-1], cookie + "0", "", ".", "9" * 5000, f"²{cookie}", cookie.upper()]
    assert cookies.is_for(b"me", cookie)
    assert not any(cookies.is_for(b"me", one) for one in [*changed, None])
    assert not cookies.is_for(b"you", cookie)
    assert not LoginCookies().is_for(b"me", cookie)
    assert re.fullmatch(r"\d+\.[0-9a-f]{64}", cookie)
