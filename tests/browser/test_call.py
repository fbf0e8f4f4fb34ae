"""Full-duplex calls in a real browser, with a service that says what the test wants."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, Playwright, expect

from tests.browser.chromium import (
    BLOCK_STORAGE,
    FAKE_MICROPHONE,
    GRANT_PERMISSIONS,
    Visit,
    judges_time,
    launch,
    only_in_full_runs,
    visit,
    write_video,
)
from tests.browser.scripted_call import ScriptedCall, spoken
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAMPLE_RATE = 16000
PAGES = ("/audio_duplex", "/omni")
STORY = [
    spoken("Once upon a time "),
    spoken("there was a fox "),
    spoken("who lived in a wood.", end_of_turn=True),
]
REFUSALS = {
    "queue_full": "The queue is full",
    "app_disabled": "This mode is switched off",
    "not_ready": "No model is ready yet",
}
UNPLUG_CAMERA = """() => {
    const [track] = document.querySelector('#picture').srcObject.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
}"""
STALL_AFTER_MS = 2000
HURRY = f"""() => {{
    const wait = window.setTimeout;
    window.setTimeout = (act, ms, ...rest) =>
        wait(act, ms === 5000 ? {STALL_AFTER_MS} : ms, ...rest);
}}"""
RECORD_LOUDNESS = """() => {
    window.sounded = [];
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (target, ...rest) {
        if (target === this.context.destination && this instanceof AnalyserNode) {
            const samples = new Float32Array(512);
            setInterval(() => {
                this.getFloatTimeDomainData(samples);
                const level = Math.max(...samples.map(Math.abs));
                window.sounded.push([performance.now(), level]);
            }, 10);
        }
        return connect.call(this, target, ...rest);
    };
}"""
SILENT_AFTER_MS = """(sinceMs) => {
    const loud = window.sounded.filter(([time, level]) => time > sinceMs && level > 0.01);
    return loud.length === 0 ? 0 : loud.at(-1)[0] - sinceMs;
}"""


@pytest.fixture(scope="module")
def pages_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway without workers: it serves the pages, the test plays the service."""
    with Stack(tmp_path_factory.mktemp("pages")) as stack:
        yield stack.start_gateway([], wait_ready=False)


@asynccontextmanager
async def calling(
    browser: Browser,
    gateway: GatewayProcess,
    path: str,
    *,
    keeps_loudness: bool = True,
    **options: Any,
) -> AsyncIterator[tuple[Visit, ScriptedCall]]:
    async with visit(browser, gateway.url, **options) as guest:
        call = ScriptedCall()
        await call.install(guest.page)
        if keeps_loudness:
            await guest.page.add_init_script(f"({RECORD_LOUDNESS})()")
        await guest.open(path)
        yield guest, call


def sounds_of(call: ScriptedCall) -> list[np.ndarray]:
    """What the model has heard, chunk by chunk."""
    encoded = [chunk["audio_base64"] for chunk in call.of("audio_chunk")]
    return [np.frombuffer(base64.b64decode(sound), "<f4") for sound in encoded]


async def reach(guest: Visit, state: str) -> None:
    await guest.page.wait_for_selector(f"#call[data-state={state}]")


@pytest.mark.parametrize("path", PAGES)
async def test_a_call_from_start_to_end(
    browser: Browser, pages_only: GatewayProcess, path: str
) -> None:
    async with calling(browser, pages_only, path) as (guest, call):
        call.script = [{}, *STORY]
        await guest.page.click("#start")
        await reach(guest, "live")
        assert f"/ws/duplex/{'omni' if path == '/omni' else 'adx'}_" in call.url
        await expect(guest.page.locator("#state-text")).to_have_text("Speaking")
        await expect(guest.page.locator("#captions")).to_contain_text("Once upon")
        words = guest.page.locator(".entry.model .heard")
        await expect(words).to_have_text(
            "Once upon a time there was a fox who lived in a wood.", timeout=20_000
        )
        await expect(guest.page.locator("#announcer")).to_contain_text("lived in a wood.")
        await expect(guest.page.locator("#state-text")).not_to_have_text("Speaking")
        expect_a_second_of_sound_a_second(call, path)
        await guest.page.click("#stop")
        await reach(guest, "ended")
        assert len(call.of("stop")) == 1
        assert call.of("client_diagnostic")[-1]["event"] == "session_summary"
        await expect(guest.page.locator("#notice")).to_contain_text("The call has ended")
        await call.wait_for("close", lambda: call.is_closed)


