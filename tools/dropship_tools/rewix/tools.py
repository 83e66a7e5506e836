"""Rewix's tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from dropship_tools.errors import NotFound, ProviderRefused
from dropship_tools.orders import Certainty, Finding, Item, Plan, Sought, Summary
from dropship_tools.rewix import placing, results, stock
from dropship_tools.rewix.client import RewixClient
from dropship_tools.rewix.dates import to_wire
from dropship_tools.rewix.models import CreateOrder, GetOrder, RewixOrder, RewixPlaced
from dropship_tools.rewix.stock_models import (
    Carriers,
    FindStock,
    FoundStock,
    GetReserved,
    ListCarriers,
    Moved,
    Reserved,
    ReserveStock,
)
from dropship_tools.tool import ChangeTool, CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce

SAMPLE_TAX_ID = "12345558"
"""`cfpiva` in the documentation's example, which live shops have sent for real customers (sheet section 6)."""

STILL_LOCKED = (
    "If one was tried, its pieces may still be locked: rewix_get_reserved shows them, rewix_reserve_stock (unlock) "
    "frees them."
)
"""An unknown outcome leaves the reservation alone, because the order may yet need it."""


def plan(client: RewixClient, args: CreateOrder) -> Plan:
    """Arguments to the documented body (sheet section 4.1), and the reservation that comes before it."""
    quantities = args.quantities()
    order = {
        "key": args.key,
        "date": args.date or to_wire(client.now()),
        "carrierId": args.carrierId,
        "recipient_details": args.recipient_details.model_dump(),
        "item_list": _items(quantities),
        "autoConfirm": args.autoConfirm,
    }
    request = client.create_request(order)
    recipient = args.recipient_details
    return Plan(
        reference=args.key,
        content=_content({**order, "date": "", "item_list": _items(dict(sorted(quantities.items())))}),
        requests=(client.reserve_request("lock", quantities), request),
        summary=Summary(
            recipient=recipient.recipient,
            country=recipient.address.countrycode,
            items=tuple(Item(str(stock_id), pieces) for stock_id, pieces in quantities.items()),
            pays_at_once=args.autoConfirm,
            place=f"{recipient.address.zip} {recipient.address.city}",
        ),
        warnings=tuple(_doubts(args)),
        payload=placing.Order(args.key, quantities, request),
    )


def _items(quantities: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"stock_id": stock_id, "quantity": pieces} for stock_id, pieces in quantities.items()]


def _content(order: Mapping[str, Any]) -> dict[str, Any]:
    """What makes it this order: empty values left out, at every level."""
    return {
        name: _content(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for name, value in order.items()
        if value not in ("", None)
    }


def _doubts(args: CreateOrder) -> list[str]:
    doubts: list[str] = []
    if args.autoConfirm:
        doubts.append("autoConfirm is true: the order may be paid at once from the account's credit.")
    if args.recipient_details.cfpiva == SAMPLE_TAX_ID:
        doubts.append(
            f"cfpiva {SAMPLE_TAX_ID} is the documentation's sample; leave it out unless it is the recipient's."
        )
    return doubts


async def place(client: RewixClient, planned: Plan, once: SendOnce) -> Placement:
    """The safe recipe of sheet section 5."""
    return await placing.place(client, planned.payload, once)


async def find(client: RewixClient, sought: Sought) -> Finding:
    """By key."""
    orders = await placing.existing(client, sought.reference)
    if not orders:
        return Finding(absent=True, why=f"Rewix has no order with this key. {STILL_LOCKED}")
    return Finding(results.placed(orders))


async def get_order(client: RewixClient, args: GetOrder, records: Records) -> RewixOrder:
    """By the caller's own number, or by Rewix's."""
    if args.rewix_order_id is None:
        found = await client.orders_by_key(args.key)
    else:
        found = await client.orders_by_id(args.rewix_order_id)
    if not found:
        raise NotFound(
            "Rewix knows no order with that number",
            fix="Check which kind of number it is: key is yours, rewix_order_id is Rewix's.",
        )
    orders = results.without_reservation(found)
    if not orders:
        raise ProviderRefused(
            "that is the account's reservation, not an order",
            fix="Look the order up by key, your own order number.",
        )
    return results.full(orders)


TOOLS: tuple[Tool, ...] = (
    CreateTool[RewixClient, CreateOrder](
        name="rewix_create_order",
        title="Place a Rewix order",
        description=(
            "Buys: reserves every item, then places one dropship order; nothing if stock is short. Cannot be cancelled "
            "by API. autoConfirm false (our default): ships only after a person pays in the supplier's shop; true may "
            "spend the account's credit at once."
        ),
        arguments=CreateOrder,
        result=RewixPlaced,
        plan=plan,
        place=place,
        find=find,
        # Slow hosts were seen to take ten minutes for one request (sheet section 4.1.1).
        certainty=Certainty(conclusive=True, after=timedelta(minutes=15)),
    ),
    ReadTool[RewixClient, GetOrder](
        name="rewix_get_order",
        title="Look up a Rewix order",
        description=(
            "Status and tracking of one order, by exactly one of key (yours) or rewix_order_id (Rewix's). Rewix shows "
            "no items, prices or delivery. awaiting_payment: not paid, so it will not ship."
        ),
        arguments=GetOrder,
        result=RewixOrder,
        run=get_order,
    ),
    ReadTool[RewixClient, FindStock](
        name="rewix_find_stock",
        title="Find a stock_id at Rewix",
        description=(
            "Searches the shop's catalogue for variants: stock_id, price without VAT, indicative availability."
        ),
        arguments=FindStock,
        result=FoundStock,
        run=stock.find_stock,
    ),
    ReadTool[RewixClient, ListCarriers](
        name="rewix_list_carriers",
        title="List Rewix carriers",
        description="The account's carriers now, with their carrierId. Listed costs are no quotes.",
        arguments=ListCarriers,
        result=Carriers,
        run=stock.list_carriers,
    ),
    ReadTool[RewixClient, GetReserved](
        name="rewix_get_reserved",
        title="Show stock reserved at Rewix",
        description="Pieces the account holds locked, over all its carts and programs.",
        arguments=GetReserved,
        result=Reserved,
        run=stock.get_reserved,
    ),
    ChangeTool[RewixClient, ReserveStock](
        name="rewix_reserve_stock",
        title="Lock or unlock stock at Rewix",
        description=(
            "Locks or unlocks so many pieces more; never repeat it blindly. Locks never lapse. Ordering reserves by "
            "itself."
        ),
        arguments=ReserveStock,
        result=Moved,
        run=stock.reserve_stock,
    ),
)
