"""Duoplane's tools."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from dropship_tools.duoplane import results
from dropship_tools.duoplane.client import DuoplaneClient, create_request
from dropship_tools.duoplane.lookup import NOT_FOUND, Match, follow, look_up
from dropship_tools.duoplane.models import CreateOrder, DuoplaneOrder, DuoplanePlaced, GetOrder, WireOrder
from dropship_tools.errors import FieldProblem, InvalidArguments, NotConfigured, NotFound
from dropship_tools.orders import Certainty, Finding, Item, Plan, Sought, Summary
from dropship_tools.tool import CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce


def _given(value: Any) -> Any:
    """What was really given, at every depth: blanks are left out, not sent."""
    if isinstance(value, Mapping):
        pairs = {name: _given(part) for name, part in cast("Mapping[str, Any]", value).items()}
        return {name: part for name, part in pairs.items() if part not in ("", None, [], {})}
    if isinstance(value, list):
        return [part for part in map(_given, cast("list[Any]", value)) if part not in ("", None, [], {})]
    return value


def _store_id(client: DuoplaneClient, args: CreateOrder) -> int:
    if args.store_id is not None:
        return args.store_id
    default = client.default_store_id
    if not default:
        raise InvalidArguments(
            "no store is named, and the account has no default",
            fix="Ask the account's owner for store_id or to set DUOPLANE_STORE_ID; never guess it.",
            fields=[FieldProblem("store_id", "required, as DUOPLANE_STORE_ID is not set")],
        )
    if not default.isdecimal():
        raise NotConfigured(
            "DUOPLANE_STORE_ID is not a whole number",
            fix="Ask the person who runs this server to set it to the store's numeric id.",
        )
    return int(default)


def plan(client: DuoplaneClient, args: CreateOrder) -> Plan:
    """Arguments to the documented body (sheet section 5.1): exactly what was given, and the store.

    Raises:
        InvalidArguments: no store is known.
        NotConfigured: the configured store is no number.
    """
    given = {"store_id": _store_id(client, args), **_given(args.model_dump(exclude={"dry_run", "store_id"}))}
    request = create_request(given)
    address, items = args.shipping_address, args.order_items
    prices = [item.price * item.quantity for item in items if item.price is not None]
    return Plan(
        reference=args.external_id,
        content={name: value for name, value in given.items() if name != "ordered_at"},
        requests=(request,),
        summary=Summary(
            recipient=address.recipient(),
            country=address.country_iso2,
            items=tuple(
                Item(item.retailer_sku or str(item.retailer_product_id), item.quantity, item.name, item.price)
                for item in items
            ),
            total=sum(prices, Decimal(0)) if len(prices) == len(items) else None,
        ),
        payload=request,
    )


async def place(client: DuoplaneClient, planned: Plan, once: SendOnce) -> Placement:
    """Send. Nothing is read back: whether vendors get the order is decided later, by Duoplane."""
    created = await client.create_order(planned.payload, once)
    return Placement(results.placed(created, planned.reference, client.app_url(created.order_id)))


async def find(client: DuoplaneClient, sought: Sought) -> Finding:
    """By Duoplane's number if it is known, else by external_id. Not finding it proves nothing."""

    def is_ours(order: WireOrder) -> bool:
        """Another channel's order may go by the same order number, but not by our external_id."""
        same = order.attributes.external_id in (None, "", sought.reference)
        return same and not sought.is_other(order.id or "")

    if sought.order_id:
        try:
            match = Match(await client.get_order(sought.order_id))
        except NotFound:
            return Finding(
                why="Duoplane no longer shows the order under its number; an administrator may have deleted it."
            )
    elif (match := await look_up(client, sought.reference, is_ours)) is None:
        return Finding(why=NOT_FOUND)
    return Finding(results.found(match.order_id, sought.reference, match.warnings, client.app_url(match.order_id)))


async def get_order(client: DuoplaneClient, args: GetOrder, records: Records) -> DuoplaneOrder:
    """By Duoplane's number, or by the caller's."""
    if order_id := args.order_id or await records.order_id(args.external_id):
        try:
            return await follow(client, Match(await client.get_order(order_id)), args.external_id)
        except NotFound:
            if args.order_id:
                raise
    match = await look_up(client, args.external_id, lambda _: True)
    if match is None:
        raise NotFound(
            NOT_FOUND, fix="Check the number, or ask a person to look in Duoplane; do not order again because of this."
        )
    return await follow(client, match, args.external_id)


TOOLS: tuple[Tool, ...] = (
    CreateTool[DuoplaneClient, CreateOrder](
        name="duoplane_create_order",
        title="Place a Duoplane order",
        description=(
            "Buys: creates a sales order that Duoplane splits among vendors; account settings may send it to them "
            "without another call. No cancelling by API, no check for doubles. Items need retailer_sku or "
            "retailer_product_id."
        ),
        arguments=CreateOrder,
        result=DuoplanePlaced,
        plan=plan,
        place=place,
        find=find,
        certainty=Certainty(conclusive=False),
    ),
    ReadTool[DuoplaneClient, GetOrder](
        name="duoplane_get_order",
        title="Look up a Duoplane order",
        description=(
            "One order with its purchase orders, shipments and tracking, by exactly one of order_id (Duoplane's) or "
            "external_id (yours). Not finding it proves nothing; the status is computed."
        ),
        arguments=GetOrder,
        result=DuoplaneOrder,
        run=get_order,
    ),
)
