"""Chromium as a person uses it, and what axe-core finds on a page."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 320, "height": 640}
"""Also a window of 1280 pixels at 400 %, and narrower than one of 1280 at 200 %."""


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """The system's Chromium without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "Chromium is needed: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(browser: Browser, *, scripts: bool = False, size: ViewportSize = DESK) -> AsyncGenerator[Page]:
    """A page of somebody who was never here. `scripts`: whether the browser runs any."""
    context = await browser.new_context(java_script_enabled=scripts, viewport=size)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def complaints(page: Page) -> list[str]:
    """What axe-core has against a page, by rule and place; needs a browser that runs scripts."""
    assert AXE.exists(), "axe-core is not installed; `make test-all` installs it"
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = cast("dict[str, Any]", await page.evaluate("axe.run(document)"))
    assert found["passes"], "axe-core looked at nothing"
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]
