"""The memory of a page in a long call."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, CDPSession, Page

from tests.browser.chromium import only_in_full_runs
from tests.browser.scripted_call import ScriptedCall, spoken
from tests.browser.test_call import calling, pages_only, reach
from tests.service.stack import GatewayProcess

__all__ = ["pages_only"]  # a fixture of this module, too

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

FIRST_S, CALL_S = 60, 600
CLOCK_MS = 2 * CALL_S * 1000
MAX_GROWTH_MB = 8  # words, and notes of the engine; the sound would be ten times that
UNTIL_ITS_CLOCK_SHOWS = """(seconds) => {
    const [minutes, rest] = document.querySelector('#clock').textContent.split(':').map(Number);
    return 60 * minutes + rest >= seconds;
}"""
TURN = [{}, {}, spoken("Once upon a time "), spoken("there was a fox.", end_of_turn=True)]


async def heap_mb(session: CDPSession) -> float:
    """What the page holds, buffers of sound included, once all is gone that nothing needs."""
    await session.send("HeapProfiler.collectGarbage")
    usage = await session.send("Runtime.getHeapUsage")
    held = usage["usedSize"] + usage["embedderHeapUsedSize"] + usage["backingStorageSize"]
    return held / 1e6


async def talk_for(page: Page, call: ScriptedCall, seconds: int) -> None:
    """Turn follows turn until the page's clock shows that time; what was sent is not kept here."""
    until = asyncio.create_task(
        page.wait_for_function(UNTIL_ITS_CLOCK_SHOWS, arg=seconds, timeout=CLOCK_MS, polling=200)
    )
    while not until.done():
        if not call.script:
            call.script.extend(TURN)
        call.sent.clear()
        await asyncio.wait([until], timeout=0.2)
    await until


@only_in_full_runs
@pytest.mark.parametrize("path", ["/omni", "/audio_duplex"])
async def test_a_call_of_ten_minutes_keeps_the_memory_of_its_page_flat(
    browser: Browser, pages_only: GatewayProcess, path: str
) -> None:
    async with calling(browser, pages_only, path) as (guest, call):
        await guest.page.locator("#keep").uncheck(force=True)  # a recording grows, as it says
        session = await guest.page.context.new_cdp_session(guest.page)
        await guest.page.click("#start")
        await reach(guest, "live")
        await talk_for(guest.page, call, FIRST_S)
        first_mb = await heap_mb(session)
        await talk_for(guest.page, call, CALL_S)
        assert await heap_mb(session) - first_mb < MAX_GROWTH_MB
