"""Dropday's tools."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import anyio

from dropship_tools.dropday import order_list, product_list, results
from dropship_tools.dropday.client import DropdayClient, create_request
from dropship_tools.dropday.dates import to_wire
from dropship_tools.dropday.models import (
    CreateOrder,
    DropdayOrder,
    DropdayPlaced,
    GetOrder,
    Product,
    WireCreated,
    WireOrder,
)
from dropship_tools.errors import DropshipError, NotFound, ReferenceConflict
from dropship_tools.orders import Certainty, Finding, Item, Plan, Sought, Summary
from dropship_tools.text import clean
from dropship_tools.tool import CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce

EXISTED = (
    "Dropday already had an order with this external_id: nothing was ordered or changed now, and its content may "
    "differ. Compare it with dropday_get_order."
)
NOT_READ = "Its lines could not be read back: check with dropday_get_order that each found a supplier."

EAN_DIGITS = (8, 13, 14)
"""EAN-8, EAN-13 and GTIN-14; the documentation's own examples have 14."""

READ_BACK_SECONDS = 10
"""So that sending (30 s at most) and reading back fit into a call."""


def _filled(**values: Any) -> dict[str, Any]:
    """What was really given: blanks are better left out than sent (sheet section 8)."""
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}


def _line(product: Product) -> dict[str, Any]:
    return _filled(**product.model_dump(exclude={"custom"}), custom={p.name: p.value for p in product.custom})


def _shipping(args: CreateOrder) -> dict[str, Any]:
    """The cost in both documented forms, as the newest shop plugins send it (sheet section 4, `shipping`).

    Older pages know `shipping_cost` only and require it, newer ones put the cost into `shipping`. That object goes out
    only if something was given in it, so that the documentation's own example leaves as it is printed.
    """
    cost = args.delivery_cost()
    given = _filled(**args.shipping.model_dump()) if args.shipping else {}
    if not given:
        return {"shipping_cost": cost}
    if "delivery_date" in given:
        given["delivery_date"] = to_wire(given["delivery_date"])
    return {"shipping_cost": cost, "shipping": {**given, "cost": cost}}


def plan(client: DropdayClient, args: CreateOrder) -> Plan:
    """Arguments to the documented body (sheet section 4)."""
    body = _filled(
        external_id=args.external_id,
        source=args.source,
        test=args.test,
        total=args.total,
        **_shipping(args),
        email=args.email,
        shipping_address=_filled(**args.shipping_address.model_dump()),
        products=[_line(product) for product in args.products],
    )
    request = create_request(body)
    return Plan(
        reference=args.external_id,
        content=_content(body, args.delivery_cost()),
        requests=(request,),
        summary=Summary(
            recipient=f"{args.shipping_address.first_name} {args.shipping_address.last_name}",
            country=args.shipping_address.country,
            items=tuple(Item(_product(p), p.quantity, p.name, p.price) for p in args.products),
            total=args.total,
            test=args.test,
            place=f"{args.shipping_address.postcode} {args.shipping_address.city}",
        ),
        trace=_trace(args.source, test=args.test),
        warnings=tuple(_doubts(args)),
        payload=request,
    )


def _product(product: Product) -> str:
    """What routes the line, which is what a person has to see; its own number says nothing of what is bought."""
    return " / ".join(filter(None, (product.reference, product.ean13))) or product.external_id


def _trace(source: str, *, test: bool) -> str:
    """Whose order it is. All shops of an account, and test orders with real ones, share one row of external_ids, so
    an order under our number may be somebody else's (sheet section 4 and section 12, row 20)."""
    return f"{'test' if test else 'real'} {clean(source).casefold()}"


def _content(body: dict[str, Any], cost: Decimal) -> dict[str, Any]:
    """Wherever the cost of delivery was given, it is the same order. The ledger keeps names in clear, and those of
    `custom` are the shop's own words."""
    lines = [{**line, "custom": sorted(map(list, line.get("custom", {}).items()))} for line in body["products"]]
    return {**body, "products": lines, "shipping": {**body.get("shipping", {}), "cost": cost}}


def _doubts(args: CreateOrder) -> list[str]:
    """Dropday checks neither totals nor what its routing rules will need (sheet sections 4 and 8)."""
    doubts: list[str] = []
    lines = sum((p.price * p.quantity for p in args.products), args.delivery_cost())
    small, large = sorted((args.total, lines))
    if large - small > large / 10:
        why = "cents mixed with main units?" if 50 * small < large < 200 * small else "tax or discount?"
        doubts.append(f"total is {args.total}, lines plus shipping are {lines}: {why}")
    bare = [p.external_id for p in args.products if not (p.brand or p.ean13 or p.supplier or p.category)]
    if bare:
        doubts.append(
            "No brand, ean13, supplier or category on: "
            + ", ".join(bare[:5])
            + "; routing rules may match no supplier."
        )
    short = [p.ean13 for p in args.products if p.ean13.isdigit() and len(p.ean13) not in EAN_DIGITS]
    if short:
        doubts.append(f"ean13 without 13 digits: {', '.join(short[:5])}; were leading zeros lost? Rules compare text.")
    return doubts


