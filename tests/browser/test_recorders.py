"""Calls that are recorded on the page, the mixer beside them, and that neither hurts a call."""

from __future__ import annotations

import base64
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import (
    Visit,
    judges_time,
    visit,
)
from tests.browser.scripted_call import SPEECH_RATE, ScriptedCall, spoken
from tests.browser.test_call import RECORD_LOUDNESS
from tests.service.stack import GatewayProcess, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

RATE = 16000
CLICK_S = 0.02
LEFT, RIGHT = 0, 1
ALIGNED_S = 0.03  # 20 ms, and what clocks that are read from a script may differ
NOTE_STARTS = """() => {
    window.starts = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...when) {
        if (this.context.sampleRate === 16000) window.capture = this.context;
        const leadS = Math.max(0, (when[0] ?? 0) - this.context.currentTime);
        window.starts.push(window.capture.currentTime + leadS);
        return start.apply(this, when);
    };
}"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway without workers: it serves the pages, the test plays the service."""
    with Stack(tmp_path_factory.mktemp("pages")) as stack:
        yield stack.start_gateway([], wait_ready=False)


@asynccontextmanager
async def calling(
    browser: Browser, gateway: GatewayProcess, path: str, script: str = "() => {}"
) -> AsyncIterator[tuple[Visit, ScriptedCall]]:
    async with visit(browser, gateway.url) as guest:
        call = ScriptedCall()
        await call.install(guest.page)
        await guest.page.add_init_script(f"({script})()")
        await guest.open(path)
        yield guest, call


async def reach(guest: Visit, state: str) -> None:
    await guest.page.wait_for_selector(f"#call[data-state={state}]")


async def choose_file(guest: Visit, source: str, path: str | Path) -> None:
    await guest.page.locator(".source", has_text=source).click()
    await guest.page.set_input_files("#file", [path])
    await expect(guest.page.locator("#file-name")).to_contain_text(f" · {Path(path).name}")


async def download(guest: Visit) -> Path:
    """The file that is offered once the call is over."""
    await guest.page.click("#stop")
    await reach(guest, "ended")
    async with guest.page.expect_download() as downloading:
        await guest.page.click("#download")
    file = await downloading.value
    return (await file.path()).rename(Path(await file.path()).with_name(file.suggested_filename))


def clicks(rate: int, seconds: float, at_s: list[float]) -> np.ndarray:
    samples = np.zeros(int(seconds * rate), "<f4")
    beep = 0.8 * np.sin(2 * np.pi * 1000 * np.arange(int(CLICK_S * rate)) / rate)
    for start_s in at_s:
        first = int(start_s * rate)
        samples[first : first + len(beep)] = beep
    return samples


def spoken_click() -> dict[str, Any]:
    """A second of the model that begins with a click."""
    sound = base64.b64encode(clicks(SPEECH_RATE, 1, [0]).tobytes()).decode()
    return spoken("Click. ", end_of_turn=True) | {"audio_data": sound}


def onsets_s(channel: np.ndarray) -> list[float]:
    """When it becomes loud after a time of silence."""
    loud = np.flatnonzero(np.abs(channel) > 0.3 * np.abs(channel).max())
    starts = [loud[0], *loud[1:][np.diff(loud) > RATE / 4]]
    return [float(start) / RATE for start in starts]


