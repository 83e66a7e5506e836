"""One reference is one order: whatever a repeated call looks like, nothing leaves twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from contract.providers import NAMES, ROWS, Json, Row, row_of
from contract.rigs import open_rig
from dropship_tools.errors import ProviderRefused, ReferenceConflict
from dropship_tools.sandbox.faults import Fault, add_fault

pytestmark = pytest.mark.anyio

MARKER = "Zanzibarstraat"


def numbers_as_text(value: Any) -> Any:
    """`2` becomes `"2"`, at every depth."""
    if isinstance(value, dict):
        return {name: numbers_as_text(item) for name, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [numbers_as_text(item) for item in cast("list[Any]", value)]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def keys_turned_round(value: Any) -> Any:
    """The last key first, at every depth."""
    if isinstance(value, dict):
        return {name: keys_turned_round(item) for name, item in reversed(cast("Json", value).items())}
    if isinstance(value, list):
        return [keys_turned_round(item) for item in cast("list[Any]", value)]
    return value


def objects_as_json_text(arguments: Json) -> Json:
    """Objects and lists as the JSON strings that some hosts make of them."""
    return {name: json.dumps(item) if isinstance(item, dict | list) else item for name, item in arguments.items()}


def spaces_around(arguments: Json) -> Json:
    """Text with blanks around it."""
    return {name: f" {item} " if isinstance(item, str) else item for name, item in arguments.items()}


def nulls_for_what_is_left_out(row: Row) -> Callable[[Json], Json]:
    """Every optional argument that the example leaves out, as null."""

    def nulls(arguments: Json) -> Json:
        fields = row.create_tool().arguments.model_fields
        return {**{name: None for name, field in fields.items() if not field.is_required()}, **arguments}

    return nulls


OF_ONE_PROVIDER: dict[str, Callable[[Json], Json]] = {
    "dipli blanks": lambda a: {**a, "country": "fr", "additional_street": "", "extra": None, "product_id": 11700101.0},
    "rewix date": lambda a: {**a, "date": "2026/01/01 00:00:00 +0000", "autoConfirm": False},
    "rewix envelope": lambda a: {"order_list": [a]},
    "dropday amounts": lambda a: {**a, "total": "41.980", "shipping": {"cost": "4.98", "name": None}, "test": False},
    "dropday newer cost": lambda a: {**without(a, "shipping_cost"), "shipping": {"cost": 4.98}},
    "dropday blanks": lambda a: {**a, "products": [{**a["products"][0], "custom": [], "price": 18.50, "brand": None}]},
    "duoplane default store": lambda a: {**a, "store_id": "3101", "ordered_at": "2026-11-07T14:15:22Z"},
    "duoplane blanks": lambda a: {**a, "tag_names": [], "shipping_address": {**a["shipping_address"], "phone": None}},
}

OF_ALL: tuple[Callable[[Json], Json], ...] = (
    numbers_as_text,
    keys_turned_round,
    objects_as_json_text,
    spaces_around,
)


def without(arguments: Json, left_out: str) -> Json:
    """The arguments but one."""
    return {name: value for name, value in arguments.items() if name != left_out}


def spellings() -> Iterator[Any]:
    """Provider and spelling, where it changes anything."""
    for label, spelling in OF_ONE_PROVIDER.items():
        yield pytest.param(label.split()[0], spelling, id=label)
    for row in ROWS:
        yield pytest.param(row.name, nulls_for_what_is_left_out(row), id=f"{row.name} nulls")
        for spelling in OF_ALL:
            if json.dumps(spelling(row.arguments("R-1"))) != json.dumps(row.arguments("R-1")):
                yield pytest.param(row.name, spelling, id=f"{row.name} {spelling.__name__}")


@pytest.mark.parametrize("name", NAMES)
async def test_a_repeated_call_is_answered_from_the_ledger_without_any_request(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        first = await rig.create(row, row.arguments("R-1"))
        asked = len(rig.trace.requests())
        second = await rig.create(row, row.arguments("R-1"))
        assert (first.outcome, second.outcome, second.order) == ("placed", "already_placed", first.order)
        assert second.warnings[-1] == (
            "Recorded 2026-03-02T12:00:00+00:00; nothing was sent now and the status may have moved."
        )
        assert (len(rig.trace.requests()), rig.orders(row, "R-1")) == (asked, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_a_repeated_call_in_a_new_process_is_answered_from_the_ledger(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        first = await rig.create(row, row.arguments("R-1"))
    async with open_rig(tmp_path, rig.world) as later:
        second = await later.create(row, row.arguments("R-1"))
        assert (second.outcome, second.order, later.trace.requests()) == ("already_placed", first.order, [])


@pytest.mark.parametrize(("name", "spelling"), list(spellings()))
async def test_another_spelling_of_the_same_order_is_the_same_order(
    name: str, spelling: Callable[[Json], Json], tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        await rig.create(row, row.arguments("R-1"))
        asked = len(rig.trace.requests())
        second = await rig.create(row, spelling(row.arguments("R-1")))
        assert (second.outcome, len(rig.trace.requests()), rig.orders(row, "R-1")) == ("already_placed", asked, 1)


@pytest.mark.parametrize("name", NAMES)
async def test_other_content_under_the_same_reference_is_refused_with_the_names_of_what_differs(
    name: str, tmp_path: Path
) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        await rig.create(row, row.arguments("R-1"))
        asked = len(rig.trace.requests())
        with pytest.raises(ReferenceConflict) as caught:
            await rig.create(row, row.changed(row.arguments("R-1"), f"{MARKER} 1"))
        assert caught.value.what == f"reference R-1 belongs to another order at {name}; different: {row.street_name}"
        assert (caught.value.sent, len(rig.trace.requests()), rig.orders(row, "R-1")) == ("no", asked, 1)
        assert MARKER not in f"{caught.value.what} {caught.value.fix} {caught.value.provider_said}"
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "already_placed"


@pytest.mark.parametrize("name", NAMES)
async def test_what_was_left_out_before_and_is_given_now_is_a_difference(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    more: dict[str, tuple[Json, str]] = {
        "dipli": ({"extra": MARKER}, "extra"),
        "rewix": ({"carrierId": 25}, "carrierId"),
        "dropday": ({"email": "a@example.org"}, "email"),
        "duoplane": ({"customer_note": MARKER}, "customer_note"),
    }
    added, field = more[name]
    async with open_rig(tmp_path) as rig:
        await rig.create(row, row.arguments("R-1"))
        with pytest.raises(ReferenceConflict, match=f"different: {field}$"):
            await rig.create(row, {**row.arguments("R-1"), **added})
        assert rig.trace.sent() == 1


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_order_may_be_corrected_and_sent_again_under_its_reference(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        add_fault(rig.world.store, Fault(name, "create", "status", value=422))
        with pytest.raises(ProviderRefused) as caught:
            await rig.create(row, row.arguments("R-1"))
        assert (caught.value.sent, await rig.state(row, "R-1")) == ("no", "refused")
        corrected = row.changed(row.arguments("R-1"), "Harbour Road 8")
        assert (await rig.create(row, corrected)).outcome == "placed"
        assert (await rig.create(row, corrected)).outcome == "already_placed"
        with pytest.raises(ReferenceConflict):
            await rig.create(row, row.arguments("R-1"))
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (2, 1)


async def test_the_same_reference_at_other_providers_is_another_order(tmp_path: Path) -> None:
    async with open_rig(tmp_path) as rig:
        outcomes = {row.name: (await rig.create(row, row.arguments("R-1"))).outcome for row in ROWS}
        assert outcomes == dict.fromkeys(NAMES, "placed")
        assert [rig.orders(row, "R-1") for row in ROWS] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", [name for name in NAMES if row_of(name).silence == "never"])
async def test_the_same_reference_at_another_account_is_another_order(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        first = await rig.create(row, row.arguments("R-1"))
        await rig.create(row, row.changed(row.arguments("R-1"), "Harbour Road 9"), account="second")
        assert (await rig.create(row, row.arguments("R-1"))).order == first.order
        assert {entry.key.account for entry in await rig.ledger.by_reference("sandbox", "R-1")} == {"sandbox", "second"}


async def test_the_same_reference_in_live_mode_is_another_order(tmp_path: Path) -> None:
    row = row_of("dipli")
    async with open_rig(tmp_path) as rig:
        tried = await rig.create(row, row.arguments("R-1"))
        real = await rig.create(row, row.arguments("R-1"), mode="live")
        assert (tried.outcome, real.outcome, rig.trace.sent()) == ("placed", "placed", 2)
        assert tried.order["order_id"] != real.order["order_id"]
        await rig.ledger.forget_sandbox()
        again = await rig.create(row, row.arguments("R-1"), mode="live")
        assert (again.outcome, again.order) == ("already_placed", real.order)
        assert [entry.key.mode for entry in await rig.ledger.recent()] == ["live"]
