"""What shipping costs and when it is delivered, in the two forms the documentation has had."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.dropday.dropday_fakes import LEAST, body_of, changed, planned, problems


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        ({"shipping_cost": 4.95}, {"shipping_cost": 4.95}),
        ({"shipping_cost": 0}, {"shipping_cost": 0}),
        ({"shipping_cost": 4.95, "shipping": {}}, {"shipping_cost": 4.95}),
        ({"shipping": {"cost": 4.95}}, {"shipping_cost": 4.95, "shipping": {"cost": 4.95}}),
        ({"shipping": {"cost": 0}}, {"shipping_cost": 0, "shipping": {"cost": 0}}),
        (
            {"shipping_cost": 4.95, "shipping": {"name": "UPS"}},
            {"shipping_cost": 4.95, "shipping": {"name": "UPS", "cost": 4.95}},
        ),
        (
            {"shipping_cost": "4.950", "shipping": {"cost": 4.95, "note": "Ring"}},
            {"shipping_cost": 4.95, "shipping": {"cost": 4.95, "note": "Ring"}},
        ),
    ],
)
def test_the_cost_of_shipping_goes_out_in_both_documented_forms(given_: dict[str, Any], sent: dict[str, Any]) -> None:
    rest = changed(LEAST, shipping_cost=...)

    assert body_of(planned({**rest, **given_})) == {**rest, "test": False, **sent}


def test_it_is_the_same_order_wherever_the_cost_of_shipping_was_given() -> None:
    newer = changed(LEAST, shipping_cost=..., shipping={"cost": 5})

    assert planned(newer).content == planned(LEAST).content


def test_the_cost_of_shipping_is_needed_once() -> None:
    assert problems(shipping_cost=...) == {"shipping_cost": "is required: what delivery costs, 0 if nothing"}
    assert problems(shipping={"cost": 6}) == {
        "arguments": "shipping_cost and shipping.cost differ; give one of them",
    }


@pytest.mark.parametrize(
    ("given_", "sent"), [("2025-11-07", "07-11-2025"), ("07-11-2025", "07-11-2025"), (" 2028-02-29 ", "29-02-2028")]
)
def test_a_delivery_date_leaves_day_first(given_: str, sent: str) -> None:
    order = planned(shipping={"delivery_date": given_})

    assert body_of(order)["shipping"] == {"cost": 5, "delivery_date": sent}
    assert order.content == planned(shipping={"delivery_date": sent}).content


@pytest.mark.parametrize(
    "value",
    [
        *("31-02-2026", "2026-02-31", "2025-13-01", "07/11/2025", "7-11-2025", "20251107", "2025-W45-5", "tomorrow"),
        *("2025-11-07T10:00:00", "\u0660\u0667-11-2025", "0000-01-01"),
    ],
)
def test_a_delivery_date_is_a_day_of_the_calendar(value: str) -> None:
    assert problems(shipping={"delivery_date": value}) == {
        "shipping.delivery_date": "must be a date like 2026-11-07",
    }


@settings(deadline=None)
@given(st.dates())
def test_every_day_keeps_its_place(day: date) -> None:
    sent = body_of(planned(shipping={"delivery_date": day.isoformat()}))["shipping"]["delivery_date"]

    assert sent == f"{day.day:02}-{day.month:02}-{day.year:04}"
