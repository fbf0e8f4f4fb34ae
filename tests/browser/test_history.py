"""What is kept of a turn-based chat, changed in it, and taken out of it, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.browser.chromium import BLOCK_STORAGE, Visit, visit
from tests.browser.conftest import OpenVisit
from tests.service.stack import GatewayProcess, Stack
from tests.wire_media import image_file, picture

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PICTURE = FilePayload(name="hills.png", mimeType="image/png", buffer=image_file(picture(64, 48)))
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def kept_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """One service for all tests here: what they look at is kept in the browser."""
    with Stack(tmp_path_factory.mktemp("history")) as stack:
        yield stack.start_gateway([stack.start_mock_worker("--stream-delay", "0.02")])


@pytest.fixture
def mock_visit(browser: Browser, kept_gateway: GatewayProcess) -> OpenVisit:
    def open_visit(**options: Any) -> AbstractAsyncContextManager[Visit]:
        return visit(browser, kept_gateway.url, **options)

    return open_visit


async def ask(guest: Visit, words: str) -> str:
    await guest.send(words)
    return await guest.wait_for_answer()


async def open_history(page: Page) -> None:
    await page.click("#open-history")
    await expect(page.locator(".history-sheet")).to_be_visible()


async def wait_until_kept(page: Page) -> None:
    """The drawer opens when all is written."""
    await open_history(page)
    await page.keyboard.press("Escape")


async def test_chats_and_drafts_survive_a_reload_and_can_be_opened_again(
    mock_visit: OpenVisit,
) -> None:
    async with mock_visit() as guest:
        page = guest.page
        await guest.open("/turnbased")
        await page.set_input_files("#files", [PICTURE])
        await expect(page.locator(".attachment img")).to_be_visible()
        answer = await ask(guest, "What is this?")
        await page.fill("#draft", "half a thought")
        await page.set_input_files("#files", [PICTURE])
        await page.wait_for_function("() => sessionStorage.turnbased_attachments")
        await wait_until_kept(page)
        await page.reload()
        await expect(page.locator(".answer-body")).to_have_text(answer)
        await expect(page.locator(".question img")).to_be_visible()
        assert await page.locator(".question img").evaluate("image => image.decode()") is None
        await expect(page.locator("#draft")).to_have_value("half a thought")
        await expect(page.locator(".attachment img")).to_be_visible()
        await page.click("#new-chat")
        await expect(page.locator(".welcome")).to_be_visible()
        await ask(guest, "And now?")
        assert guest.sent[-1]["messages"][0]["content"][0]["type"] == "image"
        await page.wait_for_function("() => sessionStorage.turnbased_attachments === ''")
        await open_history(page)
        await expect(page.locator(".history-title")).to_have_text(["And now?", "What is this?"])
        await page.get_by_role("button", name="What is this? now").click()
        await expect(page.locator(".question-text")).to_have_text("What is this?")
        await expect(page.locator(".question img")).to_be_visible()
        await ask(guest, "Go on")
        contents = [message["content"] for message in guest.sent[-1]["messages"]]
        assert contents[0][0]["type"] == "image"
        assert [contents[1].strip(), contents[2]] == [answer, "Go on"]


async def test_chats_are_deleted_one_by_one_or_all(mock_visit: OpenVisit) -> None:
    async with mock_visit() as guest:
        page = guest.page
        await guest.open("/turnbased")
        for words in ("One", "Two"):
            await ask(guest, words)
            await page.click("#new-chat")
        await open_history(page)
        confirm = page.locator("dialog.confirm").get_by_role("button", name="Delete")
        await page.get_by_role("button", name="Delete One").click()
        await confirm.click()
        await expect(page.locator(".history-title")).to_have_text(["Two"])
        await page.get_by_role("button", name="Delete all chats").click()
        await confirm.click()
        await expect(page.locator(".history-list li")).to_have_count(0)


async def test_messages_are_edited_sent_again_and_answers_made_anew(mock_visit: OpenVisit) -> None:
    async with mock_visit() as guest:
        page = guest.page
        await guest.open("/turnbased")
        await ask(guest, "One")
        await ask(guest, "Two")
        question = page.locator(".question").first
        await question.hover()
        await question.get_by_role("button", name="Edit").click()
        await expect(question.locator("textarea")).to_be_focused()
        await question.locator("textarea").fill("One, but better")
        await question.get_by_role("button", name="Save and send again").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send again").click()
        await expect(page.locator(".question")).to_have_count(1)
        await guest.wait_for_answer()
        assert guest.sent[2]["messages"] == [{"role": "user", "content": "One, but better"}]
        await page.get_by_role("button", name="Answer again").click()
        await page.wait_for_selector(".answer[data-state=pending]", state="detached")
        await guest.wait_for_answer()
        assert guest.sent[3]["messages"] == guest.sent[2]["messages"]
        await wait_until_kept(page)
        await page.reload()
        await expect(page.locator(".question-text")).to_have_text("One, but better")


async def test_a_chat_is_saved_as_a_file_and_brought_back(
    mock_visit: OpenVisit, tmp_path: Path
) -> None:
    async with mock_visit() as guest:
        page = guest.page
        await guest.open("/turnbased")
        answer = await ask(guest, "What: is/this?")
        await open_history(page)
        saved: dict[str, Path] = {}
        for name in ("Markdown", "JSON", "MessagePack"):
            async with page.expect_download() as download:
                await page.get_by_role("button", name=name, exact=True).click()
            saved[name] = tmp_path / (await download.value).suggested_filename
            await (await download.value).save_as(saved[name])
        assert saved["Markdown"].name == "What is this.md"
        assert "What: is/this?" in saved["Markdown"].read_text()
        assert (
            json.loads(saved["JSON"].read_text())["messages"][1]["content"][0]["text"].strip()
            == answer
        )
        assert answer.encode() in saved["MessagePack"].read_bytes()
        await page.get_by_role("button", name="New chat").last.click()
        await open_history(page)
        await page.locator(".history-sheet input[type=file]").set_input_files(saved["JSON"])
        await expect(page.locator(".question-text")).to_have_text("What: is/this?")
        await open_history(page)
        await expect(page.locator(".history-title")).to_have_count(2)
        await page.locator(".history-sheet input[type=file]").set_input_files(saved["Markdown"])
        await expect(page.get_by_role("alert")).to_contain_text("This file holds no chat")


async def test_where_nothing_can_be_stored_this_is_said_once_and_all_else_works(
    mock_visit: OpenVisit,
) -> None:
    async with mock_visit(may_record=None) as guest:
        page = guest.page
        await page.add_init_script(f"({BLOCK_STORAGE})()")
        await guest.open("/turnbased")
        alert = page.get_by_role("alert").filter(has_text="Chats cannot be kept")
        await expect(alert).to_be_visible()
        await guest.send("Hello")
        decline = page.get_by_role("button", name="Do not record")
        await decline.or_(page.locator(".answer[data-state=complete]")).first.wait_for()
        if await decline.is_visible():
            await decline.click()
        await guest.wait_for_answer()
        await page.set_input_files("#files", [PICTURE])
        await expect(page.get_by_text("Attachments are lost")).to_be_visible()
        await ask(guest, "Again")
        assert guest.sent[-1]["messages"][-1]["content"][0]["type"] == "image"
        await expect(alert).to_have_count(1)
        await page.click("#new-chat")
        await expect(page.get_by_role("dialog")).to_contain_text("disappears from this page")


async def test_two_tabs_do_not_overwrite_each_other(mock_visit: OpenVisit) -> None:
    async with mock_visit() as guest:
        await guest.open("/turnbased")
        await ask(guest, "Begin")
        await wait_until_kept(guest.page)
        other = Visit(await guest.page.context.new_page(), guest.page.url.rsplit("/", 1)[0])
        await other.open("/turnbased")
        await open_history(other.page)
        await other.page.locator(".history-open").click()
        await expect(other.page.locator(".question")).to_have_count(1)
        await ask(guest, "Here")
        await expect(guest.page.locator(".question")).to_have_count(2)
        await wait_until_kept(guest.page)
        await ask(other, "There")
        await expect(other.page.get_by_text("went on in another tab")).to_be_visible()
        await guest.page.reload()
        await expect(guest.page.locator(".question-text")).to_have_text(["Begin", "Here"])
        await open_history(guest.page)
        await expect(guest.page.locator(".history-title")).to_have_text(["Begin", "Begin"])
        assert other.complaints == []


async def test_a_phone_talks_by_holding_a_button(mock_visit: OpenVisit) -> None:
    async with mock_visit(**PHONE) as guest:
        page = guest.page
        await guest.open("/turnbased")
        await page.get_by_role("button", name="Talk instead of writing").tap()
        hold = page.locator(".hold")
        await hold.hover()
        await page.mouse.down()
        await expect(hold).to_contain_text("slide up to cancel")
        await expect(hold).to_contain_text("0:01")
        await page.mouse.move(180, 300)
        await expect(hold).to_contain_text("Release to cancel")
        await page.mouse.up()
        assert await page.locator(".question").count() == 0
        await hold.hover()
        await page.mouse.down()
        await expect(hold).to_contain_text("0:01")
        await page.mouse.up()
        assert await guest.wait_for_answer()
        assert guest.sent[0]["messages"][0]["content"][0]["type"] == "audio"
        assert await guest.sideways_scroll() == 0
