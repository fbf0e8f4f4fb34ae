"""While the trained toy answers, pages name it and say what it understands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import visit
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def toy_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with Stack(tmp_path_factory.mktemp("toy"), tls=True) as stack:
        worker = stack.start_mock_worker()
        worker.configure(model_name="minicpm-o-nano", embedded_model=True)
        yield stack.start_gateway([worker])


async def test_the_chat_names_the_toy_and_offers_examples_to_it(
    browser: Browser, toy_gateway: GatewayProcess
) -> None:
    async with visit(browser, toy_gateway.url) as guest:
        await guest.open("/turnbased")
        page = guest.page
        await expect(page.locator("#banners")).to_contain_text("a toy of 18 million parameters")
        await expect(page.locator(".health")).to_contain_text("minicpm-o-nano")
        await expect(page.locator("#start-text")).to_be_hidden()
        await page.get_by_role("button", name="What is two plus three?").click()
        await expect(page.locator("#draft")).to_have_value("What is two plus three?")


async def test_a_call_page_shows_what_to_say_to_the_toy(
    browser: Browser, toy_gateway: GatewayProcess
) -> None:
    async with visit(browser, toy_gateway.url) as guest:
        await guest.open("/omni")
        await expect(guest.page.locator("#banners")).to_contain_text("often wrong")
        await expect(guest.page.locator(".log .example").first).to_have_text("What do you see?")
