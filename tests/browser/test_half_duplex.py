"""Half-duplex calls in a real browser whose microphone hears a real voice."""

from __future__ import annotations

import asyncio
import base64
import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, WebSocketRoute, expect

from config import PROJECT_ROOT
from tests.browser.chromium import (
    FAKE_MICROPHONE,
    GRANT_PERMISSIONS,
    Visit,
    judges_time,
    launch,
    only_in_full_runs,
    visit,
)
from tests.browser.conftest import OpenVisit
from tests.browser.test_call import RECORD_LOUDNESS, SILENT_AFTER_MS, reach
from tests.service.stack import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VOICE = PROJECT_ROOT / "resources" / "ref_audio" / "ref_en.wav"
RATE = 16000
CHUNK_SAMPLES = RATE // 2
WORDS_S = 1.9  # up to the first pause in the recording
SILENCE_BEFORE_S, SILENCE_AFTER_S = 3.0, 12.0
SPEECH_RATE = 24000
SLOW_MS = 60_000
REPLIES_OF_A_SHORT_CALL = {
    "prepare": {"type": "prepared", "session_id": "short", "timeout_s": 300},
    "audio_chunk": {"type": "timeout", "elapsed_s": 60, "reason": "idle_timeout"},
}
UNTIL_IT_SOUNDS = """() => new Promise((resolve) => {
    const listen = () => {
        if (window.sounded.some(([, level]) => level > 0.001)) resolve();
        else setTimeout(listen, 10);
    };
    listen();
})"""
STOP_ANSWER = """() => {
    document.querySelector('#stop-answer').click();
    return performance.now();
}"""


