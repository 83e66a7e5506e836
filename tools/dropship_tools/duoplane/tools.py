"""Duoplane's tools."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from dropship_tools.duoplane import results
from dropship_tools.duoplane.client import DuoplaneClient, create_request
from dropship_tools.duoplane.given import given
from dropship_tools.duoplane.lookup import NOT_FOUND, Match, existing, follow, has_number, look_up, read
from dropship_tools.duoplane.models import (
    CreateOrder,
    DuoplaneOrder,
    DuoplanePlaced,
    GetOrder,
    ListOrders,
    OrderItem,
    OrderList,
)
from dropship_tools.duoplane.product_models import AddProduct, DuoplaneProduct, FindProduct, FoundProducts, GetProduct
from dropship_tools.duoplane.products import add_product, find_product, get_product
from dropship_tools.duoplane.wire_shapes import WireOrder
from dropship_tools.errors import FieldProblem, InvalidArguments, NotConfigured, NotFound, ReferenceConflict
from dropship_tools.orders import Certainty, Finding, Item, Plan, Sought, Summary
from dropship_tools.tool import ChangeTool, CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce


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
    body = {"store_id": _store_id(client, args), **given(args.model_dump(exclude={"dry_run", "store_id"}))}
    request = create_request(body)
    address, items = args.shipping_address, args.order_items
    prices = [item.price * item.quantity for item in items if item.price is not None]
    return Plan(
        reference=args.external_id,
        content={name: value for name, value in body.items() if name != "ordered_at"},
        requests=(request,),
        summary=Summary(
            recipient=address.recipient(),
            country=address.country_iso2,
            place=f"{address.post_code} {address.city}".strip(),
            items=tuple(Item(_product(item), item.quantity, item.name, item.price) for item in items),
            total=sum(prices, Decimal(0)) if len(prices) == len(items) else None,
        ),
        payload=request,
    )


def _product(item: OrderItem) -> str:
    """Both of its names where both are given: the number decides, and a person has to see it."""
    return " / ".join(filter(None, (item.retailer_sku, str(item.retailer_product_id or ""))))


async def place(client: DuoplaneClient, planned: Plan, once: SendOnce) -> Placement:
    """Look, then send. Nothing is read back: whether vendors get the order is decided later, by Duoplane."""
    match, doubts = await existing(client, planned.reference, str(planned.content["store_id"]))
    if match and not match.shown:  # it may be another channel's: neither a reason to send nor proof of ours
        raise ReferenceConflict(
            "Duoplane has purchase orders under this number, of an order that it does not show; nothing was sent",
            fix="Stop and ask a person to look in Duoplane whose order that is.",
        )
    if match:
        doubts = (results.EXISTED, *match.doubts, *match.complaints)
        return Placement(_found(client, match, planned.reference, doubts), existed=True)
    created = await client.create_order(planned.payload, once)
    return Placement(results.placed(created, planned.reference, client.app_url(created.order_id), doubts))


async def find(client: DuoplaneClient, sought: Sought) -> Finding:
    """By Duoplane's number if it is known, else by external_id. Not finding it proves nothing."""

    def is_ours(order: WireOrder) -> bool:
        return has_number(order, sought.reference) and not sought.is_other(order.id or "")

    if sought.order_id:
        try:
            match = await read(client, sought.order_id)
        except NotFound:
            return Finding(
                why="Duoplane no longer shows the order under its number; an administrator may have deleted it."
            )
    elif (match := await look_up(client, sought.reference, is_ours)) is None:
        return Finding(why=NOT_FOUND)
    doubts = (*match.doubts, results.COMPLAINS) if match.complaints else match.doubts
    return Finding(_found(client, match, sought.reference, doubts))


def _found(client: DuoplaneClient, match: Match, reference: str, doubts: Sequence[str]) -> DuoplanePlaced:
    return results.found(match.order, reference, doubts, client.app_url(match.order_id))


async def get_order(client: DuoplaneClient, args: GetOrder, records: Records) -> DuoplaneOrder:
    """By Duoplane's number, or by the caller's."""
    if order_id := args.order_id or await records.order_id(args.external_id):
        try:
            return await follow(client, await read(client, order_id), args.external_id)
        except NotFound:
            if args.order_id:
                raise
    match = await look_up(client, args.external_id, lambda _: True)
    if match is None:
        raise NotFound(
            NOT_FOUND, fix="Check the number, or ask a person to look in Duoplane; do not order again because of this."
        )
    return await follow(client, match, args.external_id)


async def list_orders(client: DuoplaneClient, args: ListOrders, _: Records) -> OrderList:
    """One page, in Duoplane's order."""
    return results.listed(await client.list_orders(args.page, args.per_page), args.page)


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
    ReadTool[DuoplaneClient, ListOrders](
        name="duoplane_list_orders",
        title="List Duoplane orders",
        description="Short rows of the account's orders, of all channels; no status and no filter.",
        arguments=ListOrders,
        result=OrderList,
        run=list_orders,
    ),
    ReadTool[DuoplaneClient, GetProduct](
        name="duoplane_get_product",
        title="Show a Duoplane product",
        description="One product and its vendors: cost, stock, backorder date.",
        arguments=GetProduct,
        result=DuoplaneProduct,
        run=get_product,
    ),
    ReadTool[DuoplaneClient, FindProduct](
        name="duoplane_find_product",
        title="Find a Duoplane product by SKU",
        description=(
            "Before ordering: is a SKU (retailer_sku, vendor_sku or both) there and unique, which vendors carry it, "
            "which store_id sells it."
        ),
        arguments=FindProduct,
        result=FoundProducts,
        run=find_product,
    ),
    ChangeTool[DuoplaneClient, AddProduct](
        name="duoplane_add_product",
        title="Add a product to Duoplane",
        description=(
            "Adds a product with its vendors, which changes where later orders go. Cannot be undone here; refused if "
            "the retailer_sku exists."
        ),
        arguments=AddProduct,
        result=DuoplaneProduct,
        run=add_product,
        opt_in=True,
    ),
)
