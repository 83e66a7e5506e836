"""Dipli's tools against the sandbox, which behaves as the documentation says: whole jobs, from order to parcel."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from dropship_tools.dipli.client import DipliClient
from dropship_tools.dipli.listing import ListOrders
from dropship_tools.dipli.models import GetOrder
from dropship_tools.dipli.tools import find, get_order, list_orders
from dropship_tools.dipli.traces import sent_trace
from dropship_tools.errors import NotFound, OutcomeUnknown, ProviderRefused
from dropship_tools.orders import Sought
from unit.dipli.dipli_fakes import Ledger
from unit.dipli.dipli_world import BUYER, KEY, client_in, order, ordered
from unit.sandbox.worlds import NOON, Clock, world_at

pytestmark = pytest.mark.anyio


async def listed(client: DipliClient, **asked: Any) -> dict[str, Any]:
    return (await list_orders(client, ListOrders.model_validate(asked), Ledger())).facts()


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["order_id"] for row in answer["orders"]]


async def test_an_order_shows_up_in_the_list_with_what_is_needed_to_recognise_it() -> None:
    client = client_in(world_at(Clock()))
    placed = await ordered(client, order("WEB-1"))
    assert await listed(client) == {
        "orders": [
            {
                "order_id": placed.order.order_id,
                "date": "2026-03-02",
                "status": "received",
                "provider_status": "pending_confirmation",
                "payment_status": "payment_received",
                "total_incl_vat": "286.80",
                "products": ["Apple iPhone 12 128"],
                "destination": "Belleville, FR",
            }
        ],
        "page": 1,
        "count": 1,
        "currency": "EUR (assumed, Dipli states none)",
    }


async def test_following_has_more_shows_every_order_once() -> None:
    client = client_in(world_at(Clock()))
    placed = [(await ordered(client, order(f"WEB-{number}"))).order.order_id for number in range(7)]
    seen: list[str] = []
    page, more = 0, True
    while more:
        page += 1
        answer = await listed(client, page=page, pageSize=3)
        assert answer["count"] == 7
        seen += ids(answer)
        more = answer.get("has_more", False)
    assert (sorted(seen), page) == (sorted(placed), 3)


async def test_a_full_last_page_is_the_last() -> None:
    client = client_in(world_at(Clock()))
    for number in range(4):
        await ordered(client, order(f"WEB-{number}"))
    assert "has_more" not in await listed(client, page=2, pageSize=2)
    assert (await listed(client, page=3, pageSize=2))["next_step"] == "The list ends before this page."


async def test_every_filter_narrows_the_list() -> None:
    clock = Clock()
    client = client_in(world_at(clock))
    first = (await ordered(client, order("WEB-1"))).order.order_id
    clock.move(days=2)
    second = (await ordered(client, order("WEB-2"))).order.order_id
    assert ids(await listed(client, new=True)) == [second]
    assert ids(await listed(client, createdAt="2026-03-03T09:30:00+01:00")) == [second]
    assert ids(await listed(client, updatedAt="2026-03-04")) == [second]
    assert ids(await listed(client, createdAt="2026-03-02", status="shipped")) == [first]
    assert ids(await listed(client, status="cancelled")) == []


async def test_a_parcel_is_shipped_while_dipli_says_ongoing_and_delivered_when_it_says_shipped() -> None:
    """Sheet section 10, row 7."""
    clock = Clock()
    client = client_in(world_at(clock))
    placed = await ordered(client, order("WEB-1"))
    seen: list[tuple[str, str]] = []
    for minutes in (0, 1, 9):
        clock.move(minutes=minutes)
        [row] = (await listed(client))["orders"]
        full = (await get_order(client, GetOrder(public_id=placed.order.order_id), Ledger())).facts()
        assert (full["status"], full["provider_status"]) == (row["status"], row["provider_status"])
        seen.append((row["provider_status"], row["status"]))
    assert seen == [
        ("pending_confirmation", "received"),
        ("ongoing_shipping", "shipped"),
        ("shipped", "delivered"),
    ]


@pytest.mark.parametrize("extra", ["sandbox:server_error", "sandbox:no_public_id"])
async def test_an_order_whose_answer_says_nothing_is_found_by_its_buyer_address_and_product(extra: str) -> None:
    """Sheet section 10, rows 1 and 11; section 3, a 500 leaves it open."""
    world = world_at(Clock())
    client = client_in(world)
    args = order("WEB-1", extra=extra)
    with pytest.raises(OutcomeUnknown):
        await ordered(client, args)
    finding = await find(client, Sought("WEB-1", since=NOON, is_trace=lambda trace: trace == sent_trace(args)))
    assert finding.order is not None
    assert (finding.order.reference, finding.order.order_id) == ("WEB-1", "A-412001")
    assert world.store.count("dipli", "order") == 1


async def test_a_refusal_inside_a_success_leaves_no_order() -> None:
    """Sheet section 8: the body's own code counts as well as the HTTP status."""
    client = client_in(world_at(Clock()))
    with pytest.raises(ProviderRefused):
        await ordered(client, order("WEB-1", extra="sandbox:refused_in_200"))
    assert ids(await listed(client)) == []


@pytest.mark.parametrize("changes", [{"product_id": 25102}, {"product_id": 11700111}, {"country": "US"}], ids=str)
async def test_a_bare_bad_request_comes_with_what_to_check(changes: dict[str, Any]) -> None:
    """Sheet section 10, row 14; section 3, trap 1: of a product's three numbers one is sold."""
    with pytest.raises(ProviderRefused) as refused:
        await ordered(client_in(world_at(Clock())), order("WEB-1", **changes))
    assert (refused.value.provider_said, refused.value.sent) == ("Bad Request", "no")
    assert "product in stock" in refused.value.fix
    assert "delivers to the country" in refused.value.fix


async def test_nothing_about_the_buyer_and_no_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Sheet section 10, row 19."""
    caplog.set_level(logging.DEBUG)
    client = client_in(world_at(Clock()))
    placed = await ordered(client, order("WEB-1"))
    await get_order(client, GetOrder(public_id=placed.order.order_id), Ledger())
    answer = await listed(client)
    with pytest.raises(NotFound):
        await get_order(client, GetOrder(public_id="A-1"), Ledger())
    written = caplog.text + json.dumps([placed.order.facts()])
    assert caplog.records
    assert [value for value in (*BUYER.values(), KEY) if value in written] == []
    shown = json.dumps(answer)
    assert [name for name, value in BUYER.items() if value in shown] == ["city"]
