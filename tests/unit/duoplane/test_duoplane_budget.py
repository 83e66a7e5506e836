"""The leaky bucket: 40 requests, 2 more per second; one of them is kept in reserve, and who must wait does so in line."""

from __future__ import annotations

import anyio
import pytest

from dropship_tools.duoplane.budget import SIZE, Quota, RequestBudget, quota
from dropship_tools.errors import RateLimited
from dropship_tools.wire import Answer

pytestmark = pytest.mark.anyio


class Clock:
    """Moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = 50.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def budget(self) -> RequestBudget:
        return RequestBudget(clock=lambda: self.now, sleep=self.sleep)


async def drain(budget: RequestBudget, requests: int = SIZE) -> None:
    for _ in range(requests):
        await budget.take()


async def test_all_but_one_of_forty_requests_leave_at_once_and_the_next_wait_half_a_second_each() -> None:
    clock = Clock()
    budget = clock.budget()
    await drain(budget, 39)
    assert clock.waits == []
    await drain(budget, 3)
    assert clock.waits == [0.5, 0.5, 0.5]


async def test_the_bucket_fills_again_but_never_above_its_size() -> None:
    clock = Clock()
    budget = clock.budget()
    await drain(budget)
    clock.now += 3600
    await drain(budget)
    assert clock.waits == []
    await budget.take()
    assert clock.waits == [0.5]


async def test_an_answer_corrects_the_budget_downward_only() -> None:
    clock = Clock()
    budget = clock.budget()
    clock.now += 100
    await budget.heed(Quota(remaining=1))
    await budget.heed(Quota(remaining=39))
    await drain(budget, 2)
    assert clock.waits == [0.5]


async def test_a_long_wait_is_reported_and_not_waited_out() -> None:
    clock = Clock()
    budget = clock.budget()
    await budget.heed(Quota(wait=5.5))
    with pytest.raises(RateLimited, match="Duoplane asks to slow down") as failure:
        await budget.take()
    assert (failure.value.retry_after, failure.value.sent, clock.waits) == (5.5, "no", [])
    assert failure.value.fix.startswith("Wait 6 s")


async def test_after_a_wait_only_one_request_is_there() -> None:
    clock = Clock()
    budget = clock.budget()
    await budget.heed(Quota(wait=4.5))
    await drain(budget, 2)
    assert clock.waits == [4.5, 0.5]


async def in_order(clock: Clock, budget: RequestBudget, calls: int) -> list[tuple[int, float]]:
    """Which call took a request when, of some that came at once."""
    took: list[tuple[int, float]] = []

    async def call(number: int) -> None:
        await budget.take()
        took.append((number, clock.now))

    async with anyio.create_task_group() as tasks:
        for number in range(calls):
            tasks.start_soon(call, number)
    return took


async def test_calls_that_come_together_leave_one_after_the_other_in_the_order_they_came() -> None:
    clock = Clock()
    budget = clock.budget()
    await drain(budget)
    assert await in_order(clock, budget, 3) == [(0, 50.5), (1, 51.0), (2, 51.5)]


async def test_calls_that_were_told_to_wait_do_not_burst_afterwards() -> None:
    clock = Clock()
    budget = clock.budget()
    await drain(budget)
    await budget.heed(Quota(remaining=0, wait=2))
    assert [when for _, when in await in_order(clock, budget, 3)] == [52.5, 53.0, 53.5]


async def test_a_line_that_is_too_long_turns_later_calls_away_with_the_time() -> None:
    clock = Clock()
    budget = clock.budget()
    await drain(budget)
    told: list[float | None] = []

    async def call() -> None:
        try:
            await budget.take()
        except RateLimited as limited:
            told.append(limited.retry_after)

    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(call)
    assert (told, len(clock.waits)) == ([5.5, 5.5], 10)


async def test_a_call_that_is_given_up_leaves_the_line_and_takes_nothing() -> None:
    clock = Clock()
    asleep = anyio.Event()

    async def never(seconds: float) -> None:
        asleep.set()
        await anyio.sleep_forever()

    budget = RequestBudget(clock=lambda: clock.now, sleep=never)
    await drain(budget)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(budget.take)
        await asleep.wait()
        tasks.cancel_scope.cancel()
    clock.now += 0.5
    await budget.take()


async def test_a_429_to_one_call_holds_back_another_that_waits_already() -> None:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds
        await budget.heed(Quota(wait=30))

    budget = RequestBudget(clock=lambda: clock.now, sleep=sleep)
    await drain(budget)
    with pytest.raises(RateLimited) as failure:
        await budget.take()
    assert failure.value.retry_after == 30


def test_the_quota_is_read_from_the_envelope_or_from_the_headers() -> None:
    plain = Answer(200, {}, b"")
    headed = Answer(200, {"duoplane-requests-left": "7", "duoplane-retry-after-seconds": "0"}, b"")
    assert quota(plain, {"metadata": {"requests_remaining": 3, "retry_after_seconds": 0}}) == Quota(3)
    assert quota(plain, {"meta": {"requests_remaining": 3, "retry_after_seconds": 2}}) == Quota(3, 2.5)
    assert quota(headed, []) == Quota(7)
    assert quota(plain, None) == Quota()
    assert quota(plain, {"metadata": {"requests_remaining": [], "retry_after_seconds": -1}}) == Quota()
