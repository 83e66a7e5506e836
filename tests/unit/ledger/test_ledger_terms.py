"""Limits and a person's agreement in the ledger itself, wherever it is kept: exact though many claim at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import anyio
import pytest

from dropship_mcp.ledger import Content, Decided, Ledger, OrderKey, Terms, Withheld
from dropship_mcp.policy import Before, Limits, OrderFacts, Policy
from unit.ledger.ledgers import CONTENT, FACTS, KEY, Ledgers
from unit.sandbox.worlds import NOON, Clock

pytestmark = pytest.mark.anyio

HALF_AN_HOUR = timedelta(minutes=30)


def terms(policy: Policy, total: str | None = None) -> Terms:
    """An order under a policy."""
    order = OrderFacts("dipli", "sandbox", "FR", 1, total=Decimal(total) if total else None)
    return Terms(policy, order, lambda verdict: f"Jane Doe: {verdict.text()}")


ASKING = terms(Policy(orders="ask", approval_minutes=30))
TWO_A_DAY = terms(Policy(deny=Limits(orders_per_day=2)))


def order(number: int) -> OrderKey:
    """One of many orders."""
    return replace(KEY, reference=f"R-{number}")


async def end(ledger: Ledger, key: OrderKey, content: Content, terms: Terms) -> str:
    """How a claim ended."""
    try:
        return "won" if (await ledger.claim(key, content, terms)).won else "lost"
    except Withheld as withheld:
        return withheld.verdict.decision


async def ends(ledgers: Ledgers, keys: list[OrderKey], terms: Terms) -> list[str]:
    """How claims ended that four processes made at the same moment."""
    found = list[str]()
    processes = [ledgers.make() for _ in range(4)]
    content = await processes[0].hashes(CONTENT)

    async def claim(ledger: Ledger, key: OrderKey) -> None:
        found.append(await end(ledger, key, content, terms))

    async with anyio.create_task_group() as tasks:
        for number, key in enumerate(keys):
            tasks.start_soon(claim, processes[number % 4], key)
    for ledger in processes:
        await ledger.close()
    return sorted(found)


async def test_the_last_place_of_a_limit_is_taken_once(ledgers: Ledgers) -> None:
    assert await ends(ledgers, [order(n) for n in range(12)], TWO_A_DAY) == ["deny"] * 10 + ["won"] * 2


async def test_one_agreement_lets_one_order_out(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        assert await end(ledger, KEY, await ledger.hashes(CONTENT), ASKING) == "ask"
        await ledger.approvals.decide(1, agreed=True, how="by a test", good_for=HALF_AN_HOUR)
    assert await ends(ledgers, [KEY] * 4, ASKING) == ["lost"] * 3 + ["won"]
    async with ledgers.open() as ledger:
        assert [approval.state for approval in await ledger.approvals.recent()] == ["used"]
        row = await ledger.get(KEY)
        assert row is not None
        assert [change.reason for change in await ledger.changes(row)] == [
            "approved by a person: by a test (approval 1)"
        ]


async def test_many_who_ask_at_once_ask_one_question(ledgers: Ledgers) -> None:
    assert await ends(ledgers, [KEY] * 6, ASKING) == ["ask"] * 6
    async with ledgers.open() as ledger:
        [question] = await ledger.approvals.recent("sandbox", "waiting")
        assert (question.key, question.question) == (KEY, "Jane Doe: orders is ask, this order: any order")
        assert await ledger.approvals.get(question.number) == question
        assert (await ledger.approvals.recent("live"), await ledger.approvals.get(99)) == ([], None)


async def test_a_question_is_decided_once_by_whoever_comes_first(ledgers: Ledgers) -> None:
    async with ledgers.open() as one, ledgers.open() as other:
        await end(one, KEY, await one.hashes(CONTENT), ASKING)
        said = list[str]()

        async def decide(ledger: Ledger, agreed: bool) -> None:
            try:
                await ledger.approvals.decide(1, agreed=agreed, how="by a test", good_for=HALF_AN_HOUR)
                said.append("decided")
            except Decided as decided:
                said.append(str(decided.state))

        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(decide, (one, other)[number % 2], number % 2 == 0)
        [approval] = await one.approvals.recent()
        assert sorted(said) == sorted(["decided", *[approval.state] * 5])
        with pytest.raises(Decided) as nothing:
            await one.approvals.decide(99, agreed=True, how="", good_for=HALF_AN_HOUR)
        assert nothing.value.state is None


async def test_what_nobody_decides_in_time_expires_and_forgets_the_buyer(ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as ledger:
        content = await ledger.hashes(CONTENT)
        await end(ledger, KEY, content, ASKING)
        clock.move(minutes=31)
        [expired] = await ledger.approvals.recent()
        assert (expired.state, expired.question, expired.expires_at) == ("expired", "", NOON + HALF_AN_HOUR)
        with pytest.raises(Decided, match="expired"):
            await ledger.approvals.decide(expired.number, agreed=True, how="", good_for=HALF_AN_HOUR)
        assert await end(ledger, KEY, content, ASKING) == "ask"
        assert [approval.state for approval in await ledger.approvals.recent()] == ["waiting", "expired"]


async def test_a_no_holds_for_an_hour_under_any_reference(ledgers: Ledgers) -> None:
    clock = Clock()
    async with ledgers.open(clock) as ledger:
        content = await ledger.hashes(CONTENT, parcel="Jane Doe")
        await end(ledger, KEY, content, ASKING)
        await ledger.approvals.decide(1, agreed=False, how="by a test", good_for=HALF_AN_HOUR)
        with pytest.raises(Withheld) as withheld:
            await ledger.claim(order(2), content, ASKING)
        assert withheld.value.approval is not None
        assert withheld.value.approval.state == "declined"
        clock.move(minutes=61)
        assert await end(ledger, order(2), content, ASKING) == "ask"


async def test_a_no_can_be_taken_back_and_nothing_else_can(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT, parcel="Jane Doe")
        await end(ledger, KEY, content, ASKING)
        assert await ledger.approvals.reopen(1) is False
        await ledger.approvals.decide(1, agreed=False, how="by a test", good_for=HALF_AN_HOUR)
        assert await ledger.approvals.reopen(1) is True
        assert await ledger.approvals.reopen(1) is False
        assert await ledger.approvals.reopen(99) is False
        assert await end(ledger, KEY, content, ASKING) == "ask"
        assert [approval.state for approval in await ledger.approvals.recent()] == ["waiting", "expired"]


async def test_an_agreement_does_not_cover_a_rule_that_came_up_since(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        await end(ledger, KEY, content, ASKING)
        await ledger.approvals.decide(1, agreed=True, how="by a test", good_for=HALF_AN_HOUR)
        stricter = terms(Policy(orders="ask", ask=Limits(orders_per_day=0)))
        assert await end(ledger, KEY, content, stricter) == "ask"
        assert [approval.state for approval in await ledger.approvals.recent()] == ["waiting", "expired"]


async def test_a_seal_is_for_one_question(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        for number in (1, 2):
            await end(ledger, order(number), await ledger.hashes({"n": number}), ASKING)
        second, first = await ledger.approvals.recent()
        seal = await ledger.approvals.sealed(first)
        assert [await ledger.approvals.is_sealed(seal, question) for question in (first, second)] == [True, False]


async def test_what_went_out_before_is_counted_without_refused_orders_other_modes_and_this_order(
    ledgers: Ledgers,
) -> None:
    clock = Clock()
    policy = Policy(same_parcel="deny", deny=Limits(orders_per_hour=9, total_per_day=Decimal(999)))
    async with ledgers.open(clock) as ledger:
        content = await ledger.hashes(CONTENT, parcel="to Jane")
        for number, total in enumerate(("0.0001", "10.10", "20", "40")):
            other = await ledger.hashes({"n": number}, parcel="to Jane" if number == 1 else "")
            row = (await ledger.claim(order(number), other, terms(Policy(), total))).row
            if number == 2:
                await ledger.refused(row, "why")
            clock.move(minutes=20)
        await ledger.claim(replace(KEY, mode="live"), content, terms(Policy(), "80"))
        assert await ledger.before(order(3), content, policy) == Before(0, 2, Decimal("10.1001"), "R-1")
        assert await ledger.before(order(9), content, policy) == Before(1, 3, Decimal("50.1001"), "R-1")
        assert await ledger.before(order(9), content, Policy()) == Before()
        clock.move(hours=23)
        assert await ledger.before(order(9), content, policy) == Before(0, 1, Decimal(40), "")


async def test_forgetting_the_sandbox_forgets_its_questions(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        for mode in ("sandbox", "live"):
            await end(ledger, replace(KEY, mode=mode), content, ASKING)
        await ledger.forget_sandbox()
        assert [approval.key.mode for approval in await ledger.approvals.recent()] == ["live"]


async def test_an_order_that_looks_like_anothers_is_known(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT, trace="Jane, Lyon")
        row = (await ledger.claim(KEY, content)).row
        assert not await ledger.is_anothers(row, "A-1", NOON)
        twin = (await ledger.claim(order(2), content)).row
        assert not await ledger.is_anothers(row, "A-1", NOON)  # nothing left for it
        twin = await ledger.sending(twin)
        assert await ledger.is_anothers(row, "A-1", NOON)
        await ledger.placed(twin, "A-2", FACTS)
        assert [await ledger.is_anothers(row, found, NOON) for found in ("A-1", "A-2")] == [False, True]
        is_trace = await ledger.trace_test(row)
        assert (is_trace("Jane, Lyon"), is_trace("Jane, Paris")) == (True, False)


async def test_a_check_writes_and_changes_nothing(ledgers: Ledgers) -> None:
    async with ledgers.open() as ledger:
        row = (await ledger.claim(KEY, await ledger.hashes(CONTENT))).row
        await ledger.check()
        assert await ledger.recent() == [row]


async def test_scopes_know_nothing_of_each_other(ledgers: Ledgers) -> None:
    names = ["", "a", "A", "a/b", "../a", 'x"; DROP TABLE orders', "é" * 80, "é" * 79 + "e"]
    scopes = [replace(ledgers, scope=ledgers.scope + name) for name in names]
    for scope in scopes:
        async with scope.open() as ledger:
            assert (await ledger.claim(KEY, await ledger.hashes(CONTENT))).won
    for scope in scopes:
        async with scope.open() as ledger:
            assert len(await ledger.recent()) == 1
