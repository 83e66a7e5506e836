"""Dropday's tools."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dropship_tools.dropday import results
from dropship_tools.dropday.client import DropdayClient, create_request
from dropship_tools.dropday.dates import to_wire
from dropship_tools.dropday.models import CreateOrder, DropdayOrder, DropdayPlaced, GetOrder, Product
from dropship_tools.errors import DropshipError, NotFound
from dropship_tools.orders import Certainty, Finding, Item, Plan, Sought, Summary
from dropship_tools.tool import CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce

EXISTED = (
    "Dropday already had an order with this external_id: nothing was ordered or changed now, and its content may "
    "differ. Compare it with dropday_get_order; shops that share the account share these numbers."
)


def _filled(**values: Any) -> dict[str, Any]:
    """What was really given: blanks are better left out than sent (sheet section 8)."""
    return {name: value for name, value in values.items() if value not in ("", None, [], {})}


def _line(product: Product) -> dict[str, Any]:
    return _filled(**product.model_dump(exclude={"custom"}), custom={p.name: p.value for p in product.custom})


def _shipping(args: CreateOrder) -> dict[str, Any]:
    """The cost goes out in both documented forms, as the shop plugins do; the rest only in the newer one."""
    cost = args.delivery_cost()
    if args.shipping is None:
        return _filled(shipping_cost=cost)
    s = args.shipping
    date = to_wire(s.delivery_date)
    shipping = _filled(name=s.name, description=s.description, cost=cost, note=s.note, delivery_date=date)
    return _filled(shipping_cost=cost, shipping=shipping)


def plan(client: DropdayClient, args: CreateOrder) -> Plan:
    """Arguments to the documented body (sheet section 4)."""
    address = _filled(**args.shipping_address.model_dump())
    products = [_line(product) for product in args.products]
    content = {
        **_filled(external_id=args.external_id, source=args.source),
        "test": args.test,
        **_filled(total=args.total),
        **_shipping(args),
        **_filled(email=args.email),
        "shipping_address": address,
        "products": products,
    }
    request = create_request(content)
    return Plan(
        reference=args.external_id,
        content=content,
        requests=(request,),
        summary=Summary(
            recipient=f"{args.shipping_address.first_name} {args.shipping_address.last_name}",
            country=args.shipping_address.country,
            items=tuple(Item(p.external_id, p.quantity, p.name, p.price) for p in args.products),
            total=args.total,
        ),
        warnings=tuple(_doubts(args)),
        payload=request,
    )


def _doubts(args: CreateOrder) -> list[str]:
    """Dropday checks neither totals nor what its routing rules will need (sheet sections 4 and 8)."""
    doubts: list[str] = []
    lines = sum((p.price * p.quantity for p in args.products), Decimal(0)) + (args.delivery_cost() or 0)
    if abs(args.total - lines) > max(lines, args.total) / 10:
        cents = args.total and lines and 50 < max(args.total / lines, lines / args.total) < 200
        doubts.append(
            f"total is {args.total}, lines plus shipping are {lines}"
            + (": cents mixed with main units?" if cents else "; tax or discount?")
        )
    bare = [p.external_id for p in args.products if not (p.brand or p.ean13 or p.supplier or p.category)]
    if bare:
        doubts.append(
            "No brand, ean13, supplier or category on: "
            + ", ".join(bare[:5])
            + "; routing rules may match no supplier."
        )
    return doubts


async def place(client: DropdayClient, planned: Plan, once: SendOnce) -> Placement:
    """Send, then read back: only the read shows whether lines found a supplier."""
    created = await client.create_order(planned.payload, once)
    existed = "already exists" in created.message.lower()
    order: DropdayPlaced | None = None
    try:
        if created.reference:
            order = results.placed(await client.get_order(created.reference))
        elif found := await client.find_order(planned.reference):
            order = results.placed(found)
    except DropshipError:
        order = None  # the order exists all the same; only its lines could not be read back
    if order is None:
        order = DropdayPlaced(
            reference=planned.reference,
            order_id=created.reference or "",
            status="received",
            provider_status=created.message,
            warnings=["Its lines could not be read back: check with dropday_get_order that each found a supplier."],
        )
    if existed:
        order = order.model_copy(update={"warnings": [EXISTED, *order.warnings]})
    return Placement(order, existed)


async def find(client: DropdayClient, sought: Sought) -> Finding:
    """By exact external_id, test orders included."""
    order = await client.find_order(sought.reference)
    if order is None:
        return Finding(absent=True, why="Dropday lists no order with this external_id.")
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
    if order.reference:
        return results.full(await client.get_order(order.reference))
    return results.full(order)


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
        certainty=Certainty(conclusive=True, dedupes=True),
    ),
    ReadTool[DropdayClient, GetOrder](
        name="dropday_get_order",
        title="Look up a Dropday order",
        description=(
            "One order with the status of each line, by exactly one of external_id (yours) or reference (Dropday's). "
            "`completed` means handed to the supplier; Dropday has no tracking or delivery status."
        ),
        arguments=GetOrder,
        result=DropdayOrder,
        run=get_order,
    ),
)
