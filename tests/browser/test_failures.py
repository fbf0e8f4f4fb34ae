"""Turn-based chat when things go wrong, with a worker that goes wrong on demand."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from playwright.async_api import Playwright, expect

from tests.browser.chromium import launch, visit
from tests.browser.conftest import OpenVisit
from tests.service.stack import GatewayProcess, WorkerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Service = tuple[GatewayProcess, WorkerProcess]


async def test_stop_keeps_what_was_said_and_frees_the_worker(
    mock_visit: OpenVisit, mock_stack: Service
) -> None:
    gateway, worker = mock_stack
    worker.configure(stream_delay=0.1, stream_chunks=200)
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Tell me a long story")
        await guest.page.wait_for_selector(".answer[data-state=streaming]")
        await expect(guest.page.locator("#stop")).to_be_visible()
        await guest.page.keyboard.press("Escape")
        text = await guest.wait_for_answer("stopped")
        assert text
        await expect(guest.page.locator(".facts")).to_contain_text("Stopped")
        gateway.wait_for_status(5, idle_workers=1)
        worker.configure(stream_delay=0.01, stream_chunks=3)
        await guest.send("And now?")
        await guest.wait_for_answer()
        assert await guest.page.locator(".answer-body").first.inner_text() == text


async def test_one_who_waits_sees_the_place_and_may_give_up(
    mock_visit: OpenVisit, mock_stack: Service
) -> None:
    gateway, worker = mock_stack
    worker.configure(chat_delay=60)
    body = {"messages": [{"role": "user", "content": "hold the worker"}]}
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
        holding = asyncio.create_task(client.post("/api/chat", json=body, timeout=90))
        await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=0)
        async with mock_visit() as guest:
            await guest.open("/turnbased")
            await guest.send("Me too")
            banner = guest.page.locator(".queue-banner")
            await expect(banner).to_contain_text("Place 1 of 1 in the queue")
            await expect(banner).to_contain_text("about 0:")
            assert (await asyncio.to_thread(gateway.status))["queue_length"] == 1
            await banner.get_by_role("button", name="Cancel").click()
            await guest.wait_for_answer("stopped")
            await expect(banner).to_be_hidden()
            await asyncio.to_thread(gateway.wait_for_status, 5, queue_length=0)
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)


async def test_a_worker_that_dies_in_the_middle_is_told_and_its_words_are_kept(
    mock_visit: OpenVisit, mock_stack: Service
) -> None:
    _, worker = mock_stack
    worker.configure(stream_chunks=10, crash_after_chunks=3)
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        text = await guest.wait_for_answer("failed")
        assert text
        failure = guest.page.locator(".failure")
        await expect(failure).to_contain_text("The model stopped while answering")
        await expect(failure.get_by_role("button", name="Try again")).to_be_visible()


async def test_a_gateway_that_goes_away_is_told_and_nothing_is_lost(
    mock_visit: OpenVisit, mock_stack: Service
) -> None:
    gateway, _ = mock_stack
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        await guest.wait_for_answer()
        gateway.end()
        await guest.send("Are you there?")
        await guest.wait_for_answer("failed")
        await expect(guest.page.locator(".failure")).to_contain_text("cannot be reached")
        await expect(guest.page.locator(".banner")).to_contain_text("does not answer")
        await expect(guest.page.locator(".question")).to_have_count(2)
        guest.complaints.clear()  # Chromium itself reports each refused connection


async def test_a_device_without_network_is_told_so(mock_visit: OpenVisit) -> None:
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.context.set_offline(True)
        await expect(guest.page.locator(".banner")).to_contain_text("This device is offline")
        await guest.send("Hello?")
        await guest.wait_for_answer("failed")
        await guest.page.context.set_offline(False)
        await guest.page.get_by_role("button", name="Try again").click()
        await guest.wait_for_answer()
        await expect(guest.page.locator(".banner")).to_have_count(0)
        guest.complaints.clear()  # Chromium itself reports each refused connection


async def test_a_page_without_https_says_why_it_cannot_record(
    playwright: Playwright, mock_stack: Service
) -> None:
    gateway, _ = mock_stack
    browser = await launch(playwright, "--host-resolver-rules=MAP plain.test 127.0.0.1")
    async with visit(browser, f"http://plain.test:{gateway.port}") as guest:
        await guest.open("/turnbased")
        await guest.page.click("#microphone")
        toast = guest.page.get_by_role("alert")
        await expect(toast).to_contain_text("This page may not use the microphone")
        await expect(toast).to_contain_text(f"https://plain.test:{gateway.port}")
        await guest.send("Hello")
        await guest.wait_for_answer()
    await browser.close()


async def test_markup_in_a_message_stays_text(mock_visit: OpenVisit) -> None:
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("<img src=x onerror=document.title='owned'>")
        await guest.wait_for_answer()
        await expect(guest.page.locator(".question-text")).to_contain_text("<img src=x")
        assert await guest.page.locator(".question img").count() == 0
        assert "owned" not in await guest.page.title()
