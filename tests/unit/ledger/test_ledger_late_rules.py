"""Rules that come up after a person agreed, and totals beyond all measure, wherever the ledger is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dropship_mcp.ledger import Withheld
from dropship_mcp.policy import Limits, Policy
from unit.ledger.ledgers import CONTENT, KEY, Ledgers
from unit.ledger.test_ledger_terms import end, order, terms

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("agreed", [True, False], ids=["after the yes", "while it waits"])
async def test_a_person_is_asked_anew_when_another_rule_asks(ledgers: Ledgers, agreed: bool) -> None:
    plain, busy = Policy(orders="ask"), Policy(orders="ask", ask=Limits(quantity_per_line=0))
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        assert await end(ledger, KEY, content, terms(plain)) == "ask"
        if agreed:
            await ledger.approvals.decide(1, agreed=True, how="by a test", good_for=timedelta(minutes=30))
        with pytest.raises(Withheld) as withheld:
            await ledger.claim(KEY, content, terms(busy))
        assert withheld.value.approval is not None
        assert withheld.value.approval.number == 2
        assert "quantity_per_line" in withheld.value.approval.question
        await ledger.approvals.decide(2, agreed=True, how="by a test", good_for=timedelta(minutes=30))
        assert await end(ledger, KEY, content, terms(plain)) == "won"  # whoever was told more knows enough
        assert [a.state for a in reversed(await ledger.approvals.recent())] == ["expired", "used"]


async def test_totals_beyond_all_measure_do_not_spoil_the_count(ledgers: Ledgers) -> None:
    policy = Policy(deny=Limits(orders_per_day=200))
    async with ledgers.open() as ledger:
        content = await ledger.hashes(CONTENT)
        for number in range(100):
            assert await end(ledger, order(number), content, terms(policy, "9" * 40)) == "won"
        before = await ledger.before(replace(KEY, reference="OTHER"), content, policy)
        assert before.orders_last_day == 100
        assert before.total_last_day > 10**12  # more than any limit can be
