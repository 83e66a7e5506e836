"""The approvals page over HTTP: who gets in, what is shown, and what it takes for a decision to count."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dropship_mcp.web import sessions
from protocol.bench import text_of
from protocol.samples import PERSONAL, REFERENCE, SAMPLES, Sample
from web.houses import House, bearer, house
from web.sites import Issuer, desk, token

pytestmark = pytest.mark.anyio

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


# --- who gets in ---------------------------------------------------------------------------------------------------


async def test_without_authorization_there_is_no_page(tmp_path: Path) -> None:
    async with desk(tmp_path) as served, served.http() as http:
        answers = [await http.get("/approvals"), await http.get("/approvals/1"), await http.post("/approvals/sign-in")]

    assert [answered.status_code for answered in answers] == [404] * 3


async def test_whoever_comes_without_a_token_is_asked_to_sign_in(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        overview, details = await http.get(PAGE), await http.get(f"{PAGE}/1")

    assert [(a.status_code, a.headers["www-authenticate"]) for a in (overview, details)] == [(401, "Bearer")] * 2
    assert (fields(overview.text), fields(details.text)) == ({"number": ""}, {"number": "1"})
    assert REFERENCE not in overview.text + details.text


@pytest.mark.parametrize("name", ["acme-agent", "globex-agent"])
async def test_an_agents_token_opens_nothing(tmp_path: Path, name: str) -> None:
    async with waiting(tmp_path) as served, served.http(name) as bare, served.http() as http:
        answers = [await bare.get(PAGE), await bare.get(f"{PAGE}/1"), await sign_in(http, bearer(name))]
        answers.append(await bare.post(f"{PAGE}/1", data={"decision": "approve", "form": ""}, headers=OURS))
        assert await state(served) == UNDECIDED

    assert [answered.status_code for answered in answers] == [403] * 4
    assert "set-cookie" not in answers[2].headers
    assert REFERENCE not in "".join(answered.text for answered in answers)


async def test_people_of_another_tenant_see_and_decide_nothing(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as ours, served.http("globex-staff") as theirs:
        form = fields((await ours.get(f"{PAGE}/1")).text)["form"]
        answers = [
            await theirs.get(f"{PAGE}/1"),
            await theirs.post(f"{PAGE}/1", data={"decision": "approve", "form": form}, headers=OURS),
        ]
        await try_to_order(served, name="globex-agent", external_id="GLOBEX-1")
        answers.append(await theirs.post(f"{PAGE}/1", data={"decision": "approve", "form": form}, headers=OURS))
        overview = (await theirs.get(PAGE)).text
        assert (await state(served), await state(served, "globex")) == (UNDECIDED, UNDECIDED)

    assert [answered.status_code for answered in answers] == [404, 404, 403]
    assert ("GLOBEX-1" in overview, REFERENCE in overview) == (True, False)


@pytest.mark.parametrize("given", ["", "wrong", "x" * 9000, "a.b.c", "dsm_\0", "ü"])
async def test_a_wrong_token_is_refused_without_being_quoted(tmp_path: Path, given: str) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        answered = await sign_in(http, given, "1")

    assert answered.status_code == 401
    assert fields(answered.text) == {"number": "1"}
    assert '<p class="notice" id="problem" role="alert">The token was refused.</p>' in answered.text
    assert "set-cookie" not in answered.headers


async def test_tokens_are_not_tried_without_end(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        for _ in range(sessions.MOST_FAILURES):
            assert (await sign_in(http, "guess")).status_code == 401
        refused = await sign_in(http, bearer("acme-staff"))

    assert (refused.status_code, int(refused.headers["retry-after"]) in range(1, 62)) == (429, True)
    assert "set-cookie" not in refused.headers


async def test_an_access_token_signs_in_until_it_ends(tmp_path: Path) -> None:
    given = token(sub="ann@acme.example", org_id="org_1", scope="orders:approve", exp=int(4e9))
    async with waiting(tmp_path) as served, served.http() as http:
        answered = await sign_in(http, given, "1")
        await decide(http, "approve")
        assert await state(served) == [(1, "approved", "on the approvals page by ann@acme.example")]

    assert answered.headers["location"] == "/approvals/1"
    assert "Max-Age=28800" in answered.headers["set-cookie"]


async def test_without_the_issuers_keys_nobody_is_refused_for_good(tmp_path: Path) -> None:
    issuer = Issuer(instead=httpx2.ConnectError("down"))
    async with house(tmp_path, ASK, issuer=issuer) as served, served.http() as http:
        answered = await sign_in(http, token(org_id="org_1", scope="orders:approve"))

    assert answered.status_code == 503


async def test_a_subject_is_cleaned_before_it_is_written_down(tmp_path: Path) -> None:
    subject = "<b>\u202eeve\x00</b>" + "x" * 500
    given = token(sub=subject, org_id="org_1", scope="orders:approve")
    async with waiting(tmp_path) as served, served.http(token=given) as http:
        page = await http.get(PAGE)
        await decide(http, "approve")
        [(_, _, how)] = await state(served)

    assert how == f"on the approvals page by eve {'x' * 59}…"
    assert "<b>" not in page.text


# --- sessions ------------------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_this_page_alone_and_holds_nothing_readable(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        cookie = (await sign_in(http, bearer("acme-staff"))).headers["set-cookie"]
    async with (
        house(tmp_path, ASK, DROPSHIP_HTTP_PUBLIC_URL="https://shop.example/x/mcp") as safe,
        safe.http(origin="https://shop.example") as http,
    ):
        form = {"token": bearer("acme-staff"), "number": "7"}
        outside = await http.post("/approvals/sign-in", data=form, headers={"origin": "https://shop.example"})

    name, *attributes = re.split(r"; ", re.sub(r"=acme\.[\w-]+", "", cookie))
    assert (name, sorted(attributes)) == (
        "dropship-approvals",
        ["HttpOnly", "Max-Age=28800", "Path=/approvals", "SameSite=strict"],
    )
    assert "acme-staff" not in cookie
    assert outside.headers["location"] == "/x/approvals/7"
    assert outside.headers["set-cookie"].startswith("__Secure-dropship-approvals=acme.")
    assert outside.headers["set-cookie"].endswith(
        "; HttpOnly; Max-Age=28800; Path=/x/approvals; SameSite=strict; Secure"
    )


async def test_another_server_at_the_same_ledger_knows_the_session(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        await sign_in(http, bearer("acme-staff"))
        cookie = http.cookies["dropship-approvals"]
    async with house(tmp_path, ASK) as served, served.http() as http:
        http.cookies.set("dropship-approvals", cookie)
        answered = await http.get(f"{PAGE}/1")

    assert answered.status_code == 200
    assert "Signed in as acme-staff" in answered.text


@pytest.mark.parametrize("spoil", ["other tenant", "no tenant", "changed", "cut", "nothing", "a token"])
async def test_a_cookie_that_was_not_made_here_is_nobody(tmp_path: Path, spoil: str) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        await sign_in(http, bearer("acme-staff"))
        cookie = http.cookies["dropship-approvals"]
        http.cookies.clear()
        sealed = cookie.partition(".")[2]
        spoilt = {
            "other tenant": f"globex.{sealed}",
            "no tenant": f".{sealed}",
            "changed": f"acme.{sealed[:-9]}{'A' * 9}",
            "cut": cookie[:-4],
            "nothing": "acme.",
            "a token": f"acme.{bearer('acme-staff')}",
        }
        answered = await http.get(PAGE, headers={"cookie": f"dropship-approvals={spoilt[spoil]}"})

    assert answered.status_code == 401


async def test_signing_out_takes_the_cookie_away(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as http:
        await sign_in(http, bearer("acme-staff"))
        form = fields((await http.get(PAGE)).text)
        forged = await http.post(f"{PAGE}/sign-out", data={"form": "x"}, headers=OURS)
        assert (await http.get(PAGE)).status_code == 200
        answered = await http.post(f"{PAGE}/sign-out", data=form, headers=OURS)
        after = await http.get(PAGE)

    assert [forged.status_code, answered.status_code, after.status_code] == [403, 303, 401]


async def test_whoever_comes_through_a_proxy_has_nothing_to_sign_out_of(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        page = (await http.get(PAGE)).text

    assert "Signed in as acme-staff" in page
    assert "Sign out" not in page


# --- forms from elsewhere ------------------------------------------------------------------------------------------

ELSEWHERE: list[dict[str, str]] = [
    {},
    {"origin": "null"},
    {"origin": "https://evil.example"},
    {"origin": "http://127.0.0.1:8001"},
    {"origin": "https://127.0.0.1:8000"},
    {"origin": "http://localhost:8000"},
    {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "cross-site"},
    {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-site"},
    {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "none"},
]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
@pytest.mark.parametrize("by", ["session", "proxy"])
async def test_a_form_from_elsewhere_does_nothing(tmp_path: Path, headers: dict[str, str], by: str) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff" if by == "proxy" else "") as http:
        if by == "session":
            await sign_in(http, bearer("acme-staff"))
        form = {**fields((await http.get(f"{PAGE}/1")).text), "decision": "approve"}
        paths = (f"{PAGE}/1", f"{PAGE}/sign-in", f"{PAGE}/sign-out")
        answers = [
            await http.post(path, data={**form, "token": bearer("acme-staff")}, headers=headers) for path in paths
        ]
        assert await state(served) == UNDECIDED

    assert [answered.status_code for answered in answers] == [403] * 3
    assert not [answered for answered in answers if "set-cookie" in answered.headers]


async def test_a_form_counts_for_its_person_its_session_and_its_order_alone(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http() as ann, served.http() as bob, served.http("acme-both") as cid:
        await try_to_order(served, external_id="WEB-2")
        for http in (ann, bob):
            await sign_in(http, bearer("acme-staff"))
        forms = [
            fields((await ann.get(f"{PAGE}/2")).text.partition("</header>")[2])["form"],
            fields((await ann.get(f"{PAGE}/1")).text)["form"] + "0",
            fields((await ann.get(PAGE)).text)["form"],
            fields((await bob.get(f"{PAGE}/1")).text)["form"],
            fields((await cid.get(f"{PAGE}/1")).text)["form"],
            "ü",
            "",
        ]
        answers = [
            await ann.post(f"{PAGE}/1", data={"decision": "approve", "form": form}, headers=OURS) for form in forms
        ]
        assert [entry[1] for entry in await state(served)] == ["waiting", "waiting"]

    assert [answered.status_code for answered in answers] == [403] * len(forms)
    assert "Look at the order once more." in answers[0].text


async def test_forms_that_are_none_are_refused(tmp_path: Path) -> None:
    many = "&".join(f"field{number}=1" for number in range(20))
    async with waiting(tmp_path) as served, served.http("acme-staff") as http:
        bodies: list[str | bytes] = ["x=" + "y" * 20_000, b"\xff\xfe", many, "%%%", "[]"]
        answers = [await http.post(f"{PAGE}/1", content=body, headers=OURS) for body in bodies]
        assert await state(served) == UNDECIDED

    assert [answered.status_code for answered in answers] == [413, 400, 400, 403, 403]


async def test_the_server_answers_under_its_own_names_only(tmp_path: Path) -> None:
    async with waiting(tmp_path) as served, served.http("acme-staff", origin="http://evil.example") as http:
        answers = [
            await http.get("/approvals"),
            await http.post("/approvals/1", headers={"origin": "http://evil.example"}),
        ]

    assert [answered.status_code for answered in answers] == [421, 421]


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
