"""Every page in the states people see it in: usable by everybody, and nothing looks broken.

By default a page has one width, theme and language; with FULL_TESTS all scenes are looked at in all
of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, Page

from config import PROJECT_ROOT
from tests.browser.scene_service import scene_service
from tests.browser.scenes import ALL_LOOKS, MORE_SCENES, SCENES, Look, Scene, open_scene
from tests.service.stack import GatewayProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE = PROJECT_ROOT / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = PROJECT_ROOT / "tests" / "browser" / "looks.js"
FIND_BARRIERS = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
        .filter(({ impact }) => ['serious', 'critical'].includes(impact))
        .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}"""
BREAK = """() => {
    const change = (selector, styles) =>
        Object.assign(document.querySelector(selector).style, styles);
    change('h1', { width: '3rem' });
    change('.lead', { color: 'var(--line)' });
    change('.guide-contents', { width: '3000px' });
    change('.button.primary', { marginLeft: '-3rem' });
    change('#cards-heading', { width: '1rem', overflow: 'hidden', whiteSpace: 'nowrap' });
    change('#ask', { width: '10px', height: '10px', minWidth: 0, minHeight: 0, padding: 0 });
}"""
FLAWS_OF_THE_BROKEN = (
    '"Styleguide" is torn apart',
    "color-contrast: .lead",
    "wider than the window",
    'overlaps with button "Primary',
    "cut off: h2#cards-heading",
    "only 10 x 10 px: button#ask",
    "its words do not fit in: button#ask",
    "the picture is not dark",
)
BLANK_COLOURS = 12
DAYLIGHT = 128  # of 255, between the papers of the two themes
AT_ONCE = 3  # pages: calls wait more than they work

CASES = {"each page once": [(scene, scene.look) for scene in SCENES]}
if "FULL_TESTS" in os.environ:
    CASES = {str(look): [(scene, look) for scene in SCENES + MORE_SCENES] for look in ALL_LOOKS}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with scene_service(tmp_path_factory.mktemp("scenes")) as gateway:
        yield gateway


async def barriers(page: Page) -> list[str]:
    """What axe finds serious or critical."""
    await page.evaluate(f"{AXE.read_text()}; null")
    return await page.evaluate(FIND_BARRIERS)


async def flaws(page: Page, scene: Scene, look: Look) -> list[str]:
    """What is cut off, covered, torn, too small to touch, blank, or in the wrong theme."""
    found: list[str] = await page.evaluate(LOOKS.read_text()) if scene.is_ours else []
    picture = Image.open(BytesIO(await page.screenshot())).convert("RGB")
    colours = picture.getcolors(maxcolors=picture.width * picture.height) or []
    if len(colours) < BLANK_COLOURS:
        found.append("the picture is blank")
    if scene.is_ours and bool(np.median(np.asarray(picture)) > DAYLIGHT) != (look.theme == "light"):
        found.append(f"the picture is not {look.theme}")
    return found


@pytest.mark.parametrize("scenes", CASES.values(), ids=CASES.keys())
async def test_pages_can_be_used_by_everybody_and_look_right(
    browser: Browser, gateway: GatewayProcess, scenes: list[tuple[Scene, Look]]
) -> None:
    findings: dict[str, list[str]] = {}
    places = asyncio.Semaphore(AT_ONCE)

    async def examine(scene: Scene, look: Look) -> None:
        async with places, open_scene(browser, gateway, scene, look) as guest:
            found = await barriers(guest.page) + await flaws(guest.page, scene, look)
            if found:
                findings[f"{scene}-{look}"] = found

    examined = [examine(scene, look) for scene, look in scenes]
    for outcome in await asyncio.gather(*examined, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    assert findings == {}


async def test_what_is_broken_is_noticed(browser: Browser, gateway: GatewayProcess) -> None:
    scene, look = next(scene for scene in SCENES if scene.name == "styleguide"), Look(360)
    async with open_scene(browser, gateway, scene, look) as guest:
        await guest.page.evaluate(BREAK)
        found = await barriers(guest.page) + await flaws(guest.page, scene, Look(theme="dark"))
        for flaw in FLAWS_OF_THE_BROKEN:
            assert any(flaw in finding for finding in found), (flaw, found)
