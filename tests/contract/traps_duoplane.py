"""Duoplane's traps around what becomes of an order (9.1 to 9.20), and the list of all."""

from __future__ import annotations

from contract import traps_duoplane_orders as orders
from contract.traps import Sheet, Step, Trap, numbered, paths
from contract.traps_duoplane_orders import CREATE, FIRST, GET, LOOKING, ORDER, PLACING, order, refused
from dropship_tools.sandbox.faults import Fault

LIST = "duoplane_list_orders"
ADDRESS_FIELDS = (
    "first_name last_name company_name address_1 address_2 city post_code province_name province_code country_name "
    "country_iso2 phone email"
)

TRAPS = (
    Trap(
        "9.4 9.5",
        "accepted is neither a draft nor with a vendor",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "order_id": FIRST, "status": "received", "provider_status": "accepted"},
                says=("neither a draft nor proof that a vendor has it", "without another call", "duoplane_get_order"),
                requests=PLACING,
                orders=1,
            ),
            Step(
                GET,
                {"order_id": FIRST},
                answer={"status": "processing", "provider_status": "1 purchase order, 1 sent, 0 shipped"},
                minutes=2,
            ),
        ),
    ),
    Trap(
        "9.9",
        "a limit names the time before which nothing may be asked",
        (
            Step(
                CREATE,
                ORDER,
                error="rate_limited",
                says=("order sent: no", "then make the same call again; calls before that make the wait longer"),
                requests=PLACING,
                orders=0,
                fault=Fault("duoplane", "create", "status", value=429),
            ),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1, minutes=1),
        ),
    ),
    Trap(
        "9.10",
        "an own number leads to the order, and is not taken for Duoplane's",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"order_id": "WEB-1"},
                error="invalid_arguments",
                says=("yours goes into external_id",),
                requests=(),
            ),
            Step(
                GET,
                {"external_id": "WEB-1"},
                answer={"order_id": FIRST, "reference": "WEB-1"},
                requests=("get", "purchase_orders"),
            ),
            Step(
                GET,
                {"order_id": FIRST, "external_id": "WEB-1"},
                error="invalid_arguments",
                says=("give exactly one of order_id and external_id",),
            ),
        ),
    ),
    Trap(
        "9.11",
        "not finding an order proves nothing",
        (
            Step(
                GET,
                {"external_id": "WEB-404"},
                error="not_found",
                says=(
                    "That does not prove there is none",
                    "purchase orders may be made by hand",
                    "not be split yet",
                    "under another number",
                ),
                requests=LOOKING,
            ),
        ),
    ),
    Trap(
        "9.12",
        "shipping is read from purchase orders and shipments, and every fact has its source",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"order_id": FIRST},
                answer={
                    "status": "shipped",
                    "provider_status": "1 purchase order, 1 sent, 1 shipped",
                    "sources": [
                        "order, items, ship_to: new API",
                        "purchase_orders: old API",
                        "shipments: old API",
                        "status: computed from purchase orders and shipments",
                    ],
                },
                says=('"carrier":"UPS"', '"tracking":"1Z'),
                requests=("get", "purchase_orders", "shipments"),
                minutes=10,
            ),
        ),
    ),
    Trap(
        "9.13",
        "an id that became a fraction on the way is read as the digits it was",
        (
            Step(CREATE, ORDER),
            Step(GET, {"order_id": 8800001.0}, answer={"order_id": FIRST}),
            Step(GET, {"order_id": "8800001.0"}, answer={"order_id": FIRST}),
            Step(GET, {"order_id": "8800001.5"}, error="invalid_arguments", requests=()),
        ),
    ),
    Trap(
        "9.16",
        "no currency is assumed",
        (
            Step(CREATE, order(dry_run=True), says=('"total":"49.00 (currency not stated)"',), hides=("USD", "$")),
            refused(order(currency="USD"), "- currency: is not an argument"),
            Step(CREATE, ORDER),
            Step(
                GET, {"order_id": FIRST}, answer={"currency": "the store's, not stated by Duoplane"}, hides=("USD", "$")
            ),
        ),
    ),
    Trap(
        "9.18",
        "pages are as long as asked for",
        (
            Step(CREATE, ORDER),
            Step(CREATE, order(external_id="WEB-2")),
            Step(LIST, {"per_page": 1}, answer={"page": 1, "has_more": True}, says=("WEB-2",), hides=("WEB-1",)),
            Step(LIST, {"per_page": 1, "page": 2}, answer={"page": 2, "has_more": None}, hides=("WEB-2",)),
            Step(LIST, {"search": {"per_page": 1}}, error="invalid_arguments", says=("documents no filter",)),
        ),
    ),
    Trap(
        "9.19",
        "a vendor's key is named as the likely cause",
        (
            Step(
                CREATE,
                ORDER,
                error="provider_auth",
                says=("order sent: no", "this looks like a vendor's key"),
                orders=0,
                fault=Fault("duoplane", "create", "status", value=403),
            ),
            Step(
                LIST,
                {},
                error="provider_auth",
                says=("this looks like a vendor's key",),
                fault=Fault("duoplane", "list", "status", value=403),
            ),
        ),
    ),
    Trap(
        "9.20",
        "nothing offers to cancel, and a person is led to the order",
        (
            Step(CREATE, ORDER, says=(f"/orders/{FIRST}",)),
            Step(
                GET,
                {"order_id": FIRST},
                says=("No API cancels or changes an order; a person can act at app_url.", f"/orders/{FIRST}"),
                minutes=1,
            ),
        ),
    ),
)

SHEET = Sheet(
    provider="duoplane",
    numbers=numbered("9", 20),
    traps=orders.TRAPS + TRAPS,
    guide={
        "9.5": "Placing an order can commit goods at once",
        "9.14": "Without a default take it from step 1, and ask a person when there are several.",
        "9.17": "Write nothing into them that a vendor may not read: no secrets, margins or internal remarks.",
        "9.19": "the key is probably a vendor's, which sees its purchase orders and nothing else",
        "9.20": "A person can hold an unsent purchase order or cancel in the sales channel",
    },
    fields=paths(
        "store_id store_source_name internal_id external_id ordered_at tag_names customer_note",
        *paths("title body", under="order_notes."),
        *paths(ADDRESS_FIELDS, under="shipping_address."),
        *paths(ADDRESS_FIELDS, under="billing_address."),
        *paths("name quantity price retailer_product_id retailer_sku internal_id", under="order_items."),
        *paths("title body", under="order_items.order_item_notes."),
    ),
)
