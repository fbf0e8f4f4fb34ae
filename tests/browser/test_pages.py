"""Every page at several widths, in both themes and languages."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenVisit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CONTROLS_WITHOUT_A_NAME = """() => [...document.querySelectorAll(
        'button, a[href], input:not([aria-hidden]), textarea, [role]')]
    .filter((element) => element.checkVisibility())
    .filter((element) => !(element.ariaLabel || element.textContent.trim() || element.labels?.[0]
        || element.getAttribute('aria-labelledby')))
    .map((element) => element.outerHTML)"""
SMALL_TARGETS = """() => [...document.querySelectorAll(
        'button, .site-nav a, .brand, .mode-card, textarea, .field input[type=number]')]
    .filter((element) => element.checkVisibility() && !element.closest('.answer-body'))
    .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.height < 43.5 || box.width < 43.5))
    .map(([markup, box]) => `${markup} ${box.width}x${box.height}`)"""
SMALLEST_TEXT_PX = """() => Math.min(...[...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && element.textContent.trim())
    .map((element) => parseFloat(getComputedStyle(element).fontSize)))"""


@pytest.mark.parametrize(
    "path", ["/", "/turnbased", "/half_duplex", "/omni", "/audio_duplex", "/admin", "/nothing-here"]
)
@pytest.mark.parametrize("width", [360, 768, 1280])
async def test_a_page_fits_its_window(real_visit: OpenVisit, path: str, width: int) -> None:
    async with real_visit(viewport={"width": width, "height": 760}) as guest:
        await guest.open(path)
        await guest.page.wait_for_selector(".banner")
        for language in ("en", "zh-CN"):
            await expect(guest.page.locator("html")).to_have_attribute("lang", language)
            assert await guest.sideways_scroll() == 0
            assert await guest.page.evaluate(CONTROLS_WITHOUT_A_NAME) == []
            assert await guest.page.evaluate(SMALL_TARGETS) == []
            assert await guest.page.evaluate(SMALLEST_TEXT_PX) >= 12
            await guest.page.get_by_role(
                "button", name="Language" if language == "en" else "语言"
            ).click()
        if path == "/nothing-here":
            guest.complaints.clear()  # Chromium itself reports the status 404


async def test_the_home_page_leads_to_the_chat(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/")
        await expect(guest.page.locator("#service-state")).to_contain_text("1 of 1")
        await guest.page.locator(".mode-card", has_text="Turn-based chat").click()
        await expect(guest.page).to_have_title("Turn-based chat · MiniCPM-o 4.5")
        current = guest.page.locator(".site-nav [aria-current=page]")
        await expect(current).to_have_text("Turn-based chat")


async def test_a_mode_that_is_off_is_neither_offered_nor_compared(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        omni = {"app_id": "omni", "name": "Omni", "route": "/omni"}
        await guest.page.route("**/api/apps", lambda route: route.fulfill(json={"apps": [omni]}))
        await guest.open("/")
        await expect(guest.page.locator("#modes .mode-card")).to_have_count(1)
        compared = guest.page.get_by_role("table").get_by_role("rowheader")
        await expect(compared).to_have_text(["Omni full-duplex"])


async def test_the_theme_follows_the_system_until_one_is_chosen(real_visit: OpenVisit) -> None:
    async with real_visit(color_scheme="dark") as guest:
        await guest.open("/")

        async def brightness() -> int:
            color = await guest.page.evaluate(
                "getComputedStyle(document.documentElement).backgroundColor"
            )
            return sum(int(part) for part in color[4:-1].split(","))

        assert await brightness() < 200
        await guest.page.get_by_role("button", name="Theme: as the system").click()
        assert await brightness() > 600
        await guest.page.reload()
        assert await brightness() > 600
        await guest.page.get_by_role("button", name="Theme: light").click()
        assert await brightness() < 200


async def test_the_menu_of_a_phone_opens_and_closes_by_keyboard(real_visit: OpenVisit) -> None:
    async with real_visit(viewport={"width": 360, "height": 740}) as guest:
        await guest.open("/")
        menu = guest.page.get_by_role("button", name="Menu")
        link = guest.page.locator(".site-nav").get_by_role("link", name="Turn-based chat")
        await expect(link).to_be_hidden()
        await menu.press("Enter")
        await expect(link).to_be_visible()
        await guest.page.keyboard.press("Escape")
        await expect(link).to_be_hidden()
        await expect(menu).to_be_focused()


async def test_an_unknown_address_leads_home(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/nothing-here")
        await expect(guest.page.locator("h1")).to_have_text("There is nothing at this address")
        await guest.page.get_by_role("link", name="Go to the start page").click()
        await expect(guest.page.locator("#modes .mode-card").first).to_be_visible()
        guest.complaints.clear()  # Chromium itself reports the status 404


@pytest.mark.parametrize(
    ("path", "page"),
    [("/mobile", "/turnbased"), ("/mobile/", "/turnbased"), ("/mobile-omni/", "/omni")],
)
async def test_addresses_for_phones_lead_to_pages_that_fit_them(
    real_visit: OpenVisit, path: str, page: str
) -> None:
    async with real_visit() as guest:
        await guest.open(path)
        assert guest.page.url.endswith(page)
