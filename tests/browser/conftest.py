"""Fixtures: Chromium, and the real service over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Playwright, async_playwright

from tests.browser.chromium import (
    FAKE_MICROPHONE,
    GRANT_PERMISSIONS,
    Visit,
    launch,
    visit,
    write_speech_like_sound,
)
from tests.service.stack import GatewayProcess, Stack

OpenVisit: TypeAlias = Callable[..., AbstractAsyncContextManager[Visit]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browser]:
    """Chromium whose microphone hears a voice and is always allowed."""
    sound = write_speech_like_sound(tmp_path_factory.mktemp("sound") / "voice.wav")
    hear = f"--use-file-for-fake-audio-capture={sound}"
    browser = await launch(playwright, FAKE_MICROPHONE, GRANT_PERMISSIONS, hear)
    yield browser
    await browser.close()


@pytest.fixture(scope="session")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two seconds of sound at 44.1 kHz."""
    path = tmp_path_factory.mktemp("sound") / "voice.wav"
    return str(write_speech_like_sound(path, seconds=2))


@pytest.fixture(scope="session")
def real_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Gateway, worker and the embedded model, over TLS."""
    with Stack(tmp_path_factory.mktemp("real"), tls=True) as stack:
        yield stack.start_gateway([stack.start_worker()])


@pytest.fixture
def real_visit(browser: Browser, real_gateway: GatewayProcess) -> OpenVisit:
    def open_visit(**options: Any) -> AbstractAsyncContextManager[Visit]:
        return visit(browser, real_gateway.url, **options)

    return open_visit