def expect_a_second_of_sound_a_second(call: ScriptedCall, path: str) -> None:
    sounds = sounds_of(call)
    assert {len(sound) for sound in sounds} == {SAMPLE_RATE}
    assert 0.01 < max(np.abs(sound).max() for sound in sounds) <= 1
    (prepare,) = call.of("prepare")
    assert prepare["config"] == {"length_penalty": 1.1 if path == "/omni" else 1.05}
    chunk = call.of("audio_chunk")[-1]
    if path == "/omni":
        (frame,) = chunk["frame_base64_list"]
        picture = Image.open(BytesIO(base64.b64decode(frame)))
        assert (picture.format, picture.size) == ("JPEG", (640, 480))
        assert chunk["max_slice_nums"] == 1
    else:
        assert "frame_base64_list" not in chunk


@judges_time
async def test_stopping_silences_within_a_fifth_of_a_second(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        call.script = [spoken("A very long story indeed.", seconds=5)]
        await guest.page.click("#start")
        await expect(guest.page.locator("#captions")).to_contain_text("very")
        stopped_ms = await guest.page.evaluate(
            "() => { document.querySelector('#stop').click(); return performance.now(); }"
        )
        await reach(guest, "ended")
        await guest.page.wait_for_timeout(500)  # long enough to hear what should not sound
        assert await guest.page.evaluate("window.sounded.some(([, level]) => level > 0.1)")
        assert await guest.page.evaluate(SILENT_AFTER_MS, stopped_ms) <= 200
        (playback,) = call.of("playback")
        assert 0 < playback["played_ms"] < 5000
        await expect(guest.page.locator(".entry-note")).to_contain_text("Interrupted")


@judges_time
async def test_forced_listening_silences_and_drops_speech_until_the_model_listens(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        call.script = [spoken("Blah blah ", seconds=3)] * 30
        await guest.page.click("#start")
        await expect(guest.page.locator("#captions")).to_contain_text("Blah")
        pressed_ms = await guest.page.evaluate(
            "() => { document.querySelector('#force-listen').click(); return performance.now(); }"
        )
        call.say("result", is_listen=False, text="under way", audio_data=None, audio_epoch=0)
        await call.wait_for("flag", lambda: any("force_listen" in sent for sent in call.sent))
        assert await guest.page.evaluate(SILENT_AFTER_MS, pressed_ms) <= 200
        await expect(guest.page.locator("#force-listen")).to_have_attribute("aria-pressed", "true")
        await expect(guest.page.locator("#state-text")).to_have_text("Listening")
        await guest.page.click("#force-listen")
        await expect(guest.page.locator(".entry.model")).to_have_count(2)
        assert "under way" not in await guest.page.locator("#log").inner_text()
        assert call.of("playback")[0]["audio_epoch"] == 0


async def test_a_pause_keeps_the_line_and_sends_nothing(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.click("#start")
        await call.wait_for_sent("audio_chunk", 2)
        await guest.page.click("#pause")
        await reach(guest, "paused")
        sent = len(call.of("audio_chunk"))
        await expect(guest.page.locator("#state-text")).to_contain_text("s left")
        await guest.page.wait_for_timeout(1500)  # longer than a chunk
        assert len(call.of("audio_chunk")) == sent
        await guest.page.click("#resume")
        await reach(guest, "live")
        await call.wait_for_sent("audio_chunk", sent + 2)


async def test_a_pause_that_lasts_too_long_is_told(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.click("#start")
        await reach(guest, "live")
        await guest.page.click("#pause")
        await reach(guest, "paused")
        call.say("timeout", reason="Pause timeout (60.0s)")
        await reach(guest, "ended")
        await expect(guest.page.locator("#notice")).to_contain_text("paused for too long")


async def test_one_who_waits_sees_the_place_and_may_give_up(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        call.queue = [
            {"position": 2, "estimated_wait_s": 20.0, "queue_length": 3, "ticket_id": "t"}
        ]
        await guest.page.click("#start")
        await reach(guest, "queued")
        banner = guest.page.locator(".queue-banner")
        await expect(banner).to_contain_text("Place 2 of 3 in the queue")
        await expect(banner).to_contain_text("0:18")
        call.say("queue_update", position=1, estimated_wait_s=9.0, queue_length=2)
        await expect(banner).to_contain_text("Place 1 of 2")
        await banner.get_by_role("button", name="Cancel").click()
        await reach(guest, "idle")
        await expect(banner).to_be_hidden()
        await call.wait_for("close", lambda: call.is_closed)
        assert call.sent == []
        call.queue = []
        await guest.page.click("#start")
        await reach(guest, "live")


async def test_the_keyboard_is_enough(browser: Browser, pages_only: GatewayProcess) -> None:
    async with calling(browser, pages_only, "/omni") as (guest, call):
        keyboard = guest.page.keyboard
        await guest.page.focus("#start")
        await keyboard.press("Enter")
        await reach(guest, "live")
        await expect(guest.page.locator("#stop")).to_be_focused()
        await keyboard.press("m")
        await expect(guest.page.locator("#mute")).to_have_attribute("aria-pressed", "true")
        await call.wait_for("silence", lambda: any(not sound.any() for sound in sounds_of(call)))
        await call.wait_for_sent("audio_chunk", len(call.of("audio_chunk")) + 2)
        await keyboard.press("c")
        await expect(guest.page.locator("#captions")).to_be_hidden()
        await keyboard.press("f")
        await expect(guest.page.locator("#force-listen")).to_have_attribute("aria-pressed", "true")
        await keyboard.press("d")
        await expect(guest.page.locator("#metrics")).to_contain_text("Context used")
        await keyboard.press("p")
        await reach(guest, "paused")
        await expect(guest.page.locator("#resume")).to_be_visible()
        await keyboard.press("p")
        await reach(guest, "live")
        await keyboard.press("Escape")
        await reach(guest, "ended")


async def test_a_refusal_is_told_with_what_to_do_where_nothing_can_be_stored_too(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex", may_record=None) as (guest, call):
        await guest.page.add_init_script(f"({BLOCK_STORAGE})()")
        await guest.open("/audio_duplex")
        call.queue = [{"position": 1, "estimated_wait_s": 5.0, "queue_length": 1}]
        for code, title in REFUSALS.items():
            await guest.page.click("#start")
            if call.connections == 0:
                await guest.page.get_by_role("button", name="Do not record").click()
            await reach(guest, "queued")
            call.say("error", code=code, error="because")
            await reach(guest, "failed")
            failure = guest.page.locator("#notice .failure")
            await expect(failure).to_contain_text(title)
            await expect(failure.get_by_role("button")).to_have_count(1)


async def test_silence_of_the_service_is_told_while_it_lasts(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.evaluate(f"({HURRY})()")
        await guest.page.click("#start")
        await call.wait_for_sent("audio_chunk")
        call.answers_chunks = False
        banner = guest.page.locator(".banner", has_text="Nothing has come from the service")
        await expect(banner).to_be_visible()
        call.answers_chunks = True
        await expect(banner).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "flags", "title"),
    [
        ("/audio_duplex", (FAKE_MICROPHONE,), "The microphone is not allowed"),
        ("/audio_duplex", (GRANT_PERMISSIONS,), "No microphone found"),
        ("/omni", (FAKE_MICROPHONE,), "The camera is not allowed"),
        ("/omni", (GRANT_PERMISSIONS,), "No camera found"),
    ],
)
async def test_a_device_that_cannot_be_used_is_explained_before_a_place_is_taken(
    playwright: Playwright,
    pages_only: GatewayProcess,
    path: str,
    flags: tuple[str, ...],
    title: str,
) -> None:
    browser = await launch(playwright, *flags)
    async with calling(browser, pages_only, path) as (guest, call):
        await guest.page.click("#start")
        await reach(guest, "failed")
        await expect(guest.page.locator("#notice .failure")).to_contain_text(title)
        await expect(guest.page.locator("#start")).to_be_visible()
        assert call.connections == 0
    await browser.close()


async def test_the_picture_of_a_call_fills_the_screen_and_the_way_back_ends_no_call(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/omni") as (guest, _):
        await guest.page.click("#start")
        await reach(guest, "live")
        whole_screen = guest.page.get_by_role("button", name="Whole screen")
        await whole_screen.click()
        await expect(whole_screen).to_have_attribute("aria-pressed", "true")
        for hidden in (".site-header", "#log-scroller"):
            await expect(guest.page.locator(hidden)).to_be_hidden()
        await expect(guest.page.locator("#stop")).to_be_in_viewport()
        assert await guest.sideways_scroll() == 0
        await guest.page.keyboard.press("Escape")
        await whole_screen.click()
        await expect(guest.page.locator(".site-header")).to_be_visible()
        await reach(guest, "live")


async def test_the_address_of_a_mode_that_is_switched_off_leads_home_which_says_why(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    switch = "/api/admin/apps/omni"
    pages_only.http.put(switch, json={"enabled": False})
    try:
        async with visit(browser, pages_only.url) as guest:
            await guest.open("/mobile-omni")
            told = guest.page.get_by_role("alert").filter(has_text="Omni full-duplex is switched")
            await expect(told).to_contain_text("can switch it on")
            await expect(guest.page.locator("#modes .mode-card")).to_have_count(3)
            await guest.page.reload()
            await expect(guest.page.locator("#modes .mode-card")).to_have_count(3)
            await expect(told).to_have_count(0)
    finally:
        pages_only.http.put(switch, json={"enabled": True})


async def test_a_page_without_https_says_why_it_cannot_listen(
    playwright: Playwright, pages_only: GatewayProcess
) -> None:
    browser = await launch(playwright, "--host-resolver-rules=MAP plain.test 127.0.0.1")
    async with visit(browser, f"http://plain.test:{pages_only.port}") as guest:
        await guest.open("/audio_duplex")
        await guest.page.click("#start")
        failure = guest.page.locator("#notice .failure")
        await expect(failure).to_contain_text(f"https://plain.test:{pages_only.port}")
    await browser.close()


@only_in_full_runs
async def test_a_sound_file_is_heard_instead_of_the_microphone(
    browser: Browser, pages_only: GatewayProcess, voice_file: str
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.locator(".source", has_text="Sound file").click()
        await guest.page.set_input_files("#file", [voice_file])
        await expect(guest.page.locator("#file-name")).to_have_text("0:02 · voice.wav")
        call.script = [{}, {}, {}, *STORY]
        await guest.page.click("#start")
        await reach(guest, "ended")
        sounds = sounds_of(call)
        assert [bool(np.abs(sound).max() > 0.05) for sound in sounds[:2]] == [True, True]
        assert all(np.abs(sound).max() < 1e-4 for sound in sounds[3:])
        await expect(guest.page.locator(".entry.model .heard")).to_contain_text("in a wood.")
        await expect(guest.page.locator("#notice")).to_contain_text("The file is over")


async def test_a_video_file_is_seen_and_heard_instead_of_the_camera(
    browser: Browser, pages_only: GatewayProcess, tmp_path: Path
) -> None:
    async with calling(browser, pages_only, "/omni") as (guest, call):
        await guest.page.locator(".source", has_text="Video file").click()
        await guest.page.set_input_files("#file", [write_video(tmp_path / "bright.webm")])
        await expect(guest.page.locator("#file-name")).to_have_text("0:03 · bright.webm")
        await guest.page.click("#start")
        await reach(guest, "ended")
        chunks = call.of("audio_chunk")
        assert len(chunks) in (5, 6)  # three seconds, two of silence, and what the codec adds
        frames = [base64.b64decode(chunk["frame_base64_list"][0]) for chunk in chunks]
        shades = [np.asarray(Image.open(BytesIO(frame)).convert("L")).mean() for frame in frames]
        assert shades[0] < shades[2] == pytest.approx(shades[-1], abs=3)
        loudness_db = 20 * np.log10(np.sqrt(np.square(sounds_of(call)[1]).mean()))
        assert loudness_db == pytest.approx(-27.3, abs=1)  # -28 LUFS, for a tone of 330 Hz


async def test_the_devices_are_listed_tried_and_remembered(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, _):
        await guest.page.click("#devices")
        choice = guest.page.locator("#microphone-choice")
        await expect(choice.locator("option")).not_to_have_count(1)
        chosen = await choice.locator("option").nth(2).get_attribute("value")
        await choice.select_option(chosen)
        await expect(guest.page.locator("dialog meter")).not_to_have_js_property("value", 0)
        await guest.page.keyboard.press("Escape")
        await guest.page.reload()
        await guest.page.click("#devices")
        await expect(choice).to_have_value(chosen or "")


async def test_the_camera_is_seen_before_the_call_mirrored_for_the_model_and_may_be_unplugged(
    browser: Browser, pages_only: GatewayProcess
) -> None:
    async with calling(browser, pages_only, "/omni") as (guest, call):
        await guest.page.click("#preview")
        await expect(guest.page.locator("#call")).to_have_attribute("data-picture", "camera")
        picture = guest.page.locator("#picture")
        await expect(picture).to_have_attribute("data-flipped", "")
        await guest.page.click("#mirror")
        await expect(picture).not_to_have_attribute("data-flipped", "")
        await guest.page.click("#hd")
        await guest.page.click("#start")
        chunks = await call.wait_for_sent("audio_chunk", 2)
        assert chunks[-1]["max_slice_nums"] == 2
        await guest.page.click("#hd")
        later = await call.wait_for_sent("audio_chunk", len(call.of("audio_chunk")) + 2)
        assert later[-1]["max_slice_nums"] == 1
        await guest.page.evaluate(UNPLUG_CAMERA)
        lost = guest.page.get_by_role("alert").filter(has_text="The camera was disconnected")
        await expect(lost).to_contain_text("The call goes on without pictures.")
        blind = await call.wait_for_sent("audio_chunk", len(call.of("audio_chunk")) + 1)
        assert "frame_base64_list" not in blind[-1]


async def test_settings_go_with_the_next_call_and_the_language_changes_in_one(
    browser: Browser, pages_only: GatewayProcess, voice_file: str
) -> None:
    async with calling(browser, pages_only, "/audio_duplex") as (guest, call):
        await guest.page.click("#open-settings")
        await guest.page.fill("#system_prompt", "Speak like a pirate.")
        await guest.page.locator("#length_penalty").fill("1.3")
        await guest.page.locator("#speech-voice input[type=file]").set_input_files([voice_file])
        await expect(guest.page.locator("#speech-voice")).to_contain_text("voice.wav")
        await guest.page.keyboard.press("Escape")
        await guest.page.click("#start")
        await reach(guest, "live")
        (prepare,) = call.of("prepare")
        assert prepare["system_prompt"] == "Speak like a pirate."
        assert prepare["config"] == {"length_penalty": 1.3}
        assert "ref_audio_base64" not in prepare
        assert len(base64.b64decode(prepare["tts_ref_audio_base64"])) == 2 * SAMPLE_RATE * 4
        await guest.page.get_by_role("button", name="Language").click()
        await expect(guest.page.locator("#stop")).to_contain_text("结束")
        await reach(guest, "live")
        assert not call.is_closed
