"""Full answers of every provider, word for word, in both protocol eras.

A difference is a change of what every host and model reads. `tests/snapshots/README.md` says how to accept one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dropship_mcp.settings import Settings
from dropship_tools.sandbox.faults import Fault, add_fault, clear_faults
from protocol.bench import EXTRA, Bench, Era, bench
from protocol.samples import REFERENCE, Sample
from protocol.snapshots import check_snapshot

pytestmark = pytest.mark.anyio


async def test_the_answers_of_each_provider(desk: Bench, sample: Sample) -> None:
    by_reference = {sample.own_number: REFERENCE}
    answers: dict[str, Any] = {
        "preview": await desk.call(sample.create, sample.arguments(dry_run=True)),
        "create": await desk.call(sample.create, sample.arguments()),
        "repeat": await desk.call(sample.create, sample.arguments()),
        "get": await desk.call(sample.get, by_reference),
    }
    desk.clock.move(days=5)
    answers["get five days later"] = await desk.call(sample.get, by_reference)
    answers["settle"] = await desk.call("dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE})
    check_snapshot(f"answers_{sample.provider}.json", answers)


async def test_the_answers_of_each_providers_further_tools(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with bench(tmp_path, era, settings=Settings(extra_tools=EXTRA)) as desk:
        await desk.call(sample.create, sample.arguments())
        answers = {tool: await desk.call(tool, arguments) for tool, arguments in sample.others.items()}
    check_snapshot(f"further_{sample.provider}.json", answers)


async def test_the_errors_of_each_provider(desk: Bench, sample: Sample) -> None:
    look = {sample.their_number: sample.unknown_number}
    order, other = sample.arguments(), sample.arguments(**{sample.reference: "WEB-1002"})
    settle = {"provider": sample.provider, "reference": REFERENCE}

    async def error(tool: str, arguments: dict[str, Any], status: int = 0, operation: str = "*") -> list[str]:
        if status:
            add_fault(desk.world.store, Fault(sample.provider, operation, "status", 3, status))
        lines = (await desk.fail(tool, arguments)).splitlines()
        clear_faults(desk.world.store)
        return lines

    errors: dict[str, Any] = {
        "create, wrong arguments": await error(sample.create, {"refrence": REFERENCE, "dry_run": "perhaps"}),
        "get, wrong arguments": await error(sample.get, {}),
        "get, unknown number": await error(sample.get, look),
        "get, HTTP 401": await error(sample.get, look, 401),
        "get, HTTP 503": await error(sample.get, look, 503),
        "create, HTTP 400": await error(sample.create, order, 400, "create"),
        "create, HTTP 401": await error(sample.create, order, 401, "create"),
        "create, HTTP 500": await error(sample.create, order, 500, "create"),
        "create, same reference, other order": await error(sample.create, sample.elsewhere()),
        "settle": await desk.call("dropship_settle_order", settle),
        "create, HTTP 429": await error(sample.create, other, 429, "create"),  # last: it makes the next call wait
    }
    check_snapshot(f"errors_{sample.provider}.json", errors)
