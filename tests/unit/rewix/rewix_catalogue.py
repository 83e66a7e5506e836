"""Searching a shop's catalogue in tests."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from dropship_tools.rewix.client import RewixClient
from dropship_tools.rewix.stock import find_stock
from dropship_tools.rewix.stock_models import FindStock, FoundStock
from unit.rewix.rewix_shop import NoRecords, answer

FULL = "/restful/export/api/products.json?acceptedlocales=en_US&v=TEAL"
CHANGES = FULL + "&since=2026-03-02T12%3A00%3A00.000%2B00%3A00"


async def find(client: RewixClient, search: str = "1578", options: str = "") -> FoundStock:
    """rewix_find_stock."""
    return await find_stock(client, FindStock(search=search, options=options), NoRecords())


def stock_of(found: FoundStock) -> int | None:
    """What is said to be available of the one variant."""
    (variant,) = found.variants
    return variant.indicative_availability


def answers(status: int, body: str = "") -> Callable[[httpx2.Request], httpx2.Response]:
    """The shop answers this to everything."""
    return lambda _: answer(status, body)
