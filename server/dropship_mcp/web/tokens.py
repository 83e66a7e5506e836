"""What a bearer token says, once it is verified."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any, cast

import jwt

from dropship_mcp.caller import SCOPES, Caller
from dropship_mcp.http_settings import AuthSettings
from dropship_mcp.web.keys import KeySet

LONGEST = 8192
"""Characters of a token."""

LEEWAY_SECONDS = 30.0
"""Clocks of issuer and server may differ by so much."""

LATEST = 2**53
"""Seconds since 1970: times after it are numbers that not every calculation can hold."""

PREFIX = "dsm_"
"""Tells secret scanners and people what a found token is."""


class Refused(Exception):
    """The token is not good. Its argument says why, without quoting it."""


def new_token() -> tuple[str, str]:
    """A token of 256 random bits, and its SHA-256 for the settings."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> str:
    """How the settings know a token. No salt and no slow hash: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Tokens:
    """Verifies tokens against the settings.

    Args:
        auth: whose tokens are accepted.
        audience: whom they must be meant for.
        keys: the issuer's; None where there is no issuer.
    """

    def __init__(self, auth: AuthSettings, audience: str, keys: KeySet | None) -> None:
        self._auth = auth
        self._audience = audience
        self._keys = keys

    async def verify(self, token: str) -> Caller:
        """Who brings the token.

        Raises:
            Refused: it is not good.
            KeysUnavailable: that cannot be told now.
        """
        if not 0 < len(token) <= LONGEST:
            raise Refused("it is empty or too long")
        given = digest(token)
        for known in self._auth.tokens:
            if hmac.compare_digest(known.sha256, given):
                return Caller(known.name, scopes=known.scopes, tenant=known.tenant)
        if self._keys is None:
            raise Refused("it is not known")
        return await self._verify_jwt(token, self._keys)

    def standing(self, caller: Caller) -> str:
        """What the settings say of a caller's token, as a hash: once that changes, nothing may go on in its name."""
        auth = self._auth
        if caller.issuer:
            facts: list[Any] = [auth.issuer, self._audience, auth.tenant_claim, sorted(auth.tenants.items())]
        else:
            own = [token for token in auth.tokens if token.name == caller.subject]
            facts = [[token.sha256, sorted(token.scopes), token.tenant] for token in own]
        return digest(repr(facts))

    async def _verify_jwt(self, token: str, keys: KeySet) -> Caller:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Refused("it is not a JSON Web Token") from error
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in self._auth.algorithms:
            raise Refused("its signature algorithm is not accepted")
        if not isinstance(kid, str):
            raise Refused("it names no key")
        key = await keys.find(kid, algorithm)
        if key is None:
            raise Refused("it is signed with an unknown key")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._auth.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, RecursionError, OverflowError) as error:
            raise Refused(_REASONS.get(type(error), "it is not valid")) from error
        if int(claims["exp"]) > LATEST:
            raise Refused("its end is not a time")
        tenant: Any = claims.get(self._auth.tenant_claim)  # of several nobody could say which one is meant
        return _caller(claims, self._auth.tenants.get(tenant) if isinstance(tenant, str) else None)


_REASONS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidAudienceError: "it is meant for another audience",
    jwt.InvalidIssuerError: "it comes from another issuer",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.MissingRequiredClaimError: "it lacks one of exp, iss, aud, sub",
}


def _caller(claims: dict[str, Any], tenant: str | None) -> Caller:
    if not claims["sub"]:
        raise Refused("it names nobody")
    words: Any = claims.get("scope", claims.get("scp", ""))  # RFC 9068; some issuers say scp, and some as a list
    listed = cast("list[object]", words) if isinstance(words, list) else str(words).split()
    return Caller(
        subject=claims["sub"],
        issuer=claims["iss"],
        client=str(claims.get("client_id") or claims.get("azp") or ""),
        scopes=frozenset(scope for scope in SCOPES if scope in listed),
        claims=claims,
        tenant=tenant,
    )
