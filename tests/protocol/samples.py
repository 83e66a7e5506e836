"""One valid order for each provider's sandbox. Every personal field holds a value that appears nowhere else."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

REFERENCE = "WEB-1001"

PERSONAL = (
    "Zenobia",
    "Quastel",
    "17 Xylophone Lane",
    "Staircase Umbra",
    "75019",
    "Belleville",
    "0612340987",
    "zenobia@quastel.example",
    "Ring for Kestrel",
)
"""The buyer of all samples; Rewix and Dipli put names together."""


@dataclass(frozen=True)
class Sample:
    """How one provider's tools are called.

    Attributes:
        order: arguments of the create tool, with `REFERENCE` as the reference.
        reference: the create argument that holds the caller's own number.
        own_number: the get argument that takes it.
        their_number: the get argument that takes the provider's number.
        unknown_number: such a number that no order has.
        create_path: where the order goes.
        others: arguments for each of the provider's further tools.
    """

    provider: str
    order: dict[str, Any]
    reference: str
    own_number: str
    their_number: str
    unknown_number: str
    create_path: str
    others: dict[str, dict[str, Any]]

    @property
    def create(self) -> str:
        """The create tool."""
        return f"{self.provider}_create_order"

    @property
    def get(self) -> str:
        """The get tool."""
        return f"{self.provider}_get_order"

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """A copy of the order with changed top-level arguments."""
        return {**copy.deepcopy(self.order), **changes}

    def elsewhere(self) -> dict[str, Any]:
        """The same reference for a parcel that goes to another city."""
        order = self.arguments()
        address = order.get("shipping_address") or order.get("recipient_details", {}).get("address") or order
        address["city"] = "Elsewhere"
        return order


DIPLI = Sample(
    provider="dipli",
    order={
        "alternative_id": REFERENCE,
        "product_id": 11700101,
        "buyer": "Zenobia Quastel",
        "street": "17 Xylophone Lane",
        "additional_street": "Staircase Umbra",
        "postcode": "75019",
        "city": "Belleville",
        "country": "FR",
        "buyer_phone": "0612340987",
        "buyer_email": "zenobia@quastel.example",
        "extra": "Ring for Kestrel",
    },
    reference="alternative_id",
    own_number="alternative_id",
    their_number="public_id",
    unknown_number="A-999999",
    create_path="/api-drop/v2/orders",
    others={"dipli_list_orders": {"createdAt": "2026-03-01"}},
)

REWIX = Sample(
    provider="rewix",
    order={
        "key": REFERENCE,
        "recipient_details": {
            "recipient": "Zenobia Quastel",
            "careof": "Staircase Umbra",
            "notes": "Ring for Kestrel",
            "address": {
                "street_name": "17 Xylophone Lane",
                "zip": "75019",
                "city": "Belleville",
                "province": "IDF",
                "countrycode": "FR",
            },
            "phone": {"prefix": "+33", "number": "0612340987"},
        },
        "item_list": [{"stock_id": 1567, "quantity": 2}, {"stock_id": 1578, "quantity": 1}],
    },
    reference="key",
    own_number="key",
    their_number="rewix_order_id",
    unknown_number="999999",
    create_path="/restful/ghost/orders/0/dropshipping",
    others={
        "rewix_find_stock": {"search": "sneakers"},
        "rewix_list_carriers": {},
        "rewix_get_reserved": {},
        "rewix_reserve_stock": {"type": "lock", "models": [{"stock_id": 1567, "quantity": 3}]},
    },
)

DROPDAY = Sample(
    provider="dropday",
    order={
        "external_id": REFERENCE,
        "source": "lampen.example",
        "total": 64.85,
        "shipping_cost": 4.95,
        "email": "zenobia@quastel.example",
        "shipping_address": {
            "first_name": "Zenobia",
            "last_name": "Quastel",
            "address1": "17 Xylophone Lane",
            "address2": "Staircase Umbra",
            "postcode": "75019",
            "city": "Belleville",
            "country": "FR",
            "phone": "0612340987",
        },
        "shipping": {"note": "Ring for Kestrel"},
        "products": [
            {
                "external_id": "L-1",
                "name": "Desk lamp",
                "quantity": 2,
                "price": 29.95,
                "ean13": "8712345000018",
            }
        ],
    },
    reference="external_id",
    own_number="external_id",
    their_number="reference",
    unknown_number="999999",
    create_path="/api/v1/orders",
    others={"dropday_list_orders": {"date_from": "2026-03-01"}, "dropday_list_products": {}},
)

DUOPLANE = Sample(
    provider="duoplane",
    order={
        "external_id": REFERENCE,
        "customer_note": "Ring for Kestrel",
        "shipping_address": {
            "first_name": "Zenobia",
            "last_name": "Quastel",
            "address_1": "17 Xylophone Lane",
            "address_2": "Staircase Umbra",
            "city": "Belleville",
            "post_code": "75019",
            "country_iso2": "FR",
            "phone": "0612340987",
            "email": "zenobia@quastel.example",
        },
        "order_items": [
            {"name": "Linen Throw, Sand", "quantity": 2, "price": 39.5, "retailer_sku": "HP-THROW-SAND"},
            {"name": "Camping Lantern", "quantity": 1, "price": 24, "retailer_sku": "HP-LANTERN"},
        ],
    },
    reference="external_id",
    own_number="external_id",
    their_number="order_id",
    unknown_number="999999",
    create_path="/api/orders",
    others={
        "duoplane_list_orders": {},
        "duoplane_get_product": {"product_id": "2100003"},
        "duoplane_find_product": {"retailer_sku": "HP-TOTE"},
        "duoplane_add_product": {"name": "Oak tray", "retailer_sku": "HP-TRAY"},
    },
)

SAMPLES = {sample.provider: sample for sample in (DIPLI, REWIX, DROPDAY, DUOPLANE)}
