"""People at the approvals page, by its forms as browsers send them."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from protocol.bench import text_of
from protocol.samples import SAMPLES, Sample
from web.houses import House, house

PAGE = "http://127.0.0.1:8000/approvals"
OURS = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
"""What a browser says with a form of ours."""

ASK = """
[tenants.acme]
claim = "org_1"
orders = "ask"
[tenants.globex]
orders = "ask"
"""
DROPDAY = SAMPLES["dropday"]


@asynccontextmanager
async def waiting(folder: Path, sample: Sample = DROPDAY) -> AsyncGenerator[House]:
    """A site where one order of acme waits as approval 1."""
    async with house(folder, ASK) as served:
        assert "approval number 1" in await try_to_order(served, sample)
        yield served


async def try_to_order(served: House, sample: Sample = DROPDAY, name: str = "acme-agent", **changes: Any) -> str:
    """What an agent reads."""
    async with served.client(name) as client:
        return text_of(await client.call_tool(sample.create, sample.arguments(**changes)))


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's last form."""
    return {
        name: html.unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


async def sign_in(http: httpx2.AsyncClient, given: str, number: str = "") -> httpx2.Response:
    """Send the sign-in form."""
    return await http.post(f"{PAGE}/sign-in", data={"token": given, "number": number}, headers=OURS)


async def decide(http: httpx2.AsyncClient, decision: str, number: int = 1, **changes: str) -> httpx2.Response:
    """Open an approval and send its form."""
    form = fields((await http.get(f"{PAGE}/{number}")).text)["form"]
    return await http.post(f"{PAGE}/{number}", data={"decision": decision, "form": form, **changes}, headers=OURS)


async def state(served: House, name: str = "acme") -> list[tuple[int, str, str]]:
    """A tenant's approvals: number, state, how."""
    return [(a.number, a.state, a.how) for a in await served.branches[name].ledger.approvals.recent()]


UNDECIDED = [(1, "waiting", "")]
