"""What is said of an event loop that is held up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from core.loop_lag import watch_loop_lag
from core.tasks import beside
from tests.fake_worker import FakeWorker, fake_config
from tests.unit.gateway_client import gateway_config, running_gateway
from tests.unit.worker_client import ready

BLOCKED_S = 0.1


async def test_a_loop_that_was_held_up_is_noticed() -> None:
    first: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def observe(lag_s: float) -> None:
        if not first.done():
            first.set_result(lag_s)

    async with beside(watch_loop_lag(observe, period_s=0.01)):
        await asyncio.sleep(0)
        time.sleep(BLOCKED_S)  # noqa: ASYNC251 - on purpose
        assert await first > BLOCKED_S - 0.02


def test_the_gateway_shows_its_lag(tmp_path: Path) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        assert "minicpmo_gateway_event_loop_lag_seconds_bucket" in http.get("/metrics").text


def test_a_worker_shows_its_lag() -> None:
    with ready(FakeWorker(fake_config())) as client:
        assert "minicpmo_event_loop_lag_seconds_bucket" in client.get("/metrics").text
