"""The approvals page over HTTP: what is shown, what a decision does, and what browsers are told."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest

from protocol.samples import PERSONAL, REFERENCE, Sample
from web.houses import bearer, house
from web.visits import ASK, OURS, PAGE, UNDECIDED, decide, fields, sign_in, state, try_to_order, waiting

pytestmark = pytest.mark.anyio


# --- reading and deciding ------------------------------------------------------------------------------------------


async def test_a_person_approves_what_waits_and_the_order_leaves(tmp_path: Path, sample: Sample) -> None:
    async with waiting(tmp_path, sample) as served, served.http() as http:
        await sign_in(http, bearer("acme-staff"))
        shown = (await http.get(f"{PAGE}/1")).text
        answered = await decide(http, "approve")
        after = (await http.get(answered.headers["location"])).text
        placed = await try_to_order(served, sample)

    [approval] = re.findall(r"<pre>(.*?)</pre>", shown, re.DOTALL)
    assert html.unescape(approval).startswith("Place this order? (sandbox: no money)\nProvider: ")
    assert f'Reference: "{REFERENCE}"' in html.unescape(approval)
    assert (answered.status_code, answered.headers["location"]) == (303, "/approvals/1")
    assert "<h1>Approval 1: approved; the order has not been placed yet</h1>" in after
    assert "on the approvals page by acme-staff" in after
    assert '"outcome":"placed"' in placed


async def test_the_page_shows_the_question_that_the_ledger_keeps(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        question = (await served.branches["acme"].ledger.approvals.recent())[0].question
        shown = (await http.get(f"{PAGE}/1")).text

    assert f"<pre>{html.escape(question)}</pre>" in shown
    assert "<dt>Asked because</dt><dd>" in shown
    assert '<dt>Waits until</dt><dd><time datetime="2026-03-02T12:30Z">2026-03-02 12:30 UTC</time></dd>' in shown


async def test_a_no_is_recorded_and_told(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        answered = await decide(http, "decline")
        refused = await try_to_order(served)
        assert await state(served) == [(1, "declined", "on the approvals page by acme-staff")]

    assert answered.status_code == 303
    assert refused.startswith("not_allowed: a person declined this order")


async def test_the_overview_has_what_waits_first_and_then_what_happened(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        empty = (await http.get(PAGE)).text
        for number in (2, 3):
            await try_to_order(served, external_id=f"WEB-{number}")
        await decide(http, "decline", 1)
        await decide(http, "approve", 3)
        page = (await http.get(PAGE)).text

    assert "Waiting for a decision (1)" in empty
    assert "<p>Nothing yet.</p>" in empty
    assert [int(number) for number in re.findall(r">Approval (\d+)</a>", page)] == [2, 3, 1]
    assert page.index("Waiting for a decision (1)") < page.index("Decided lately") < page.index("Approval 3")


async def test_no_more_of_the_buyer_is_shown_than_the_question_has(tmp_path: Path, sample: Sample) -> None:
    async with waiting(tmp_path, sample) as served, served.http("acme-staff") as http:
        question = (await served.branches["acme"].ledger.approvals.recent())[0].question
        pages = [(await http.get(PAGE)).text, (await http.get(f"{PAGE}/1")).text]
        await decide(http, "approve")
        after = [(await http.get(PAGE)).text, (await http.get(f"{PAGE}/1")).text]

    assert not [text for text in PERSONAL if text not in question and any(text in page for page in pages)]
    assert not [text for text in PERSONAL for page in (pages[0], *after) if text in page]


async def test_texts_of_others_are_no_mark_up(tmp_path: Path) -> None:
    nasty = 'W"><script>alert(1)</script>&amp;<b>'
    async with house(tmp_path, ASK) as served, served.http("acme-staff") as http:
        await try_to_order(served, external_id=nasty)
        pages = [(await http.get(address)).text for address in (PAGE, f"{PAGE}/1")]

    assert not re.search(r"<script|<b>|alert\(1\)<", "".join(pages))


async def test_what_was_settled_meanwhile_is_said_and_stays(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        form = fields((await http.get(f"{PAGE}/1")).text)["form"]
        await decide(http, "decline")
        late = await http.post(f"{PAGE}/1", data={"decision": "approve", "form": form}, headers=OURS)
        assert await state(served) == [(1, "declined", "on the approvals page by acme-staff")]

    assert late.status_code == 409
    assert "This was settled before, so your answer does not count." in late.text


async def test_what_has_expired_cannot_be_agreed_to(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        form = fields((await http.get(f"{PAGE}/1")).text)["form"]
        served.clock.move(minutes=31)
        late = await http.post(f"{PAGE}/1", data={"decision": "approve", "form": form}, headers=OURS)
        page = await http.get(f"{PAGE}/1")

    assert late.status_code == 409
    assert "<h1>Approval 1: expired</h1>" in page.text
    assert "<form" not in page.text


@pytest.mark.parametrize("decision", ["", "yes", "APPROVE"])
async def test_nothing_else_is_a_decision(tmp_path: Path, decision: str) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        answered = await decide(http, decision)
        assert await state(served) == UNDECIDED

    assert answered.status_code == 400


@pytest.mark.parametrize("number", ["2", "0", "x", "-1", "1.0", "01x", "9" * 9, "9" * 30, "9" * 5000, "٣", "1/2"])
async def test_what_does_not_exist_is_not_found(tmp_path: Path, number: str) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        answered = await http.get(f"{PAGE}/{number}")

    assert answered.status_code == 404


async def test_approvals_of_the_other_mode_are_not_shown(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served:
        assert await state(served) == UNDECIDED
    async with house(tmp_path, ASK, DROPSHIP_MODE="live") as live, live.http("acme-staff") as http:
        assert (await http.get(f"{PAGE}/1")).status_code == 404
        overview = (await http.get(PAGE)).text

    assert "Waiting for a decision (0)" in overview
    assert REFERENCE not in overview


async def test_a_broken_ledger_is_said_in_words(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        path = served.branches["acme"].ledger.path
        await served.branches["acme"].ledger.close()
        path.write_bytes(b"no database" * 1000)
        answered = await http.get(PAGE)

    assert answered.status_code == 503
    assert "The ledger cannot be used. Nothing was decided." in answered.text


# --- what browsers are told ----------------------------------------------------------------------------------------


async def test_browsers_may_load_nothing_frame_nothing_and_keep_nothing(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http, served.http() as nobody:
        answers = [
            await http.get(PAGE),
            await http.get(f"{PAGE}/1"),
            await http.get(f"{PAGE}/9"),
            await nobody.get(PAGE),
            await nobody.post(f"{PAGE}/1"),
            await decide(http, "approve"),
        ]

    style = html_style_hash(answers[0].text)
    policy = f"default-src 'none'; style-src '{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    expected = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
    }
    for answered in answers:
        assert {name: answered.headers[name] for name in expected} == expected
        assert not re.search(r"<script|\bon\w+=|\bstyle=|https?://|<img|<link|<iframe", answered.text)


def html_style_hash(page: str) -> str:
    """The style as a policy names it."""
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


async def test_a_link_from_elsewhere_gets_a_second_chance_to_bring_the_cookie(tmp_path: Path) -> None:
    """Strict cookies do not come with a link in a chat; they come with the request that this answer makes."""
    async with waiting(tmp_path) as served, served.http() as http:
        linked = await http.get(f"{PAGE}/1", headers={"sec-fetch-site": "cross-site"})
        again = await http.get(f"{PAGE}/1", headers={"sec-fetch-site": "same-origin"})

    assert '<meta http-equiv="refresh" content="0; url=/approvals/1">' in linked.text
    assert (linked.status_code, again.status_code) == (200, 401)
    assert REFERENCE not in linked.text
