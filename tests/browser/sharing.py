"""Sharing a recording as a visitor does."""

from __future__ import annotations

from playwright.async_api import Page, expect


async def share(page: Page, comment: str) -> str:
    """The link that has been copied; what the page itself has recorded goes with it."""
    await page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this recording")
    await expect(dialog).to_contain_text("is uploaded with it")
    await dialog.get_by_label("Comment").fill(comment)
    await page.keyboard.press("Control+Enter")
    await expect(dialog).to_contain_text("The link has been copied.")
    return await page.evaluate("navigator.clipboard.readText()")
