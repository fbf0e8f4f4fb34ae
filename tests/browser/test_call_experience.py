"""What makes a call comfortable: keys, ways to talk, interrupting, figures, the check, help."""

from __future__ import annotations

import time
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, expect

from config import PROJECT_ROOT
from tests.browser.chromium import (
    FAKE_MICROPHONE,
    GRANT_PERMISSIONS,
    judges_time,
    launch,
    only_in_full_runs,
    visit,
)
from tests.browser.scripted_call import ScriptedCall, spoken
from tests.browser.test_call import calling, pages_only, reach, sounds_of
from tests.service.stack import GatewayProcess

__all__ = ["pages_only"]  # a fixture of this module, too

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

VOICE = PROJECT_ROOT / "resources" / "ref_audio" / "ref_en.wav"
SILENCE_BEFORE_S, VOICE_S, SILENCE_AFTER_S = 3.0, 2.0, 8.0
VOICE_WITHIN_MS = 12_000
CUT_LIMIT_MS = 600  # 300 of speech, and what detecting and fading take on a busy machine
CHECK_LIMIT_S = 15
RECORD_MICROPHONE = """() => {
    window.spoken = [];
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (target, ...rest) {
        if (this instanceof MediaStreamAudioSourceNode) {
            const analyser = this.context.createAnalyser();
            analyser.fftSize = 256;
            connect.call(this, analyser);
            const samples = new Float32Array(256);
            setInterval(() => {
                analyser.getFloatTimeDomainData(samples);
                window.spoken.push([performance.now(), Math.max(...samples.map(Math.abs))]);
            }, 10);
        }
        return connect.call(this, target, ...rest);
    };
}"""
MANY_WORDS = "The fox jumped over the dog and ran home. " * 12
PART_OF_THE_PICTURE = """() => {
    const captions = document.querySelector('#captions');
    const { bottom } = captions.getBoundingClientRect();
    const words = captions.querySelector('.sounding').getBoundingClientRect();
    const part = captions.clientHeight / document.querySelector('.stage').clientHeight;
    return [part, words.bottom - bottom];
}"""
HAS_GROWN_ABOVE = """(part) => document.querySelector('#captions').clientHeight
    > part * document.querySelector('.stage').clientHeight"""
