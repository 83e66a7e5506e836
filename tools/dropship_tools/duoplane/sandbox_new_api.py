"""The new API of the Duoplane sandbox: /api/orders and /api/products (sheet 4, 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropship_tools.duoplane.sandbox_answers import Page, caller_of, envelope, millis, refusal, seconds
from dropship_tools.duoplane.sandbox_catalogue import VENDORS, Inventory, Product, add_product, find_product
from dropship_tools.duoplane.sandbox_checks import ADDRESS_FIELDS, Checker, Fields, NotJson, parse
from dropship_tools.duoplane.sandbox_orders import Order, add_order, data_of, find_order, newest_orders, updated_at
from dropship_tools.sandbox.world import SandboxWorld

RETAILERS_ONLY = "You are not authorized to access this resource"


class NewApi:
    """The endpoints under /api. All of them are the retailer's alone."""

    def __init__(self, world: SandboxWorld) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Method and path of every endpoint."""
        return [
            Route("/api/orders", self.create_order, methods=["POST"]),
            Route("/api/orders", self.list_orders, methods=["GET"]),
            Route("/api/orders/{id}", self.get_order, methods=["GET"]),
            Route("/api/products", self.create_product, methods=["POST"]),
            Route("/api/products/{id}", self.get_product, methods=["GET"]),
        ]

    async def create_order(self, request: Request) -> Response:
        """POST /api/orders (sheet 5.1): 201, and `errors` may hold warnings all the same."""
        checker = Checker()
        fields = await _checked(request, checker, checker.order)
        if isinstance(fields, Response):
            return fields
        with self.world.store.transaction():
            order, warnings = add_order(self.world, fields)
        return envelope(request, self._order(order), status=201, errors=warnings, metadata={"total_count": 1})

    async def list_orders(self, request: Request) -> Response:
        """GET /api/orders (sheet 5.3): newest first; no filter is known, so none works."""
        if _is_vendor(request):
            return refusal(request, 403, RETAILERS_ONLY)
        orders = newest_orders(self.world)
        page, more = Page.of(request).cut(orders)
        metadata = {"total_count": len(orders), "has_next_page": more}
        return envelope(request, [self._order(order) for order in page], metadata=metadata)

    async def get_order(self, request: Request) -> Response:
        """GET /api/orders/{id} (sheet 5.2): by Duoplane's own id only."""
        if _is_vendor(request):
            return refusal(request, 403, RETAILERS_ONLY)
        order_id = whole_number(request.path_params["id"])
        order = None if order_id is None else find_order(self.world, order_id)
        if order is None:
            return refusal(request, 404, "Order not found")
        return envelope(request, self._order(order))

    async def create_product(self, request: Request) -> Response:
        """POST /api/products (sheet 5.4). A SKU that exists already is accepted."""
        checker = Checker()
        fields = await _checked(request, checker, checker.product)
        if isinstance(fields, Response):
            return fields
        return envelope(request, _product(add_product(self.world, fields)), status=201)

    async def get_product(self, request: Request) -> Response:
        """GET /api/products/{id} (sheet 5.5)."""
        if _is_vendor(request):
            return refusal(request, 403, RETAILERS_ONLY)
        product_id = whole_number(request.path_params["id"])
        product = None if product_id is None else find_product(self.world, product_id)
        if product is None:
            return refusal(request, 404, "Product not found")
        return envelope(request, _product(product))

    def _order(self, order: Order) -> Fields:
        """The order object; nothing in it tells whether a vendor knows of it."""
        fields = order.fields
        attributes: Fields = {
            "created_at": seconds(order.created_at),
            "updated_at": seconds(updated_at(order, self.world.now())),
            **data_of(fields, "store_id", "store_source_name", "internal_id", "external_id"),
            "ordered_at": seconds(order.ordered_at),
            **data_of(fields, "tag_names", "customer_note", "order_notes"),
        }
        return {
            "id": order.id,
            "type": "order",
            "attributes": attributes,
            "relationships": {
                "order_items": [_order_item(item) for item in order.items],
                "shipping_address": _address(fields["shipping_address"], f"{order.id}1"),
                "billing_address": _address(fields["billing_address"], f"{order.id}2"),
            },
        }


def _is_vendor(request: Request) -> bool:
    return caller_of(request).vendor_id is not None


async def _checked(request: Request, checker: Checker, check: Any) -> Fields | Response:
    """The checked body, or the answer that refuses it."""
    if _is_vendor(request):
        return refusal(request, 403, RETAILERS_ONLY)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        return refusal(request, 415, "Content-Type must be application/json")
    try:
        body = parse(await request.body())
    except NotJson as error:
        return refusal(request, 400, str(error))
    fields = cast(Fields, check(body))
    return refusal(request, 422, *checker.problems) if checker.problems else fields


def whole_number(text: Any) -> int | None:
    """An id out of a path, or None for anything else, "51661073.0" included."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 18 else None


def _order_item(item: Fields) -> Fields:
    names: Sequence[str] = (
        *("name", "quantity", "price", "cost", "retailer_product_id", "retailer_sku", "internal_id"),
        *("vendor_sku", "upc", "mpn", "other_barcode", "order_item_notes"),
    )
    attributes = data_of(item, *names)
    attributes["retailer_product_id"] = item["retailer_product_id"] or item["product_id"]
    # An array with an empty object, exactly as the documentation prints it (sheet 4).
    return {"id": str(item["id"]), "type": "order_item", "attributes": attributes, "relationships": [{}]}


def _address(address: Fields | None, address_id: str) -> Fields | None:
    if address is None:
        return None
    return {"id": address_id, "type": "address", "attributes": data_of(address, *ADDRESS_FIELDS)}


def _product(product: Product) -> Fields:
    attributes: Fields = {
        "name": product.name,
        "retailer_sku": product.retailer_sku,
        "upc": product.upc,
        "mpn": product.mpn,
        "other_barcode": product.other_barcode,
        "created_at": millis(product.created_at),
        "updated_at": millis(product.created_at),
    }
    inventories: list[Fields] = [
        {
            "id": inventory.id,
            "type": "product_inventory",
            "attributes": inventory_fields(product, inventory),
            "relationships": [{}],
        }
        for inventory in product.inventories
    ]
    # The id is a text here and a number on the inventory, the relationships an array with one object (sheet 4, 5.5).
    return {
        "id": str(product.id),
        "type": "product",
        "attributes": attributes,
        "relationships": [{"product_inventories": inventories}],
    }


def inventory_fields(product: Product, inventory: Inventory) -> Fields:
    """The fields of sheet 5.6, the same in both APIs."""
    return {
        "product_id": product.id,
        "vendor_id": inventory.vendor_id,
        "vendor_name": VENDORS[inventory.vendor_id],
        "vendor_sku": inventory.vendor_sku,
        "purchase_name": inventory.purchase_name,
        "cost": inventory.cost,
        "manage_inventory": inventory.managed,
        "quantity_available": inventory.quantity,
        "backordered_until": inventory.backordered_until,
    }
