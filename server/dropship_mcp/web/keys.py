"""The issuer's public keys: fetched seldom, kept when fetching fails, never trusted to be small or quick."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import anyio
import httpx2
import jwt

from dropship_mcp.http_settings import ALGORITHMS

log = logging.getLogger(__name__)

FETCH_SECONDS = 5.0
LARGEST = 256 * 1024
FRESH_SECONDS = 3600.0
"""After so long the keys are fetched again, so that a withdrawn one is noticed."""

LONGEST_SECONDS = 24 * 3600.0
"""So long the keys count while fetching fails."""

PAUSE_SECONDS = 30.0
"""Between two fetches, however many tokens name keys that nobody knows."""

FIRST_PAUSE_SECONDS = 5.0
"""The same while there are no keys at all."""


class NoKeys(Exception):
    """The issuer's keys could not be fetched; says why in words."""


class KeysUnavailable(Exception):
    """The key is not known and the issuer cannot be asked now.

    Attributes:
        wait: seconds until it can be.
    """

    def __init__(self, why: str, wait: float) -> None:
        super().__init__(why)
        self.wait = max(1, math.ceil(wait))


class KeySet:
    """The keys at one address.

    Args:
        url: where they are.
        transport: how it is reached, for tests.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        url: str,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._transport = transport
        self._clock = clock
        self._lock = anyio.Lock()
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._made: dict[tuple[str, str], jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._next = clock()
        self._failed = False
        self._asked = 0

    async def find(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        """The key of that name for that algorithm; None if the issuer has none.

        Raises:
            KeysUnavailable: the issuer may have it, and cannot be asked.
        """
        asked = self._asked
        key = self._find(kid, algorithm)
        if key is None or (self._age() > FRESH_SECONDS and not self._lock.locked()):
            async with self._lock:
                key = self._find(kid, algorithm)  # whoever held the lock may have fetched it
                if (key is None or self._age() > FRESH_SECONDS) and self._clock() >= self._next:
                    await self._fetch()
                    key = self._find(kid, algorithm)
        if key is None and self._failed:
            raise KeysUnavailable("the issuer's keys cannot be fetched", self._next - self._clock())
        if asked == self._asked and not any(known.get("kid") == kid for known in self._keys):
            raise KeysUnavailable("the issuer was asked for its keys a moment ago", self._next - self._clock())
        return key

    async def look(self, algorithms: Iterable[str]) -> None:
        """Whether the issuer has a key for one of the algorithms now.

        Raises:
            NoKeys: it has none, or does not say.
        """
        keys = await self._ask()
        if not any(_fits(key, algorithm) for key in keys for algorithm in algorithms):
            raise NoKeys("there is no key for DROPSHIP_AUTH_ALGORITHMS")

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _find(self, kid: str, algorithm: str) -> jwt.PyJWK | None:
        if self._age() > LONGEST_SECONDS:
            return None
        if made := self._made.get((kid, algorithm)):
            return made
        fitting = (key for key in self._keys if key.get("kid") == kid and _fits(key, algorithm))
        for key in fitting:
            try:
                self._made[kid, algorithm] = jwt.PyJWK(dict(key), algorithm)
                return self._made[kid, algorithm]
            except jwt.PyJWTError as error:
                log.warning("a key of the issuer cannot be used: %s", type(error).__name__)
        return None

    async def _fetch(self) -> None:
        self._asked += 1
        try:
            # whoever asked may leave, and others wait for the same answer
            with anyio.CancelScope(shield=True):
                self._keys = await self._ask()
        except NoKeys as error:
            log.warning("the issuer's keys could not be fetched: %s", error)
            self._failed = True
        else:
            self._made.clear()
            self._failed = False
            self._fetched = self._clock()
        self._next = self._clock() + (FIRST_PAUSE_SECONDS if self._fetched is None else PAUSE_SECONDS)

    async def _ask(self) -> Sequence[Mapping[str, Any]]:
        try:
            with anyio.fail_after(FETCH_SECONDS):
                return _read(await self._download())
        except TimeoutError as error:
            raise NoKeys("no answer came in time") from error
        except httpx2.HTTPError as error:
            raise NoKeys(f"no answer came ({type(error).__name__})") from error
        except (ValueError, RecursionError) as error:
            raise NoKeys("what was answered is no set of keys (JWKS)") from error

    async def _download(self) -> bytes:
        options: dict[str, Any] = {} if self._transport is None else {"transport": self._transport}
        headers = {"accept": "application/json", "accept-encoding": "identity"}  # what unpacks has no known size
        async with (
            httpx2.AsyncClient(follow_redirects=False, timeout=FETCH_SECONDS, **options) as client,
            client.stream("GET", self._url, headers=headers) as response,
        ):
            if response.status_code != 200:
                raise NoKeys(f"the answer was status {response.status_code}")
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > LARGEST:
                    raise ValueError("too large")
            return body


def _read(body: bytes) -> Sequence[Mapping[str, Any]]:
    found: Any = json.loads(body)
    keys: Any = cast("dict[str, Any]", found).get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list):
        raise ValueError("no key set")
    return [cast("dict[str, Any]", key) for key in cast("list[Any]", keys) if isinstance(key, dict)]


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """A key is used for nothing but what it is for, whatever a token says."""
    kind, curves = ALGORITHMS[algorithm]
    return (
        key.get("kty") == kind
        and (not curves or key.get("crv") in curves)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )
