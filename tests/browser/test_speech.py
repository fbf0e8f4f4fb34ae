"""Spoken answers on the turn-based page, from the real service, in a browser that plays them."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from tests.browser.chromium import (
    Visit,
    judges_time,
    only_in_full_runs,
    write_speech_like_sound,
)
from tests.browser.conftest import OpenVisit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VOICE_RATE = 16_000
SPEECH_RATE = 24_000
LONG_ANSWER_S = 20
# Keeps the pages' analysers, and notes what was played to its end.
LISTEN = """
    window.analysers = [];
    window.playedS = 0;
    const { createAnalyser } = BaseAudioContext.prototype;
    BaseAudioContext.prototype.createAnalyser = function () {
        window.analysers.push(createAnalyser.call(this));
        return window.analysers.at(-1);
    };
    const { start } = AudioBufferSourceNode.prototype;
    AudioBufferSourceNode.prototype.start = function (...when) {
        this.addEventListener('ended', () => { window.playedS += this.buffer.duration; });
        return start.apply(this, when);
    };
    window.loudness = () => {
        const samples = new Float32Array(window.analysers.at(-1)?.fftSize ?? 0);
        window.analysers.at(-1)?.getFloatTimeDomainData(samples);
        return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
    };
    window.untilLoudness = (isRight) => new Promise((resolve) => {
        const fromMs = performance.now();
        const listen = () => {
            if (isRight(window.loudness())) resolve(performance.now() - fromMs);
            else setTimeout(listen, 5);
        };
        listen();
    });
