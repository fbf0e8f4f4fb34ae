"""Calls that are shared: the recording of the service, with what the page has recorded itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import only_in_full_runs, visit
from tests.browser.scene_service import answer_talk
from tests.browser.scripted_call import ScriptedCall, speech, spoken
from tests.browser.sharing import share
from tests.browser.test_replay import record_call
from tests.service.stack import GatewayProcess, Stack
from tests.unit.recorded_sessions import record_chat

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OMNI, TALK = "recorded_omni", "recorded_talk"
ALLOWED = ["microphone", "camera", "clipboard-read", "clipboard-write"]


async def answer_omni(page: Page) -> None:
    call = ScriptedCall()
    call.prepared = {"recording_session_id": OMNI}
    call.script = [spoken("Once upon a time.", end_of_turn=True)]
    await call.install(page)


async def answer_half_duplex(page: Page) -> None:
    await answer_talk(page, "en", speech(1.0), recording_session_id=TALK)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway whose recordings are those of the calls that the test plays the service for."""
    folder = tmp_path_factory.mktemp("shared")
    record_call(folder / "data", OMNI, "LE", "omni_duplex")
    record_chat(folder / "data", TALK, "half_duplex_audio")
    with Stack(folder) as stack:
        yield stack.start_gateway([], wait_ready=False)


@pytest.mark.parametrize(
    ("path", "answer", "recording", "badge", "media"),
    [
        ("/omni", answer_omni, OMNI, "Omni full-duplex", "video"),
        pytest.param(
            *("/half_duplex", answer_half_duplex, TALK, "Half-duplex voice", "audio"),
            marks=only_in_full_runs,
        ),
    ],
)
async def test_a_call_is_shared_with_a_comment_and_what_the_page_has_recorded(
    browser: Browser,
    gateway: GatewayProcess,
    path: str,
    answer: Callable[[Page], Awaitable[None]],
    recording: str,
    badge: str,
    media: str,
) -> None:
    async with visit(browser, gateway.url, may_record="yes", permissions=ALLOWED) as guest:
        page = guest.page
        await answer(page)
        await guest.open(path)
        await expect(page.locator("#share")).to_be_disabled()
        await page.click("#start")
        await expect(page.locator(".entry.model .heard")).not_to_be_empty()
        await page.click("#stop")
        await expect(page.locator("#download")).to_be_visible()
        link = await share(page, "Listen to this!")
        assert link == f"{gateway.url}/s/{recording}"
        await page.goto(link)
        await expect(page.locator(".session-comment")).to_contain_text("Listen to this!")
        await expect(page.locator(".badge")).to_have_text(badge)
        uploaded = page.locator(f"#uploaded {media}")
        await expect(uploaded).not_to_have_js_property("readyState", 0)
