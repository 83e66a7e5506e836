"""The approvals page in the real Chromium: with the keyboard alone, without scripts, on a narrow screen, and judged by
axe-core. What an agent asked for leaves once a person has pressed the button."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from playwright.async_api import Browser, Locator, Page, ViewportSize

from browser.browsers import DESK, PHONE, chromium, complaints, page_of
from dropship_mcp.web.tokens import digest
from protocol.bench import text_of
from protocol.samples import REFERENCE, SAMPLES
from web.webprocess import WebProcess, web_process

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(120)]

DROPDAY = SAMPLES["dropday"]
STAFF, AGENT = "staff-token", "agent-token"
TOKENS = f"ann {digest(STAFF)} orders:approve, agent {digest(AGENT)} orders:read orders:write"


@dataclass
class Shop:
    """A server where an order waits as approval 1, and a browser."""

    server: WebProcess
    browser: Browser

    @property
    def page(self) -> str:
        """The approvals page."""
        return f"{self.server.base}/approvals"

    async def order(self) -> str:
        """What the agent reads."""
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {AGENT}"}) as http,
            Client(streamable_http_client(self.server.url, http_client=http), cache=None) as client,
        ):
            return text_of(await client.call_tool(DROPDAY.create, DROPDAY.order))


@asynccontextmanager
async def shop(folder: Path) -> AsyncGenerator[Shop]:
    """The real program and the real browser."""
    with web_process(folder, DROPSHIP_ORDERS="ask", DROPSHIP_AUTH_TOKENS=TOKENS) as server:
        async with chromium() as browser:
            served = Shop(server, browser)
            assert f"Ask the person to open {served.page}/1." in await served.order()
            yield served


async def press_until(page: Page, name: str) -> None:
    """Go on with the tabulator to the control of that name, as somebody without a mouse does."""
    for _ in range(20):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if await focused.count() and (await focused.inner_text() or await focused.get_attribute("id")) == name:
            return
    raise AssertionError(f"{name} cannot be reached")


async def enter(page: Page) -> None:
    """Press what has the focus, and wait for the next page."""
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def follow(page: Page, control: Locator) -> None:
    """Click, and wait for the next page."""
    async with page.expect_navigation():
        await control.click()


async def sign_in(page: Page) -> None:
    """With the keyboard."""
    await press_until(page, "token")
    await page.keyboard.type(STAFF)
    await enter(page)


async def test_a_person_approves_with_the_keyboard_and_without_scripts(tmp_path: Path) -> None:
    async with shop(tmp_path) as served, page_of(served.browser) as page:
        await page.goto(f"{served.page}/1")
        await sign_in(page)
        question = await page.locator("pre").inner_text()
        await press_until(page, "Approve this order")
        await enter(page)
        heading = await page.locator("h1").inner_text()
        placed = await served.order()
        await page.reload()
        used = await page.locator("h1").inner_text()
        await press_until(page, "Sign out")
        await enter(page)
        left = await page.title()

    assert question.startswith("Place this order?")
    assert REFERENCE in question
    assert heading == "Approval 1: approved; the order has not been placed yet"
    assert '"outcome":"placed"' in placed
    assert (used, left) == ("Approval 1: approved, and used for the order", "Sign in - dropship-mcp")


async def test_a_link_from_elsewhere_finds_the_person_signed_in(tmp_path: Path) -> None:
    """Strict cookies stay behind at first; the page asks for itself once more."""
    async with shop(tmp_path) as served, page_of(served.browser) as page:
        await page.goto(served.page)
        await sign_in(page)
        await page.route(
            "http://chat.example/",
            lambda route: route.fulfill(body=f'<a href="{served.page}/1">go</a>', content_type="text/html"),
        )
        await page.goto("http://chat.example/")
        await page.locator("a").click()
        await page.locator("pre").wait_for()
        shown = await page.locator("h1").inner_text()

    assert shown == "Approval 1: waits for a decision"


async def test_a_page_elsewhere_can_neither_send_the_form_nor_frame_the_page(tmp_path: Path) -> None:
    async with shop(tmp_path) as served, page_of(served.browser, scripts=True) as page:
        await page.goto(f"{served.page}/1")
        await sign_in(page)
        form = await page.locator('.choice input[name="form"]').get_attribute("value")
        hostile = (
            f'<iframe src="{served.page}/1"></iframe><form method="post" action="{served.page}/1">'
            f'<input name="form" value="{form}"><button name="decision" value="approve">win</button></form>'
        )
        await page.route("http://evil.example/", lambda route: route.fulfill(body=hostile, content_type="text/html"))
        await page.goto("http://evil.example/")
        framed = page.frames[1].url
        await follow(page, page.locator("button"))
        answered = await page.locator("h1").inner_text()
        await page.goto(f"{served.page}/1")
        state = await page.locator("h1").inner_text()

    assert (framed, answered, state) == (
        "chrome-error://chromewebdata/",
        "Not from this page",
        "Approval 1: waits for a decision",
    )


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_every_page_can_be_used_by_everybody(tmp_path: Path, size: ViewportSize) -> None:
    """What axe-core can tell, no sideways scrolling at 320 pixels, and buttons that fingers hit."""
    found: dict[str, list[str]] = {}
    async with shop(tmp_path) as served, page_of(served.browser, scripts=True, size=size) as page:

        async def look(name: str) -> None:
            wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            small = await page.evaluate(
                "[...document.querySelectorAll('button')].filter(b => b.offsetHeight < 44).length"
            )
            found[name] = [
                *await complaints(page),
                *(["scrolls sideways"] if wide else []),
                *(["small"] if small else []),
            ]

        await page.goto(f"{served.page}/1")
        await look("sign in")
        await page.locator("#token").fill("wrong")
        await follow(page, page.get_by_role("button", name="Sign in"))
        await look("refused")
        await page.locator("#token").fill(STAFF)
        await follow(page, page.get_by_role("button", name="Sign in"))
        await look("waiting")
        await follow(page, page.get_by_role("link", name="All approvals"))
        await look("overview")
        await follow(page, page.get_by_role("link", name="Approval 1"))
        await follow(page, page.get_by_role("button", name="Decline"))
        await look("declined")
        await page.goto(f"{served.page}/99")
        await look("not found")

    assert found == {name: [] for name in ("sign in", "refused", "waiting", "overview", "declined", "not found")}
