"""The old API of the Duoplane sandbox: purchase orders, shipments, orders and products as bare JSON (sheet 6).

Filters it does not know are ignored, as is a page size inside `search[]`. Lists come newest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dropship_tools.duoplane.sandbox_answers import bare, bare_list, bare_refusal, caller_of, millis
from dropship_tools.duoplane.sandbox_catalogue import (
    RETAILER,
    RETAILER_ID,
    STORES,
    VENDORS,
    Product,
    all_products,
    find_product,
)
from dropship_tools.duoplane.sandbox_checks import Fields
from dropship_tools.duoplane.sandbox_new_api import inventory_fields, whole_number
from dropship_tools.duoplane.sandbox_orders import (
    FIRST_PURCHASE_ORDER,
    FIRST_SHIPMENT,
    Order,
    PurchaseOrder,
    data_of,
    find_order,
    find_purchase_order,
    newest_orders,
    orders_with_reference,
    purchase_orders,
    tracking_number,
    updated_at,
)
from dropship_tools.sandbox.world import SandboxWorld

# Times in a search without a zone are read in the zone of the API user (sheet 4); this one lives in New York.
USER_ZONE = timezone(timedelta(hours=-5))
Row = TypeVar("Row")

SHIPPER = {"shipper_id": 81, "shipper_name": "UPS", "shipper_scac_code": "UPSN"}


class BadSearch(ValueError):
    """A search value that cannot be read."""


class Search:
    """The filters of a list: `search[<key>]=<value>`."""

    def __init__(self, request: Request) -> None:
        self._query = request.query_params

    def text(self, key: str) -> str | None:
        """The value of a filter, None if it is not set."""
        return self._query.get(f"search[{key}]") or None

    def flag(self, key: str) -> bool | None:
        """A filter that is true or false, None if it is neither."""
        return {"true": True, "1": True, "false": False, "0": False}.get((self.text(key) or "").lower())

    def between(self, name: str) -> Callable[[datetime], bool]:
        """Tells whether a time lies between `<name>_min` and `<name>_max`. Raises BadSearch."""
        least, most = self._moment(f"{name}_min"), self._moment(f"{name}_max")
        return lambda moment: (least is None or least <= moment) and (most is None or moment <= most)

    def _moment(self, key: str) -> datetime | None:
        text = self.text(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise BadSearch(f"search[{key}] is not a valid date") from None
        return moment.replace(tzinfo=USER_ZONE) if moment.tzinfo is None else moment


class OldApi:
    """The `.json` endpoints. A vendor sees its own sent purchase orders and their shipments, nothing else."""

    def __init__(self, world: SandboxWorld) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Path of every endpoint; all of them are GET."""
        return [
            Route("/purchase_orders.json", self.list_purchase_orders),
            Route("/purchase_orders/{id}.json", self.get_purchase_order),
            Route("/shipments.json", self.list_shipments),
            Route("/shipments/{id}.json", self.get_shipment),
            Route("/orders.json", _for_retailers(self.list_orders)),
            Route("/orders/{id}.json", _for_retailers(self.get_order)),
            Route("/products.json", _for_retailers(self.list_products)),
            Route("/products/{id}.json", _for_retailers(self.get_product)),
        ]

    async def list_purchase_orders(self, request: Request) -> Response:
        """GET /purchase_orders.json (sheet 6.1). An empty list proves nothing: the order may not be split yet."""
        search, now = Search(request), self.world.now()
        reference, fulfilled = search.text("order_public_reference"), search.flag("fulfilled")
        orders = newest_orders(self.world) if reference is None else orders_with_reference(self.world, reference)
        created, updated = search.between("created_at"), search.between("updated_at")

        def wanted(found: PurchaseOrder) -> bool:
            return (
                fulfilled in (None, found.is_shipped(now))
                and created(found.created_at)
                and updated(found.updated_at(now))
            )

        return _listed(request, self._visible(request, orders), wanted, self._purchase_order)

    async def get_purchase_order(self, request: Request) -> Response:
        """GET /purchase_orders/{id}.json (sheet 6.1)."""
        found = self._one(request, FIRST_PURCHASE_ORDER)
        return _missing(request) if found is None else bare(request, self._purchase_order(found))

    async def list_shipments(self, request: Request) -> Response:
        """GET /shipments.json (sheet 6.4). A filter by purchase order or order is not confirmed, so none works."""
        search, now = Search(request), self.world.now()
        created, updated = search.between("created_at"), search.between("updated_at")

        def wanted(found: PurchaseOrder) -> bool:
            shipped_at = found.shipped_at
            return shipped_at is not None and shipped_at <= now and created(shipped_at) and updated(shipped_at)

        return _listed(request, self._visible(request, newest_orders(self.world)), wanted, self._shipment)

    async def get_shipment(self, request: Request) -> Response:
        """GET /shipments/{id}.json (sheet 6.4)."""
        found = self._one(request, FIRST_SHIPMENT)
        if found is None or not found.is_shipped(self.world.now()):
            return _missing(request)
        return bare(request, self._shipment(found))

    async def list_orders(self, request: Request) -> Response:
        """GET /orders.json (sheet 6.5). Its filters are not documented; the usual times work."""
        search, now = Search(request), self.world.now()
        created, updated = search.between("created_at"), search.between("updated_at")

        def wanted(order: Order) -> bool:
            return created(order.created_at) and updated(updated_at(order, now))

        return _listed(request, newest_orders(self.world), wanted, self._order)

    async def get_order(self, request: Request) -> Response:
        """GET /orders/{id}.json (sheet 6.5)."""
        order_id = whole_number(request.path_params["id"])
        order = None if order_id is None else find_order(self.world, order_id)
        return _missing(request) if order is None else bare(request, self._order(order))

    async def list_products(self, request: Request) -> Response:
        """GET /products.json (sheet 6.6): where a store id and the vendors of a SKU can be found."""
        search = Search(request)
        sku, vendor_sku, kind = search.text("retailer_sku"), search.text("vendor_sku"), search.text("product_type")
        created, updated = search.between("created_at"), search.between("updated_at")

        def wanted(product: Product) -> bool:
            return (
                sku in (None, product.retailer_sku)
                and (vendor_sku is None or any(vendor_sku == offer.vendor_sku for offer in product.inventories))
                and kind in (None, product.type)
                and created(product.created_at)
                and updated(product.created_at)
            )

        return _listed(request, reversed(all_products(self.world)), wanted, _product)

    async def get_product(self, request: Request) -> Response:
        """GET /products/{id}.json (sheet 6.6)."""
        product_id = whole_number(request.path_params["id"])
        product = None if product_id is None else find_product(self.world, product_id)
        return _missing(request) if product is None else bare(request, _product(product))

    def _visible(self, request: Request, orders: Iterable[Order]) -> list[PurchaseOrder]:
        now = self.world.now()
        vendor_id = caller_of(request).vendor_id
        return [
            found
            for order in orders
            for found in purchase_orders(order, now)
            if vendor_id is None or (found.vendor_id == vendor_id and found.is_sent(now))
        ]

    def _one(self, request: Request, first_id: int) -> PurchaseOrder | None:
        """The purchase order a path names, by its own id or by that of its shipment."""
        number = whole_number(request.path_params["id"])
        found = None if number is None else find_purchase_order(self.world, number - first_id + FIRST_PURCHASE_ORDER)
        vendor_id = caller_of(request).vendor_id
        if found is not None and vendor_id is not None:
            return found if found.vendor_id == vendor_id and found.is_sent(self.world.now()) else None
        return found

    def _purchase_order(self, found: PurchaseOrder) -> Fields:
        now = self.world.now()
        order = found.order
        sent, shipped = found.is_sent(now), found.is_shipped(now)
        return {
            "id": found.id,
            "public_reference": found.public_reference,
            "created_at": millis(found.created_at),
            "updated_at": millis(found.updated_at(now)),
            "ordered_at": millis(order.ordered_at),
            "sent_at": millis(found.sent_at) if sent else None,
            "order_id": order.id,
            "order_public_reference": order.public_reference,
            "retailer_id": RETAILER_ID,
            "retailer_name": RETAILER,
            "vendor_id": found.vendor_id,
            "vendor": VENDORS[found.vendor_id],
            "vendor_reference": None,
            "promise_date": None,
            "ship_method": None,
            # The value set of `status` is not documented (sheet 11.11).
            "status": "shipped" if shipped else "sent" if sent else "not sent",
            "store_name": STORES[order.fields["store_id"]],
            "total_shipping_revenue": 0.0,
            "total_tax": 0.0,
            "shipping_address": _address(order.fields["shipping_address"]),
            "order_items": [_order_item(item, open_quantity=not shipped) for item in found.items],
        }

    def _shipment(self, found: PurchaseOrder) -> Fields:
        shipped_at = millis(found.shipped_at or found.sent_at)
        shipment_id = found.shipment_id
        tracking = tracking_number(self.world, found)
        # The vendor's three costs are absent: this account does not use them (sheet 6.4).
        return {
            "id": shipment_id,
            "purchase_order_id": found.id,
            "purchase_order_public_reference": found.public_reference,
            "created_at": shipped_at,
            "updated_at": shipped_at,
            **SHIPPER,
            "vendor_invoice_reference": None,
            "shipper_invoice_reference": None,
            "shipper_shipping_cost": None,
            "shipment_trackings_attributes": [
                {
                    "id": shipment_id * 10 + 1,
                    "tracking": tracking,
                    "tracking_url": f"https://tracking.invalid/ups?tracknum={tracking}",
                }
            ],
            "shipment_items_attributes": [
                {
                    "id": shipment_id * 100 + number,
                    "order_item_id": item["id"],
                    "order_item_name": item["name"],
                    "quantity": item["quantity"],
                    "cost": item["cost"],
                }
                for number, item in enumerate(found.items, 1)
            ],
        }

    def _order(self, order: Order) -> Fields:
        return {
            "id": order.id,
            "public_reference": order.public_reference,
            "created_at": millis(order.created_at),
            "updated_at": millis(updated_at(order, self.world.now())),
            "ordered_at": millis(order.ordered_at),
            "store_id": order.fields["store_id"],
            "store_name": STORES[order.fields["store_id"]],
            "shipping_address": _address(order.fields["shipping_address"]),
            "order_items": [_order_item(item) for item in order.items],
        }


