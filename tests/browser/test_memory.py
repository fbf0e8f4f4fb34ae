"""The memory of a page in a long call.

Measured on Chromium 156 without a graphics processor, which is how tests run it, in calls of a
picture and a second of sound a second; resident memory of the page's process, in MB:

    after                            20 s    40 s    60 s   100 s   120 s
    /omni, not recorded               193     198     195     195     196
    /omni, recorded                   617     705     701     702
    /audio_duplex, recorded           186     188     186     187
    /omni with drawn pictures         217     243     264     316     341

What a page draws from a video onto a canvas, through whichever interface, such a Chromium keeps
decoded in a cache that the page cannot reach: width x height x 4 bytes for each picture, up to
460 MB. Memory dumps show it as `cc/image_memory` in `discardable`; a simulated notice of memory
pressure empties it (593 MB become 149), and a graphics processor, also one of software, leaves it
empty. Pictures for the model are therefore copied out of the video (static/video/video-pixels.js).
The recorder has to draw thirty a second: it fills the cache in half a minute, then nothing grows.
What it has recorded lies in blobs of the browser and not in the page, 15 MB a minute at 2 Mbit/s.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

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
MAX_RESIDENT_GROWTH = 1.1
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


async def resident_mb(browser: Browser) -> float:
    """Of the page's process, which is the largest of its kind."""
    session = await browser.new_browser_cdp_session()
    processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
    await session.detach()
    return max(
        _resident_mb(process["id"]) for process in processes if process["type"] == "renderer"
    )


def _resident_mb(process_id: int) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


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
@pytest.mark.parametrize(
    ("path", "is_recorded"), [("/omni", False), ("/omni", True), ("/audio_duplex", True)]
)
async def test_a_call_of_ten_minutes_keeps_the_memory_of_its_page_flat(
    browser: Browser, pages_only: GatewayProcess, path: str, is_recorded: bool
) -> None:
    async with calling(browser, pages_only, path) as (guest, call):
        await guest.page.locator("#keep").set_checked(is_recorded, force=True)
        session = await guest.page.context.new_cdp_session(guest.page)
        await guest.page.click("#start")
        await reach(guest, "live")
        await talk_for(guest.page, call, FIRST_S)
        first_mb, first_resident_mb = await heap_mb(session), await resident_mb(browser)
        await talk_for(guest.page, call, CALL_S)
        assert await heap_mb(session) - first_mb < MAX_GROWTH_MB
        assert await resident_mb(browser) < MAX_RESIDENT_GROWTH * first_resident_mb