@judges_time
async def test_both_sides_of_an_audio_call_are_in_step_after_a_pause(
    browser: Browser, gateway: GatewayProcess, tmp_path: Path
) -> None:
    file = tmp_path / "clicks.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        at_s = [0.5 + second for second in range(6)]
        sound.writeframes((clicks(RATE, 6, at_s) * 32767).astype("<i2").tobytes())
    async with calling(browser, gateway, "/audio_duplex", NOTE_STARTS) as (guest, call):
        await choose_file(guest, "Sound file", file)
        call.script = [spoken_click()]
        await guest.page.click("#start")
        await call.wait_for_sent("audio_chunk", 1)
        await guest.page.click("#pause")
        await reach(guest, "paused")
        await guest.page.click("#resume")
        call.script = [{}, spoken_click()]
        await call.wait_for_sent("audio_chunk", 4)
        recording = await download(guest)
        file_s, *speech_s = await guest.page.evaluate("starts")

    with wave.open(str(recording)) as recorded:
        assert (recorded.getnchannels(), recorded.getframerate()) == (2, RATE)
        frames = np.frombuffer(recorded.readframes(recorded.getnframes()), "<i2")
    heard_s, said_s = onsets_s(frames[LEFT::2]), onsets_s(frames[RIGHT::2])
    # The first click came before the pause; between the others the same time has gone by.
    assert heard_s[0] == pytest.approx(0.5, abs=ALIGNED_S)
    assert said_s[0] == pytest.approx(speech_s[0] - file_s, abs=ALIGNED_S)
    last = len(heard_s) - 1
    assert said_s[1] - heard_s[last] == pytest.approx(
        speech_s[1] - (file_s + 0.5 + last), abs=ALIGNED_S
    )


@judges_time
async def test_the_video_of_an_omni_call_has_captions_and_two_channels_though_its_sound_is_off(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with calling(browser, gateway, "/omni", RECORD_LOUDNESS) as (guest, call):
        call.script = [spoken("A fox lived "), spoken("in a wood.", end_of_turn=True)]
        await guest.page.click("#start")
        await reach(guest, "live")
        await guest.page.keyboard.press("s")
        await expect(guest.page.locator("#mute-speaker")).to_have_attribute("aria-pressed", "true")
        await expect(guest.page.locator("#captions")).to_contain_text("A fox")
        await call.wait_for_sent("audio_chunk", 4)
        assert max(level for _, level in await guest.page.evaluate("sounded")) < 0.001
        recording = await download(guest)

    with av.open(str(recording)) as recorded:
        pictures = [frame.to_ndarray(format="rgb24") for frame in recorded.decode(video=0)]
    with av.open(str(recording)) as recorded:
        assert recorded.streams.audio[0].codec_context.layout.nb_channels == 2
        sound = np.hstack([frame.to_ndarray() for frame in recorded.decode(audio=0)])
    loudness = np.sqrt(np.square(sound.reshape(2, -1)).mean(axis=1))
    assert loudness.min() > 0.005
    assert recording.suffix == ".webm"
    blue = [picture[-picture.shape[0] // 4 :, :, 2] for picture in pictures]
    letters = [int((pixels > 120).sum()) for pixels in blue]  # the fake camera is all green
    assert letters[0] == 0
    assert letters[-1] > 50


async def test_a_recording_that_fails_lets_the_call_go_on(
    browser: Browser, gateway: GatewayProcess
) -> None:
    async with calling(browser, gateway, "/omni", "() => { delete window.MediaRecorder; }") as (
        guest,
        call,
    ):
        await guest.page.click("#start")
        await expect(guest.page.locator(".toast")).to_contain_text("The recording has stopped")
        await call.wait_for_sent("audio_chunk", 1)
        await guest.page.click("#stop")
        await reach(guest, "ended")
        await expect(guest.page.locator("#download")).to_be_hidden()


async def test_the_mixer_lies_beside_the_call_and_closes_with_escape(
    browser: Browser, gateway: GatewayProcess, voice_file: str
) -> None:
    async with calling(browser, gateway, "/audio_duplex") as (guest, call):
        await choose_file(guest, "Both", voice_file)
        await guest.page.click("#start")
        await call.wait_for_sent("audio_chunk", 1)
        await guest.page.click("#mixer")
        panel = guest.page.get_by_role("dialog", name="Mixer")
        await expect(panel.get_by_role("meter", name="The model hears")).not_to_have_attribute(
            "aria-valuenow", "-60"
        )
        slider = panel.get_by_label("File, for the model")
        await slider.focus()
        await guest.page.keyboard.press("ArrowLeft")
        await expect(panel.locator("output").first).to_have_text("-1 dB")
        await guest.page.keyboard.press("Escape")
        await expect(panel).to_be_hidden()
        await expect(guest.page.locator("#call")).to_have_attribute("data-state", "live")