"""
# Presses Stop, and answers how many milliseconds it takes until nothing is heard.
STOP_AND_LISTEN = """() => {
    document.querySelector('#stop').click();
    return window.untilLoudness((loudness) => loudness === 0);
}"""


async def open_speaking(guest: Visit, longest: int) -> None:
    """The page with speech switched on, in the way a visitor does it."""
    page = guest.page
    await page.add_init_script(LISTEN)
    await guest.open("/turnbased")
    await page.click("#open-settings")
    await page.fill("#max_new_tokens", str(longest))
    await page.get_by_text("Speak the answer").click()
    await expect(page.get_by_role("group", name="Voice")).to_contain_text("voice of the service")
    await page.keyboard.press("Escape")


async def answer_at_length(page: Page) -> list[dict[str, Any]]:
    """Plays a service whose answer never ends by itself; returns what the page tells it."""
    told: list[dict[str, Any]] = []
    tone = 0.3 * np.sin(np.arange(SPEECH_RATE) * 0.1)
    chunk = {"type": "chunk", "text_delta": "on and ", "audio_epoch": 3}
    chunk["audio_data"] = base64.b64encode(tone.astype("<f4").tobytes()).decode()

    def serve(socket: WebSocketRoute) -> None:
        def hear(frame: str | bytes) -> None:
            told.append(json.loads(frame))
            if "messages" in told[-1]:
                socket.send(json.dumps({"type": "prefill_done", "input_tokens": 9}))
                for _ in range(LONG_ANSWER_S):
                    socket.send(json.dumps(chunk))
            elif told[-1]["type"] == "stop":
                socket.send(json.dumps({"type": "done", "text": "on and", "generated_tokens": 2}))

        socket.on_message(hear)

    await page.route_web_socket("**/ws/chat*", serve)
    return told


async def wait_until_it_sounds(page: Page) -> None:
    sounding = page.evaluate("window.untilLoudness((loudness) => loudness > 0.001)")
    await asyncio.wait_for(sounding, timeout=30)


def sound_of(received: list[dict[str, Any]]) -> bytes:
    parts = [message.get("audio_data") for message in received]
    return b"".join(base64.b64decode(part) for part in parts if part)


async def test_an_answer_is_spoken_without_gaps_and_can_be_played_again(
    real_visit: OpenVisit,
) -> None:
    async with real_visit() as guest:
        await open_speaking(guest, longest=24)
        await guest.send("Tell me a story.")
        await wait_until_it_sounds(guest.page)
        answer = guest.page.locator(".answer")
        await expect(answer.get_by_text("Speaking")).to_be_visible()
        await expect(answer.locator(".facts")).to_contain_text(
            "spoken without gaps", timeout=60_000
        )
        assert guest.sent[0]["tts"] == {"enabled": True, "mode": "audio_assistant"}
        assert guest.sent[0]["use_tts_template"] is True
        spoken_s = len(sound_of(guest.received)) / 4 / SPEECH_RATE
        assert spoken_s > 0.5
        assert await guest.page.evaluate("window.playedS") == pytest.approx(spoken_s)
        await answer.get_by_role("button", name="Play Spoken answer").click()
        await expect(answer.locator(".pill-time")).to_contain_text("/")
        async with guest.page.expect_download() as download:
            await answer.get_by_role("link", name="Save Spoken answer").click()
        assert (await download.value).suggested_filename == "answer.wav"


@judges_time
async def test_stop_silences_at_once_and_tells_how_much_was_heard(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        told = await answer_at_length(guest.page)
        await open_speaking(guest, longest=1024)
        await guest.send("Tell me a long story.")
        await wait_until_it_sounds(guest.page)
        assert await guest.page.evaluate(STOP_AND_LISTEN) <= 200
        await guest.wait_for_answer("stopped")
        playback, stop = told[1:]
        assert stop == {"type": "stop"}
        assert playback["type"] == "playback"
        assert playback["audio_epoch"] == 3
        assert 0 < playback["played_ms"] < 2000
        assert await guest.page.evaluate("window.loudness()") == 0
        await expect(guest.page.get_by_role("button", name="Play Spoken answer")).to_be_visible()


@only_in_full_runs
async def test_an_answer_that_is_not_streamed_is_spoken_too(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await open_speaking(guest, longest=16)
        await guest.page.click("#open-settings")
        await guest.page.get_by_text("Stream the answer").click()
        await guest.page.keyboard.press("Escape")
        await guest.send("Hello")
        await expect(guest.page.locator(".facts")).to_contain_text("without gaps", timeout=60_000)
        assert await guest.page.evaluate("window.playedS") > 0.2


async def test_the_voice_can_be_a_file_of_ones_own(
    real_visit: OpenVisit, voice_file: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    short = write_speech_like_sound(tmp_path_factory.mktemp("sound") / "short.wav", seconds=0.3)
    async with real_visit() as guest:
        await open_speaking(guest, longest=8)
        page = guest.page
        await page.click("#open-settings")
        voice = page.get_by_role("group", name="Voice")
        await voice.locator("input[type=file]").set_input_files(str(short))
        await expect(voice.get_by_role("alert")).to_contain_text("short.wav is too short")
        await voice.locator("input[type=file]").set_input_files(voice_file)
        await expect(voice.locator(".pill-time")).to_have_text("0:02")
        await page.keyboard.press("Escape")
        await guest.send("Hello")
        await guest.wait_for_answer()
        recording = base64.b64decode(guest.sent[0]["tts"]["ref_audio_data"])
        assert len(recording) == pytest.approx(2 * VOICE_RATE * 4, abs=8)
        await page.click("#open-settings")
        await voice.get_by_role("button", name="Remove voice.wav").click()
        await expect(voice).to_contain_text("The voice of the service")


async def test_a_voice_can_be_recorded(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await open_speaking(guest, longest=8)
        await guest.page.click("#open-settings")
        voice = guest.page.get_by_role("group", name="Voice")
        await voice.get_by_role("button", name="Record a voice").click()
        await expect(voice.get_by_role("button", name="Finish and attach")).to_be_disabled()
        await expect(voice.locator(".recording-time")).to_have_text("0:03")
        await voice.get_by_role("button", name="Finish and attach").click()
        await expect(voice.locator(".voice-current")).to_contain_text("My voice")


async def test_speech_works_with_the_keyboard_alone(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        await answer_at_length(guest.page)
        await guest.page.add_init_script(LISTEN)
        await guest.open("/turnbased")
        page, keyboard = guest.page, guest.page.keyboard
        await page.focus("#open-settings")
        await keyboard.press("Enter")
        await expect(page.locator("#settings")).to_be_visible()
        await page.focus("#speak")
        await keyboard.press("Space")
        await expect(page.get_by_role("group", name="Voice")).to_be_visible()
        await keyboard.press("Escape")
        await page.focus("#draft")
        await keyboard.type("Tell me a long story.")
        await keyboard.press("Enter")
        await wait_until_it_sounds(page)
        pause = page.get_by_role("button", name="Pause")
        await pause.press("Enter")
        await expect(page.get_by_text("Paused")).to_be_visible()
        await page.get_by_role("button", name="Go on").press("Enter")
        await expect(page.get_by_text("Speaking")).to_be_visible()
        await keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Play Spoken answer")).to_be_focused()
        await guest.wait_for_answer("stopped")


async def test_nothing_of_speech_is_loaded_while_it_is_off(real_visit: OpenVisit) -> None:
    async with real_visit() as guest:
        loaded: list[str] = []
        guest.page.on("request", lambda request: loaded.append(request.url))
        await guest.open("/turnbased")
        await guest.send("Hello")
        await guest.wait_for_answer()
        assert [url for url in loaded if "speech-controller" in url or "player" in url] == []
