"""A model that tries to get around approval, limits and safety does not: one row for each attempt, at each provider.

After every row the provider has exactly the orders it should have, the ledger says the same of each, and no call left
the server that should not have.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from adversary.attempts import Attempt, Call, Decides, Json
from adversary.rows_consent import CONSENT, SWAPPED, USED
from adversary.rows_limits import LIMITS, NAMES
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.settings import Settings
from protocol.bench import Bench, bench, check_error, text_of
from protocol.samples import PERSONAL, SAMPLES

pytestmark = pytest.mark.anyio

ROWS = [
    (attempt, provider) for attempt in (*CONSENT, *SWAPPED, *USED, *NAMES, *LIMITS) for provider in attempt.providers
]


@pytest.mark.parametrize(("attempt", "provider"), ROWS, ids=[f"{a.name}-{provider}" for a, provider in ROWS])
async def test_a_model_does_not_get_around_what_was_decided(tmp_path: Path, attempt: Attempt, provider: str) -> None:
    sample = SAMPLES[provider]
    orders = "ask" if attempt.policy.orders == "ask" else "allow"
    settings = Settings(orders=orders, policy=attempt.policy, providers=(provider,))
    async with bench(tmp_path, "legacy", settings=settings) as desk:
        for number, step in enumerate(attempt.steps(sample)):
            if isinstance(step, Call):
                assert await ending(desk, step) == step.ends, (number, step)
            elif isinstance(step, Decides):
                await decide(desk, step)
            else:
                desk.clock.move(minutes=step.minutes)
        placed = [row for row in await desk.ledger.recent() if row.state == "placed"]
        assert {row.state for row in await desk.ledger.recent()} <= {"placed"}
        assert (
            len(placed) == len(desk.wire.orders(sample)) == desk.world.store.count(provider, "order") == attempt.stored
        )


async def ending(desk: Bench, call: Call) -> str:
    """How a call ended; an error has its form and tells nothing of the buyer."""
    result = await desk.result(call.tool, call.arguments)
    if not result.is_error:
        return str(cast("Json", result.structured_content).get("outcome", "ok"))
    text = text_of(result)
    check_error(text, orders=desk.tools[call.tool]["annotations"]["destructiveHint"])
    assert [value for value in PERSONAL if value.casefold() in text.casefold()] == []
    return text.partition(":")[0]


async def decide(desk: Bench, step: Decides) -> None:
    """A person at a terminal, which is a process of its own."""
    other = SqliteLedger(desk.ledger.path, now=desk.clock)
    try:
        await other.approvals.decide(step.number, agreed=step.agreed, how="elsewhere", good_for=timedelta(minutes=30))
    finally:
        await other.close()


def test_there_are_many_attempts_and_each_has_a_name_of_its_own() -> None:
    names = [attempt.name for attempt in (*CONSENT, *SWAPPED, *USED, *NAMES, *LIMITS)]
    assert len(set(names)) == len(names) >= 40