async def place(client: DropdayClient, planned: Plan, once: SendOnce) -> Placement:
    """Send, then read back: only the read shows whether lines found a supplier."""
    created = await client.create_order(planned.payload, once)
    held = await _read_back(client, created, planned.reference)
    if held is not None:
        order = results.placed(held)
    else:
        order = DropdayPlaced(
            reference=planned.reference,
            order_id=created.reference or "",
            status="unknown" if created.existed else "received",
            provider_status=created.message,
            warnings=[NOT_READ],
            next_step="Follow it with dropday_get_order.",
        )
    if created.existed:
        if held is not None and _trace(held.source or "", test=bool(held.test)) != planned.trace:
            raise ReferenceConflict(
                f"Dropday holds {_whose(held)} under this external_id, so this order was not placed",
                fix="Stop and ask a person under which external_id to order; then it is another order.",
            )
        order = order.model_copy(update={"warnings": [EXISTED, *order.warnings]})
    return Placement(order, created.existed)


def _whose(order: WireOrder) -> str:
    """In our words: the name of the other shop is somebody else's text, and dropday_get_order shows it."""
    return "a test order" if order.test else "a real order, of another shop or in place of a test order,"


async def _read_back(client: DropdayClient, created: WireCreated, external_id: str) -> WireOrder | None:
    """The order as Dropday holds it, or None if that cannot be seen in time: it exists all the same.

    The number in the answer is not documented for orders that exist already, and looks unlike those in reads.
    """
    with anyio.move_on_after(READ_BACK_SECONDS):
        if created.reference:
            with suppress(DropshipError):
                order = await client.get_order(created.reference)
                if order.external_id == external_id:
                    return order
        with suppress(DropshipError):
            return await client.find_order(external_id)
    return None


async def find(client: DropdayClient, sought: Sought) -> Finding:
    """By exact external_id, test orders included."""
    order = await client.find_order(sought.reference)
    if order is None:
        return Finding(absent=True, why="Dropday lists no order with this external_id.")
    if sought.since is not None and not sought.is_trace(_trace(order.source or "", test=bool(order.test))):
        return Finding(absent=True, why=f"Dropday holds {_whose(order)} under this external_id, not this one.")
    return Finding(results.placed(order))


async def get_order(client: DropdayClient, args: GetOrder, records: Records) -> DropdayOrder:
    """By Dropday's number, or by the shop's."""
    if args.reference:
        return results.full(await client.get_order(args.reference))
    order = await client.find_order(args.external_id)
    if order is None:
        raise NotFound(
            "Dropday lists no order with exactly this external_id, test orders included",
            fix="Check the number; dropship_find_order asks all providers.",
        )
    return results.full(await client.get_order(order.reference))  # only there do lines come with their logs


async def list_orders(client: DropdayClient, args: order_list.ListOrders, records: Records) -> order_list.OrderList:
    """One page, as Dropday filters it."""
    return order_list.listed(await client.list_orders(args.query()), args)


async def list_products(
    client: DropdayClient, args: product_list.ListProducts, records: Records
) -> product_list.ProductList:
    """A piece of a page, which Dropday fixes at a hundred."""
    return product_list.listed(await client.list_products(args.dropdays_page), args)


TOOLS: tuple[Tool, ...] = (
    CreateTool[DropdayClient, CreateOrder](
        name="dropday_create_order",
        title="Place a Dropday order",
        description=(
            "Buys: hands a paid webshop order to Dropday, which routes each line to a supplier by rules. Cannot be "
            "cancelled by API. Amounts are decimals (10.99). The same external_id never orders twice."
        ),
        arguments=CreateOrder,
        result=DropdayPlaced,
        plan=plan,
        place=place,
        find=find,
        certainty=Certainty(conclusive=True, after=timedelta(minutes=5), dedupes=True),  # `after` is our guess
    ),
    ReadTool[DropdayClient, GetOrder](
        name="dropday_get_order",
        title="Look up a Dropday order",
        description=(
            "One order with the status of each line, by exactly one of external_id (yours) or reference (Dropday's). "
            "`status` is computed from its lines; `completed` means handed to the supplier; Dropday has no tracking or "
            "delivery status."
        ),
        arguments=GetOrder,
        result=DropdayOrder,
        run=get_order,
    ),
    ReadTool[DropdayClient, order_list.ListOrders](
        name="dropday_list_orders",
        title="List Dropday orders",
        description=(
            "Orders in short rows; order_id is the reference for dropday_get_order. Test orders are hidden unless "
            "external_id or include_test is given."
        ),
        arguments=order_list.ListOrders,
        result=order_list.OrderList,
        run=list_orders,
    ),
    ReadTool[DropdayClient, product_list.ListProducts](
        name="dropday_list_products",
        title="List Dropday feed products",
        description=(
            "Products of supplier feeds, 20 a page, no search. sku belongs into `reference` of an order line; "
            "purchase_price is your cost."
        ),
        arguments=product_list.ListProducts,
        result=product_list.ProductList,
        run=list_products,
    ),
)
