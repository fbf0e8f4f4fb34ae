"""Waiting ends in time, and a cancellation is never lost."""

from __future__ import annotations

import asyncio

import pytest

from core.tasks import within
from tests.unit.virtual_time import run_virtual


async def test_a_result_that_comes_in_time_is_returned() -> None:
    assert await within(60, asyncio.sleep(0, "here")) == "here"


def test_a_result_that_does_not_come_in_time_is_given_up() -> None:
    async def wait() -> float:
        with pytest.raises(asyncio.TimeoutError):
            await within(3, asyncio.sleep(60))
        return asyncio.get_running_loop().time()

    assert run_virtual(wait()) == pytest.approx(3)


@pytest.mark.parametrize("n_rounds", range(6))
async def test_a_cancellation_in_the_moment_of_the_result_is_not_lost(n_rounds: int) -> None:
    arrived = asyncio.Event()
    waiting = asyncio.create_task(within(60, arrived.wait()))
    for _ in range(3):
        await asyncio.sleep(0)
    arrived.set()
    for _ in range(n_rounds):  # the result travels on by one task in each round of the loop
        await asyncio.sleep(0)
    was_waiting = waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() is was_waiting
