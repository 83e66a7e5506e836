"""Several servers with one Duoplane login: together they keep to its leaky bucket, and alone when they must."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import pytest

from dropship_mcp.accounts import Accounts
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from dropship_tools.duoplane.budget import APART, SIZE, Quota, SharedBudget
from dropship_tools.errors import LedgerUnavailable, RateLimited
from dropship_tools.provider import Account, SharedBucket
from dropship_tools.secret import Secret

pytestmark = pytest.mark.anyio


@dataclass
class Bucket:
    """A bucket on a clock that stands still until somebody waits."""

    now: float = 0.0
    empty_at: float = 0.0
    broken: bool = False
    waits: list[float] = field(default_factory=list[float])

    async def pour(self, seconds: float, most: float) -> float:
        held = await self._held() + seconds
        if held <= most:
            self.empty_at = self.now + held
        return held

    async def fill(self, seconds: float) -> None:
        self.empty_at = self.now + max(seconds, await self._held())

    async def _held(self) -> float:
        if self.broken:
            raise LedgerUnavailable("the ledger cannot be used: a test broke it", fix="")
        return max(0.0, self.empty_at - self.now)

    async def wait(self, seconds: float) -> None:
        self.waits.append(round(seconds, 3))
        self.now += seconds

    def budget(self) -> SharedBudget:
        """One server's."""
        return SharedBudget(self, clock=lambda: self.now, sleep=self.wait)


async def test_servers_take_from_one_bucket() -> None:
    bucket = Bucket()
    servers = [bucket.budget() for _ in range(3)]
    for number in range(SIZE):
        await servers[number % 3].take()
    assert bucket.waits == []
    await servers[0].take()
    await servers[1].take()
    assert bucket.waits == [0.5, 0.5]


async def test_what_one_server_is_told_holds_for_all() -> None:
    bucket = Bucket()
    one, other = bucket.budget(), bucket.budget()
    await one.heed(Quota(remaining=0))
    await other.take()
    assert bucket.waits == [0.5]
    await one.heed(Quota(wait=4.5))
    await other.take()
    await other.take()
    assert bucket.waits == [0.5, 4.5, 0.5]
    await one.heed(Quota(wait=30))
    with pytest.raises(RateLimited) as limited:
        await other.take()
    assert (limited.value.retry_after, limited.value.sent) == (30, "no")


async def test_an_answer_that_tells_of_room_makes_none() -> None:
    bucket = Bucket()
    budget = bucket.budget()
    for _ in range(SIZE):
        await budget.take()
    await budget.heed(Quota(remaining=SIZE))
    await budget.take()
    assert bucket.waits == [0.5]


async def test_a_line_that_is_too_long_turns_later_calls_away() -> None:
    bucket = Bucket()
    budget = bucket.budget()
    await bucket.fill(SIZE / 2)
    ends = list[str]()

    async def call() -> None:
        try:
            await budget.take()
            ends.append("took")
        except RateLimited:
            ends.append("limited")

    async with anyio.create_task_group() as tasks:
        for _ in range(13):
            tasks.start_soon(call)
    assert ends == ["took"] * 10 + ["limited"] * 3


async def test_without_the_bucket_a_server_counts_alone_and_asks_again_later() -> None:
    bucket = Bucket(broken=True)
    budget = bucket.budget()
    for _ in range(SIZE + 1):
        await budget.take()
    assert bucket.waits == [0.5]
    await budget.heed(Quota(wait=5.5))
    with pytest.raises(RateLimited):
        await budget.take()
    bucket.broken = False
    bucket.now += APART
    await budget.take()
    assert bucket.empty_at == bucket.now + 0.5


def test_only_live_accounts_share_and_each_login_has_a_bucket_of_its_own() -> None:
    duoplane = next(provider for provider in PROVIDERS if provider.name == "duoplane")
    named = list[str]()

    def find(name: str) -> SharedBucket:
        named.append(name)
        return Bucket()

    logins = [{"api_key": Secret(key), "password": Secret("p")} for key in ("k-1", "k-2", "k-1")]
    hosts = ("https://App.example", "https://App.example", "https://app.example")
    accounts = tuple(Account("duoplane", f"a{n}", *of) for n, of in enumerate(zip(hosts, logins, strict=True)))
    live = Accounts(Settings(mode="live", accounts=accounts), bucket=find)
    assert [connection.account.bucket is None for connection in live.of(duoplane)] == [False] * 3
    first, second, first_again = named
    assert first == first_again != second
    assert "k-1" not in first  # what holds it may be seen in crash reports
    assert Accounts(Settings(), bucket=find).of(duoplane)[0].account.bucket is None
    assert len(named) == 3
