"""Access tokens: whoever comes with anything but a good one stays outside, whatever the server's issuer is up to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from dropship_mcp.caller import Caller
from dropship_mcp.http_settings import AuthSettings
from dropship_mcp.web.tokens import Refused, Tokens, digest, new_token
from protocol.bench import Era
from web.sites import (
    COMPANY,
    ISSUER,
    JWKS_URL,
    READER,
    REQUESTS,
    TEAM,
    TOKENS,
    URL,
    Issuer,
    desk,
    ec_key,
    jwk,
    other_ec_key,
    rsa_key,
    token,
)

pytestmark = pytest.mark.anyio


def now() -> int:
    """Seconds, as tokens have them."""
    return int(time.time())


AUTH = AuthSettings(issuer=ISSUER, jwks_url=JWKS_URL)


def verifier(issuer: Issuer, auth: AuthSettings = AUTH) -> Tokens:
    return Tokens(auth, URL, issuer.key_set())


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(algorithm: str) -> str:
    """The claims of a good token under a header without a signature."""
    return f"{segment({'alg': algorithm, 'kid': 'one'})}.{token().split('.')[1]}."


def signed_with_the_public_key() -> str:
    """HS256 with what everybody can read: a server that lets the token choose would accept it."""
    public = (
        rsa_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = f"{segment({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{token().split('.')[1]}"
    signature = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def tampered() -> str:
    """Another subject under a good token's signature."""
    header, claims, signature = token().split(".")
    found = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return f"{header}.{segment({**found, 'sub': 'root'})}.{signature}"


REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "expired": (lambda: token(exp=now() - 60), "it has expired"),
    "not yet valid": (lambda: token(nbf=now() + 300), "it is not valid yet"),
    "issued in the future": (lambda: token(iat=now() + 300), "it is not valid yet"),
    "wrong audience": (lambda: token(aud="https://other.example.com/mcp"), "it is meant for another audience"),
    "audience that only begins so": (lambda: token(aud=URL + "/x"), "it is meant for another audience"),
    "wrong issuer": (lambda: token(iss="https://evil.example.com/"), "it comes from another issuer"),
    "issuer without its slash": (lambda: token(iss=ISSUER.rstrip("/")), "it comes from another issuer"),
    "no expiry": (lambda: token(exp=None), "it lacks one of exp, iss, aud, sub"),
    "no audience": (lambda: token(aud=None), "it lacks one of exp, iss, aud, sub"),
    "no subject": (lambda: token(sub=None), "it lacks one of exp, iss, aud, sub"),
    "no time at all as expiry": (lambda: token(exp=10**400), "its end is not a time"),
    "empty subject": (lambda: token(sub=""), "it names nobody"),
    "alg none": (lambda: unsigned("none"), "its signature algorithm is not accepted"),
    "alg None": (lambda: unsigned("None"), "its signature algorithm is not accepted"),
    "unsigned under a good algorithm": (lambda: unsigned("ES256"), "its signature is wrong"),
    "HS256 with the public key": (signed_with_the_public_key, "its signature algorithm is not accepted"),
    "an algorithm that is not accepted": (
        lambda: token(key=rsa_key(), kid="rsa", algorithm="PS256"),
        "its signature algorithm is not accepted",
    ),
    "a key of another kind": (
        lambda: token(key=rsa_key(), kid="one", algorithm="RS256"),
        "it is signed with an unknown key",
    ),
    "unknown key": (lambda: token(kid="two"), "it is signed with an unknown key"),
    "known name, other key": (lambda: token(key=other_ec_key()), "its signature is wrong"),
    "no key named": (lambda: token(kid=None), "it names no key"),
    "critical extension": (lambda: token(headers={"crit": ["exp"], "exp": 1}), "it is not a JSON Web Token"),
    "tampered": (tampered, "its signature is wrong"),
    "cut off": (lambda: token()[:-6], "its signature is wrong"),
    "too long": (lambda: token(filler="x" * 9000), "it is empty or too long"),
    "empty": (lambda: "", "it is empty or too long"),
    "garbage": (lambda: "garbage", "it is not a JSON Web Token"),
    "three dots": (lambda: "...", "it is not a JSON Web Token"),
    "deep header": (lambda: base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.e30", "it is not a JSON Web Token"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_token_that_is_not_good_is_refused(case: str) -> None:
    make, reason = REFUSED[case]
    issuer = Issuer(keys=[jwk(ec_key(), "one"), jwk(rsa_key(), "rsa")])

    with pytest.raises(Refused) as refused:
        await verifier(issuer).verify(make())

    assert str(refused.value) == reason


@pytest.mark.parametrize("case", ["expired", "wrong audience", "alg none", "unknown key", "garbage"])
async def test_whoever_is_refused_learns_why_and_where_to_get_a_token(tmp_path: Path, era: Era, case: str) -> None:
    make, reason = REFUSED[case]
    async with desk(tmp_path, COMPANY) as served, served.http(make()) as http:
        answer = await http.post(URL, **REQUESTS[era]("tools/list"))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        f'Bearer error="invalid_token", error_description="the token was refused: {reason}", scope="orders:read", '
        'resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource/mcp"'
    )