FROM_VOICE_TO_SILENCE_MS = """() => {
    const sounding = window.sounded.filter(([, level]) => level > 0.01);
    const [from, to] = [sounding[0][0], sounding.at(-1)[0]];
    const [voice] = window.spoken.find(([time, level]) => time > from && level > 0.02);
    return [voice - from, to - voice];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def interrupter(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    """A browser whose visitor is silent, speaks for a while, and is silent again."""
    path = write_interruption(tmp_path_factory.mktemp("sound") / "interruption.wav")
    hear = f"--use-file-for-fake-audio-capture={path}"
    browser = await launch(playwright, FAKE_MICROPHONE, GRANT_PERMISSIONS, hear)
    yield browser
    await browser.close()


def write_interruption(path: Path) -> Path:
    with wave.open(str(VOICE)) as file:
        rate = file.getframerate()
        voice = np.frombuffer(file.readframes(round(VOICE_S * rate)), "<i2")
    before, after = (np.zeros(round(s * rate), "<i2") for s in (SILENCE_BEFORE_S, SILENCE_AFTER_S))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.concatenate([before, voice, after]).tobytes())
    return path


def heard(call: ScriptedCall) -> list[bool]:
    """Whether the model heard anything, chunk by chunk."""
    return [bool(sound.any()) for sound in sounds_of(call)]


async def test_a_whole_call_by_keyboard_in_which_nothing_is_heard_unless_space_is_held(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        keyboard = guest.page.keyboard
        await guest.page.focus("#talk input:checked")
        await keyboard.press("ArrowRight")
        await guest.page.focus("#start")
        await keyboard.press("Enter")
        await reach(guest, "live")
        await expect(guest.page.locator("#talk-button")).to_be_focused()
        await call.wait_for_sent("audio_chunk", 2)
        assert not any(heard(call))
        await keyboard.down("Space")
        await call.wait_for("voice", lambda: heard(call)[-1])
        await keyboard.up("Space")
        await call.wait_for("silence", lambda: not heard(call)[-1])
        assert {len(sound) for sound in sounds_of(call)} == {16000}
        await keyboard.press("?")
        await expect(guest.page.get_by_role("dialog")).to_contain_text("Talk while held")
        await keyboard.press("m")
        await keyboard.press("Escape")
        await expect(guest.page.locator("#mute")).to_have_attribute("aria-pressed", "false")
        await keyboard.press("d")
        await expect(guest.page.locator("#metrics")).to_contain_text("Chunk there and back")
        await keyboard.press("Escape")
        await reach(guest, "ended")
        assert await guest.page.evaluate("document.activeElement.id") == "start"


@pytest.mark.slow
async def test_a_microphone_that_opens_by_voice_lets_the_beginning_of_speech_through(
    interrupter: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(interrupter, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.locator(".segment", has_text="Auto").click()
        await guest.page.click("#start")
        await call.wait_for("voice", lambda: any(heard(call)))
        await call.wait_for("silence", lambda: any(heard(call)) and not heard(call)[-1])
        everything = np.abs(np.concatenate(sounds_of(call)))
        first, first_loud = np.flatnonzero(everything)[0], np.flatnonzero(everything > 0.02)[0]
        assert first_loud - first > 0.02 * 16000  # it was open before the voice came


@judges_time
async def test_speaking_into_its_words_silences_the_model_until_it_has_listened(
    interrupter: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(interrupter, pages_only, "/audio_duplex", may_interrupt=True) as (
        guest,
        call,
    ):
        await guest.page.evaluate(f"({RECORD_MICROPHONE})()")
        call.script = [spoken("word " * 40, seconds=12)]
        await guest.page.click("#start")
        note = guest.page.locator(".entry-note")
        await expect(note).to_contain_text("Interrupted", timeout=VOICE_WITHIN_MS)
        (playback,) = await call.wait_for_sent("playback")
        assert 0 < playback["played_ms"] < 12_000
        await guest.page.wait_for_timeout(300)  # long enough to hear what should not sound
        before_ms, cut_ms = await guest.page.evaluate(FROM_VOICE_TO_SILENCE_MS)
        assert before_ms > 0
        assert 250 <= cut_ms <= CUT_LIMIT_MS
        await call.wait_for("release", lambda: not call.of("audio_chunk")[-1].get("force_listen"))
        forced = [chunk.get("force_listen", False) for chunk in call.of("audio_chunk")]
        assert 2 <= sum(forced) <= 3
        unheard = guest.page.locator(".entry.model .pending")
        assert len(await unheard.inner_text()) > 0
        await guest.page.click("#stop")
        await guest.page.click("#transcript")
        lines = guest.page.locator(".transcript-lines li", has_text="word")
        await expect(lines).to_have_count(1)
        await guest.page.fill("#transcript-search", "nobody said this")
        await expect(lines).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "checks"),
    [("/omni", 6), pytest.param("/half_duplex", 5, marks=only_in_full_runs)],
)
@judges_time
async def test_the_check_of_the_set_up_passes_and_is_quick(
    browser: Browser, pages_only: GatewayProcess, path: str, checks: int
) -> None:
    async with visit(browser, pages_only.url) as guest:
        await guest.page.route_web_socket("**/ws/chat*", lambda socket: None)
        await guest.open(path)
        began = time.monotonic()
        await guest.page.click("#check-setup")
        summary = guest.page.locator(".self-test-summary")
        await expect(summary).to_contain_text("All is well", timeout=CHECK_LIMIT_S * 1000)
        assert time.monotonic() - began < CHECK_LIMIT_S
        await expect(guest.page.locator(".self-test li[data-state=good]")).to_have_count(checks)


async def test_questions_are_answered_in_the_language_of_the_page(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with visit(browser, pages_only.url) as guest:
        await guest.open("/")
        await guest.page.get_by_role("button", name="Questions and answers").click()
        questions = guest.page.locator(".faq details")
        await expect(questions.nth(0)).to_have_attribute("open", "")
        assert await questions.count() >= 5
        english = await questions.nth(0).inner_text()
        await guest.page.keyboard.press("Escape")
        await guest.page.get_by_role("button", name="Language").click()
        await guest.page.get_by_role("button", name="常见问题").click()
        await expect(questions.nth(0)).not_to_have_text(english)


async def test_captions_over_a_picture_cover_what_they_may_with_the_newest_words_at_the_bottom(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/omni") as (guest, call):
        call.script = [spoken(MANY_WORDS, 6.0)]
        await guest.page.click("#open-settings")
        await guest.page.select_option("#barge_in", "off")
        await guest.page.keyboard.press("Escape")
        await guest.page.click("#start")
        await guest.page.wait_for_function(HAS_GROWN_ABOVE, arg=0.12)
        part, below = await guest.page.evaluate(PART_OF_THE_PICTURE)
        assert part <= 0.2
        assert below <= 1
        await guest.page.click("#open-settings")
        await guest.page.locator("#caption_height").fill("80")
        await guest.page.wait_for_function(HAS_GROWN_ABOVE, arg=0.25)
        part, below = await guest.page.evaluate(PART_OF_THE_PICTURE)
        assert part <= 0.8
        assert below <= 1


@pytest.mark.slow
async def test_comfort_is_the_same_on_every_page_of_calls(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with visit(browser, pages_only.url) as guest:
        await guest.open("/audio_duplex")
        await guest.page.click("#open-settings")
        await guest.page.select_option("#barge_in", "off")
        await guest.page.locator("#caption_size").fill("150")
        await guest.page.keyboard.press("Escape")
        await guest.open("/half_duplex")
        await guest.page.click("#open-settings")
        await expect(guest.page.locator("#barge_in")).to_have_value("off")
        await expect(guest.page.locator("#caption_size")).to_have_value("150")