def write_words(path: Path) -> Path:
    """A few words between silences; the microphone hears them again and again."""
    with wave.open(str(VOICE)) as file:
        assert file.getframerate() == RATE
        voice = np.frombuffer(file.readframes(round(WORDS_S * RATE)), "<i2")
    before, after = (np.zeros(round(s * RATE), "<i2") for s in (SILENCE_BEFORE_S, SILENCE_AFTER_S))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.concatenate([before, voice, after]).tobytes())
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def speaker(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    """A browser whose visitor says a few words every now and then."""
    words = write_words(tmp_path_factory.mktemp("sound") / "words.wav")
    hear = f"--use-file-for-fake-audio-capture={words}"
    browser = await launch(playwright, FAKE_MICROPHONE, GRANT_PERMISSIONS, hear)
    yield browser
    await browser.close()


async def call(guest: Visit, longest: int = 32, **fields: str) -> None:
    """Start a call with these settings, as a visitor does."""
    page = guest.page
    await page.add_init_script(f"({RECORD_LOUDNESS})()")
    await guest.open("/half_duplex")
    await page.click("#open-settings")
    for name, value in {"max_new_tokens": str(longest), **fields}.items():
        await page.fill(f"#{name}", value)
    await page.keyboard.press("Escape")
    await page.click("#start")
    await reach(guest, "live")


async def wait_for_state(guest: Visit, text: str) -> None:
    await expect(guest.page.locator("#state-text")).to_contain_text(text, timeout=SLOW_MS)


async def wait_until_it_sounds(guest: Visit) -> None:
    await asyncio.wait_for(guest.page.evaluate(UNTIL_IT_SOUNDS), SLOW_MS / 1000)


def kinds(guest: Visit) -> list[str]:
    return [message["type"] for message in guest.received]


async def test_what_is_said_is_answered_with_sound_and_then_it_is_ones_turn_again(
    speaker: Browser, real_gateway: GatewayProcess
) -> None:
    async with visit(speaker, real_gateway.url) as guest:
        await call(guest)
        await wait_for_state(guest, "You are speaking")
        await wait_until_it_sounds(guest)
        assert "generating" in kinds(guest)
        await wait_for_state(guest, "Listening")
        log = guest.page.get_by_role("log")
        await expect(log).to_contain_text("Voice input, turn 1 (")
        await expect(guest.page.locator("#turns")).to_have_text("1 turn")
        await expect(guest.page.locator("#clock")).to_contain_text(" left")
        (prepare,) = [message for message in guest.sent if message["type"] == "prepare"]
        assert prepare["config"]["generation"]["max_new_tokens"] == 32
        chunks = [message for message in guest.sent if message["type"] == "audio_chunk"]
        sounds = [np.frombuffer(base64.b64decode(chunk["audio_base64"]), "<f4") for chunk in chunks]
        assert {len(sound) for sound in sounds} == {CHUNK_SAMPLES}
        answer = "".join(
            message["text_delta"] or "" for message in guest.received if message["type"] == "chunk"
        )
        await expect(log.locator(".entry.model .heard")).to_have_text(answer, use_inner_text=False)
        await guest.page.click("#stop")
        await reach(guest, "ended")
        await expect(guest.page.locator("#notice")).to_contain_text("The call has ended")
        assert kinds(guest)[:2] == ["queue_done", "prepared"]
        assert kinds(guest)[-1] == "stopped"
        assert "error" not in kinds(guest)
        await asyncio.to_thread(real_gateway.wait_for_status, 10, idle_workers=1)


@judges_time
async def test_stopping_an_answer_silences_within_a_fifth_of_a_second_and_the_call_goes_on(
    speaker: Browser, real_gateway: GatewayProcess
) -> None:
    async with visit(speaker, real_gateway.url) as guest:
        await call(guest, longest=1024)
        await wait_until_it_sounds(guest)
        stopped_ms = await guest.page.evaluate(STOP_ANSWER)
        await wait_for_state(guest, "Listening")
        assert await guest.page.evaluate(SILENT_AFTER_MS, stopped_ms) <= 200
        (playback,) = [message for message in guest.sent if message["type"] == "playback"]
        assert playback["played_ms"] > 0
        (truncated,) = [message for message in guest.received if message["type"] == "truncated"]
        answer = guest.page.locator(".entry.model")
        await expect(answer).to_contain_text("Interrupted")
        assert await answer.locator(".heard").text_content() == truncated["text"]
        assert await guest.page.locator("#call").get_attribute("data-state") == "live"


async def test_the_keyboard_ends_the_answer_first_and_then_the_call(
    speaker: Browser, real_gateway: GatewayProcess
) -> None:
    async with visit(speaker, real_gateway.url) as guest:
        keyboard = guest.page.keyboard
        await guest.open("/half_duplex")
        await guest.page.focus("#start")
        await keyboard.press("Enter")
        await reach(guest, "live")
        await keyboard.press("m")
        await expect(guest.page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        await keyboard.press("m")
        await keyboard.press("s")
        await expect(guest.page.locator("#mute-speaker")).to_have_attribute("aria-pressed", "true")
        stop = guest.page.get_by_role("button", name="Stop answer")
        await expect(stop).to_have_attribute("aria-disabled", "true")
        await wait_for_state(guest, "Answering")
        await stop.focus()
        await keyboard.press("Escape")
        await wait_for_state(guest, "Your turn in a moment")
        await expect(stop).to_be_focused()
        await wait_for_state(guest, "Listening")
        await keyboard.press("Escape")
        await reach(guest, "ended")
        await expect(guest.page.locator("#start")).to_be_focused()


async def test_a_call_that_nobody_speaks_in_ends_and_says_why(
    speaker: Browser, real_gateway: GatewayProcess
) -> None:
    def serve(socket: WebSocketRoute) -> None:
        def hear(frame: str | bytes) -> None:
            reply = REPLIES_OF_A_SHORT_CALL.get(json.loads(frame)["type"])
            if reply is not None:
                socket.send(json.dumps(reply))

        socket.on_message(hear)
        socket.send(json.dumps({"type": "queue_done"}))

    async with visit(speaker, real_gateway.url) as guest:
        await guest.page.route_web_socket("**/ws/half_duplex/**", serve)
        await guest.open("/half_duplex")
        await guest.page.click("#start")
        await reach(guest, "ended")
        await wait_for_state(guest, "Time is up")
        failure = guest.page.locator("#notice .failure")
        await expect(failure).to_contain_text("The service heard nothing for too long")
        await expect(failure.get_by_role("button", name="Start again")).to_be_visible()


@only_in_full_runs
async def test_answers_may_be_written_only_and_the_settings_are_remembered(
    speaker: Browser, real_gateway: GatewayProcess, voice_file: str
) -> None:
    async with visit(speaker, real_gateway.url) as guest:
        page = guest.page
        await page.add_init_script(f"({RECORD_LOUDNESS})()")
        await guest.open("/half_duplex")
        await page.click("#open-settings")
        await page.get_by_text("Speak the answer").click()
        await page.fill("#max_new_tokens", "32")
        await page.fill("#limit_s", "120")
        await page.get_by_role("button", name="Add a voice").click()
        voice = page.get_by_role("group", name="Voice for the model")
        await voice.locator("input[type=file]").set_input_files(voice_file)
        await expect(voice.locator(".pill-time")).to_have_text("0:02")
        await page.keyboard.press("Escape")
        await page.click("#start")
        await wait_for_state(guest, "Listening")
        await expect(page.locator("#clock")).to_contain_text("1:5")
        await expect(page.locator(".entry.model .heard")).not_to_be_empty(timeout=SLOW_MS)
        await wait_for_state(guest, "Listening")
        (prepare,) = [message for message in guest.sent if message["type"] == "prepare"]
        assert prepare["config"]["tts"] == {"enabled": False}
        recording = base64.b64decode(prepare["system_content"][0]["data"])
        assert len(recording) == pytest.approx(2 * RATE * 4, abs=8)
        assert not await page.evaluate("window.sounded.some(([, level]) => level > 0)")
        await guest.open("/half_duplex")
        assert await page.input_value("#limit_s") == "120"
        assert not await page.is_checked("#spoken")


@pytest.mark.parametrize(
    ("flags", "title"),
    [((FAKE_MICROPHONE,), "The microphone is not allowed"), ((), "No microphone found")],
)
async def test_a_microphone_that_is_denied_or_missing_is_told_before_anyone_waits(
    playwright: Playwright, real_gateway: GatewayProcess, flags: tuple[str, ...], title: str
) -> None:
    allowed = () if flags else (GRANT_PERMISSIONS,)
    browser = await launch(playwright, *flags, *allowed)
    async with visit(browser, real_gateway.url) as guest:
        await guest.open("/half_duplex")
        await guest.page.click("#start")
        await reach(guest, "failed")
        await expect(guest.page.locator("#notice .failure")).to_contain_text(title)
        await expect(guest.page.locator("#start")).to_be_visible()
        assert guest.sent == []
    await browser.close()


async def test_the_page_is_linked_from_home_and_from_every_header(
    real_visit: OpenVisit,
) -> None:
    async with real_visit() as guest:
        await guest.open("/")
        await guest.page.locator(".mode-card", has_text="Half-duplex voice").click()
        await expect(guest.page).to_have_title("Half-duplex voice · MiniCPM-o 4.5")
        current = guest.page.locator(".site-nav [aria-current=page]")
        await expect(current).to_have_text("Half-duplex voice")
