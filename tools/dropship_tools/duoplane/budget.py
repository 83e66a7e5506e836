"""Duoplane's leaky bucket, kept on our side too: 40 requests, 2 more per second (sheet section 3).

Requests sent while limited make the required wait longer, so none is sent that would be refused: a short wait is
waited out here, in line, a longer one is reported. Both APIs are assumed to share one bucket.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import anyio

from dropship_tools.errors import LedgerUnavailable, RateLimited
from dropship_tools.provider import SharedBucket
from dropship_tools.wire import Answer

SIZE = 39
"""Requests sent at once: one less than the bucket holds, as its clients do, for requests overtake each other."""

PER_SECOND = 2
LONGEST_WAIT = 5.0
"""Seconds a call waits by itself: the whole of it has 45 s."""

SPARE = 0.5
"""Seconds added to what Duoplane asks for, as its clients do."""

UNTOLD = 40 / PER_SECOND
"""Seconds to wait when a 429 names no time: a full bucket is empty by then."""

LONGEST_TOLD = 3600.0

APART = 30.0
"""Seconds for which a shared bucket that could not be reached is left alone."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Quota:
    """What an answer says about the bucket: requests left, if told, and seconds in which nothing may be sent."""

    remaining: int | None = None
    wait: float = 0


def quota(answer: Answer, body: Any) -> Quota:
    """The quota told in `metadata` (or `meta`) of the new API, or in the headers of the old one."""
    facts = metadata(body)
    remaining = _number(facts.get("requests_remaining", answer.headers.get("duoplane-requests-left")))
    told = _number(facts.get("retry_after_seconds", answer.headers.get("duoplane-retry-after-seconds")))
    if answer.status == 429:
        told = answer.retry_after if told is None else told
        wait = (UNTOLD if told is None else told) + SPARE
    else:
        wait = told + SPARE if told else 0
    return Quota(None if remaining is None else int(remaining), min(wait, LONGEST_TOLD))


def metadata(body: Any) -> Mapping[str, Any]:
    """`metadata` of an envelope, which one documentation page calls `meta`; empty if there is none."""
    if isinstance(body, Mapping):
        for name in ("metadata", "meta"):
            facts = cast("Mapping[str, Any]", body).get(name)
            if isinstance(facts, Mapping):
                return cast("Mapping[str, Any]", facts)
    return {}


_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")


def _number(value: Any) -> float | None:
    text = str(value)[:20]
    return float(text) if _NUMBER.fullmatch(text) else None


def slow_down(seconds: float, said: str = "") -> RateLimited:
    """The error for a wait that is too long to be waited out."""
    return RateLimited(
        "Duoplane asks to slow down",
        fix=f"Wait {math.ceil(seconds)} s, then make the same call again; calls before that make the wait longer.",
        provider_said=said,
        retry_after=seconds,
    )


class Budget(Protocol):
    """How many requests may be sent now, for one account."""

    async def take(self) -> None:
        """Take one request, after a short wait if need be.

        Raises:
            RateLimited: the wait would be longer than `LONGEST_WAIT`.
        """
        ...

    async def heed(self, told: Quota) -> None:
        """Correct the budget downward by what an answer told."""
        ...


class RequestBudget:
    """How many requests may be sent now, for one account. Calls that must wait do so in line, first come first served.

    Args:
        clock: monotonic seconds.
        sleep: how to wait.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._tokens = float(SIZE)
        self._at = clock()  # when there were so many tokens; in the future while nothing may be sent
        self._line = anyio.Lock()  # hands over in the order of asking
        self._in_line = 0

    async def take(self) -> None:
        """Take one request, after a short wait if need be.

        Raises:
            RateLimited: the wait would be longer than `LONGEST_WAIT`.
        """
        _check(self._wait(self._in_line))
        self._in_line += 1
        try:
            async with self._line:
                while wait := self._wait():
                    _check(wait)  # an answer to another call may have asked for a longer one meanwhile
                    await self._sleep(wait)
                self._tokens -= 1
        finally:
            self._in_line -= 1

    async def heed(self, told: Quota) -> None:
        """Correct the budget downward by what an answer told."""
        self._wait()
        if told.remaining is not None:
            self._tokens = min(self._tokens, told.remaining)
        if told.wait:
            self._at = max(self._at, self._clock() + told.wait)
            self._tokens = min(self._tokens, 1)

    def _wait(self, ahead: int = 0) -> float:
        """Bring the tokens up to date; seconds, to the millisecond, until there is one behind so many that go first."""
        now = self._clock()
        if now > self._at:
            self._tokens = min(SIZE, self._tokens + (now - self._at) * PER_SECOND)
            self._at = now
        return round(self._at - now + max(0.0, 1 + ahead - self._tokens) / PER_SECOND, 3)


class SharedBudget:
    """How many requests may be sent now, for one account that several servers share.

    While the bucket cannot be reached, each server counts alone.
    """

    def __init__(
        self,
        bucket: SharedBucket,
        *,
        alone: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
    ) -> None:
        self._bucket = bucket
        self._alone = alone or RequestBudget(clock=clock, sleep=sleep)
        self._clock = clock
        self._sleep = sleep
        self._alone_until = clock()
        self._line = anyio.Lock()  # hands over in the order of asking

    async def take(self) -> None:
        """Take one request, after a short wait if need be.

        Raises:
            RateLimited: the wait would be longer than `LONGEST_WAIT`.
        """
        full = SIZE / PER_SECOND
        give_up_at = self._clock() + LONGEST_WAIT
        async with self._line:
            while True:
                held = await self._ask(lambda: self._bucket.pour(1 / PER_SECOND, full))
                if held is None:
                    return await self._alone.take()
                wait = held - full
                if wait <= 0:
                    return None
                if self._clock() + wait > give_up_at:
                    raise slow_down(wait)
                await self._sleep(wait)

    async def heed(self, told: Quota) -> None:
        """Correct the budget downward by what an answer told."""
        await self._alone.heed(told)
        held = 0.0
        if told.remaining is not None:
            held = max(0, SIZE - told.remaining) / PER_SECOND
        if told.wait:
            held = max(held, told.wait + (SIZE - 1) / PER_SECOND)  # one request then
        if held:
            await self._ask(lambda: self._bucket.fill(held))

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """The bucket's answer; None while it cannot be reached."""
        if self._clock() < self._alone_until:
            return None
        try:
            return await question()
        except LedgerUnavailable:
            self._alone_until = self._clock() + APART
            return None


def _check(wait: float) -> None:
    if wait > LONGEST_WAIT:
        raise slow_down(wait)
