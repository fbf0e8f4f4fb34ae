"""Workers that are killed while they answer: what was said stays, and one can go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.chromium import in_full_runs, visit
from tests.service.stack import GatewayProcess, Stack, WorkerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Service = tuple[GatewayProcess, list[WorkerProcess]]
CALLS = ("/omni", "/audio_duplex", "/half_duplex")
N_WORKERS = 1 + len(CALLS) + 1  # one dies for each page
START_S = 30.0


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Workers whose answers last, and of which one is left in the end."""
    with Stack(tmp_path_factory.mktemp("killed")) as stack:
        program = ("mock_worker", "tests/mock_worker.py", "--strict", "--stream-chunks", "300")
        workers = [stack.start_program(*program) for _ in range(N_WORKERS)]
        for worker in workers:
            wait_until_it_answers(worker)
            worker.configure(speak_pattern="S")
        yield stack.start_gateway(workers), workers


def wait_until_it_answers(worker: WorkerProcess) -> None:
    worker.wait_until("answer", lambda: bool(worker.health()), START_S)


def kill_the_busy_one(service: Service) -> None:
    gateway, workers = service
    known = gateway.http.get("/workers").json()["workers"]
    (busy_port,) = [worker["port"] for worker in known if worker["slots_busy"]]
    (victim,) = [worker for worker in workers if worker.port == busy_port]
    victim.kill()


async def expect_words(answer: Locator) -> str:
    """What has been written so far."""
    await expect(answer).not_to_be_empty()
    return (await answer.inner_text()).strip()


async def start_call(page: Page) -> None:
    await page.click("#start")
    await page.wait_for_selector("#call[data-state=live]")


async def end_the_turn_of_one_who_never_pauses(page: Page) -> None:
    await expect(page.locator("#state-text")).to_have_text("You are speaking")
    await page.click("#mute")


@pytest.mark.parametrize("path", [CALLS[0], *in_full_runs(*CALLS[1:])])
async def test_a_call_is_told_to_be_over_keeps_its_words_and_is_begun_again(
    browser: Browser, service: Service, path: str
) -> None:
    async with visit(browser, service[0].url) as guest:
        page = guest.page
        await guest.open(path)
        await start_call(page)
        if path == "/half_duplex":
            await end_the_turn_of_one_who_never_pauses(page)
        answer = page.locator(".entry.model")
        words = await expect_words(answer)
        await asyncio.to_thread(kill_the_busy_one, service)
        await page.wait_for_selector("#call[data-state=ended]")
        failure = page.locator("#notice .failure")
        await expect(failure).to_contain_text("The model stopped in the middle of the call")
        await expect(failure).to_contain_text("The conversation so far stays here; start again.")
        await expect(answer).to_contain_text(words.split()[0])
        await failure.get_by_role("button", name="Start again").click()
        await page.wait_for_selector("#call[data-state=live]")


async def test_an_answer_in_a_chat_is_told_to_be_broken_off_and_is_asked_for_again(
    browser: Browser, service: Service
) -> None:
    async with visit(browser, service[0].url) as guest:
        await guest.open("/turnbased")
        await guest.send("Tell me a story")
        words = await expect_words(guest.page.locator(".answer-body"))
        await asyncio.to_thread(kill_the_busy_one, service)
        assert (await guest.wait_for_answer("failed")).startswith(words)
        failure = guest.page.locator(".failure")
        await expect(failure).to_contain_text("The model stopped while answering")
        await expect(failure).to_contain_text("What had arrived is kept; try again.")
        await failure.get_by_role("button", name="Try again").click()
        await guest.page.wait_for_selector(".answer[data-state=streaming]")
        await expect_words(guest.page.locator(".answer-body"))
