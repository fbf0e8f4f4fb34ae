"""A service that asks for a key, in a chat and in a call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import visit
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

KEY = "a-key-of-twenty-letters"


@pytest.fixture(scope="module")
def locked_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Nobody is served without the key."""
    with Stack(tmp_path_factory.mktemp("locked")) as stack:
        worker = stack.start_mock_worker("--strict", "--stream-delay", "0.02")
        yield stack.start_gateway([worker], security={"api_keys": [KEY]})


async def sign_in(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="This service asks for a key")
    await dialog.get_by_label("Key").fill(key)
    await page.keyboard.press("Enter")


async def test_one_who_has_the_key_is_let_into_the_chat_and_calls(
    browser: Browser, locked_gateway: GatewayProcess
) -> None:
    async with visit(browser, locked_gateway.url) as guest:
        page = guest.page
        await guest.open("/turnbased")
        await sign_in(page, "a guess")
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("alert")).to_have_text(
            "This key is not right. Check it and try again."
        )
        await sign_in(page, KEY)
        await expect(dialog).to_have_count(0)
        await guest.send("Hello")
        await guest.wait_for_answer()

        await guest.open("/audio_duplex")
        await page.wait_for_load_state("networkidle")
        await page.context.clear_cookies()  # as when the service has forgotten
        await page.click("#start")
        failure = page.locator("#notice .failure")
        await expect(failure).to_contain_text("This server asks for a key")
        await failure.get_by_role("button", name="Sign in").dispatch_event("click")
        await sign_in(page, KEY)  # in the one dialog; what else was refused has asked for it, too
        await page.wait_for_selector("#call[data-state=live]")
        guest.complaints.clear()  # Chromium itself reports each refusal
