"""Dipli's tools."""

from __future__ import annotations

from datetime import UTC, timedelta

from dropship_tools.dipli import results
from dropship_tools.dipli.client import DipliClient, create_request
from dropship_tools.dipli.days import day_of
from dropship_tools.dipli.listing import ListOrders, OrderList, listed
from dropship_tools.dipli.models import CreateOrder, DipliOrder, GetOrder
from dropship_tools.dipli.traces import listed_traces, sent_trace
from dropship_tools.errors import NotFound
from dropship_tools.orders import Certainty, Finding, Item, Placed, Plan, Sought, Summary
from dropship_tools.tool import CreateTool, Placement, ReadTool, Records, Tool
from dropship_tools.wire import SendOnce


def plan(client: DipliClient, args: CreateOrder) -> Plan:
    """Arguments to the documented body (sheet section 3); blank optionals stay out."""
    content = {name: value for name, value in args.model_dump(exclude={"dry_run"}).items() if value != ""}
    return Plan(
        reference=args.alternative_id,
        content=content,
        requests=(create_request(content),),
        summary=Summary(
            recipient=args.buyer,
            country=args.country,
            items=(Item(str(args.product_id), 1),),
            place=f"{args.postcode} {args.city}",
        ),
        trace=sent_trace(args),
    )


async def place(client: DipliClient, planned: Plan, once: SendOnce) -> Placement:
    """Send. Dipli takes the same alternative_id twice for two orders, so it never says that one existed."""
    public_id = await client.create_order(planned.requests[-1], once)
    return Placement(results.created(planned.reference, public_id))


async def find(client: DipliClient, sought: Sought) -> Finding:
    """By Dipli's number if it was learned, otherwise by buyer, address and product among the orders of those days.

    Finding none proves nothing: the traces may differ in a way nobody foresaw, and the list may lag.
    """
    if sought.order_id:
        try:
            return Finding(results.placed(await client.get_order(sought.order_id), sought.reference))
        except NotFound:
            return Finding(why="Dipli does not show the order that it confirmed under this number.")
    if sought.since is None:
        return Finding(why="Dipli cannot be asked by alternative_id, and this ledger knows nothing of the order.")
    # One day of margin: neither Dipli's time zone nor the exactness of its filter is documented.
    day = (sought.since.astimezone(UTC) - timedelta(days=1)).date()
    orders = await client.orders_since(day)
    alike = {
        order.public_id: order
        for order in orders
        if order.public_id
        and not "" < day_of(order.order_at) < day.isoformat()  # the filter may not be the lower bound it seems
        and not sought.is_other(order.public_id)
        and any(sought.is_trace(trace) for trace in listed_traces(order))
    }
    if len(alike) == 1:
        return Finding(results.recognised(next(iter(alike.values())), sought.reference), by_looks=True)
    if alike:
        return Finding(why=f"{len(alike)} orders at Dipli have this buyer, address and product; a person must choose.")
    return Finding(why=f"No order at Dipli since {day} shows this buyer, address and product, which proves nothing.")


async def get_order(client: DipliClient, args: GetOrder, records: Records) -> DipliOrder:
    """By Dipli's number; the shop's own leads there only through this machine's ledger."""
    public_id = args.public_id or await records.order_id(args.alternative_id)
    if not public_id:
        raise NotFound(
            "Dipli cannot look an order up by alternative_id, and this machine's ledger does not know this one",
            fix="dipli_list_orders shows Dipli's own numbers; pass one as public_id (A- and digits).",
        )
    return results.full(await client.get_order(public_id), args.alternative_id)


async def list_orders(client: DipliClient, args: ListOrders, records: Records) -> OrderList:
    """One page, as Dipli filters it."""
    return listed(await client.list_orders(args.query()), args)


TOOLS: tuple[Tool, ...] = (
    CreateTool[DipliClient, CreateOrder](
        name="dipli_create_order",
        title="Place a Dipli order",
        description=(
            "Buys one unit of one product from Dipli (refurbished phones, computers), at Dipli's price, shipped to the "
            "buyer. More units or products: one call each, each with its own alternative_id. Cannot be cancelled or "
            "changed by API. Dipli confirms later by e-mail."
        ),
        arguments=CreateOrder,
        result=Placed,
        plan=plan,
        place=place,
        find=find,
        certainty=Certainty(conclusive=False),
    ),
    ReadTool[DipliClient, GetOrder](
        name="dipli_get_order",
        title="Look up a Dipli order",
        description=(
            "One order with status, tracking, amounts and lines, by exactly one of public_id (Dipli's) or "
            "alternative_id (yours, if it was ordered through this server). provider_status `shipped` means delivered."
        ),
        arguments=GetOrder,
        result=DipliOrder,
        run=get_order,
    ),
    ReadTool[DipliClient, ListOrders](
        name="dipli_list_orders",
        title="List Dipli orders",
        description=(
            "Orders in short rows; order_id is the public_id for dipli_get_order, alternative_id is never shown. "
            "`shipped` means delivered."
        ),
        arguments=ListOrders,
        result=OrderList,
        run=list_orders,
    ),
)
