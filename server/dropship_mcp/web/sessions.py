"""Who is signed in to the approvals page.

A session stands whole and sealed in the person's cookie: servers that share a ledger all read it, and none keeps it. It
holds who the person is and never the token that said so.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from dropship_mcp.caller import Caller
from dropship_mcp.web.tokens import Tokens

LONGEST_SECONDS = 8 * 3600
"""A session ends with its token, and after a working day."""

MOST_FAILURES = 30
"""Refused tokens from one address within `WINDOW_SECONDS`; then it has to wait."""

WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 1024


@dataclass(frozen=True)
class Session:
    """A person at the page.

    Attributes:
        caller: who it is.
        id: random, for each time somebody signs in; empty for whoever comes with a token in each request.
    """

    caller: Caller
    id: str = ""

    def form(self, key: bytes, *about: str) -> str:
        """What a form of this person's brings back, so that no page elsewhere can send one in their name."""
        caller = self.caller
        text = json.dumps([self.id, caller.issuer, caller.subject, caller.tenant, *about])
        return hmac.new(key, f"form\0{text}".encode(), hashlib.sha256).hexdigest()

    def sent(self, given: str, key: bytes, *about: str) -> bool:
        """Whether a form brought that back."""
        return hmac.compare_digest(given.encode(), self.form(key, *about).encode())


class Sessions:
    """Seals sessions and opens them again.

    Args:
        tokens: whose tokens are accepted.
        clock: seconds since 1970.
    """

    def __init__(self, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self._tokens = tokens
        self._clock = clock

    def begin(self, caller: Caller, key: bytes) -> tuple[str, int]:
        """A session for somebody whose token was verified: what to put into the cookie, and for how many seconds."""
        now = self._clock()
        until = min(now + LONGEST_SECONDS, float(caller.claims.get("exp", now + LONGEST_SECONDS)))
        facts = {
            "id": secrets.token_hex(16),
            "subject": caller.subject,
            "issuer": caller.issuer,
            "tenant": caller.tenant,
            "scopes": sorted(caller.scopes),
            "until": until,
            "standing": self._tokens.standing(caller),
        }
        sealed = _cipher(key).encrypt(json.dumps(facts).encode()).decode()
        return sealed.rstrip("="), max(0, int(until - now))  # cookies may not hold the filling

    def read(self, sealed: str, tenant: str | None, key: bytes) -> Session | None:
        """The session, if it is one of this tenant's and still good."""
        try:
            facts: dict[str, Any] = json.loads(_cipher(key).decrypt(sealed.encode() + b"=" * (-len(sealed) % 4)))
        except (InvalidToken, ValueError):
            return None
        caller = Caller(facts["subject"], facts["issuer"], scopes=frozenset(facts["scopes"]), tenant=facts["tenant"])
        good = caller.tenant == tenant and self._clock() < facts["until"]
        return Session(caller, facts["id"]) if good and facts["standing"] == self._tokens.standing(caller) else None


def _cipher(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


class Failures:
    """Counts refused tokens by address, so that nobody tries them without end. It forgets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def wait(self, address: str) -> int:
        """Seconds until the address may try again."""
        times = self._times.get(address, deque[float]())
        while times and times[0] <= self._clock() - WINDOW_SECONDS:
            times.popleft()
        return int(times[0] + WINDOW_SECONDS - self._clock()) + 1 if len(times) >= MOST_FAILURES else 0

    def add(self, address: str) -> None:
        """One more."""
        times = self._times.pop(address, deque[float]())
        while len(self._times) >= MOST_ADDRESSES:
            del self._times[next(iter(self._times))]
        self._times[address] = times
        times.append(self._clock())
