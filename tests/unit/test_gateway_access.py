"""Who is let in: origins, API keys, the admin token."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection

from config import SecurityConfig
from core import errors
from gateway_modules.access import AccessPolicy, is_loopback, load_or_make_token


def connection(client: str = "127.0.0.1", **headers: str) -> HTTPConnection:
    raw = [
        (name.replace("_", "-").encode(), value.encode())
        for name, value in ({"host": "chat.example:8006"} | headers).items()
    ]
    return HTTPConnection({"type": "http", "headers": raw, "client": (client, 5000)})


def policy(**security: object) -> AccessPolicy:
    return AccessPolicy(SecurityConfig.model_validate(security))


def test_programs_without_origin_pass() -> None:
    policy().check_origin(connection())


def test_our_own_pages_pass() -> None:
    policy().check_origin(connection(origin="https://Chat.example:8006"))


@pytest.mark.parametrize("origin", ["https://evil.example", "https://chat.example", "null"])
def test_pages_of_other_sites_are_refused(origin: str) -> None:
    with pytest.raises(errors.OriginForbiddenError):
        policy().check_origin(connection(origin=origin))


def test_allowed_origins_pass() -> None:
    allowed = policy(allowed_origins=["https://portal.example/"])
    allowed.check_origin(connection(origin="https://portal.example"))


def test_without_keys_inference_is_open() -> None:
    policy().check_api_key(connection("192.0.2.7"))


@pytest.mark.parametrize("headers", [{"authorization": "Bearer k2"}, {"x_api_key": "k2"}])
def test_any_of_the_keys_is_accepted_in_both_headers(headers: dict[str, str]) -> None:
    policy(api_keys=["k1", "k2"]).check_api_key(connection(**headers))


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"x_api_key": "k"}])
def test_a_missing_or_wrong_key_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(errors.UnauthorizedError):
        policy(api_keys=["k1"]).check_api_key(connection(**headers))


def test_a_configured_admin_token_is_asked_of_everybody() -> None:
    guarded = policy(admin_token="t")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("127.0.0.1"))
    guarded.check_admin(connection("127.0.0.1", authorization="Bearer t"))


def test_a_generated_token_is_asked_of_other_machines_only() -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    guarded.check_admin(connection("127.0.0.1"))
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("192.0.2.7"))
    guarded.check_admin(connection("192.0.2.7", authorization="Bearer made"))


def test_a_proxy_on_this_machine_is_not_this_machine() -> None:
    guarded = AccessPolicy(SecurityConfig(), generated_token="made")
    with pytest.raises(errors.UnauthorizedError):
        guarded.check_admin(connection("127.0.0.1", x_forwarded_for="192.0.2.7"))


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "admin_token"
    token = load_or_make_token(path)
    assert load_or_make_token(path) == token
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("gpu", False)],
)
def test_loopback_hosts(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
