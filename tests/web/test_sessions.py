"""Sessions of the approvals page: sealed whole, ended by time, by the settings and by any change; and the count of
refused tokens, which forgets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dropship_mcp.caller import APPROVE, Caller
from dropship_mcp.http_settings import AuthSettings, StaticToken
from dropship_mcp.web.sessions import LONGEST_SECONDS, MOST_ADDRESSES, MOST_FAILURES, Failures, Session, Sessions
from dropship_mcp.web.tokens import Tokens

KEY = bytes(32)
ANN = StaticToken("ann", "a" * 64, frozenset({APPROVE}), "acme")
TEAM = AuthSettings(tokens=(ANN, StaticToken("bob", "b" * 64, frozenset({APPROVE}), "acme")), tenants={"acme": "acme"})
COMPANY = AuthSettings(issuer="https://login.example", jwks_url="https://login.example/k", tenants={"org": "acme"})

STATIC = Caller("ann", scopes=frozenset({APPROVE}), tenant="acme")
ISSUED = Caller("user-7", "https://login.example", scopes=frozenset({APPROVE}), claims={"exp": 5000}, tenant="acme")


def sessions(auth: AuthSettings, now: float = 1000, audience: str = "us") -> Sessions:
    return Sessions(Tokens(auth, audience, None), lambda: now)


@pytest.mark.parametrize(("auth", "caller", "lasts"), [(TEAM, STATIC, LONGEST_SECONDS), (COMPANY, ISSUED, 4000)])
def test_a_session_says_who_it_is_until_its_token_or_the_day_ends(
    auth: AuthSettings, caller: Caller, lasts: int
) -> None:
    sealed, seconds = sessions(auth).begin(caller, KEY)
    kept = sessions(auth, 1000 + lasts - 1).read(sealed, "acme", KEY)

    assert seconds == lasts
    assert kept
    assert (kept.caller, len(kept.id)) == (replace(caller, claims={}), 32)
    assert sessions(auth, 1000 + lasts).read(sealed, "acme", KEY) is None


def test_a_token_that_ends_later_than_the_day_does_not_lengthen_it() -> None:
    assert sessions(COMPANY).begin(replace(ISSUED, claims={"exp": 10**12}), KEY)[1] == LONGEST_SECONDS
    assert sessions(COMPANY).begin(replace(ISSUED, claims={"exp": 990}), KEY)[1] == 0


CHANGED: list[tuple[AuthSettings, Caller, AuthSettings]] = [
    (TEAM, STATIC, TEAM._replace(tokens=TEAM.tokens[1:])),
    (TEAM, STATIC, TEAM._replace(tokens=(ANN._replace(sha256="c" * 64),))),
    (TEAM, STATIC, TEAM._replace(tokens=(ANN._replace(scopes=frozenset({"orders:read"})),))),
    (TEAM, STATIC, TEAM._replace(tokens=(ANN._replace(tenant="globex"),))),
    (TEAM, STATIC, AuthSettings()),
    (COMPANY, ISSUED, COMPANY._replace(issuer="https://other.example")),
    (COMPANY, ISSUED, COMPANY._replace(tenants={"org": "globex"})),
    (COMPANY, ISSUED, COMPANY._replace(tenant_claim="org")),
]


@pytest.mark.parametrize(("before", "caller", "after"), CHANGED)
def test_a_session_ends_when_the_settings_no_longer_say_the_same(
    before: AuthSettings, caller: Caller, after: AuthSettings
) -> None:
    sealed, _ = sessions(before).begin(caller, KEY)

    assert sessions(before).read(sealed, "acme", KEY)
    assert sessions(after).read(sealed, "acme", KEY) is None


def test_other_settings_of_other_people_end_nothing() -> None:
    sealed, _ = sessions(TEAM).begin(STATIC, KEY)

    assert sessions(TEAM._replace(tokens=(ANN,))).read(sealed, "acme", KEY)


def test_only_what_this_ledgers_servers_sealed_for_this_tenant_is_read() -> None:
    sealed, _ = sessions(TEAM).begin(STATIC, KEY)
    read = sessions(TEAM).read

    assert read(sealed, "globex", KEY) is None
    assert read(sealed, None, KEY) is None
    assert read(sealed, "acme", b"\1" * 32) is None
    assert [read(text, "acme", KEY) for text in ("", "x", sealed[1:], f"{sealed}A", "ü", "\udcff")] == [None] * 6


def test_nothing_can_be_read_off_a_session() -> None:
    sealed, _ = sessions(TEAM).begin(STATIC, KEY)

    assert sealed != sessions(TEAM).begin(STATIC, KEY)[0]
    assert "=" not in sealed
    assert "ann" not in sealed


def test_a_form_is_for_one_person_one_session_and_one_thing() -> None:
    ann = Session(STATIC, "1")
    others = [
        Session(STATIC, "2"),
        Session(replace(STATIC, tenant="globex"), "1"),
        Session(replace(STATIC, subject="bob"), "1"),
        Session(replace(STATIC, issuer="https://x"), "1"),
    ]
    form = ann.form(KEY, "1", "fingerprint")

    assert ann.sent(form, KEY, "1", "fingerprint")
    assert not any(other.sent(form, KEY, "1", "fingerprint") for other in others)
    assert not ann.sent(form, KEY, "1", "other")
    assert not ann.sent(form, KEY, "1fingerprint")
    assert not ann.sent(form, b"\1" * 32, "1", "fingerprint")


def test_an_address_waits_after_many_refusals_and_is_forgotten() -> None:
    now = [100.0]
    failures = Failures(lambda: now[0])
    for _ in range(MOST_FAILURES):
        assert failures.wait("a") == 0
        failures.add("a")
    now[0] += 10

    assert (failures.wait("a"), failures.wait("b")) == (51, 0)
    now[0] += 51
    assert failures.wait("a") == 0


def test_many_addresses_take_no_more_memory_than_few() -> None:
    failures = Failures(lambda: 0.0)
    for address in range(MOST_ADDRESSES * 2):
        for _ in range(MOST_FAILURES if address < 2 else 1):
            failures.add(str(address))

    assert failures.wait("0") == 0
    for _ in range(MOST_FAILURES):
        failures.add("last")
    assert failures.wait("last") > 0
