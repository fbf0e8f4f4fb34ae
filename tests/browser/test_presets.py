"""Presets, what the model is told, and voices on the live pages, up to the first message."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.browser.chromium import visit
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RATE = 16_000
MODES = {
    "turnbased": "/turnbased",
    "half_duplex_audio": "/half_duplex",
    "omni": "/omni",
    "audio_duplex": "/audio_duplex",
}

UNTIL_IT_IS_KEPT = """() => new Promise((resolve) => {
    const opening = indexedDB.open('minicpmo_presets');
    opening.onsuccess = () => {
        const look = () => {
            const drafts = opening.result.transaction('drafts').objectStore('drafts').count();
            drafts.onsuccess = () => (drafts.result > 0 ? resolve() : setTimeout(look, 20));
        };
        look();
    };
})"""


class FirstMessage:
    """What the page sends first, once it has a worker."""

    def __init__(self) -> None:
        self._message: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def accept(self, socket: WebSocketRoute) -> None:
        socket.on_message(self._receive)
        socket.send(json.dumps({"type": "queue_done"}))

    def _receive(self, text: str | bytes) -> None:
        if not self._message.done():
            self._message.set_result(json.loads(text))

    async def wait(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._message, 10)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway without workers, which needs none to serve pages, presets and voices."""
    with Stack(tmp_path_factory.mktemp("presets")) as stack:
        yield stack.start_gateway([], wait_ready=False)


@asynccontextmanager
async def settings_of(browser: Browser, gateway: GatewayProcess, path: str) -> AsyncIterator[Page]:
    async with visit(browser, gateway.url) as guest:
        await guest.open(path)
        await guest.page.click("#open-settings")
        yield guest.page


async def begin(page: Page) -> dict[str, Any]:
    """Close the settings, begin, and answer with what the service gets."""
    first = FirstMessage()
    await page.route_web_socket("**/ws/**", first.accept)
    await page.keyboard.press("Escape")
    if await page.locator("#draft").count():
        await page.fill("#draft", "Hello")
        await page.keyboard.press("Enter")
    else:
        await page.click("#start")
    return await first.wait()


async def choose(page: Page, name: str) -> None:
    await page.locator(".preset", has_text=name).click()
    await expect(page.locator(".preset-progress")).to_be_hidden()


async def record_voice(page: Page, group: str) -> None:
    voice = page.get_by_role("group", name=group)
    await voice.get_by_role("button", name="Record a voice").click()
    finish = voice.get_by_role("button", name="Finish and attach")
    await expect(finish).to_be_disabled()
    await expect(finish).to_be_enabled()
    await finish.click()
    await expect(voice.get_by_role("button", name="Remove My voice")).to_be_visible()


def told(message: dict[str, Any]) -> dict[str, Any]:
    """The part of a first message that comes from a preset, as presets have it."""
    if "messages" in message:
        return {"system_content": message["messages"][0]["content"]}
    if "system_content" in message:
        return {"system_content": message["system_content"]}
    return {"prompt": message["system_prompt"], "voice": message["ref_audio_base64"]}


def offered(preset: dict[str, Any]) -> dict[str, Any]:
    if "system_content" in preset:
        wire = [{"type": item["type"]} for item in preset["system_content"]]
        for item, source in zip(wire, preset["system_content"], strict=True):
            kind = "text" if source["type"] == "text" else "data"
            item[kind] = source[kind].strip() if kind == "text" else source[kind]
        return {"system_content": wire}
    return {"prompt": preset["system_prompt"], "voice": preset["ref_audio"]["data"]}


@pytest.mark.parametrize("mode", MODES)
async def test_a_preset_goes_with_the_first_message(
    browser: Browser, pages: GatewayProcess, mode: str
) -> None:
    presets = pages.http.get("/api/presets", params={"inline": 1, "lang": "en"}).json()[mode]
    preset = presets[-1]
    async with settings_of(browser, pages, MODES[mode]) as page:
        await choose(page, preset["name"])
        assert told(await begin(page)) == offered(preset)


async def test_a_recorded_voice_of_a_call_goes_with_it(
    browser: Browser, pages: GatewayProcess
) -> None:
    async with settings_of(browser, pages, "/audio_duplex") as page:
        await record_voice(page, "Voice it speaks with")
        prepare = await begin(page)
        samples = len(base64.b64decode(prepare["tts_ref_audio_base64"])) // 4
        assert 2.5 * RATE <= samples <= 20 * RATE
        assert "ref_audio_base64" not in prepare


async def test_a_preset_of_ones_own_survives_the_page(
    browser: Browser, pages: GatewayProcess
) -> None:
    async with settings_of(browser, pages, "/turnbased") as page:
        await choose(page, "Assistant")
        await page.get_by_label("Text for the model").last.fill("You are a pirate.")
        await page.get_by_text("Your own presets").click()
        await page.get_by_label("Name", exact=True).fill("Captain")
        await page.get_by_role("button", name="Save as a new preset").click()
        await expect(page.get_by_text("Captain is saved.")).to_be_visible()
        await page.reload()
        message = await begin(page)
        content = message["messages"][0]["content"]
        assert [item["type"] for item in content] == ["text", "audio", "text"]
        assert content[2]["text"] == "You are a pirate."
        await page.click("#open-settings")
        await expect(page.get_by_role("radio", name="Captain")).to_be_checked()


async def test_what_was_written_survives_the_page_until_it_is_reset(
    browser: Browser, pages: GatewayProcess
) -> None:
    async with settings_of(browser, pages, "/half_duplex") as page:
        text = page.get_by_label("Text for the model")
        await text.fill("Speak slowly.")
        await page.evaluate(UNTIL_IT_IS_KEPT)
        await page.reload()
        await page.click("#open-settings")
        await expect(text).to_have_value("Speak slowly.")
        await page.get_by_role("button", name="Restore the defaults").click()
        await (
            page.get_by_role("dialog", name="Restore the defaults?")
            .get_by_role("button", name="Restore the defaults")
            .click()
        )
        await expect(text).to_have_value("")
        assert (await begin(page))["system_content"] == []
