"""The question whether conversations may be recorded, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import visit
from tests.browser.conftest import OpenVisit
from tests.browser.scripted_call import ScriptedCall
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STORED_ANSWER = "localStorage.getItem('minicpmo_recording')"
QUESTION = "May your conversations be recorded?"


@pytest.fixture
def silent_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that does not record."""
    with Stack(tmp_path_factory.mktemp("silent")) as stack:
        yield stack.start_gateway([], wait_ready=False, recording={"enabled": False})


async def answer(page: Page, button: str) -> None:
    question = page.get_by_role("dialog", name=QUESTION)
    await expect(question).to_contain_text("kept on the server")
    await question.get_by_role("button", name=button, exact=True).click()
    await expect(question).to_have_count(0)


async def test_the_chat_asks_before_the_first_message_and_never_again(
    real_visit: OpenVisit,
) -> None:
    async with real_visit(may_record=None) as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        await expect(guest.page.get_by_role("dialog", name=QUESTION)).to_be_visible()
        assert guest.sent == []
        await answer(guest.page, "Record")
        await guest.wait_for_answer()
        assert guest.sent[0]["record"] is True
        assert await guest.page.evaluate(STORED_ANSWER) == "yes"
        await guest.page.reload()
        await guest.page.click("#open-settings")
        await guest.page.get_by_role("switch", name="Record conversations").click()
        await guest.page.keyboard.press("Escape")
        await guest.send("Hello again")
        await guest.wait_for_answer()
        assert guest.sent[-1]["record"] is False


async def test_a_call_asks_after_start_and_goes_on_unrecorded_when_the_question_is_closed(
    browser: Browser, real_gateway: GatewayProcess
) -> None:
    async with visit(browser, real_gateway.url, may_record=None) as guest:
        call = ScriptedCall()
        await call.install(guest.page)
        await guest.open("/audio_duplex")
        await guest.page.click("#start")
        await expect(guest.page.get_by_role("dialog", name=QUESTION)).to_be_visible()
        assert call.connections == 0
        await guest.page.keyboard.press("Escape")
        await guest.page.wait_for_selector("#call[data-state=live]")
        assert call.of("prepare")[0]["record"] is False
        assert await guest.page.evaluate(STORED_ANSWER) is None


async def test_nobody_is_asked_where_nothing_is_recorded(
    browser: Browser, silent_gateway: GatewayProcess
) -> None:
    async with visit(browser, silent_gateway.url, may_record=None) as guest:
        call = ScriptedCall()
        await call.install(guest.page)
        await guest.open("/audio_duplex")
        await guest.page.click("#start")
        await guest.page.wait_for_selector("#call[data-state=live]")
        assert call.of("prepare")[0]["record"] is False
        await guest.page.click("#open-settings")
        await expect(guest.page.locator("#record-field")).to_be_hidden()