@given(text=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@pytest.mark.parametrize("parts", [1, 3])
def test_garbage_of_any_kind_is_refused(text: str, parts: int) -> None:
    import anyio

    async def verify() -> None:
        with pytest.raises(Refused):
            await verifier(Issuer()).verify(".".join([text] * parts))

    anyio.run(verify)


async def test_a_good_token_says_who_calls() -> None:
    caller = await verifier(Issuer()).verify(token(email="a@example.com"))

    assert caller == Caller(
        subject="user-7",
        issuer=ISSUER,
        client="agent",
        scopes=frozenset({"orders:read", "orders:write"}),
        claims=caller.claims,
    )
    assert caller.claims["email"] == "a@example.com"
    assert "a@example.com" not in repr(caller)


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "orders:read"}, {"orders:read"}),
        ({"scope": None, "scp": ["orders:approve", "else"]}, {"orders:approve"}),
        ({"scope": None, "scp": "orders:write orders:read"}, {"orders:read", "orders:write"}),
        ({"scope": None}, set[str]()),
        ({"scope": "orders:readwrite ORDERS:READ orders:read,orders:write"}, set[str]()),
        ({"scope": {"orders:read": True}}, set[str]()),
    ],
)
async def test_scopes_are_whole_words(claims: dict[str, Any], scopes: set[str]) -> None:
    assert (await verifier(Issuer()).verify(token(**claims))).scopes == scopes


async def test_clocks_may_differ_a_little_and_audiences_may_be_several() -> None:
    now = int(time.time())
    good = token(exp=now - 5, nbf=now + 5, aud=["https://other.example.com", URL])

    assert (await verifier(Issuer()).verify(good)).subject == "user-7"


async def test_other_algorithms_are_accepted_where_the_operator_says_so() -> None:
    issuer = Issuer(keys=[jwk(rsa_key(), "rsa", alg="PS256")])
    auth = AuthSettings(issuer=ISSUER, jwks_url=JWKS_URL, algorithms=("PS256", "RS256"))

    assert await verifier(issuer, auth).verify(token(key=rsa_key(), kid="rsa", algorithm="PS256"))
    with pytest.raises(Refused, match="unknown key"):  # the issuer says what the key is for
        await verifier(issuer, auth).verify(token(key=rsa_key(), kid="rsa", algorithm="RS256"))


async def test_a_teams_tokens_are_known_by_their_hash(tmp_path: Path, era: Era) -> None:
    async with desk(tmp_path, TEAM) as served:
        async with served.http(READER) as http:
            known = await http.post(URL, **REQUESTS[era]("tools/list"))
        async with served.http(digest(READER)) as http:
            its_hash = await http.post(URL, **REQUESTS[era]("tools/list"))
        async with served.http() as http:
            nothing = await http.post(URL, **REQUESTS[era]("tools/list"))

    assert known.status_code == 200
    assert its_hash.headers["www-authenticate"] == (
        'Bearer error="invalid_token", error_description="the token was refused: it is not known", scope="orders:read"'
    )
    assert nothing.headers["www-authenticate"] == 'Bearer scope="orders:read"'


async def test_a_new_token_is_long_and_its_hash_lets_it_in() -> None:
    made, sha256 = new_token()
    auth = AuthSettings(tokens=(type(TOKENS[0])("bob", sha256, frozenset({"orders:read"})),))

    assert len(made) == 47
    assert made != new_token()[0]
    assert await Tokens(auth, URL, None).verify(made) == Caller("bob", scopes=frozenset({"orders:read"}))


async def test_a_team_and_an_issuer_may_be_used_together() -> None:
    both = verifier(Issuer(), AuthSettings(issuer=ISSUER, jwks_url=JWKS_URL, tokens=TOKENS))

    assert [(await both.verify(t)).subject for t in (READER, token())] == ["reader", "user-7"]


@pytest.mark.parametrize("bearer", ["", READER])
async def test_a_token_in_the_address_is_refused_even_beside_a_good_one(tmp_path: Path, bearer: str) -> None:
    async with desk(tmp_path, TEAM) as served, served.http(bearer) as http:
        answer = await http.post(f"{URL}?access_token={READER}", **REQUESTS["auto"]("tools/list"))

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert READER not in answer.text


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", f"Basic {READER}", READER, f"Bearer{READER}", f"Bearer {READER} x"]
)
async def test_only_a_bearer_token_in_its_header_counts(tmp_path: Path, value: str) -> None:
    async with desk(tmp_path, TEAM) as served, served.http(authorization=value) as http:
        assert (await http.post(URL, **REQUESTS["auto"]("tools/list"))).status_code == 401


async def test_two_authorization_headers_are_refused(tmp_path: Path) -> None:
    call = REQUESTS["auto"]("tools/list")
    twice = [*call["headers"].items(), ("authorization", f"Bearer {READER}"), ("authorization", "Bearer x")]
    async with desk(tmp_path, TEAM) as served, served.http() as http:
        answer: httpx2.Response = await http.post(URL, json=call["json"], headers=twice)

    assert answer.status_code == 400
