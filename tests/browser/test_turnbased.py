"""Turn-based chat in a real browser with the real service: what people do on an ordinary day."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from playwright.async_api import FilePayload, Playwright, expect

from tests.browser.chromium import FAKE_MICROPHONE, GRANT_PERMISSIONS, launch, visit
from tests.browser.conftest import OpenVisit
from tests.service.stack import GatewayProcess
from tests.wire_media import image_file, picture

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAMPLE_RATE = 16000
DROP_OR_PASTE = """([way, bytes]) => {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(bytes)], 'hills.png', { type: 'image/png' }));
    const send = (type, target) => target.dispatchEvent(way === 'paste'
        ? new ClipboardEvent(type, { clipboardData: files, bubbles: true, cancelable: true })
        : new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
    const steps = way === 'paste' ? ['paste'] : ['dragenter', 'dragover', 'drop'];
    for (const type of steps) send(type, document.querySelector('#draft'));
}"""
PICTURE = FilePayload(name="hills.png", mimeType="image/png", buffer=image_file(picture(64, 48)))


async def test_a_text_is_answered_word_by_word(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Tell me a story.")
        answer = await guest.wait_for_answer()
        deltas = [message["text_delta"] for message in guest.received if "text_delta" in message]
        assert len(deltas) > 1
        assert "".join(answer.split()) == "".join("".join(deltas).split())
        assert guest.sent[0]["messages"] == [{"role": "user", "content": "Tell me a story."}]
        facts = guest.page.locator(".facts")
        await expect(facts).to_contain_text("to the first words")
        await expect(facts).to_contain_text("out")


async def test_the_page_says_that_the_demo_model_answers(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await expect(guest.page.locator(".banner")).to_contain_text("Demo model")
        await expect(guest.page.locator(".health")).to_contain_text("1 of 1 free")


async def test_an_image_goes_with_the_message(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.set_input_files("#files", [PICTURE])
        await expect(guest.page.get_by_alt_text("hills.png")).to_be_visible()
        await guest.send("What is this?")
        assert await guest.wait_for_answer()
        content = guest.sent[0]["messages"][0]["content"]
        assert [item["type"] for item in content] == ["image", "text"]
        assert base64.b64decode(content[0]["data"]) == PICTURE["buffer"]
        await expect(guest.page.locator(".question img")).to_be_visible()
        await expect(guest.page.locator("#attachments")).to_be_hidden()


@pytest.mark.parametrize("way", ["drop", "paste"])
async def test_an_image_may_be_dropped_or_pasted(real_visit: OpenVisit, way: str) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.evaluate(DROP_OR_PASTE, [way, list(PICTURE["buffer"])])
        await expect(guest.page.locator(".attachment img")).to_be_visible()
        await expect(guest.page.locator("#drop-target")).to_be_hidden()


async def test_a_recorded_clip_is_heard_and_answered(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.click("#microphone")
        await expect(guest.page.locator(".recording-time")).to_have_text("0:01")
        await guest.page.get_by_role("button", name="Finish and attach").click()
        await expect(guest.page.locator(".attachment .audio-pill")).to_be_visible()
        await guest.page.keyboard.press("Enter")
        assert await guest.wait_for_answer()
        (item,) = guest.sent[0]["messages"][0]["content"]
        assert item["type"] == "audio"
        samples = np.frombuffer(base64.b64decode(item["data"]), "<f4")
        assert 0.8 * SAMPLE_RATE < len(samples) < 4 * SAMPLE_RATE
        assert 0.01 < np.abs(samples).max() <= 1


async def test_a_sound_file_becomes_16_khz(real_visit: OpenVisit, voice_file: str) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.set_input_files("#files", [voice_file])
        await expect(guest.page.locator(".attachment .pill-time")).to_have_text("0:02")
        await guest.page.get_by_role("button", name="Play voice.wav").click()
        await expect(guest.page.locator(".attachment .pill-time")).to_have_text("0:01 / 0:02")
        await guest.page.focus("#draft")
        await guest.page.keyboard.press("Enter")
        assert await guest.wait_for_answer()
        (item,) = guest.sent[0]["messages"][0]["content"]
        assert len(base64.b64decode(item["data"])) == pytest.approx(2 * SAMPLE_RATE * 4, abs=8)


async def test_space_talks_while_it_is_held_and_escape_discards(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        strip = guest.page.locator("#recording")
        await guest.page.focus("#draft")
        await guest.page.keyboard.down("Space")
        await expect(strip).to_have_attribute("data-state", "running")
        await expect(guest.page.locator(".recording-time")).to_have_text("0:01")
        await guest.page.keyboard.up("Space")
        await expect(guest.page.locator(".attachment")).to_have_count(1)
        await guest.page.keyboard.press("Space")
        await expect(strip).to_be_visible()
        await guest.page.keyboard.press("Escape")
        await expect(strip).to_be_hidden()
        await expect(guest.page.locator(".attachment")).to_have_count(1)
        assert await guest.page.input_value("#draft") == ""


async def test_streaming_can_be_switched_off(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.click("#open-settings")
        await guest.page.get_by_role("switch", name="Stream the answer").click()
        await guest.page.fill("#max_new_tokens", "16")
        await guest.page.get_by_label("Text for the model").fill("Be brief.")
        await guest.page.keyboard.press("Escape")
        await guest.send("Hello")
        assert await guest.wait_for_answer()
        assert not [message for message in guest.received if message["type"] == "chunk"]
        assert guest.sent[0]["streaming"] is False
        assert guest.sent[0]["generation"]["max_new_tokens"] == 16
        assert guest.sent[0]["messages"][0] == {"role": "system", "content": "Be brief."}


async def test_the_conversation_goes_on_and_answers_can_be_made_again(
    real_visit: OpenVisit,
) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("One")
        await guest.wait_for_answer()
        await guest.send("Two")
        await guest.wait_for_answer()
        roles = [message["role"] for message in guest.sent[1]["messages"]]
        assert roles == ["user", "assistant", "user"]
        await guest.page.get_by_role("button", name="Answer again").click()
        await guest.page.wait_for_selector(
            ".answer:last-child[data-state=pending]", state="detached"
        )
        await guest.wait_for_answer()
        assert guest.sent[2]["messages"] == guest.sent[1]["messages"]
        await expect(guest.page.locator(".answer")).to_have_count(2)


async def test_an_answer_can_be_copied(real_visit: OpenVisit) -> None:
    async with real_visit(permissions=["clipboard-read", "clipboard-write"]) as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        await guest.wait_for_answer()
        await guest.page.get_by_role("button", name="Copy the answer").click()
        await expect(guest.page.get_by_text("Copied")).to_be_visible()
        copied = await guest.page.evaluate("navigator.clipboard.readText()")
        assert copied == "".join(message.get("text_delta", "") for message in guest.received)


async def test_a_new_chat_knows_nothing_of_the_one_before(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        await guest.wait_for_answer()
        await guest.page.get_by_role("button", name="New chat").click()
        await expect(guest.page.locator(".welcome")).to_be_visible()
        await guest.send("Fresh")
        await guest.wait_for_answer()
        assert [message["content"] for message in guest.sent[1]["messages"]] == ["Fresh"]


async def test_a_message_that_is_too_long_is_explained(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("many words and " * 6000)
        await guest.wait_for_answer("failed")
        failure = guest.page.locator(".failure")
        await expect(failure).to_contain_text("more than the model can take in")
        await expect(failure.get_by_role("button", name="New chat")).to_be_visible()
        await guest.send("Short")
        assert await guest.wait_for_answer()
        assert [message["content"] for message in guest.sent[1]["messages"]] == ["Short"]


async def test_everything_works_with_the_keyboard_alone(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        keyboard = guest.page.keyboard
        for _ in range(20):
            if await guest.page.evaluate("document.activeElement.className") == "skip-link":
                break
            await keyboard.press("Shift+Tab")
        await expect(guest.page.locator(".skip-link")).to_be_in_viewport()
        await keyboard.press("Enter")
        await expect(guest.page.locator("#draft")).to_be_focused()
        await keyboard.type("First line")
        await keyboard.press("Shift+Enter")
        await keyboard.type("second line")
        await keyboard.press("Enter")
        assert await guest.wait_for_answer()
        assert guest.sent[0]["messages"][0]["content"] == "First line\nsecond line"
        await guest.page.focus("#open-settings")
        await keyboard.press("Enter")
        await expect(guest.page.locator("#settings")).to_be_visible()
        for _ in range(12):
            await keyboard.press("Tab")
            assert await guest.page.evaluate(
                "document.activeElement === document.body"
                " || document.querySelector('#settings').contains(document.activeElement)"
            )
        await keyboard.press("Escape")
        await expect(guest.page.locator("#settings")).to_be_hidden()
        await expect(guest.page.locator("#open-settings")).to_be_focused()


async def test_the_language_changes_without_losing_anything(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.send("Hello")
        answer = await guest.wait_for_answer()
        await guest.page.fill("#draft", "half a thought")
        await guest.page.get_by_role("button", name="Language").click()
        await expect(guest.page.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(guest.page.locator("#open-settings")).to_have_text("设置")
        await expect(guest.page.locator(".facts")).to_contain_text("首字")
        await expect(guest.page.locator(".banner")).to_contain_text("演示模型")
        assert await guest.page.input_value("#draft") == "half a thought"
        assert await guest.wait_for_answer() == answer
        await guest.page.reload()
        await expect(guest.page.locator("#open-settings")).to_have_text("设置")


@pytest.mark.parametrize(
    ("flags", "title"),
    [
        ((FAKE_MICROPHONE,), "The microphone is not allowed"),
        ((GRANT_PERMISSIONS,), "No microphone found"),
    ],
)
async def test_a_microphone_that_cannot_be_used_is_explained(
    playwright: Playwright, real_gateway: GatewayProcess, flags: tuple[str, ...], title: str
) -> None:
    browser = await launch(playwright, *flags)
    async with visit(browser, real_gateway.url) as guest:
        await guest.open("/turnbased")
        await guest.page.click("#microphone")
        toast = guest.page.get_by_role("alert").filter(has_text=title)
        await expect(toast).to_be_visible()
        await expect(guest.page.locator("#recording")).to_be_hidden()
        await guest.send("I can still write")
        assert await guest.wait_for_answer()
    await browser.close()


async def test_a_file_that_is_no_picture_is_refused_by_name(real_visit: OpenVisit) -> None:
    broken = FilePayload(name="broken.png", mimeType="image/png", buffer=b"not a picture")
    text = FilePayload(name="notes.pdf", mimeType="application/pdf", buffer=b"%PDF")
    async with real_visit() as guest:
        await guest.open("/turnbased")
        await guest.page.set_input_files("#files", [broken, text, PICTURE])
        await expect(guest.page.get_by_text("broken.png cannot be read")).to_be_visible()
        await expect(guest.page.get_by_text("notes.pdf cannot be attached")).to_be_visible()
        await expect(guest.page.locator(".attachment")).to_have_count(1)
