"""Replays of recorded sessions, and sharing them, in a real browser with the real service."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from core.recording import DuplexSessionRecorder, RecordingWriter
from core.recording.replay import merge
from tests.browser.chromium import Visit
from tests.browser.conftest import OpenVisit
from tests.browser.test_pages import CONTROLS_WITHOUT_A_NAME, SMALL_TARGETS, SMALLEST_TEXT_PX
from tests.service.stack import GatewayProcess
from tests.unit.recorded_sessions import record_chat, result, speech, written
from tests.wire_media import image_file, picture, tone

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TIMING = {"cost_llm_ms": 200.0, "cost_tts_ms": 90.0, "cost_token2wav_ms": 150.0}
MEDIA = ".replay-media"
ENOUGH_DATA = 4


def record_call(data_path: Path, session_id: str, script: str, app_type: str) -> Path:
    """A call of seconds, which ends now: L listens, S speaks, E ends a turn."""
    writer = RecordingWriter()
    recorder = DuplexSessionRecorder(
        session_id, app_type, 0, {"system_prompt": "Be brief."}, data_path, writer=writer
    )
    recorder.started_at -= timedelta(seconds=len(script))
    for index, letter in enumerate(script):
        sound, frame, voice = recorder.save_user_audio(index, tone(1.0)), None, None
        if app_type == "omni_duplex":
            frame = recorder.save_user_frame(index, image_file(picture(96, 64), "JPEG"))
        says = result(wall_clock_ms=120.0, cost_all_ms=40.0)
        if letter in "SE":
            says = result(
                is_listen=False, text=f"word {index}. ", end_of_turn=letter == "E", **TIMING
            )
            voice = recorder.save_ai_audio(recorder.turn_index, index, speech(1.0))
        recorder.record_chunk(
            index, 1000.0 * index, says, 60.0, sound, frame, voice, 24_000, 16_000
        )
    return written(recorder, writer)


@pytest.fixture(scope="session")
def data_path(real_gateway: GatewayProcess) -> Path:
    """Where the service keeps its recordings; three are there already."""
    path = real_gateway.log_path.parent / "data"
    merge(record_call(path, "omni_call", "LLSELLSSELLL", "omni_duplex"))
    record_call(path, "call_in_pieces", "LSEL" * 8, "audio_duplex")
    record_chat(path, "recorded_chat")
    return path


@pytest_asyncio.fixture
async def replay(real_visit: OpenVisit, data_path: Path):
    """Opens the replay of a call."""

    async def open_replay(guest: Visit, session_id: str) -> None:
        await guest.open(f"/s/{session_id}")
        await expect(guest.page.locator(".replay-transport")).to_be_visible()
        await expect(guest.page.locator(MEDIA)).to_have_js_property("readyState", ENOUGH_DATA)

    return open_replay


async def test_a_call_is_played_and_searched_by_keyboard(real_visit: OpenVisit, replay) -> None:
    async with real_visit() as guest:
        await replay(guest, "omni_call")
        page = guest.page
        await expect(page.locator(".badge")).to_have_text("Omni full-duplex")
        await expect(page.locator(".replay-time")).to_have_text("0:00 / 0:12")
        await page.keyboard.press("Shift+>")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
        await expect(page.locator(".replay-captions")).to_have_text("word 2.")
        await expect(page.locator(MEDIA)).to_have_js_property("playbackRate", 1.25)
        await expect(page.locator(MEDIA)).to_have_js_property("videoWidth", 96)
        await page.keyboard.press("Space")
        await page.keyboard.press("End")
        await expect(page.locator(".unit-details h3")).to_have_text("Chunk 12 of 12, at 0:11")
        await page.keyboard.press("Shift+ArrowLeft")
        await page.keyboard.press("ArrowRight")
        await expect(page.locator(".unit-details h3")).to_have_text("Chunk 3 of 12, at 0:02")
        await expect(page.locator(".unit-details")).to_contain_text("The model speaks")
        await expect(page.locator(".unit-details")).to_contain_text("150 ms")
        await expect(page.get_by_role("slider", name="Place")).to_have_attribute(
            "aria-valuetext", "0:02, chunk 3, the model speaks: word 2."
        )


async def test_a_click_goes_to_a_moment(real_visit: OpenVisit, replay) -> None:
    async with real_visit() as guest:
        await replay(guest, "omni_call")
        canvas = guest.page.locator(".replay-canvas")
        width = await canvas.evaluate("(canvas) => canvas.clientWidth")
        await canvas.click(position={"x": width * 6.5 / 12, "y": 100})
        await expect(guest.page.locator(".unit-details h3")).to_contain_text("Chunk 7 of 12")
        await guest.page.get_by_role("button", name="Go to 0:02").click()
        await expect(guest.page.locator(".unit-details h3")).to_contain_text("Chunk 3 of 12")
        current = guest.page.locator(".said-lines [aria-current]")
        await expect(current).to_contain_text("word 2. word 3.")


async def test_a_call_without_a_merged_file_is_put_together_on_the_way(
    real_visit: OpenVisit, replay
) -> None:
    async with real_visit() as guest:
        requested: list[str] = []
        guest.page.on("request", lambda request: requested.append(request.url))
        await replay(guest, "call_in_pieces")
        await expect(guest.page.locator(".replay-time")).to_have_text("0:00 / 0:32")
        await expect(guest.page.locator(MEDIA)).to_have_js_property("duration", 11)
        assert not any("user_audio/031" in url for url in requested)
        await guest.page.keyboard.press("End")
        await expect(guest.page.locator(MEDIA)).to_have_js_property("currentTime", 10)
        await guest.page.keyboard.press("Space")
        await expect(guest.page.locator(".replay-time")).to_have_text("0:32 / 0:32")
        await expect(guest.page.get_by_role("button", name="Play")).to_be_visible()


async def test_a_chat_shows_its_turns(real_visit: OpenVisit, data_path: Path) -> None:
    async with real_visit() as guest:
        await guest.open("/s/recorded_chat")
        await expect(guest.page.locator(".question")).to_contain_text("What is shown?")
        await expect(guest.page.locator(".answer-body")).to_have_text("A cat.")
        await expect(guest.page.locator(".turn-facts")).to_have_text(
            "0.8 s in all1.2 s of speech320 tokens in5 tokens out"
        )
        link = guest.page.get_by_role("link", name="Picture of the question")
        await expect(link.locator("img")).to_have_js_property("naturalWidth", 64)
        await guest.page.get_by_role("button", name="Play Spoken answer").click()
        await expect(guest.page.get_by_role("button", name="Pause Spoken answer")).to_be_visible()


async def test_what_was_said_can_be_taken_along(real_visit: OpenVisit, replay) -> None:
    async with real_visit(permissions=["clipboard-read", "clipboard-write"]) as guest:
        await replay(guest, "omni_call")
        async with guest.page.expect_download() as download:
            await guest.page.get_by_role("button", name="Save as SRT").click()
        file = await download.value
        assert file.suggested_filename == "omni_call.srt"
        srt = await asyncio.to_thread((await file.path()).read_text)
        assert srt.startswith("1\n00:00:02,000 --> 00:00:03,000\nword 2.\n\n2\n")
        await guest.page.get_by_role("button", name="Copy the words").click()
        copied = await guest.page.evaluate("navigator.clipboard.readText()")
        assert "[00:00:06] MiniCPM-o: word 6. word 7. word 8." in copied


async def test_an_upload_is_played_beside_the_recording(
    real_visit: OpenVisit, real_gateway: GatewayProcess, data_path: Path
) -> None:
    sound = (data_path / "sessions/recorded_chat/ai_audio/turn_0.wav").read_bytes()
    files = {"file": ("call.wav", sound, "audio/wav")}
    url = "/api/sessions/recorded_chat/upload-recording"
    assert real_gateway.http.post(url, files=files).status_code == httpx.codes.OK
    async with real_visit() as guest:
        await guest.open("/s/recorded_chat")
        media = guest.page.locator("#uploaded audio")
        await expect(media).to_be_visible()
        await expect(media).to_have_js_property("duration", 1.24)


async def test_an_unknown_recording_has_a_page_that_says_so(
    real_visit: OpenVisit, real_gateway: GatewayProcess
) -> None:
    async with real_visit() as guest:
        await guest.open("/s/nothing_here")
        await expect(guest.page.locator("h1")).to_have_text("There is no such recording")
        guest.complaints.clear()  # Chromium itself reports the status 404
    answer = real_gateway.http.get("/s/nothing_here")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("session_id", ["omni_call", "recorded_chat"])
async def test_a_replay_fits_a_phone(
    real_visit: OpenVisit, data_path: Path, session_id: str
) -> None:
    async with real_visit(viewport={"width": 360, "height": 760}) as guest:
        await guest.open(f"/s/{session_id}")
        await expect(guest.page.locator(".export-bar")).to_be_visible()
        for language in ("Language", "语言"):
            assert await guest.sideways_scroll() == 0
            assert await guest.page.evaluate(CONTROLS_WITHOUT_A_NAME) == []
            assert await guest.page.evaluate(SMALL_TARGETS) == []
            assert await guest.page.evaluate(SMALLEST_TEXT_PX) >= 12
            await guest.page.get_by_role("button", name=language).click()


async def test_a_chat_is_shared_found_again_and_deleted(real_visit: OpenVisit) -> None:
    async with real_visit(
        may_record="yes", permissions=["clipboard-read", "clipboard-write"]
    ) as guest:
        page = guest.page
        await guest.open("/turnbased")
        await expect(page.locator("#share")).to_be_disabled()
        await guest.send("Tell me a story.")
        await guest.wait_for_answer()
        await page.get_by_role("button", name="Share").click()
        dialog = page.get_by_role("dialog", name="Share this recording")
        await expect(dialog).to_contain_text("Anyone with the link")
        await dialog.get_by_label("Comment").fill("Listen to this!")
        await page.keyboard.press("Control+Enter")
        await expect(dialog).to_contain_text("The link has been copied.")
        link = await page.evaluate("navigator.clipboard.readText()")
        assert "/s/chat_" in link
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()

        await guest.open("/")
        row = page.locator(".recent-row")
        await expect(row).to_contain_text("Turn-based chat")
        async with page.context.expect_page() as opened:
            await row.click()
        replay = await opened.value
        assert replay.url == link
        await expect(replay.locator(".session-comment")).to_contain_text("Listen to this!")
        await expect(replay.locator(".question")).to_contain_text("Tell me a story.")
        await replay.get_by_role("button", name="Delete").click()
        await replay.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(replay.locator("#modes .mode-card").first).to_be_visible()
        await expect(replay.locator(".recent-row")).to_have_count(0)
        gone = await page.request.get(link)
        assert gone.status == httpx.codes.NOT_FOUND


async def test_a_clipboard_that_refuses_leaves_a_link_to_select(real_visit: OpenVisit) -> None:
    async with real_visit(may_record="yes") as guest:
        await guest.page.add_init_script(
            "navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))"
        )
        await guest.open("/turnbased")
        await guest.send("Tell me a story.")
        await guest.wait_for_answer()
        await guest.page.get_by_role("button", name="Share").click()
        dialog = guest.page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Share").click()
        await expect(dialog).to_contain_text("Select the link")
        assert "/s/chat_" in await guest.page.evaluate("getSelection().toString()")
