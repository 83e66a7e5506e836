"""The issuer's keys: rotation is noticed, an issuer that is down, slow or huge does no harm, and nobody can make the
server ask without end."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from dropship_mcp.web import keys
from dropship_mcp.web.keys import KeySet, KeysUnavailable
from web.sites import COMPANY, JWKS_URL, REQUESTS, URL, Issuer, desk, ec_key, jwk, other_ec_key, rsa_key, token, unread

pytestmark = pytest.mark.anyio


async def test_keys_are_fetched_once_for_many_tokens_at_once() -> None:
    issuer = Issuer()
    found: list[object] = []
    known = issuer.key_set()

    async def find() -> None:
        found.append(await known.find("one", "ES256"))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(find)

    assert None not in found
    assert len(found) == 50
    assert issuer.asked == 1


async def test_a_rotated_key_is_fetched_when_a_token_names_it() -> None:
    issuer = Issuer()
    known = issuer.key_set()
    assert await known.find("one", "ES256")

    issuer.keys = [jwk(other_ec_key(), "two")]
    issuer.now += keys.PAUSE_SECONDS

    assert await known.find("two", "ES256")
    assert issuer.asked == 2


async def test_a_token_with_a_new_key_is_asked_to_come_again_until_the_issuer_may_be_asked(tmp_path: Any) -> None:
    issuer = Issuer()
    async with (
        desk(tmp_path, COMPANY, issuer=issuer) as served,
        served.http(token()) as with_old_key,
        served.http(token(key=other_ec_key(), kid="two")) as with_new_key,
        served.http(token(key=other_ec_key(), kid="three")) as with_no_key,
    ):
        call = REQUESTS["auto"]("tools/list")
        known = await with_old_key.post(URL, **call)
        issuer.keys.append(jwk(other_ec_key(), "two"))
        issuer.now += 0.5
        early = await with_new_key.post(URL, **call)
        issuer.now += 29.5
        later = [await http.post(URL, **call) for http in (with_no_key, with_new_key, with_no_key)]

    assert (known.status_code, early.status_code, early.headers["retry-after"]) == (200, 503, "30")
    assert early.json() == {
        "error": "temporarily_unavailable",
        "error_description": "the issuer was asked for its keys a moment ago, so this token cannot be verified now",
    }
    assert [answer.status_code for answer in later] == [401, 200, 503]
    assert issuer.asked == 2


async def test_a_token_whose_key_is_known_for_another_use_is_refused_at_once() -> None:
    known = Issuer().key_set()
    assert await known.find("one", "ES256")
    assert await known.find("one", "RS256") is None


async def test_all_tokens_that_wait_for_a_fetch_are_refused_after_it() -> None:
    asked, go_on, found = anyio.Event(), anyio.Event(), list[object]()

    async def slowly(_: httpx2.Request) -> httpx2.Response:
        asked.set()
        await go_on.wait()
        return unread(httpx2.Response(200, json={"keys": []}))

    known = KeySet(JWKS_URL, transport=httpx2.MockTransport(slowly))

    async def find() -> None:
        found.append(await known.find("one", "ES256"))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(find)
        await asked.wait()
        go_on.set()

    assert found == [None, None, None]


async def test_tokens_with_invented_keys_do_not_make_the_server_ask_more_often() -> None:
    issuer = Issuer()
    known = issuer.key_set()
    for second in range(300):
        issuer.now = float(second)
        with suppress(KeysUnavailable):
            assert await known.find(f"invented {second}", "ES256") is None

    assert issuer.asked == 10


async def test_a_withdrawn_key_is_noticed_though_no_new_one_is_named() -> None:
    issuer = Issuer()
    known = issuer.key_set()
    assert await known.find("one", "ES256")

    issuer.keys = []
    issuer.now += keys.FRESH_SECONDS + 1

    assert await known.find("one", "ES256") is None


DOWN: dict[str, httpx2.Response | Exception] = {
    "unreachable": httpx2.ConnectError("no route"),
    "500": httpx2.Response(500),
    "redirect": httpx2.Response(302, headers={"location": "http://169.254.169.254/keys"}),
    "html": httpx2.Response(200, text="<html>login</html>"),
    "not a set": httpx2.Response(200, json=["one"]),
    "without keys": httpx2.Response(200, json={"keys": "none"}),
    "huge": httpx2.Response(200, content=b'{"keys": []}' + b" " * keys.LARGEST),
    "deep": httpx2.Response(200, content=b"[" * 100_000),
    "packed": httpx2.Response(200, content=b"\x1f\x8b\x08\x00", headers={"content-encoding": "gzip"}),
}


@pytest.mark.parametrize("case", DOWN)
async def test_old_keys_are_kept_while_the_issuer_is_down(case: str) -> None:
    issuer = Issuer()
    known = issuer.key_set()
    assert await known.find("one", "ES256")

    issuer.instead = DOWN[case]
    issuer.now += keys.FRESH_SECONDS + 1
    assert await known.find("one", "ES256")
    with pytest.raises(KeysUnavailable):
        await known.find("two", "ES256")
    assert issuer.asked == 2

    issuer.instead = None
    issuer.keys.append(jwk(other_ec_key(), "two"))
    issuer.now += keys.PAUSE_SECONDS
    assert await known.find("two", "ES256")


async def test_old_keys_do_not_count_for_ever() -> None:
    issuer = Issuer()
    known = issuer.key_set()
    assert await known.find("one", "ES256")

    issuer.instead = httpx2.Response(500)
    issuer.now += keys.LONGEST_SECONDS + 1

    with pytest.raises(KeysUnavailable):
        await known.find("one", "ES256")


@pytest.mark.parametrize("case", DOWN)
async def test_without_any_key_callers_are_asked_to_come_again(case: str, tmp_path: Any) -> None:
    issuer = Issuer(instead=DOWN[case])
    async with desk(tmp_path, COMPANY, issuer=issuer) as served, served.http(token()) as http:
        first = await http.post(URL, **REQUESTS["auto"]("tools/list"))
        issuer.instead = None
        issuer.now += keys.FIRST_PAUSE_SECONDS
        second = await http.post(URL, **REQUESTS["auto"]("tools/list"))

    assert (first.status_code, first.headers["retry-after"]) == (503, "5")
    assert second.status_code == 200


async def test_an_issuer_that_answers_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "FETCH_SECONDS", 0.01)

    async def never(_: httpx2.Request) -> httpx2.Response:
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(KeysUnavailable):
        await KeySet(JWKS_URL, transport=httpx2.MockTransport(never)).find("one", "ES256")


async def test_a_caller_that_leaves_does_not_stop_the_fetch_that_others_wait_for() -> None:
    asked, go_on = anyio.Event(), anyio.Event()

    async def slowly(_: httpx2.Request) -> httpx2.Response:
        asked.set()
        await go_on.wait()
        return unread(httpx2.Response(200, json={"keys": [jwk(ec_key(), "one")]}))

    known = KeySet(JWKS_URL, transport=httpx2.MockTransport(slowly))
    async with anyio.create_task_group() as tasks:
        leaves = anyio.CancelScope()

        async def first() -> None:
            with leaves:
                await known.find("one", "ES256")

        tasks.start_soon(first)
        await asked.wait()
        leaves.cancel()
        await checkpoint()
        go_on.set()

    assert await known.find("one", "ES256")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (jwk(rsa_key(), "one"), "ES256"),
        (jwk(ec_key(), "one"), "ES384"),
        (jwk(ec_key(), "one"), "RS256"),
        (jwk(ec_key(), "one", use="enc"), "ES256"),
        (jwk(rsa_key(), "one", alg="RS512"), "RS256"),
        ({"kty": "oct", "kid": "one", "k": "c2VjcmV0"}, "RS256"),
        ({"kty": "EC", "crv": "P-256", "kid": "one", "x": "AA", "y": "AA"}, "ES256"),
        ({"kty": "RSA", "kid": "one"}, "RS256"),
        ({"kid": "one"}, "ES256"),
    ],
)
async def test_a_key_is_used_for_nothing_else(key: dict[str, Any], algorithm: str) -> None:
    assert await Issuer(keys=[key]).key_set().find("one", algorithm) is None


async def test_of_two_keys_with_one_name_the_fitting_one_is_taken() -> None:
    known = Issuer(keys=[jwk(rsa_key(), "one"), jwk(ec_key(), "one")]).key_set()

    assert {a: getattr(await known.find("one", a), "key_type", None) for a in ("RS256", "ES256")} == {
        "RS256": "RSA",
        "ES256": "EC",
    }
