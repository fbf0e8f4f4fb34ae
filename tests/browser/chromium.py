"""A real Chromium with a fake microphone, and pages that must not complain about anything."""

from __future__ import annotations

import json
import os
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from playwright.async_api import Browser, Page, Playwright, Request, WebSocket, expect

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FAKE_MICROPHONE = "--use-fake-device-for-media-stream"
GRANT_PERMISSIONS = "--use-fake-ui-for-media-stream"
RECORD_CSP_VIOLATIONS = """
    addEventListener('securitypolicyviolation', (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""
ANSWER_ABOUT_RECORDING = """(answer) => {
    if (location.protocol.startsWith('http')) localStorage.minicpmo_recording ??= answer;
}"""
LET_ANSWERS_BE_HEARD = """() => {
    if (location.protocol.startsWith('http')) {
        localStorage.call_comfort ??= JSON.stringify({ v: 1, barge_in: 'off' });
    }
}"""
BLOCK_STORAGE = """() => {
    const refuse = { get() { throw new DOMException('blocked', 'SecurityError'); } };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
        Object.defineProperty(window, name, refuse);
    }
}"""
FILE_RATE = 44100
VIDEO_RATE = 10
only_in_full_runs = pytest.mark.skipif("FULL_TESTS" not in os.environ, reason="takes long")
judges_time = pytest.mark.flaky(reruns=2)  # as run_tests.sh does with others that judge times
PATIENCE_MS = 15_000  # for what has no limit of its own; machines that run tests are busy

expect.set_options(timeout=PATIENCE_MS)


def in_full_runs(*values: object) -> list[Any]:
    """Parameters of a test that are tried in full runs only."""
    return [pytest.param(value, marks=only_in_full_runs) for value in values]


async def launch(playwright: Playwright, *flags: str) -> Browser:
    return await playwright.chromium.launch(executable_path=EXECUTABLE, args=[*QUIET, *flags])


def write_speech_like_sound(path: Path, seconds: float = 4.0) -> Path:
    """Syllables of changing pitch at 44.1 kHz: noise suppression lets them pass."""
    time_s = np.arange(int(seconds * FILE_RATE)) / FILE_RATE
    pitch = 2 * np.pi * np.cumsum(180 + 60 * np.sin(2 * np.pi * 0.7 * time_s)) / FILE_RATE
    voice = sum(np.sin(harmonic * pitch) / harmonic for harmonic in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time_s), 0, 1)
    samples = (0.25 * 32767 * voice * syllables).clip(-32767, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(FILE_RATE)
        file.writeframes(samples.tobytes())
    return path


def write_video(path: Path, seconds: int = 3) -> Path:
    """A picture that brightens second by second, with a voice: VP8 and Opus in WebM."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libvpx", rate=VIDEO_RATE)
        picture.width, picture.height, picture.pix_fmt = 320, 240, "yuv420p"
        sound = container.add_stream("libopus", rate=48000)
        sound.layout = "mono"
        for index in range(seconds * VIDEO_RATE):
            level = 40 + 80 * (index // VIDEO_RATE)
            pixels = np.full((240, 320, 3), level, dtype=np.uint8)
            shown = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            shown.pts, shown.time_base = index, Fraction(1, VIDEO_RATE)
            container.mux(picture.encode(shown))
        time_s = np.arange(seconds * 48000) / 48000
        samples = (0.4 * np.sin(2 * np.pi * 330 * time_s)).astype("<f4")[None]
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
        frame.sample_rate = 48000
        container.mux(sound.encode(frame))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    return path


class Visit:
    """One page, what it complained of, and what went over its chat sockets."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.received: list[dict[str, Any]] = []
        self._origin = origin
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", lambda line: self._listen(line.type, line.text))
        page.on("request", self._check_origin)
        page.on("websocket", self._record)

    async def open(self, path: str) -> None:
        await self.page.goto(self._origin + path)
        await self.page.wait_for_selector("html:not(.starting)")

    async def send(self, text: str) -> None:
        await self.page.fill("#draft", text)
        await self.page.keyboard.press("Enter")

    async def wait_for_answer(self, state: str = "complete") -> str:
        """The text of the newest answer, once it is in this state."""
        answer = self.page.locator(".answer").last
        await self.page.wait_for_selector(f".answer:last-child[data-state={state}]")
        return await answer.locator(".answer-body").inner_text()

    async def sideways_scroll(self) -> int:
        """By how many pixels the page is wider than the window."""
        return await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )

    def _listen(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def _check_origin(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "blob:", "data:")):
            self.complaints.append(f"request elsewhere: {request.url}")

    def _record(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(json.loads(frame)))
        socket.on("framereceived", lambda frame: self.received.append(json.loads(frame)))


@asynccontextmanager
async def visit(
    browser: Browser,
    origin: str,
    *,
    may_record: str | None = "no",
    may_interrupt: bool = False,
    **options: Any,
) -> AsyncIterator[Visit]:
    """A fresh profile with one page; afterwards the page must not have complained.

    Args:
        may_record: what was answered to the question about recording; None is asked on the page.
        may_interrupt: whether what the microphone hears stops answers; the usual one never pauses.
    """
    defaults: dict[str, Any] = {"locale": "en-US", "reduced_motion": "reduce"}
    context = await browser.new_context(ignore_https_errors=True, **defaults | options)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(RECORD_CSP_VIOLATIONS)
    if may_record is not None:
        await context.add_init_script(f"({ANSWER_ABOUT_RECORDING})('{may_record}')")
    if not may_interrupt:
        await context.add_init_script(f"({LET_ANSWERS_BE_HEARD})()")
    guest = Visit(await context.new_page(), origin)
    try:
        yield guest
        assert guest.complaints == [], guest.complaints
    finally:
        await context.close()
