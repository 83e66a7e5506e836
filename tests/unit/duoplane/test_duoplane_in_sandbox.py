"""Duoplane's tools through the real client against the sandbox, which knows nothing of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from dropship_tools.duoplane import DUOPLANE
from dropship_tools.duoplane.budget import RequestBudget
from dropship_tools.duoplane.client import DuoplaneClient, auth_headers
from dropship_tools.duoplane.failures import VENDOR_KEY
from dropship_tools.duoplane.models import CreateOrder, GetOrder, ListOrders
from dropship_tools.duoplane.product_models import AddProduct, FindProduct, GetProduct
from dropship_tools.duoplane.product_results import NO_VENDOR, SEVERAL, UNMANAGED
from dropship_tools.duoplane.products import add_product, find_product, get_product
from dropship_tools.duoplane.results import EXISTED
from dropship_tools.duoplane.sandbox import VENDOR_CREDENTIALS
from dropship_tools.duoplane.tools import get_order, list_orders, place, plan
from dropship_tools.errors import InvalidArguments, NotFound, ProviderAuth, RateLimited
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.secret import Secret
from dropship_tools.tool import Placement
from unit.duoplane.duoplane_fakes import NoLedger, permission
from unit.sandbox.worlds import Clock, world_at

pytestmark = pytest.mark.anyio

LEDGER = NoLedger()


class Company:
    """The sandbox and a client of it, on one clock that moves when the client waits."""

    def __init__(self, account: Account | None = None) -> None:
        self.clock = Clock()
        self.waits: list[float] = []
        self._world = world_at(self.clock)
        self._account = account or DUOPLANE.sandbox_account()
        self.client = self.client_of_another_process()

    def client_of_another_process(self) -> DuoplaneClient:
        """One with a budget of its own, which knows nothing of the first."""
        http = ProviderHttp(
            "Duoplane",
            self._account.base_url,
            auth_headers(self._account),
            transport=lambda: SandboxTransport(in_process_app(self._world, "duoplane")),
        )
        budget = RequestBudget(clock=lambda: self.clock().timestamp(), sleep=self._wait)
        return DuoplaneClient(http, default_store_id=self._account.value("store_id"), budget=budget)

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.move(seconds=seconds)

    async def order(self, reference: str, sku: str = "HP-LANTERN", **changes: Any) -> Placement:
        """Place an order of one piece; each finds the bucket empty again."""
        self.clock.move(seconds=20)
        given = {
            "external_id": reference,
            "shipping_address": {
                "last_name": "Lee",
                "address_1": "1 Main St",
                "city": "Portland",
                "post_code": "04101",
                "province_code": "ME",
                "country_iso2": "US",
            },
            "order_items": [{"name": "Lantern", "retailer_sku": sku, "quantity": 1, "price": 24}],
        }
        planned = plan(self.client, CreateOrder.model_validate({**given, **changes}))
        return await place(self.client, planned, permission())


async def test_pages_are_turned_to_the_end_without_losing_or_repeating_an_order() -> None:
    company = Company()
    for number in range(7):
        await company.order(f"WEB-{number}")
    seen: list[str] = []
    page = 1
    while True:
        listed = await list_orders(company.client, ListOrders(page=page, per_page=3), LEDGER)
        seen += [row.reference for row in listed.orders]
        if not listed.has_more:
            break
        page += 1
    assert (page, seen) == (3, [f"WEB-{number}" for number in range(6, -1, -1)])
    beyond = await list_orders(company.client, ListOrders(page=4, per_page=3), LEDGER)
    assert (beyond.orders, beyond.has_more) == ([], False)


async def test_an_order_on_the_list_is_followed_by_its_number() -> None:
    company = Company()
    await company.order("WEB-1")
    [row] = (await list_orders(company.client, ListOrders(), LEDGER)).orders
    assert (row.items, row.country, row.store_id) == ("1 x HP-LANTERN", "US", "3101")
    company.clock.move(minutes=5)
    order = await get_order(company.client, GetOrder(order_id=row.order_id), LEDGER)
    assert (order.status, order.shipments[0].carrier) == ("shipped", "UPS")


async def test_another_machine_does_not_buy_again_what_duoplane_has() -> None:
    company = Company()
    first = await company.order("WEB-1")
    again = await company.order("WEB-1")
    assert (first.existed, again.existed, again.order.warnings) == (False, True, [EXISTED])
    assert again.order.order_id == first.order.order_id
    assert not (await company.order("WEB-1", store_id=3102)).existed, "another store's order"


async def test_a_sku_tells_what_an_order_needs() -> None:
    company = Company()
    mug = await find_product(company.client, FindProduct(retailer_sku="HP-MUG-350"), LEDGER)
    assert (mug.unique, [one.vendor_sku for one in mug.products[0].inventories]) == (True, ["BW-M35", "KO-7710"])
    assert mug.next_step == "The account's default store sells it, so an order needs no store_id."
    by_vendor = await find_product(company.client, FindProduct(vendor_sku="KO-7710"), LEDGER)
    assert by_vendor.products == mug.products
    tote = await find_product(company.client, FindProduct(retailer_sku="HP-TOTE"), LEDGER)
    assert ([one.product_id for one in tote.products], tote.next_step) == (["2100009", "2100008"], SEVERAL)
    assert (await find_product(company.client, FindProduct(retailer_sku="NOPE"), LEDGER)).products == []


async def test_a_product_shows_what_each_vendor_really_has() -> None:
    company = Company()
    [kettle] = (await get_product(company.client, GetProduct(product_id="2100007"), LEDGER)).product.inventories
    assert (kettle.quantity_available, kettle.stock, kettle.cost) == (None, UNMANAGED, "9.4")
    [teapot] = (await get_product(company.client, GetProduct(product_id="2100010"), LEDGER)).product.inventories
    assert (teapot.quantity_available, teapot.backordered_until) == (0, "2031-01-31")
    with pytest.raises(NotFound):
        await get_product(company.client, GetProduct(product_id="1"), LEDGER)


async def test_an_added_product_can_be_found_ordered_and_not_added_again() -> None:
    company = Company()
    stock = {"vendor_id": 501, "vendor_sku": "ESM-9", "cost": 7.1, "manage_inventory": True, "quantity_available": 3}
    mat = AddProduct.model_validate({"name": "Door mat", "retailer_sku": "HP-MAT", "product_inventories": [stock]})
    added = await add_product(company.client, mat, LEDGER)
    assert added.product.inventories[0].vendor_name == "Elm Street Mills"
    assert (await get_product(company.client, GetProduct(product_id=added.product.product_id), LEDGER)).product == (
        added.product
    )
    assert (await company.order("WEB-1", sku="HP-MAT")).order.warnings == []
    with pytest.raises(InvalidArguments):
        await add_product(company.client, mat, LEDGER)
    bare = AddProduct(name="Hook", retailer_sku="HP-HOOK")
    assert (await add_product(company.client, bare, LEDGER)).warnings == [NO_VENDOR]


Call = Callable[[Company], Awaitable[Any]]

CALLS: dict[str, Call] = {
    "create": lambda company: company.order("WEB-1"),
    "get": lambda company: get_order(company.client, GetOrder(order_id="8800001"), LEDGER),
    "get by own number": lambda company: get_order(company.client, GetOrder(external_id="WEB-1"), LEDGER),
    "list": lambda company: list_orders(company.client, ListOrders(), LEDGER),
    "get product": lambda company: get_product(company.client, GetProduct(product_id="2100001"), LEDGER),
    "find product": lambda company: find_product(company.client, FindProduct(retailer_sku="HP-TOTE"), LEDGER),
    "add product": lambda company: add_product(company.client, AddProduct(name="A", retailer_sku="A"), LEDGER),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_vendors_key_is_recognised_on_every_call(call: Call) -> None:
    """Row 19."""
    values: dict[str, Secret | str] = {
        "api_key": Secret(VENDOR_CREDENTIALS["api_key"]),
        "password": Secret(VENDOR_CREDENTIALS["password"]),
        "store_id": "3101",
    }
    company = Company(Account("duoplane", "vendor", "https://duoplane.sandbox.invalid", values))
    with pytest.raises(ProviderAuth) as failure:
        await call(company)
    assert (failure.value.fix, failure.value.sent) == (VENDOR_KEY, "no")


async def test_a_hundred_calls_at_once_never_meet_the_limit() -> None:
    """Row 9: the bucket is honoured before Duoplane has to refuse; who would wait too long is told for how long."""
    company = Company()
    outcomes: list[str] = []

    async def call() -> None:
        try:
            await list_orders(company.client, ListOrders(), LEDGER)
            outcomes.append("answered")
        except RateLimited as limited:
            outcomes.append("refused by Duoplane" if limited.provider_said else "told to wait")

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(call)
    assert (outcomes.count("answered"), outcomes.count("told to wait")) == (49, 51)
    company.clock.move(seconds=30)
    await list_orders(company.client, ListOrders(), LEDGER)


async def test_a_second_process_on_the_key_learns_from_the_answers_how_little_is_left() -> None:
    """Sheet section 3: they share the bucket, and neither meets the limit."""
    company = Company()
    other = company.client_of_another_process()
    for _ in range(30):
        await list_orders(company.client, ListOrders(), LEDGER)
    assert company.waits == []
    for _ in range(20):
        await list_orders(other, ListOrders(), LEDGER)
    assert sum(company.waits) == pytest.approx(5, abs=0.5)
