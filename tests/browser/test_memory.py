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

What grows by words and by the mere length of a call, again in /audio_duplex after a collection of
garbage, with fifteen turns a minute, which is more than people say:

    after                                  1 min   3 min   5 min   7 min   8 min
    all entries stay, sound handed over    186.2   192.7   192.2   195.9   199.2
    and a test that keeps the loudness     185.6   191.5   195.9   204.2   204.2
    the newest 100 stay, sound copied      187.7   189.9   192.5   195.1   195.5
    nothing is said, sound handed over     177.4   180.0   181.8
    nothing is said, sound copied          175.8   177.3   177.7

The heap of the scripts stays at 3.6 MB. An entry of the log is 13 nodes, 11 KB with their layout;
the page has no more than a hundred while the newest is followed (static/ui/call-log.js). Messages
of the audio thread leave garbage there, which is collected after ten minutes or more and not by
this test (static/audio/capture-worklet.js). The rest is what the engine keeps: 3 MB of nodes and
layout lie in 14 MB of its pages after a minute and in 20 MB after five.

So the heap is compared with that of the first minute, nodes with those of a full log, and resident
memory with that of the third minute, when the engine has taken most of what it keeps. Beside two
other browsers the heap grew from 10.9 to 12.1 MB, 2106 nodes became 2105, and 191 MB became 201.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import only_in_full_runs
from tests.browser.scripted_call import ScriptedCall, spoken
from tests.browser.test_call import calling, pages_only, reach
from tests.service.stack import GatewayProcess

__all__ = ["pages_only"]  # a fixture of this module, too

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

BEGUN, SETTLED, LOG_IS_FULL, OVER = 1, 3, 8, 10  # minutes of a call
CLOCK_MS = 2 * OVER * 60 * 1000
MAX_GROWTH_MB = 8  # words, and notes of the engine; the sound would be ten times that
MAX_NEW_NODES = 100  # a log that went on growing would bring 440 in two minutes
MAX_RESIDENT_GROWTH = 1.1
UNTIL_ITS_CLOCK_SHOWS = """(seconds) => {
    const [minutes, rest] = document.querySelector('#clock').textContent.split(':').map(Number);
    return 60 * minutes + rest >= seconds;
}"""
TURN = [{}, {}, spoken("Once upon a time "), spoken("there was a fox.", end_of_turn=True)]


class Held(NamedTuple):
    """What a page holds, buffers of sound included, once all is gone that nothing needs."""

    heap_mb: float
    nodes: int
    resident_mb: float  # of the process: with what the engine keeps for itself


async def held_by(page: Page, browser: Browser) -> Held:
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    usage = await session.send("Runtime.getHeapUsage")
    held = usage["usedSize"] + usage["embedderHeapUsedSize"] + usage["backingStorageSize"]
    nodes = (await session.send("Memory.getDOMCounters"))["nodes"]
    await session.detach()
    return Held(held / 1e6, nodes, await resident_mb(browser))


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
    """See above for why the three are compared between different minutes."""
    async with calling(browser, pages_only, path, keeps_loudness=False) as (guest, call):
        await guest.page.locator("#keep").set_checked(is_recorded, force=True)
        await guest.page.click("#start")
        await reach(guest, "live")
        held = {}
        for minute in (BEGUN, SETTLED, LOG_IS_FULL, OVER):
            await talk_for(guest.page, call, 60 * minute)
            held[minute] = await held_by(guest.page, browser)
        assert held[OVER].heap_mb - held[BEGUN].heap_mb < MAX_GROWTH_MB, held
        assert held[OVER].nodes - held[LOG_IS_FULL].nodes < MAX_NEW_NODES, held
        assert held[OVER].resident_mb < MAX_RESIDENT_GROWTH * held[SETTLED].resident_mb, held
