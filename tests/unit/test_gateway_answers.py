"""What every answer of the gateway carries, whatever became of the request."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway_modules.error_responses import NOT_FOUND_PAGE
from gateway_modules.middleware import SECURITY_HEADERS
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway

REQUESTS = [
    ("GET", "/", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", f"/static/{NOT_FOUND_PAGE.name}", 200),
    ("GET", "/static/absent.js", 404),
    ("GET", "/mobile", 302),
    ("GET", "/api/absent", 404),
    ("GET", "/ready", 503),
    ("PATCH", "/api/queue", 405),
    ("POST", "/api/chat", 400),
    ("GET", "/metrics", 401),
]


@pytest.mark.parametrize(("method", "path", "status"), REQUESTS)
def test_every_answer_has_the_security_headers(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    config = gateway_config(tmp_path, security={"admin_token": "t"})
    with running_gateway(config, STRANGER) as (http, _):
        answer = http.request(method, path, follow_redirects=False)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["X-Request-ID"]


def test_a_refused_call_has_them_too(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, limits={"rest_calls_per_minute": 1})
    with running_gateway(config, STRANGER) as (http, _):
        http.get("/status")
        answer = http.get("/status")
    assert answer.status_code == 429
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize(("asked", "taken"), [("chat_1", True), ("a%20b", False)])
def test_a_socket_may_be_named_by_its_address_since_browsers_set_it_no_headers(
    tmp_path: Path, asked: str, taken: bool
) -> None:
    with running_gateway(gateway_config(tmp_path), STRANGER) as (http, _):
        with http.websocket_connect(f"/ws/chat?request_id={asked}") as socket:
            headers = dict(socket.extra_headers or [])
    assert (headers[b"x-request-id"] == asked.encode()) is taken


def test_the_policy_lets_no_script_or_style_in_but_our_own_files() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy and "*" not in policy
    for directive in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy.split("; ")


def test_a_failure_of_our_own_shows_nothing_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("/secret/place is broken")

    with running_gateway(gateway_config(tmp_path)) as (http, gateway):
        monkeypatch.setattr(gateway.pool, "get_queue_status", fail)
        answer = http.get("/status")
    assert (answer.status_code, answer.json()["error"]) == (500, "Internal error")
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_disk_that_refuses_is_told_without_the_names_of_files(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        (tmp_path / "apps.json").mkdir()
        answer = http.put("/api/admin/apps/omni", json={"enabled": False})
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("The disk of the service refuses: ")
    assert "apps.json" not in answer.text


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "127.0.0.1"])
def test_a_token_is_made_since_a_proxy_may_bring_strangers(tmp_path: Path, host: str) -> None:
    config = gateway_config(tmp_path, service={"host": host, "data_dir": str(tmp_path)})
    with running_gateway(config, STRANGER) as (http, _):
        token = (tmp_path / "admin_token").read_text().strip()
        allowed = http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert (http.get("/metrics").status_code, allowed.status_code) == (401, 200)


@pytest.mark.parametrize(("security", "insecure"), [({"admin_token": "t"}, False), ({}, True)])
def test_no_token_is_made_where_none_is_needed(
    tmp_path: Path, security: dict[str, str], insecure: bool
) -> None:
    config = gateway_config(tmp_path, security=security)
    with running_gateway(config, insecure=insecure):
        assert not (tmp_path / "admin_token").exists()


def test_what_is_asked_all_the_time_is_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gateway.access")
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        for path in ("/status", "/metrics", "/live"):
            http.get(path)
        assert caplog.text == ""
        http.get("/workers")
    assert "path=/workers" in caplog.text


def test_windows_are_kept_apart_only_where_browsers_heed_it(tmp_path: Path) -> None:
    name = "Cross-Origin-Opener-Policy"
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        assert name not in http.get("/health").headers
        assert http.get("https://localhost/health").headers[name] == "same-origin"
