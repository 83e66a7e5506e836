"""Who gets in at the approvals page, and what it takes for a form to count."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from dropship_mcp.web import sessions
from protocol.samples import REFERENCE
from web.houses import bearer, house
from web.sites import Issuer, desk, token
from web.visits import ASK, OURS, PAGE, UNDECIDED, decide, fields, sign_in, state, try_to_order, waiting

pytestmark = pytest.mark.anyio


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

    assert (answered.status_code, answered.headers["retry-after"]) == (503, "5")


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
