"""When placing an order goes wrong: the right code, the right word about sending, and never a second order."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault
from protocol.bench import bench, is_order
from protocol.samples import REFERENCE, SAMPLES, Sample
from protocol.weather import BRIEF, WEATHER

pytestmark = pytest.mark.anyio

REFUSED = ("provider_refused", "no")
AUTH = ("provider_auth", "no")
UNKNOWN = ("outcome_unknown", "maybe")

OUTCOMES = {
    "400": REFUSED,
    "401": AUTH,
    "403": AUTH,
    "404": REFUSED,
    "422": REFUSED,
    "429": ("rate_limited", "no"),
    "500": UNKNOWN,
    "503": UNKNOWN,
    "no JSON": UNKNOWN,
    "a list": UNKNOWN,
    "cut off": UNKNOWN,
    "10 MB": UNKNOWN,
    "redirect": UNKNOWN,
    "no connection": ("provider_unavailable", "no"),
    "reset": UNKNOWN,
    "silence": UNKNOWN,
}
"""What an agent is told when this meets its order: code and `order sent`."""

EXCEPT = {("rewix", "429"): REFUSED}
"""Rewix answers 429 to an order with an error in it."""


@pytest.mark.parametrize("fault", OUTCOMES)
async def test_an_order_that_met_a_fault_ends_with_the_documented_code(
    tmp_path: Path, sample: Sample, fault: str
) -> None:
    code, sent = EXCEPT.get((sample.provider, fault), OUTCOMES[fault])
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        desk.wire.instead = lambda request: WEATHER[fault]() if is_order(sample, request) else None
        lines = (await desk.fail(sample.create, sample.arguments())).splitlines()
        assert (lines[0].partition(":")[0], lines[1]) == (code, f"order sent: {sent}")
        assert len(desk.wire.orders(sample)) == 1
        desk.wire.instead = lambda _: None
        if sent == "no" and code != "rate_limited":  # that one would have to wait first
            again = await desk.call(sample.create, sample.arguments())
            assert again["outcome"] == "placed"


LOST: dict[FaultKind, float] = {
    "status_after": 504,
    "reset_after": 0,
    "malformed": 0,
    "wrong_type": 3,
    "truncated": 0,
    "huge": 10,
    "hang_after": 0,
}
"""What can happen to the answer after the order was stored."""


@pytest.mark.parametrize("kind", LOST)
async def test_an_order_whose_answer_was_lost_is_found_and_not_sent_again(
    tmp_path: Path, sample: Sample, kind: FaultKind
) -> None:
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        add_fault(desk.world.store, Fault(sample.provider, "create", kind, 1, LOST[kind]))
        answer = await desk.call(sample.create, sample.arguments())
        looked_up = await desk.call(sample.get, {sample.their_number: answer["order_id"]})
        assert (answer["outcome"], answer["reference"]) == ("placed", REFERENCE)
        assert looked_up["order_id"] == answer["order_id"]
        assert len(desk.wire.orders(sample)) == 1
        assert desk.world.store.count(sample.provider, "order") == 1


async def test_nothing_is_sent_when_the_provider_cannot_be_reached_at_all(tmp_path: Path, sample: Sample) -> None:
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        desk.wire.instead = lambda _: httpx2.ConnectError("refused")
        text = await desk.fail(sample.create, sample.arguments())
        assert text.startswith("provider_unavailable: ")
        assert "\norder sent: no\n" in text
        desk.wire.instead = lambda _: None
        assert (await desk.call(sample.create, sample.arguments()))["outcome"] == "placed"


async def test_an_unknown_outcome_is_settled_by_looking_even_while_the_provider_is_down(
    tmp_path: Path, sample: Sample
) -> None:
    settle = {"provider": sample.provider, "reference": REFERENCE}
    async with bench(tmp_path, only=sample, timing=BRIEF) as desk:
        add_fault(desk.world.store, Fault(sample.provider, "create", "reset_after"))

        def down_afterwards(request: httpx2.Request) -> httpx2.ConnectError | None:
            sent = desk.wire.orders(sample) and not is_order(sample, request)
            return httpx2.ConnectError("down") if sent else None

        desk.wire.instead = down_afterwards
        text = await desk.fail(sample.create, sample.arguments())
        assert text.startswith("outcome_unknown: ")
        assert (await desk.call("dropship_settle_order", settle))["outcome"] == "unknown"
        desk.wire.instead = lambda _: None
        assert (await desk.call("dropship_settle_order", settle))["outcome"] == "placed"
        assert len(desk.wire.orders(sample)) == 1


async def test_finding_an_order_while_all_providers_are_down_says_so_and_proves_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, timing=BRIEF) as desk:
        desk.wire.instead = lambda _: httpx2.ConnectError("down")
        answer = await desk.call("dropship_find_order", {"reference": REFERENCE})
        asked = {v["provider"]: (v["verdict"], v["conclusive"]) for v in answer["verdicts"]}
        assert asked == {name: ("absent" if name == "dipli" else "not_asked", False) for name in SAMPLES}
        assert answer["next_step"] == f"Not proven absent at: {', '.join(SAMPLES)}."