def _listed(
    request: Request, rows: Iterable[Row], wanted: Callable[[Row], bool], shown: Callable[[Row], Fields]
) -> Response:
    return bare_list(request, [row for row in rows if wanted(row)], shown)


async def bad_search(request: Request, error: Exception) -> Response:
    """What a search value that cannot be read is answered with."""
    return bare_refusal(request, 400, str(error))


def _missing(request: Request) -> Response:
    return bare_refusal(request, 404, "Not Found")


def _for_retailers(endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Orders and products are the retailer's (sheet 2)."""

    async def guarded(request: Request) -> Response:
        if caller_of(request).vendor_id is not None:
            return bare_refusal(request, 403, "Forbidden")
        return await endpoint(request)

    return guarded


def _order_item(item: Fields, *, open_quantity: bool = True) -> Fields:
    return {
        **data_of(item, "id", "name", "retailer_sku", "vendor_sku", "quantity"),
        "quantity_open": item["quantity"] if open_quantity else 0,
        **data_of(item, "price", "cost", "order_item_notes"),
    }


def _address(address: Fields) -> Fields:
    """The old names: `province` and `country` hold a name or a code, whichever was given (sheet 6.1, 7)."""
    return {
        **data_of(address, "first_name", "last_name", "company_name", "address_1", "address_2", "city"),
        "province": address["province_name"] or address["province_code"],
        "province_iso": address["province_code"],
        "post_code": address["post_code"],
        "country": address["country_name"] or address["country_iso2"],
        **data_of(address, "phone", "email"),
    }


def _product(product: Product) -> Fields:
    return {
        "id": product.id,
        "name": product.name,
        "created_at": millis(product.created_at.astimezone(UTC)),
        "updated_at": millis(product.created_at.astimezone(UTC)),
        "retailer_sku": product.retailer_sku,
        "upc": product.upc,
        "mpn": product.mpn,
        "other_barcode": product.other_barcode,
        "product_type": product.type,
        "product_inventories": [
            {"id": inventory.id, **inventory_fields(product, inventory)} for inventory in product.inventories
        ],
        "store_products": [
            {
                "id": product.id * 100 + position,
                "store_id": store_id,
                "store_name": STORES[store_id],
                "store_product_type": product.type,
            }
            for position, store_id in enumerate(product.stores, 1)
        ],
    }
