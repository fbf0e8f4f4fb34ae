"""What visitors are told when things go wrong, with a worker that goes wrong on demand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Playwright, expect

from tests.browser.chromium import Visit, launch, visit
from tests.browser.conftest import OpenVisit
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Service = tuple[GatewayProcess, WorkerProcess]
BRIEF = {"chat_delay": 0.1, "stream_delay": 0.02, "stream_chunks": 5}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Stack(tmp_path_factory.mktemp("failures")) as stack:
        worker = stack.start_mock_worker()
        yield stack.start_gateway([worker]), worker


@pytest.fixture
def mock_stack(service: Service) -> Service:
    """The service, with a worker that answers briefly until it is told otherwise."""
    service[1].configure(**BRIEF)
    return service


@pytest.fixture
def mock_visit(browser: Browser, mock_stack: Service) -> OpenVisit:
    def open_visit(**options: Any) -> AbstractAsyncContextManager[Visit]:
        return visit(browser, mock_stack[0].url, **options)

    return open_visit


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


@asynccontextmanager
async def occupied(service: Service) -> AsyncIterator[None]:
    """Somebody else has the only worker."""
    gateway, worker = service
    worker.configure(chat_delay=60)
    body = {"messages": [{"role": "user", "content": "hold the worker"}]}
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
        holding = asyncio.create_task(client.post("/api/chat", json=body, timeout=90))
        try:
            await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=0)
            yield
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
    await asyncio.to_thread(gateway.wait_for_status, 5, idle_workers=1)


async def test_one_who_waits_sees_the_place_and_may_give_up(
    mock_visit: OpenVisit, mock_stack: Service
) -> None:
    gateway, _ = mock_stack
    async with occupied(mock_stack), mock_visit() as guest:
        page = guest.page
        for path in ("/turnbased", "/omni", "/half_duplex"):
            await guest.open(path)
            if path == "/turnbased":
                await guest.send("Me too")
            else:
                await page.click("#start")
            banner = page.locator(".queue-banner")
            await expect(banner).to_contain_text("Place 1 of 1 in the queue")
            await expect(banner).to_contain_text("about 0:")
            assert (await asyncio.to_thread(gateway.status))["queue_length"] == 1
            await banner.get_by_role("button", name="Cancel").click()
            await expect(banner).to_be_hidden()
            given_up = "stopped" if path == "/turnbased" else "idle"
            await expect(page.locator(f"[data-state={given_up}]")).to_have_count(1)
            await asyncio.to_thread(gateway.wait_for_status, 5, queue_length=0)


async def test_a_service_that_restarts_is_told_and_nothing_is_lost(
    browser: Browser, tmp_path: Path
) -> None:
    with Stack(tmp_path) as stack:
        worker = stack.start_mock_worker("--strict")
        worker.configure(speak_pattern="S")
        gateway = stack.start_gateway([worker])
        async with visit(browser, gateway.url) as guest, visit(browser, gateway.url) as caller:
            await caller.open("/audio_duplex")
            await caller.page.click("#start")
            await expect(caller.page.locator(".entry.model")).to_contain_text("unit_0")
            await guest.open("/turnbased")
            await guest.page.fill("#draft", "Are you there?")
            await asyncio.to_thread(gateway.kill)
            await guest.page.keyboard.press("Enter")
            await guest.wait_for_answer("failed")
            await expect(guest.page.locator(".failure")).to_contain_text("cannot be reached")
            banner = guest.page.locator(".banner")
            await expect(banner).to_contain_text("does not answer")
            lost = caller.page.locator("#notice .failure")
            await expect(lost).to_contain_text("The connection broke")
            await expect(caller.page.locator(".entry.model")).to_contain_text("unit_0")

            await asyncio.to_thread(stack.start_gateway, [worker], port=gateway.port)
            await guest.page.get_by_role("button", name="Try again").click()
            await guest.wait_for_answer()
            await expect(guest.page.locator(".question")).to_have_text("Are you there?")
            await expect(banner).to_have_count(0)
            await lost.get_by_role("button", name="Start again").click()
            await caller.page.wait_for_selector("#call[data-state=live]")
            for page in (guest, caller):
                page.complaints.clear()  # Chromium itself reports each refused connection


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
