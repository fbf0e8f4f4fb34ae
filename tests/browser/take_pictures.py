"""Pictures of every page, to look at:

    .venv/base/bin/python -m tests.browser.take_pictures tmp/pictures
    .venv/base/bin/python -m tests.browser.take_pictures tmp/pictures --width 360 --scene replay

`--docs` takes those that the guides show instead, and makes their files small:

    .venv/base/bin/python -m tests.browser.take_pictures docs/images --docs
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from tests.browser.chromium import (
    FAKE_MICROPHONE,
    GRANT_PERMISSIONS,
    launch,
    write_speech_like_sound,
)
from tests.browser.scene_service import scene_service
from tests.browser.scenes import (
    ALL_LOOKS,
    LANGUAGES,
    MORE_SCENES,
    SCENES,
    THEMES,
    Look,
    Scene,
    open_scene,
)
from tests.service.stack import GatewayProcess

TALLEST = 1100  # px of what the guides show
COLOURS = 256
SHOWN_IN_THE_GUIDES = {
    "home": Look(1280, "light", "en"),
    "turnbased-answer": Look(1280, "dark", "zh"),
    "audio-duplex-call": Look(360, "light", "en"),
    "half-duplex-call": Look(360, "dark", "zh"),
    "replay-video": Look(1280, "light", "en"),
    "admin": Look(1280, "dark", "en"),
}


async def take(
    gateway: GatewayProcess,
    sound: Path,
    wanted: list[tuple[Scene, Look]],
    folder: Path,
    *,
    is_for_guides: bool,
) -> None:
    async with async_playwright() as playwright:
        hear = f"--use-file-for-fake-audio-capture={sound}"
        browser = await launch(playwright, FAKE_MICROPHONE, GRANT_PERMISSIONS, hear)
        for scene, look in wanted:
            async with open_scene(browser, gateway, scene, look) as guest:
                name = scene.name if is_for_guides else f"{scene}-{look}"
                path = folder / f"{name}.png"
                await guest.page.screenshot(path=path, full_page=True)
                if is_for_guides:
                    shrink(path)
        await browser.close()


def shrink(path: Path) -> None:
    with Image.open(path) as picture:
        upper = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
    few = upper.quantize(palette=upper.quantize(COLOURS), dither=Image.Dither.FLOYDSTEINBERG)
    few.save(path, optimize=True)


def wanted_by(options: argparse.Namespace) -> list[tuple[Scene, Look]]:
    if options.docs:
        return [(s, SHOWN_IN_THE_GUIDES[s.name]) for s in SCENES if s.name in SHOWN_IN_THE_GUIDES]
    return [
        (scene, look)
        for scene in SCENES + MORE_SCENES
        if options.scene in scene.name
        for look in ALL_LOOKS
        if look.width in (options.width or (360, 1280))
        and options.theme in (None, look.theme)
        and options.language in (None, look.language)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Pictures of every page, to look at.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scene", default="", help="only scenes whose name contains this")
    parser.add_argument("--width", type=int, action="append", help="default: 360 and 1280")
    parser.add_argument("--theme", choices=THEMES)
    parser.add_argument("--language", choices=LANGUAGES)
    parser.add_argument("--docs", action="store_true", help="only what the guides show")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        sound = write_speech_like_sound(Path(work) / "voice.wav")
        with scene_service(Path(work)) as gateway:
            wanted = wanted_by(options)
            coroutine = take(gateway, sound, wanted, options.folder, is_for_guides=options.docs)
            asyncio.run(coroutine)


if __name__ == "__main__":
    main()
