"""How a worker offers itself to a gateway, stays in its pool, and leaves."""

from __future__ import annotations

import argparse
import asyncio
import json

import httpx
import pytest

import worker
from config import ModelConfig, SecurityConfig, ServiceConfig
from core.schemas import WorkerRegistration
from tests.unit.virtual_time import run_virtual
from worker_modules.registration import Registration

PLACE = WorkerRegistration(host="10.0.0.2", port=22401)
REGISTER = ("POST", "/api/workers/register")
BEAT = ("PUT", "/api/workers/worker_3/heartbeat")
LEAVE = ("DELETE", "/api/workers/worker_3")


class ScriptedGateway:
    """Notes what it is asked and when, and answers with the next status, at last with 200."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[httpx.Request] = []
        self.asked: list[tuple[float, tuple[str, str]]] = []
        self._statuses = list(statuses)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        now_s = asyncio.get_running_loop().time()
        self.asked.append((round(now_s, 3), (request.method, request.url.path)))
        status = self._statuses.pop(0) if self._statuses else 200
        if status == 0:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(status, json={"worker_id": "worker_3", "heartbeat_s": 10})


def stay(gateway: ScriptedGateway, duration_s: float) -> None:
    """Be registered for so long, then leave."""

    async def staying() -> None:
        transport = httpx.MockTransport(gateway.answer)
        registration = Registration("https://gateway:8006", "s", PLACE, transport)
        registration.start()
        await asyncio.sleep(duration_s)
        await registration.stop()

    run_virtual(staying())


def test_a_worker_registers_beats_and_leaves() -> None:
    gateway = ScriptedGateway()
    stay(gateway, 25)
    assert gateway.asked == [(0, REGISTER), (10, BEAT), (20, BEAT), (25, LEAVE)]
    assert json.loads(gateway.requests[0].content) == {"host": "10.0.0.2", "port": 22401}
    assert {request.headers["X-Worker-Secret"] for request in gateway.requests} == {"s"}


def test_a_gateway_that_does_not_answer_is_asked_again_more_and_more_seldom() -> None:
    gateway = ScriptedGateway(0, 503, 401, 0, 0, 0, 0)
    stay(gateway, 92)
    assert [at_s for at_s, _ in gateway.asked] == [0, 1, 3, 7, 15, 31, 61, 91, 92]


def test_a_gateway_that_was_restarted_is_registered_with_anew() -> None:
    gateway = ScriptedGateway(200, 404)
    stay(gateway, 15)
    assert gateway.asked == [(0, REGISTER), (10, BEAT), (10, REGISTER), (15, LEAVE)]


def test_a_missed_heartbeat_is_made_up_for_soon() -> None:
    gateway = ScriptedGateway(200, 0)
    stay(gateway, 15)
    assert gateway.asked == [(0, REGISTER), (10, BEAT), (11, BEAT), (15, LEAVE)]


def test_who_never_was_registered_does_not_leave() -> None:
    gateway = ScriptedGateway(0)
    stay(gateway, 0.5)
    assert gateway.asked == [(0, REGISTER)]


def test_a_gateway_that_is_gone_holds_up_no_end() -> None:
    gateway = ScriptedGateway(200, 0)
    stay(gateway, 5)
    assert gateway.asked == [(0, REGISTER), (5, LEAVE)]


# -- the command line ----------------------------------------------------------------------------


def options(*arguments: str) -> argparse.Namespace:
    return worker.parse_arguments([*arguments])


def config(secret: str | None = None) -> ServiceConfig:
    model, security = ModelConfig(model_path="x"), SecurityConfig(worker_secret=secret)
    return ServiceConfig(model=model, security=security)


@pytest.mark.parametrize(
    "arguments", [["--host", "0.0.0.0"], ["--register", "https://gateway:8006"]]
)
def test_a_worker_that_others_can_reach_needs_a_secret(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match=r"security\.worker_secret"):
        worker.secret_for(options(*arguments), config())
    assert worker.secret_for(options(*arguments), config("s")) == "s"


def test_a_worker_for_this_machine_needs_none() -> None:
    assert worker.secret_for(options(), config()) == ""
    assert worker.registration_for(options(), 22400, "") is None


@pytest.mark.parametrize(
    ("advertised", "place"),
    [
        ([], (None, 22400)),
        (["--advertise", "gpu-7"], ("gpu-7", 22400)),
        (["--advertise", "gpu-7:9000"], ("gpu-7", 9000)),
        (["--advertise", "[2001:db8::1]:9000"], ("2001:db8::1", 9000)),
    ],
)
def test_a_worker_says_where_it_can_be_reached(
    advertised: list[str], place: tuple[str | None, int]
) -> None:
    given = options("--register", "https://gateway:8006", *advertised)
    registration = worker.registration_for(given, 22400, "s")
    assert registration is not None
    assert (registration._place.host, registration._place.port) == place


@pytest.mark.parametrize(
    "arguments",
    [["--register", "gateway:8006"], ["--register", "https://g", "--advertise", "gpu:port"]],
)
def test_an_address_that_is_none_is_refused(arguments: list[str]) -> None:
    with pytest.raises(ValueError):
        worker.registration_for(options(*arguments), 22400, "s")


def test_the_environment_stands_in_for_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINICPMO45_REGISTER_URL", "https://gateway:8006")
    monkeypatch.setenv("MINICPMO45_ADVERTISE", "gpu-7")
    assert (options().register, options().advertise) == ("https://gateway:8006", "gpu-7")
