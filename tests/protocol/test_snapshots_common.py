"""Full answers and errors of the tools that belong to no provider, word for word, in both protocol eras.

What depends on the machine and the moment (the ledger's folder, the time of a look) is replaced before comparing.
`tests/snapshots/README.md` says how to accept a difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

from dropship_mcp.settings import read_settings
from dropship_tools.sandbox.faults import Fault, add_fault, clear_faults
from protocol.bench import Bench, Era, bench, is_order
from protocol.samples import DIPLI, DROPDAY, DUOPLANE, REFERENCE, REWIX, Sample
from protocol.snapshots import check_snapshot

pytestmark = pytest.mark.anyio

STATUS, FIND, SETTLE = "dropship_status", "dropship_find_order", "dropship_settle_order"

LIVE = {"DROPSHIP_MODE": "live", "DIPLI_API_KEY": "a-key-of-dipli", "DROPSHIP_PROVIDERS": "dipli,rewix,duoplane"}

SET_UPS: Mapping[str, Mapping[str, str]] = {
    "sandbox": {},
    "sandbox, ordering off": {"DROPSHIP_ORDERS": "off"},
    "sandbox, two providers": {"DROPSHIP_PROVIDERS": "rewix,dropday"},
    "live, one account": LIVE,
    "live, ordering off": {**LIVE, "DROPSHIP_ORDERS": "off"},
    "live, nothing configured": {"DROPSHIP_MODE": "live"},
}


async def test_what_is_set_up(tmp_path: Path, era: Era) -> None:
    shown: dict[str, Any] = {}
    for name, environment in SET_UPS.items():
        folder = tmp_path / name
        folder.mkdir()
        async with bench(folder, era, settings=read_settings(environment)) as desk:
            shown[name] = lasting(await desk.call(STATUS), folder)
    async with bench(tmp_path, era) as desk:
        await unknown_outcome(desk, DIPLI)
        desk.clock.move(minutes=1)
        await unknown_outcome(desk, REWIX)
        shown["two unknown outcomes"] = lasting(await desk.call(STATUS), tmp_path)
        await desk.ledger.close()
        desk.ledger.path.write_bytes(b"no database")
        shown["a damaged ledger"] = lasting(await desk.call(STATUS), tmp_path)
    check_snapshot("common_status.json", shown)


async def test_where_an_order_is(desk: Bench, tmp_path: Path) -> None:
    async def find(reference: str = REFERENCE) -> Any:
        desk.clock.move(minutes=1)  # providers count requests
        return lasting(await desk.call(FIND, {"reference": reference}), tmp_path)

    found = {"never ordered": await find()}
    await desk.call(DROPDAY.create, DROPDAY.arguments())
    await desk.call(DUOPLANE.create, DUOPLANE.arguments())
    await unknown_outcome(desk, REWIX)
    await refusal(desk, DIPLI)
    found["placed at two, unknown at one, refused at one"] = await find()
    add_fault(desk.world.store, Fault("*", "*", "status", 100, 503))
    found["no provider answers"] = await find()
    found["no provider answers, never ordered"] = await find("WEB-1002")
    check_snapshot("common_find_order.json", found)


async def test_what_became_of_an_order(desk: Bench, tmp_path: Path, sample: Sample) -> None:
    settle = {"provider": sample.provider, "reference": REFERENCE}

    async def settled() -> Any:
        desk.clock.move(minutes=1)
        return lasting(await desk.call(SETTLE, settle), tmp_path)

    await refusal(desk, sample)
    answers = {"refused": await settled()}
    await unknown_outcome(desk, sample)
    add_fault(desk.world.store, Fault(sample.provider, "*", "status", 100, 503))
    answers["unknown, the provider does not answer"] = await settled()
    clear_faults(desk.world.store)
    answers["unknown, the order is there"] = await settled()
    answers["the same again"] = await settled()
    check_snapshot(f"common_settle_order_{sample.provider}.json", answers)


async def test_what_is_wrong_with_a_call(desk: Bench) -> None:
    errors: dict[str, Any] = {
        "status, an argument": await lines(desk, STATUS, {"verbose": True}),
        "find, nothing": await lines(desk, FIND, {}),
        "find, two at once": await lines(desk, FIND, {"reference": "WEB-1, WEB-2", "provider": "rewix"}),
        "settle, nothing": await lines(desk, SETTLE, {}),
        "settle, no such provider": await lines(desk, SETTLE, {"provider": "Shopify", "reference": REFERENCE}),
        "settle, never ordered": await lines(desk, SETTLE, {"provider": "rewix", "reference": REFERENCE}),
    }
    await desk.ledger.close()
    desk.ledger.path.write_bytes(b"no database")
    errors["settle, a damaged ledger"] = await lines(desk, SETTLE, {"provider": "rewix", "reference": REFERENCE})
    check_snapshot("common_errors.json", errors)


async def lines(desk: Bench, tool: str, arguments: dict[str, Any]) -> list[str]:
    """An error's text."""
    return (await desk.fail(tool, arguments)).splitlines()


async def refusal(desk: Bench, sample: Sample) -> None:
    """The provider says no to the sample's order."""
    add_fault(desk.world.store, Fault(sample.provider, "create", "status", 1, 400))
    await desk.fail(sample.create, sample.arguments())


async def unknown_outcome(desk: Bench, sample: Sample) -> None:
    """The sample's order arrives, and nobody can say so: no answer comes, and no look works."""
    before = len(desk.wire.orders(sample))

    def instead(request: httpx2.Request) -> httpx2.Response | None:
        sent = len(desk.wire.orders(sample)) > before
        return httpx2.Response(503) if sent and not is_order(sample, request) else None

    add_fault(desk.world.store, Fault(sample.provider, "create", "reset_after"))
    desk.wire.instead = instead
    await desk.fail(sample.create, sample.arguments())
    desk.wire.instead = lambda _: None


def lasting(answer: Mapping[str, Any], folder: Path) -> Any:
    """The answer without what differs from run to run."""

    def put(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: put(inside, key) for key, inside in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [put(inside) for inside in cast("list[Any]", value)]
        if name == "as_of":
            return "<time>"
        return value.replace(str(folder), "<folder>") if isinstance(value, str) else value

    return put(dict(answer))
