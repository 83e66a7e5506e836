"""Nothing of a buyer can be read in the ledger, its log, its key or the folder beside it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from contract.providers import NAMES, Json, row_of
from contract.rigs import open_rig
from dropship_mcp.ledger.hashing import FIELD_HASH_CHARACTERS, ContentHasher
from dropship_tools.errors import OutcomeUnknown, ProviderRefused
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault

pytestmark = pytest.mark.anyio

ONE, OTHER = ContentHasher(b"1" * 32), ContentHasher(b"2" * 32)

FULL: dict[str, Json] = {
    "dipli": {
        "buyer": "Marker01 Marker02",
        "street": "Marker03 4",
        "additional_street": "Marker04",
        "city": "Marker05",
        "buyer_phone": "+33611223344",
        "buyer_email": "Marker06@marker07.example",
        "extra": "Marker08",
    },
    "rewix": {
        "recipient_details": {
            "recipient": "Marker01 Marker02",
            "careof": "Marker09",
            "cfpiva": "Marker10",
            "customer_key": "Marker11",
            "notes": "Marker12",
            "address": {
                "street_type": "Marker13",
                "street_name": "Marker03",
                "address_number": "Marker14",
                "zip": "Marker15",
                "city": "Marker05",
                "province": "TO",
                "countrycode": "IT",
            },
            "phone": {"prefix": "+39", "number": "611223344"},
        }
    },
    "dropday": {
        "email": "Marker06@marker07.example",
        "shipping_address": {
            "first_name": "Marker01",
            "last_name": "Marker02",
            "company_name": "Marker09",
            "address1": "Marker03",
            "address2": "Marker04",
            "postcode": "Marker15",
            "city": "Marker05",
            "state": "Marker16",
            "country": "NL",
            "phone": "+31611223344",
        },
        "shipping": {"cost": 4.98, "note": "Marker12", "description": "Marker17"},
        "products": [
            {
                "external_id": "P-1",
                "name": "Mug",
                "quantity": 1,
                "price": 37.0,
                "custom": {"engraving": "Marker18", "Marker19": "x", "for: Marker20.a": "y"},
            }
        ],
    },
    "duoplane": {
        "customer_note": "Marker08",
        "order_notes": [{"title": "Marker21", "body": "Marker22"}],
        "shipping_address": {
            "first_name": "Marker01",
            "last_name": "Marker02",
            "company_name": "Marker09",
            "address_1": "Marker03",
            "address_2": "Marker04",
            "city": "Marker05",
            "post_code": "Marker15",
            "province_name": "Marker16",
            "country_iso2": "FR",
            "phone": "+33611223344",
            "email": "Marker06@marker07.example",
        },
        "billing_address": {"first_name": "Marker23", "city": "Marker24"},
        "order_items": [
            {
                "name": "Enamel Kettle",
                "quantity": 1,
                "retailer_sku": "HP-KETTLE",
                "order_item_notes": [{"title": "Marker25", "body": "Marker26"}],
            }
        ],
    },
}
"""Every field that may hold something of a buyer, with a marker in it."""

ENDS: list[tuple[FaultKind, float]] = [("latency", 0), ("reset_before", 0), ("reset_after", 0), ("status", 422)]
"""Placed, unknown, found by looking, refused."""


def texts(value: Any) -> Iterator[str]:
    """Every text of a value."""
    if isinstance(value, dict):
        for name, item in cast("Json", value).items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(texts(item) for item in cast("list[Any]", value))
    elif isinstance(value, str):
        yield value


def markers(arguments: Json) -> set[str]:
    """What must not be found, in lower case."""
    words = {word for text in texts(arguments) for word in text.lower().replace("@", " ").split()}
    return {word for word in words if "marker" in word} | {"611223344"}


def swept(folder: Path) -> dict[str, str]:
    """Every file below, as text in lower case."""
    return {str(path): path.read_bytes().decode("latin-1").lower() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
async def test_no_file_of_the_ledger_holds_anything_of_a_buyer(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        states: set[str] = set()
        for number, (kind, value) in enumerate(ENDS):
            reference = f"R-{number}"
            add_fault(rig.world.store, Fault(name, "create", kind, value=value))
            with suppress(OutcomeUnknown, ProviderRefused):
                await rig.create(row, {**row.arguments(reference), **FULL[name]})
            await rig.settle(row, reference)
            states.add(await rig.state(row, reference))
        files = swept(tmp_path)  # while the ledger is open, its log is there too
    assert states == {"placed", "unknown", "refused"}
    assert {path.rpartition("ledger.sqlite3")[2] for path in files} >= {"", "-wal", ".key"}
    assert any("r-0" in text for text in files.values())  # what is written in clear is seen
    everything = "".join(itertools.chain.from_iterable(files.items()))
    assert [marker for marker in markers(FULL[name]) if marker in everything] == []


def test_another_key_makes_other_hashes() -> None:
    content = {"buyer": "Jane Doe", "items": [{"quantity": 2}]}
    one, other = ONE.content(content, "trace"), OTHER.content(content, "trace")
    assert one == ONE.content(content, "trace")
    assert ONE.key_id() != OTHER.key_id()
    assert one.fingerprint != other.fingerprint
    assert one.trace != other.trace
    assert one.fields.keys() == other.fields.keys() == {"buyer", "items.0.quantity"}
    assert all(one.fields[name] != other.fields[name] for name in one.fields)
    assert {len(value) for value in one.fields.values()} == {FIELD_HASH_CHARACTERS}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": Decimal("10")}, {"a": Decimal("10.00")}),
        ({"a": 2}, {"a": Decimal("2.0")}),
        ({"a": Decimal("1E+1")}, {"a": 10}),
        ({"a": None, "b": 1}, {"b": 1}),
        ({"a": {}, "b": 1}, {"b": 1, "c": []}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
    ],
)
def test_equal_contents_have_one_fingerprint(one: Json, other: Json) -> None:
    assert ONE.content(one) == ONE.content(other)


@pytest.mark.parametrize(
    ("one", "other", "changed"),
    [
        ({"a": "x"}, {"a": "X"}, ["a"]),
        ({"a": "1", "b": 1}, {"a": "1", "b": 2}, ["b"]),
        ({"a": True}, {"a": "yes"}, ["a"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["a.0", "a.1"]),
        ({"a": [1]}, {"a": [1, 1]}, ["a.1"]),
        ({"a": {"b": "x"}}, {"a": {"c": "x"}}, ["a.b", "a.c"]),
        ({"a": ""}, {}, ["a"]),
    ],
)
def test_other_contents_have_other_fingerprints_and_the_difference_has_a_name(
    one: Json, other: Json, changed: list[str]
) -> None:
    first, second = ONE.content(one), ONE.content(other)
    assert first.fingerprint != second.fingerprint
    assert first.changed(second) == second.changed(first) == changed


def test_one_value_in_two_fields_has_two_hashes() -> None:
    fields = ONE.content({"first_name": "Jane", "company": "Jane"}).fields
    assert fields["first_name"] != fields["company"]
