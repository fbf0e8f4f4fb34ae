"""Every page in the states that people see it in; tests check each, a script pictures them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, FilePayload, expect

from tests.browser import scene_service as service
from tests.browser.chromium import Visit, visit
from tests.browser.scripted_call import ScriptedCall, speech, spoken
from tests.browser.test_admin import traffic
from tests.service.stack import GatewayProcess
from tests.wire_media import image_file, picture

LANGUAGES = {"en": "en-US", "zh": "zh-CN"}
THEMES = ("light", "dark")
PHONE_WIDTH = 360
WIDTHS = (PHONE_WIDTH, 768, 1280, 1920)
HEIGHTS = {360: 740, 768: 1024, 1280: 800, 1920: 1080}
PICTURE = FilePayload(
    name="colours.png", mimeType="image/png", buffer=image_file(picture(240, 120))
)


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    width: int = 1280
    theme: str = "light"
    language: str = "en"

    def __str__(self) -> str:
        return f"{self.language}-{self.theme}-{self.width}"


ALL_LOOKS = [Look(w, theme, language) for w in WIDTHS for theme in THEMES for language in LANGUAGES]


async def _as_it_opens(guest: Visit, language: str) -> None:
    """Nothing is done on the page."""


@dataclass(frozen=True)
class Scene:
    """A page, what is done on it first, and the look it is tested with by default."""

    name: str
    path: str
    look: Look
    act: Callable[[Visit, str], Awaitable[None]] = _as_it_opens
    status: int = 200
    is_busy: bool = False  # others use the service at the same time
    is_ours: bool = True  # the explorer of the API is a package's

    def __str__(self) -> str:
        return self.name


async def _ask(guest: Visit, language: str) -> None:
    await service.answer_chats(guest.page, language)
    await guest.page.locator("#files").set_input_files(PICTURE)
    await expect(guest.page.locator("#attachments li")).to_have_count(1)
    await guest.send(service.QUESTION[language])
    await guest.wait_for_answer()


async def _open_settings(guest: Visit, _: str) -> None:
    await guest.page.wait_for_selector("main:not([inert])")
    await guest.page.click("#open-settings")
    await expect(guest.page.locator(".preset-list input").first).to_be_attached()


async def _open_history(guest: Visit, language: str) -> None:
    await _ask(guest, language)
    await guest.page.click("#open-history")
    await expect(guest.page.locator(".history-sheet li").first).to_be_visible()


async def _wait_in_queue(guest: Visit, _: str) -> None:
    await service.keep_waiting(guest.page)
    await guest.page.click("#start")
    await expect(guest.page.locator("#queue .queue-banner")).to_be_visible()


async def _call(guest: Visit, language: str) -> None:
    call = ScriptedCall()
    call.script = [spoken(words) for words in service.STORY[language]]
    await call.install(guest.page)
    await guest.page.click("#start")
    await expect(guest.page.locator("#captions .sounding")).not_to_be_empty()


async def _call_with_figures(guest: Visit, language: str) -> None:
    await guest.page.click("#open-metrics")
    await _call(guest, language)


async def _end_call(guest: Visit, language: str) -> None:
    await _call(guest, language)
    await guest.page.click("#stop")
    await guest.page.wait_for_selector("#call[data-state=ended]")


async def _talk(guest: Visit, language: str) -> None:
    await service.answer_talk(guest.page, language, speech(1.0))
    await guest.page.click("#start")
    await expect(guest.page.locator(".entry.model .heard")).not_to_be_empty()


async def _open_devices(guest: Visit, _: str) -> None:
    await guest.page.click("#devices")
    await expect(guest.page.get_by_role("dialog")).to_be_visible()


async def _open_faq(guest: Visit, _: str) -> None:
    await guest.page.locator(".header-tools button").first.click()
    await expect(guest.page.locator("dialog details").first).to_be_visible()


async def _read_dashboard(guest: Visit, _: str) -> None:
    await expect(guest.page.locator("#sign-in")).to_be_visible()


async def _sign_in(guest: Visit, _: str) -> None:
    page = guest.page
    await page.fill("#token", service.TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#queue tbody tr")).to_have_count(2)
    await expect(page.locator("#apps [role=switch]").first).to_be_visible()
    await expect(page.locator("#recordings-table tbody tr").first).to_be_visible()


async def _load_replay(guest: Visit, _: str) -> None:
    await expect(guest.page.locator(".replay-transport")).to_be_visible()
    await expect(guest.page.locator(".replay-media")).to_have_js_property("readyState", 4)
    await guest.page.keyboard.press("ArrowRight")


async def _load_chat_replay(guest: Visit, _: str) -> None:
    await expect(guest.page.locator("main .badge")).to_be_visible()


async def _load_guide(guest: Visit, _: str) -> None:
    await expect(guest.page.locator("#icons li").first).to_be_visible()


async def _load_explorer(guest: Visit, _: str) -> None:
    await guest.page.wait_for_selector(".opblock-summary")


async def _wait_for_modes(guest: Visit, _: str) -> None:
    await expect(guest.page.locator("#modes .mode-card")).to_have_count(4)


EN, ZH = "en", "zh"
SCENES = (
    Scene("home", "/", Look(1280, "light", EN), _wait_for_modes),
    Scene("turnbased-answer", "/turnbased", Look(768, "light", EN), _ask),
    Scene("turnbased-settings", "/turnbased", Look(360, "light", EN), _open_settings),
    Scene("turnbased-history", "/turnbased", Look(1280, "dark", EN), _open_history),
    Scene("omni", "/omni", Look(360, "light", ZH)),
    Scene("omni-call", "/omni", Look(1280, "dark", EN), _call_with_figures),
    Scene("audio-duplex", "/audio_duplex", Look(1920, "light", EN)),
    Scene("audio-duplex-call", "/audio_duplex", Look(360, "light", EN), _call),
    Scene("half-duplex", "/half_duplex", Look(768, "dark", EN)),
    Scene("half-duplex-call", "/half_duplex", Look(360, "light", ZH), _talk),
    Scene("admin", "/admin", Look(1280, "light", EN), _sign_in, is_busy=True),
    Scene("replay-video", "/s/omni_call", Look(1280, "dark", EN), _load_replay),
    Scene("session-missing", "/s/never_was", Look(360, "light", EN), status=404),
    Scene("not-found", "/nothing-here", Look(1920, "dark", ZH), status=404),
    Scene("styleguide", "/static/styleguide.html", Look(768, "dark", EN), _load_guide),
    Scene("api-explorer", "/docs", Look(1280, "light", EN), _load_explorer, is_ours=False),
)
MORE_SCENES = (
    Scene("turnbased", "/turnbased", Look(360, "dark", ZH), is_busy=True),
    Scene("omni-settings", "/omni", Look(768, "dark", ZH), _open_settings),
    Scene("omni-ended", "/omni", Look(360, "dark", EN), _end_call),
    Scene("audio-duplex-figures", "/audio_duplex", Look(768, "light", ZH), _call_with_figures),
    Scene("audio-duplex-queue", "/audio_duplex", Look(768, "dark", EN), _wait_in_queue),
    Scene("audio-duplex-devices", "/audio_duplex", Look(360, "dark", EN), _open_devices),
    Scene("half-duplex-settings", "/half_duplex", Look(1280, "light", EN), _open_settings),
    Scene("home-faq", "/", Look(360, "dark", EN), _open_faq),
    Scene("admin-signed-out", "/admin", Look(360, "dark", ZH), _read_dashboard),
    Scene("replay-sound", "/s/audio_call", Look(360, "light", EN), _load_replay),
    Scene("replay-chat", "/s/recorded_chat", Look(768, "light", ZH), _load_chat_replay),
)


@asynccontextmanager
async def open_scene(
    browser: Browser, gateway: GatewayProcess, scene: Scene, look: Look
) -> AsyncIterator[Visit]:
    """The page as the scene wants it, looked at in this way."""
    async with AsyncExitStack() as others:
        if scene.is_busy:
            await others.enter_async_context(traffic(gateway, n_waiting=2))
        options: dict[str, Any] = {
            "locale": LANGUAGES[look.language],
            "color_scheme": look.theme,
            "viewport": {"width": look.width, "height": HEIGHTS[look.width]},
            "has_touch": look.width == PHONE_WIDTH,
            "is_mobile": look.width == PHONE_WIDTH,
        }
        guest = await others.enter_async_context(
            visit(browser, gateway.url, may_record="yes", **options)
        )
        await guest.open(scene.path)
        await scene.act(guest, look.language)
        yield guest
        if scene.status != 200:
            guest.complaints.clear()  # Chromium itself reports the status
