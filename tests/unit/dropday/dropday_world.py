"""The real client against Dropday's sandbox: the documented behaviour, in process."""

from __future__ import annotations

from typing import Any

from dropship_mcp.arguments import accept
from dropship_tools.dropday import DROPDAY
from dropship_tools.dropday.client import DropdayClient, connect
from dropship_tools.dropday.models import CreateOrder
from dropship_tools.dropday.order_list import ListOrders
from dropship_tools.dropday.product_list import ListProducts
from dropship_tools.dropday.tools import list_orders, list_products, place, plan
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.tool import Placement
from unit.dropday.dropday_fakes import NothingRecorded, permission

BUYER: dict[str, str] = {
    "first_name": "Zenobia",
    "last_name": "Quastel",
    "address1": "17 Xylophone Lane",
    "address2": "Staircase Umbra",
    "postcode": "75019",
    "city": "Belleville",
    "phone": "0612340987",
}
"""Every value appears nowhere else."""

LAMP: dict[str, Any] = {
    "external_id": "L-1",
    "name": "Desk lamp",
    "quantity": 2,
    "price": 29.95,
    "ean13": "8712345000018",
    "reference": "NL-DESK-01",
}
NOBODYS: dict[str, Any] = {"external_id": "L-2", "name": "Something else", "quantity": 1, "price": 10}


def client_in(world: SandboxWorld) -> DropdayClient:
    """A client of the sandbox in this world."""
    account = DROPDAY.sandbox_account()
    http = ProviderHttp(
        "Dropday",
        account.base_url,
        DROPDAY.auth_headers(account),
        timing=Timing(pause=0),
        transport=lambda: SandboxTransport(in_process_app(world, "dropday")),
    )
    return connect(account, http)


async def ordered(client: DropdayClient, external_id: str, *lines: dict[str, Any], **changes: Any) -> Placement:
    """Place an order, by default of one lamp; whatever goes wrong is raised."""
    order = {
        "external_id": external_id,
        "source": "lampen.example",
        "total": 64.85,
        "shipping_cost": 4.95,
        "email": "zenobia@quastel.example",
        "shipping_address": {**BUYER, "country": "FR"},
        "products": [*(lines or (LAMP,))],
        **changes,
    }
    return await place(client, plan(client, accept(CreateOrder, order, "dropday_create_order")), permission())


async def orders(client: DropdayClient, **asked: Any) -> dict[str, Any]:
    """The answer of the order list."""
    return (await list_orders(client, accept(ListOrders, asked, "dropday_list_orders"), NothingRecorded())).facts()


async def products(client: DropdayClient, **asked: Any) -> dict[str, Any]:
    """The answer of the product list."""
    args = accept(ListProducts, asked, "dropday_list_products")
    return (await list_products(client, args, NothingRecorded())).facts()
