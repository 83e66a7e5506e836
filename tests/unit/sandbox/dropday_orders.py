"""An order for Dropday's sandbox, and requests to it."""

from __future__ import annotations

from typing import Any

import httpx2

from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import client_for

ORDERS = "/api/v1/orders"
ORDER: dict[str, Any] = {
    "external_id": "NL-1",
    "source": "lampen.example",
    "total": 435.45,
    "shipping_cost": 4.95,
    "email": "jan@example.org",
    "shipping_address": {
        "first_name": "Jan",
        "last_name": "de Boer",
        "address1": "Kade 2",
        "postcode": "1011 AB",
        "city": "Amsterdam",
        "country": "NL",
        "phone": "020 123 4567",
    },
    "products": [
        {
            "external_id": "1",
            "name": "Desk lamp",
            "quantity": 2,
            "price": 29.95,
            "ean13": "8712345000018",
            "supplier": "whoever",
            "custom": {"engraving": "J"},
        },
        {"external_id": 2, "name": "Something else", "quantity": "3", "price": 4},
    ],
}
CREATED = {"message": "Order created", "reference": 98}


async def post(world: SandboxWorld, body: Any) -> httpx2.Response:
    """Create an order."""
    async with client_for(world, "dropday") as client:
        return await client.post(ORDERS, json=body)


async def get(world: SandboxWorld, path: str, **query: str) -> Any:
    """The decoded answer to a GET."""
    async with client_for(world, "dropday") as client:
        return (await client.get(path, params=query)).json()


async def listed(world: SandboxWorld, **query: str) -> list[str]:
    """The external ids on a page of the list."""
    return [order["external_id"] for order in (await get(world, ORDERS, **query))["data"]]
