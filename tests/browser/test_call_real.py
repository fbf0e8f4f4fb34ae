"""Full-duplex calls in a real browser with the real service and the embedded model."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import in_full_runs
from tests.browser.conftest import OpenVisit
from tests.browser.sharing import share
from tests.service.stack import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SLOW_MS = 60_000
DEVICES = ("microphone", "camera")


@pytest.mark.parametrize("path", ["/omni", *in_full_runs("/audio_duplex")])
async def test_a_call_gets_an_answer_to_every_second(
    real_visit: OpenVisit, real_gateway: GatewayProcess, path: str
) -> None:
    async with real_visit(
        may_record="yes", permissions=[*DEVICES, "clipboard-read", "clipboard-write"]
    ) as guest:
        await guest.open(path)
        await guest.page.click("#start")
        await guest.page.wait_for_selector("#call[data-state=live]", timeout=SLOW_MS)
        await expect(guest.page.locator("#clock")).to_have_text("0:04", timeout=SLOW_MS)
        await guest.page.click("#pause")
        await guest.page.wait_for_selector("#call[data-state=paused]", timeout=SLOW_MS)
        await guest.page.click("#resume")
        await guest.page.wait_for_selector("#call[data-state=live]", timeout=SLOW_MS)
        await guest.page.click("#stop")
        await guest.page.wait_for_selector("#call[data-state=ended]")
        kinds = [message["type"] for message in guest.received]
        assert kinds[:2] == ["queue_done", "prepared"]
        assert kinds.count("result") >= 3
        assert kinds[-1] == "stopped"
        assert "error" not in kinds
        await expect(guest.page.locator("#notice")).to_contain_text("The call has ended")
        await asyncio.to_thread(real_gateway.wait_for_status, 10, idle_workers=1)
        if path == "/audio_duplex":
            await share_and_replay(guest.page)


async def share_and_replay(page: Page) -> None:
    """With a comment, and with what the page has recorded itself."""
    link = await share(page, "Listen to this!")
    assert "_adx_" in link
    await page.goto(link)
    await expect(page.locator(".session-comment")).to_contain_text("Listen to this!")
    await expect(page.locator(".badge")).to_have_text("Audio full-duplex")
    await expect(page.locator("#uploaded audio")).to_be_visible()
