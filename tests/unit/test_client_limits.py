"""The share of one client: sockets, sessions, and REST calls a minute."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from config import LimitsConfig
from core import errors
from gateway_modules import client_limits
from gateway_modules.client_limits import ClientLimits
from tests.unit.gateway_client import STRANGER, gateway_config, running_gateway
from tests.unit.virtual_time import run_virtual


def limits(**most: int) -> ClientLimits:
    return ClientLimits(LimitsConfig.model_validate(most))


def test_a_client_may_have_so_many_sockets_and_each_closed_one_makes_room() -> None:
    mine = limits(sockets_per_client=2)
    with ExitStack() as stack:
        stack.enter_context(mine.socket("a"))
        with mine.socket("a"), pytest.raises(errors.RateLimitedError) as refused:
            stack.enter_context(mine.socket("a"))
        stack.enter_context(mine.socket("a"))
    assert (refused.value.close_code, refused.value.code) == (1008, "rate_limited")
    assert refused.value.limit == 2


def test_sessions_are_counted_for_each_client_by_itself() -> None:
    mine = limits(sessions_per_client=1)
    with mine.session("a"), mine.session("b"), pytest.raises(errors.RateLimitedError):
        with mine.session("a"):
            pytest.fail("a second session was let in")


def test_who_has_no_limits_has_none() -> None:
    mine = limits(sockets_per_client=1, sessions_per_client=1)
    with mine.socket(None), mine.socket(None), mine.session(None), mine.session(None):
        mine.count_call(None)


def test_a_minute_of_calls_may_come_at_once_and_then_one_at_a_time() -> None:
    async def calling() -> None:
        mine = limits(rest_calls_per_minute=120)
        for _ in range(120):
            mine.count_call("a")
        with pytest.raises(errors.RateLimitedError) as refused:
            mine.count_call("a")
        assert refused.value.retry_after_s == pytest.approx(0.5)
        mine.count_call("b")
        await asyncio.sleep(0.5)
        mine.count_call("a")
        with pytest.raises(errors.RateLimitedError):
            mine.count_call("a")

    run_virtual(calling())


def test_an_hour_of_silence_earns_no_more_than_a_minute_of_calls() -> None:
    async def calling() -> None:
        mine = limits(rest_calls_per_minute=3)
        mine.count_call("a")
        await asyncio.sleep(3600)
        for _ in range(3):
            mine.count_call("a")
        with pytest.raises(errors.RateLimitedError):
            mine.count_call("a")

    run_virtual(calling())


def test_only_the_clients_that_called_last_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def calling() -> None:
        mine = limits()
        for number in range(10):
            mine.count_call(f"client {number}")
        with mine.socket("a"), mine.session("a"):
            pass
        assert list(mine._calls._allowances) == ["client 7", "client 8", "client 9"]
        assert not mine._sockets and not mine._sessions

    monkeypatch.setattr(client_limits, "REMEMBERED_CLIENTS", 3)
    run_virtual(calling())


def test_calls_beyond_the_limit_are_refused_and_pages_and_probes_are_not(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, limits={"rest_calls_per_minute": 2})
    with running_gateway(config, STRANGER) as (http, _):
        assert [http.get("/status").status_code for _ in range(3)] == [200, 200, 429]
        refused = http.get("/api/queue")
        assert [http.get(path).status_code for path in ("/", "/health")] == [200, 200]
        assert http.get("/api/sessions/chat_none/assets/sound.wav").status_code == 404
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1


def test_this_machine_may_call_as_often_as_it_likes(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, limits={"rest_calls_per_minute": 2})
    with running_gateway(config) as (http, _):
        assert {http.get("/status").status_code for _ in range(9)} == {200}
        by_proxy = [http.get("/status", headers={"X-Forwarded-For": "192.0.2.1"}) for _ in range(3)]
    assert [answer.status_code for answer in by_proxy] == [200, 200, 429]


def test_a_socket_beyond_the_limit_is_told_why(tmp_path: Path) -> None:
    config = gateway_config(tmp_path, limits={"sockets_per_client": 1})
    with running_gateway(config, STRANGER) as (http, gateway):
        with gateway.limits.socket("192.0.2.7"), http.websocket_connect("/ws/chat") as socket:
            told = socket.receive_json()
            closed = socket.receive()
    assert (told["code"], told["limit"], closed["code"]) == ("rate_limited", 1, 1008)


def test_a_session_beyond_the_limit_waits_for_no_worker(tmp_path: Path) -> None:
    async def asking() -> None:
        async with gateway.lease("192.0.2.7", "chat"):
            with pytest.raises(errors.RateLimitedError):
                async with gateway.lease("192.0.2.7", "chat"):
                    pytest.fail("a second session was let in")
            assert gateway.pool.queue_length == 1

    config = gateway_config(tmp_path, limits={"sessions_per_client": 1})
    with running_gateway(config, STRANGER) as (_, gateway):
        asyncio.run(asking())
