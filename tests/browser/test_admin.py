"""The dashboard in a real browser, in front of a gateway whose worker does as it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.chromium import visit
from tests.service.call_client import CallClient, call
from tests.service.clients import read_to_close
from tests.service.stack import GatewayProcess, Stack
from tests.unit.recorded_sessions import record_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOLD = {"messages": [{"role": "user", "content": "hold the worker"}]}
TOKEN = "the-admin-token"
GOING_AWAY = 1001


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One worker with two slots, which takes a minute for each answer."""
    with Stack(tmp_path_factory.mktemp("admin")) as stack:
        worker = stack.start_mock_worker("--slots", "2", "--chat-delay", "60")
        yield stack.start_gateway([worker])


@pytest.fixture(scope="module")
def lone_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway without workers that asks for a token; the last test ends it."""
    with Stack(tmp_path_factory.mktemp("lone")) as stack:
        yield stack.start_gateway([], wait_ready=False, security={"admin_token": TOKEN})


@asynccontextmanager
async def traffic(gateway: GatewayProcess, n_waiting: int) -> AsyncIterator[CallClient]:
    """A call and a chat that keep both slots, and chats that wait for one."""
    async with (
        httpx.AsyncClient(base_url=gateway.url, trust_env=False, timeout=90) as client,
        call(gateway, "/ws/duplex/omni_watched") as caller,
    ):
        await caller.prepare()
        chats = [
            asyncio.create_task(client.post("/api/chat", json=HOLD)) for _ in range(1 + n_waiting)
        ]
        try:
            await asyncio.to_thread(gateway.wait_for_status, 5, queue_length=n_waiting)
            yield caller
        finally:
            for chat in chats:
                chat.cancel()
            await asyncio.gather(*chats, return_exceptions=True)
    await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=1, queue_length=0)


def total(page: Page, name: str) -> Locator:
    return page.locator(".tile", has=page.get_by_text(name, exact=True)).locator("dd")


def panel(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


async def agree(page: Page, button: str) -> None:
    await page.get_by_role("dialog").get_by_role("button", name=button).click()


def estimates(gateway: GatewayProcess) -> dict[str, Any]:
    return gateway.http.get("/api/config/eta").json()


async def test_an_operator_sees_what_goes_on_and_ends_it(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with traffic(gateway, n_waiting=2) as caller, visit(browser, gateway.url) as guest:
        page = guest.page
        await guest.open("/admin")
        await expect(total(page, "Workers")).to_have_text("1")
        await expect(total(page, "Busy")).to_have_text("1")
        await expect(total(page, "Waiting")).to_have_text("2")
        await expect(panel(page, "Workers")).to_contain_text("2 / 2")

        queue = panel(page, "Queue").get_by_role("table")
        await expect(queue.locator("tbody tr")).to_have_count(2)
        await queue.get_by_role("button", name="Cancel the request at place 1").click()
        await agree(page, "Cancel the request")
        await expect(queue.locator("tbody tr")).to_have_count(1)
        await expect(total(page, "Waiting")).to_have_text("1")

        sessions = panel(page, "Running sessions")
        await sessions.get_by_role("button", name="Stop the session omni_watched").click()
        await agree(page, "Stop the session")
        ended = await read_to_close(caller.socket)
        assert ended.close_code == GOING_AWAY
        await expect(sessions).not_to_contain_text("omni_watched")


async def test_modes_and_estimates_are_changed_for_everybody(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with visit(browser, gateway.url) as guest:
        page = guest.page
        await guest.open("/admin")
        mode = page.get_by_role("switch", name="Half-duplex voice")
        call_page = await page.context.new_page()
        await call_page.goto(f"{gateway.url}/half_duplex", wait_until="networkidle")
        for enabled in (False, True):
            await page.locator("label", has_text="Half-duplex voice").click()
            state = "on" if enabled else "off"
            await expect(page.get_by_text(f"Half-duplex voice is {state}.")).to_be_visible()
            await expect(mode).to_be_checked(checked=enabled)
            apps = (await asyncio.to_thread(gateway.http.get, "/api/apps")).json()["apps"]
            assert ("half_duplex_audio" in {app["app_id"] for app in apps}) is enabled
            if not enabled:
                await expect_a_call_to_be_refused(call_page)

        before = await asyncio.to_thread(estimates, gateway)
        await page.get_by_role("spinbutton", name="Half-duplex call").fill("45.5")
        await page.get_by_role("spinbutton", name="Smoothing").fill("0.5")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("The estimates are saved.")).to_be_visible()
        after = await asyncio.to_thread(estimates, gateway)
        assert after["config"]["eta_half_duplex_s"] == 45.5
        assert after["config"]["eta_chat_s"] == before["config"]["eta_chat_s"]
        assert after["ema_alpha"] == 0.5


async def expect_a_call_to_be_refused(page: Page) -> None:
    await page.click("#start")
    failure = page.locator("#notice .failure")
    await expect(failure).to_contain_text("This mode is switched off")
    await expect(failure.get_by_role("button")).to_have_text("Go to the start page")


async def test_a_worker_is_drained_and_put_back_to_work(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with visit(browser, gateway.url) as guest:
        await guest.open("/admin")
        worker = panel(guest.page, "Workers").locator(".worker")
        button = worker.get_by_role("button")
        await button.click()
        await agree(guest.page, "Drain")
        await expect(worker.locator(".state")).to_have_text("Draining")
        await expect(button).to_be_focused()
        await expect(button).to_have_text(re.compile("^Resume "))
        (before,) = (await asyncio.to_thread(gateway.http.get, "/workers")).json()["workers"]
        await guest.page.keyboard.press("Enter")
        await expect(guest.page.get_by_text(" gets work again.")).to_be_visible()
        await expect(worker.locator(".state")).to_have_text("Free")
        (after,) = (await asyncio.to_thread(gateway.http.get, "/workers")).json()["workers"]
        assert [before["draining"], after["draining"]] == [True, False]


async def test_recordings_are_deleted_and_the_log_is_searched(
    browser: Browser, gateway: GatewayProcess
) -> None:
    record_chat(gateway.log_path.parent / "data", "recorded_chat")

    async def log_of_two_lines(route: Route) -> None:
        lines = ["event=started", "event=worker_lost"]
        await route.fulfill(json={"process": "gateway", "processes": ["gateway"], "lines": lines})

    async with visit(browser, gateway.url) as guest:
        page = guest.page
        await page.route("**/api/admin/logs?*", log_of_two_lines)
        await guest.open("/admin")
        recordings = panel(page, "Recordings")
        await recordings.get_by_role("button", name="Delete recorded_chat").click()
        await agree(page, "Delete")
        await expect(recordings).to_contain_text("No recordings match.")
        gone = await asyncio.to_thread(gateway.http.get, "/api/sessions/recorded_chat")
        assert gone.status_code == httpx.codes.NOT_FOUND
        await page.get_by_role("button", name="Show the log").click()
        log = page.get_by_role("region", name="End of the log")
        await expect(log).to_contain_text("started")
        await page.get_by_label("Only lines with").fill("LOST")
        await expect(log).to_have_text("event=worker_lost")


async def test_a_voice_is_uploaded_heard_and_deleted(
    browser: Browser, gateway: GatewayProcess, voice_file: str
) -> None:
    async with visit(browser, gateway.url) as guest:
        await guest.open("/admin")
        voices = panel(guest.page, "Voices")
        await voices.get_by_label("Sound file").set_input_files(voice_file)
        await voices.get_by_label("Name", exact=True).fill("<b>Ada</b>")
        await voices.get_by_role("button", name="Upload").click()
        await voices.get_by_role("button", name="Listen to <b>Ada</b>").click()
        await expect(voices.locator(".audio-pill .pill-time")).to_contain_text("0:02")
        await voices.get_by_role("button", name="Delete <b>Ada</b>").click()
        await agree(guest.page, "Delete")
        await expect(voices).to_contain_text("No voices have been uploaded.")


async def test_the_keyboard_alone_sorts_the_queue_and_takes_somebody_out(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with traffic(gateway, n_waiting=2), visit(browser, gateway.url) as guest:
        page, keyboard = guest.page, guest.page.keyboard
        await guest.open("/admin")
        queue = panel(page, "Queue")
        rows = queue.locator("tbody tr")
        await expect(rows).to_have_count(2)
        place = queue.get_by_role("button", name="Place", exact=True)
        await place.focus()
        await keyboard.press("Enter")
        await keyboard.press("Enter")
        header = queue.get_by_role("columnheader", name="Place")
        await expect(header).to_have_attribute("aria-sort", "descending")
        await expect(rows.first.get_by_role("rowheader")).to_have_text("2")
        cancel = queue.get_by_role("button", name="Cancel the request at place 2")
        for _ in range(10):
            if await cancel.evaluate("button => button === document.activeElement"):
                break
            await keyboard.press("Tab")
        await expect(cancel).to_be_focused()
        await keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Cancel the request at place 2?")
        await expect(dialog).to_be_visible()
        await keyboard.press("Escape")
        await expect(cancel).to_be_focused()
        await keyboard.press("Enter")
        await keyboard.press("Tab")
        await keyboard.press("Enter")
        await expect(rows).to_have_count(1)
        await expect(queue.get_by_role("group", name="Queue")).to_be_focused()


async def test_without_the_token_one_only_looks(
    browser: Browser, lone_gateway: GatewayProcess
) -> None:
    async with visit(browser, lone_gateway.url) as guest:
        page = guest.page
        await guest.open("/admin")
        notice = panel(page, "You are not signed in")
        await expect(notice).to_be_visible()
        await expect(page.locator("#apps")).to_be_hidden()
        await expect(page.get_by_role("spinbutton", name="Video call")).to_be_disabled()
        await page.fill("#token", "wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_have_text("This is not the admin token.")
        await page.fill("#token", TOKEN)
        await page.keyboard.press("Enter")
        await expect(notice).to_be_hidden()
        await expect(page.get_by_role("switch")).to_have_count(5)

        async def refuse(route: Route) -> None:
            await route.fulfill(status=403, body="no changes from outside")

        await page.route("**/api/config/eta", refuse)
        await page.get_by_role("button", name="Save").click()
        await expect(panel(page, "The service refused the change")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_be_hidden()
        await page.unroute("**/api/config/eta")
        await page.get_by_role("button", name="Allow changes again").click()
        await expect(page.get_by_role("button", name="Save")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(notice).to_be_visible()
        guest.complaints.clear()  # Chromium itself reports each refusal


async def test_a_service_that_is_gone_leaves_what_was_seen_and_its_age(
    browser: Browser, lone_gateway: GatewayProcess
) -> None:
    async with visit(browser, lone_gateway.url) as guest:
        await guest.open("/admin")
        await expect(total(guest.page, "Offline")).to_have_text("1")
        lone_gateway.end()
        await expect(guest.page.locator("#stale")).to_contain_text("Out of date since")
        await expect(panel(guest.page, "Overview")).to_contain_text("Out of date since")
        await expect(total(guest.page, "Offline")).to_have_text("1")
        guest.complaints.clear()  # Chromium itself reports each refused connection
