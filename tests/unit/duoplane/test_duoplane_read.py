"""Looking an order up: the order, its purchase orders and its shipments, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from dropship_tools.duoplane.lookup import NOT_FOUND
from dropship_tools.duoplane.models import (
    DuoplaneOrder,
    GetOrder,
    ItemResult,
    PurchaseOrderResult,
    ShipmentResult,
)
from dropship_tools.duoplane.results import NO_CANCEL, NO_PURCHASE_ORDER
from dropship_tools.duoplane.tools import get_order
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.orders import ShipTo
from unit.duoplane.duoplane_fakes import FakeDuoplane, Reply, Script, envelope, order, purchase_order, shipment

pytestmark = pytest.mark.anyio

ORDER = "GET /api/orders/51661073"
ORDERS = "GET /api/orders"
PURCHASE_ORDERS = "GET /purchase_orders.json"
SHIPMENTS = "GET /shipments.json"

BY_PURCHASE_ORDER = f"{PURCHASE_ORDERS} search[order_public_reference]=WEB-10045 page=1 per_page=250"


ALL_SOURCES = [
    "order, items, ship_to: new API",
    "purchase_orders: old API",
    "shipments: old API",
    "status: computed from purchase orders and shipments",
]


class Remembered:
    """A ledger that knows one order, or none."""

    def __init__(self, order_id: str | None = None) -> None:
        self._order_id = order_id

    async def order_id(self, reference: str) -> str | None:
        return self._order_id


def duoplane(
    purchase_orders: Any = (),
    shipments: Any = (),
    shown: dict[str, Any] | None = None,
    pages: Mapping[str, Script] | None = None,
) -> FakeDuoplane:
    return FakeDuoplane(
        {
            ORDER: Reply(200, envelope(shown or order())),
            PURCHASE_ORDERS: Reply(200, list(purchase_orders)),
            SHIPMENTS: Reply(200, list(shipments)),
            **(pages or {}),
        }
    )


async def looked_up(fake: FakeDuoplane, ledger: str | None = None, **by: str) -> DuoplaneOrder:
    return await get_order(fake.client, GetOrder.model_validate(by or {"order_id": "51661073"}), Remembered(ledger))


async def failed(fake: FakeDuoplane, **by: str) -> DropshipError:
    with pytest.raises(DropshipError) as failure:
        await looked_up(fake, **by)
    return failure.value


async def test_an_order_is_joined_with_its_purchase_orders_and_shipments() -> None:
    """Rows 12, 16 and 18: every part with its source, no currency assumed, paging outside of `search[]`."""
    fake = duoplane(
        [
            purchase_order(
                1, sent_at="2026-03-03T08:00:00Z", status="sent", promise_date="2026-03-06", vendor_reference="OAK-7"
            ),
            purchase_order(2, order_items=None),
        ],
        [shipment(1), shipment(9)],
        order(internal_id="A-1", ordered_at="2026-03-02T10:00:00Z", created_at="2026-03-02T10:00:05.123Z"),
    )
    assert await looked_up(fake) == DuoplaneOrder(
        reference="WEB-10045",
        order_id="51661073",
        status="processing",
        provider_status="2 purchase orders, 1 sent, 1 shipped",
        next_step=NO_CANCEL,
        sources=ALL_SOURCES,
        app_url="https://app.duoplane.com/orders/51661073",
        internal_id="A-1",
        store_id="4711",
        ordered_at="2026-03-02T10:00:00Z",
        created_at="2026-03-02T10:00:05.123Z",
        currency="the store's, not stated by Duoplane",
        ship_to=ShipTo(
            name="Ada Byrne",
            street="500 Terry Francine St",
            postcode="94158",
            city="San Francisco",
            state="CA",
            country="US",
        ),
        items=[ItemResult(retailer_sku="TRAY-W", name="Walnut tray", quantity=2, price="39.5", vendor_sku="V-88")],
        purchase_orders=[
            PurchaseOrderResult(
                reference="WEB-10045-1",
                vendor="Oak & Sons",
                vendor_reference="OAK-7",
                sent_at="2026-03-03T08:00:00Z",
                promise_date="2026-03-06",
                status="sent",
                items=[ItemResult(retailer_sku="TRAY-W", name="Walnut tray", quantity=2, quantity_open=2)],
            ),
            PurchaseOrderResult(reference="WEB-10045-2", vendor="Oak & Sons"),
        ],
        shipments=[
            ShipmentResult(
                purchase_order="WEB-10045-1",
                carrier="UPS",
                tracking="1Z999",
                tracking_url="https://track.example/1Z999",
                shipped_at="2026-03-04T10:00:00Z",
            )
        ],
    )
    assert fake.asked() == [ORDER, BY_PURCHASE_ORDER, f"{SHIPMENTS} page=1 per_page=250"]


SENT = purchase_order(1, sent_at="2026-03-03T08:00:00Z")
SENT_2 = purchase_order(2, sent_at="2026-03-03T08:00:00Z")
DONE = [{"id": 901, "quantity": 2, "quantity_open": 0}]
NOTHING: list[dict[str, Any]] = []
HALF = [{"id": 901, "quantity": 1, "quantity_open": 1}]


@pytest.mark.parametrize(
    ("purchase_orders", "shipments", "status", "words"),
    [
        (NOTHING, NOTHING, "received", "accepted; no purchase order seen"),
        ([purchase_order()], NOTHING, "received", "1 purchase order, 0 sent, 0 shipped"),
        ([SENT], NOTHING, "processing", "1 purchase order, 1 sent, 0 shipped"),
        ([SENT], [shipment(quantity=1)], "processing", "1 purchase order, 1 sent, 0 shipped"),
        (
            [SENT],
            [shipment(quantity=1), shipment(quantity=1, id=302)],
            "shipped",
            "1 purchase order, 1 sent, 1 shipped",
        ),
        ([SENT], [shipment(quantity=1), shipment(quantity=1)], "processing", "1 purchase order, 1 sent, 0 shipped"),
        ([SENT, SENT_2], [shipment(1)], "processing", "2 purchase orders, 2 sent, 1 shipped"),
        ([SENT, SENT_2], [shipment(1), shipment(2)], "shipped", "2 purchase orders, 2 sent, 2 shipped"),
        ([purchase_order()], [shipment()], "shipped", "1 purchase order, 0 sent, 1 shipped"),
        ([{**SENT, "order_items": DONE}], NOTHING, "processing", "1 purchase order, 1 sent, 0 shipped"),
        (
            [{**SENT, "order_items": DONE}],
            [shipment(shipment_items_attributes=None)],
            "shipped",
            "1 purchase order, 1 sent, 1 shipped",
        ),
        (
            [{**SENT, "order_items": HALF}],
            [shipment(quantity=1)],
            "processing",
            "1 purchase order, 1 sent, 1 shipped; 1 piece on none",
        ),
        (
            [{**SENT, "order_items": NOTHING}],
            [shipment()],
            "processing",
            "1 purchase order, 1 sent, 0 shipped; 2 pieces on none",
        ),
    ],
)
async def test_the_status_is_computed_from_what_was_sent_and_shipped(
    purchase_orders: list[Any], shipments: list[Any], status: str, words: str
) -> None:
    found = await looked_up(duoplane(purchase_orders, shipments))
    assert (found.status, found.provider_status) == (status, words)


async def test_no_purchase_order_is_explained_and_no_shipment_asked_for() -> None:
    """Row 11."""
    fake = duoplane()
    assert (await looked_up(fake)).next_step == NO_PURCHASE_ORDER
    assert fake.asked() == [ORDER, BY_PURCHASE_ORDER]


async def test_another_orders_purchase_orders_are_not_mixed_in() -> None:
    others = [purchase_order(1, order_id=7), purchase_order(2, order_public_reference="WEB-1004")]
    assert (await looked_up(duoplane(others))).purchase_orders == []


async def test_purchase_orders_may_stand_under_the_internal_id() -> None:
    def pages(request: httpx2.Request) -> Reply:
        known = request.url.params["search[order_public_reference]"] == "A-1"
        return Reply(200, [purchase_order(order_public_reference="A-1")] if known else [])

    fake = duoplane(shown=order(internal_id="A-1"), pages={PURCHASE_ORDERS: pages})
    assert len((await looked_up(fake)).purchase_orders) == 1


async def test_a_shipment_without_tracking_and_one_with_two_parcels_are_shown() -> None:
    parcels = [{"tracking": "1"}, {"tracking": "2"}]
    rows = [
        shipment(shipment_trackings_attributes=[], purchase_order_public_reference=None),
        shipment(shipment_trackings_attributes=parcels, id=302),
    ]
    found = await looked_up(duoplane([purchase_order()], rows))
    assert [(row.purchase_order, row.tracking) for row in found.shipments] == [
        ("WEB-10045-1", ""),
        ("WEB-10045-1", "1"),
        ("WEB-10045-1", "2"),
    ]


@pytest.mark.parametrize("page", [Reply(401, ""), Reply(404, "<html>"), Reply(500, ""), Reply(200, {"a": 1})])
async def test_the_order_is_still_shown_when_the_old_api_is_closed(page: Reply) -> None:
    found = await looked_up(duoplane(pages={PURCHASE_ORDERS: page}))
    assert (found.status, found.provider_status) == ("unknown", "accepted; purchase orders not read")
    assert found.sources == [ALL_SOURCES[0], "status: none, Duoplane states no order status"]
    [warning] = found.warnings
    assert warning.startswith("Its purchase orders and shipments could not be read: Duoplane ")


async def test_purchase_orders_are_still_shown_when_the_shipments_are_not() -> None:
    found = await looked_up(duoplane([SENT], pages={SHIPMENTS: Reply(200, "<html>")}))
    assert (found.status, found.provider_status) == ("processing", "1 purchase order, 1 sent")
    assert found.sources == [*ALL_SOURCES[:2], "status: computed from purchase orders"]
    assert found.warnings == ["Its shipments could not be read: Duoplane answered, but the answer holds no list."]


async def test_a_limit_met_on_the_way_is_a_warning() -> None:
    fake = duoplane(pages={PURCHASE_ORDERS: Reply(429, [], {"duoplane-retry-after-seconds": "30"})})
    assert (await looked_up(fake)).warnings == [
        "Its purchase orders and shipments could not be read: Duoplane asks to slow down."
    ]


async def test_shipments_are_read_over_pages_and_gaps_are_named() -> None:
    def pages(request: httpx2.Request) -> Reply:
        page = int(request.url.params["page"])
        rows = [shipment(9)] * 249 + [shipment(1 if page == 3 else 9)]
        return Reply(200, rows, {"Duoplane-Has-Next-Page": "true", "Duoplane-Total-Count": "5000"})

    fake = duoplane([SENT], pages={SHIPMENTS: pages})
    found = await looked_up(fake)
    assert found.warnings == ["Not all shipments could be searched: older ones may be missing here."]
    assert (found.status, len(fake.requests)) == ("shipped", 6)


async def test_an_order_of_another_channel_may_lack_numbers_of_its_own() -> None:
    found = await looked_up(duoplane(shown=order(external_id=None)))
    assert (found.reference, found.status) == ("", "unknown")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(404, {"errors": ["Not found"]}), NotFound),
        (Reply(401, ""), ProviderAuth),
        (Reply(422, {"errors": ["no"]}), ProviderRefused),
        (Reply(429, {"metadata": {"retry_after_seconds": 9}}), RateLimited),
        (Reply(500, "<html>"), ProviderUnavailable),
        (Reply(200, "<html>"), UnexpectedAnswer),
        (Reply(200, [order()]), UnexpectedAnswer),
        (Reply(200, envelope(None)), UnexpectedAnswer),
        (Reply(200, envelope(order(7))), UnexpectedAnswer),
        (Reply(200, envelope(order(external_id={}))), UnexpectedAnswer),
    ],
)
async def test_an_order_that_cannot_be_read_is_the_right_error(reply: Reply, kind: type[DropshipError]) -> None:
    error = await failed(duoplane(pages={ORDER: reply}))
    assert (type(error), error.sent) == (kind, "no")


async def test_an_own_number_given_as_duoplanes_is_pointed_out() -> None:
    """Row 10."""
    error = await failed(duoplane(pages={ORDER: Reply(404, "")}))
    assert error.fix == (
        "order_id is Duoplane's own number of an order; give your own number as external_id. If every id fails, the key "
        "may be a vendor's: ask the person who runs this server."
    )


async def test_the_ledger_is_asked_first() -> None:
    fake = duoplane([purchase_order()])
    found = await looked_up(fake, ledger="51661073", external_id="WEB-10045")
    assert (found.order_id, fake.asked()[0]) == ("51661073", ORDER)


async def test_the_purchase_orders_are_asked_next() -> None:
    fake = duoplane([purchase_order()])
    found = await looked_up(fake, external_id="WEB-10045")
    assert (found.order_id, fake.asked()[:2]) == ("51661073", [BY_PURCHASE_ORDER, ORDER])


async def test_the_newest_orders_are_asked_last() -> None:
    rows = [order(3, external_id="X", internal_id="WEB-10045"), order(), order(5, external_id="WEB-1")]
    fake = duoplane(pages={ORDERS: Reply(200, envelope(rows)), "GET /api/orders/3": Reply(200, envelope(order(3)))})
    found = await looked_up(fake, external_id="WEB-10045")
    assert (found.order_id, found.warnings) == (
        "51661073",
        ["Duoplane holds several orders under this number (51661073, 3): a person must look which one is meant."],
    )
    assert fake.asked()[:2] == [BY_PURCHASE_ORDER, f"{ORDERS} page=1 per_page=250"]


async def test_an_order_known_by_its_purchase_orders_alone_is_followed_too() -> None:
    found = await looked_up(duoplane([SENT], [shipment()], pages={ORDER: Reply(404, "")}), external_id="WEB-10045")
    assert (found.order_id, found.status) == ("51661073", "shipped")
    assert found.warnings == ["The order itself could not be read, only what belongs to it."]
    assert found.sources == ALL_SOURCES[1:], "row 12: nothing is claimed to come from the order itself"


async def test_a_number_in_the_ledger_that_duoplane_forgot_is_looked_for_again() -> None:
    fake = duoplane(pages={ORDER: Reply(404, ""), ORDERS: Reply(200, envelope([]))})
    with pytest.raises(NotFound):
        await looked_up(fake, ledger="51661073", external_id="WEB-10045")
    assert fake.asked() == [ORDER, BY_PURCHASE_ORDER, f"{ORDERS} page=1 per_page=250"]


@pytest.mark.parametrize("listed", [Reply(200, envelope([])), Reply(404, "")])
async def test_not_finding_an_order_is_said_to_prove_nothing(listed: Reply) -> None:
    error = await failed(duoplane(pages={ORDERS: listed}), external_id="WEB-10045")
    assert (type(error), error.what) == (NotFound, NOT_FOUND)
    assert "That does not prove there is none" in error.what
