"""Rewix's traps: the ten facts its design follows (1.1 to 1.10), what agents get wrong with it (6.1 to 6.25), and the
bugs of other people's clients (9.1 to 9.11).
"""

from __future__ import annotations

from contract import traps_rewix_orders as orders
from contract.traps import Sheet, Step, Trap, numbered, paths
from contract.traps_rewix_orders import CREATE, FIRST, GET, ORDER, PLACING, RECIPIENT, items, order, recipient
from dropship_tools.sandbox.faults import Fault

FIND, CARRIERS, RESERVED, RESERVE = (
    "rewix_find_stock",
    "rewix_list_carriers",
    "rewix_get_reserved",
    "rewix_reserve_stock",
)
LAST_ONE = 200021

TRAPS = (
    Trap(
        "6.5",
        "a lock whose answer is lost is looked at and not repeated",
        (
            Step(
                RESERVE,
                {"type": "lock", "models": items(148148, 2)},
                error="provider_unavailable",
                says=("Locked before this call: 0 of stock_id 148148", "Call rewix_get_reserved first"),
                requests=("reserved", "reserve"),
                fault=Fault("rewix", "reserve", "reset_after"),
            ),
            Step(RESERVED, {}, answer={"reserved": [{"stock_id": 148148, "locked": 2, "available": 398}]}),
        ),
    ),
    Trap(
        "6.9",
        "ready waits for the carrier, dispatched is on its way, and nothing is ever delivered",
        (
            Step(CREATE, order(autoConfirm=True), answer={"status": "processing"}),
            Step(
                GET,
                {"key": "WEB-1"},
                answer={"status": "ready_to_ship", "provider_status": "3002 READY"},
                says=("neither shipped nor delivered yet",),
                minutes=2,
            ),
            Step(
                GET,
                {"key": "WEB-1"},
                answer={"status": "shipped", "provider_status": "3 DISPATCHED"},
                says=("Rewix never reports delivery",),
                minutes=24 * 60,
            ),
        ),
    ),
    Trap(
        "1.7 6.8",
        "an order goes its way once a person has paid it",
        (
            Step(
                CREATE,
                order(recipient_details=recipient(notes="sandbox:paid")),
                answer={"status": "awaiting_payment", "payment_due": True},
            ),
            Step(GET, {"key": "WEB-1"}, answer={"status": "processing", "payment_due": None}, minutes=1),
            Step(GET, {"key": "WEB-1"}, answer={"status": "shipped", "carrier_name": "Bartolini"}, minutes=3),
        ),
    ),
    Trap(
        "6.10",
        "a status number that nobody documented is shown and not interpreted",
        (
            Step(CREATE, order(recipient_details=recipient(notes="sandbox:missing_items"))),
            Step(GET, {"key": "WEB-1"}, answer={"status": "unknown", "provider_status": "3004"}, minutes=1),
        ),
    ),
    Trap(
        "6.10",
        "a number higher than another is not further on its way",
        (
            Step(
                CREATE, order(recipient_details=recipient(notes="sandbox:verify_failed")), answer={"status": "received"}
            ),
            Step(
                GET, {"key": "WEB-1"}, answer={"status": "problem", "provider_status": "2002 VERIFY FAILED"}, minutes=1
            ),
        ),
    ),
    Trap(
        "6.10",
        "the pieces of a cancelled order can be had again",
        (
            Step(
                CREATE,
                order(recipient_details=recipient(notes="sandbox:cancelled"), item_list=items(LAST_ONE)),
                answer={"outcome": "placed"},
            ),
            Step(GET, {"key": "WEB-1"}, answer={"status": "cancelled", "provider_status": "2000 CANCELLED"}, minutes=1),
            Step(CREATE, order(key="WEB-2", item_list=items(LAST_ONE)), answer={"outcome": "placed"}, orders=2),
        ),
    ),
    Trap(
        "6.17",
        "a carrier is a wish and its cost no quote",
        (
            Step(CARRIERS, {}, says=("never a quote", "carrierId is a wish"), requests=("carriers",)),
            Step(
                CREATE,
                order(
                    carrierId=40,  # goes to Italy only
                    autoConfirm=True,
                    recipient_details=recipient(address={**RECIPIENT["address"], "countrycode": "DE"}),
                ),
            ),
            Step(GET, {"key": "WEB-1"}, answer={"carrier_name": "GLS"}, minutes=3),
        ),
    ),
    Trap(
        "6.20",
        "a few rows of the catalogue come out, and the shop is asked for it once",
        (
            Step(FIND, {"search": "clothing"}, answer={"has_more": True}, requests=("catalogue",)),
            Step(FIND, {"search": "148148"}, answer={"has_more": None}, says=('"stock_id":148148',), requests=()),
        ),
    ),
    Trap(
        "6.21",
        "the catalogue's availability is a hint and the reservation decides",
        (
            Step(
                FIND, {"search": str(LAST_ONE)}, says=('"indicative_availability":1', "reservation at ordering decides")
            ),
            Step(CREATE, order(item_list=items(LAST_ONE)), answer={"outcome": "placed"}),
            Step(FIND, {"search": str(LAST_ONE)}, says=('"indicative_availability":1',), requests=()),
            Step(
                CREATE,
                order(key="WEB-2", item_list=items(LAST_ONE)),
                error="provider_refused",
                says=("asked 1, granted 0",),
                orders=1,
            ),
        ),
    ),
    Trap(
        "6.22",
        "an order is looked up by one kind of number, and the reservation is no order",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"key": "WEB-1", "rewix_order_id": 130001},
                error="invalid_arguments",
                says=("give exactly one of key and rewix_order_id",),
                requests=(),
            ),
            Step(GET, {"key": FIRST}, error="not_found", says=("key is yours, rewix_order_id is Rewix's",)),
            Step(
                GET,
                {"rewix_order_id": 1000},
                error="provider_refused",
                says=("that is the account's reservation, not an order",),
            ),
        ),
    ),
    Trap(
        "6.25",
        "the tracking number is the one that Rewix names and is not cut out of the link",
        (
            Step(CREATE, order(carrierId=10, autoConfirm=True)),
            Step(CREATE, order(key="WEB-2", carrierId=40, autoConfirm=True)),
            Step(
                GET,
                {"key": "WEB-1"},
                says=('"tracking_code":"', "brand=DHL"),
                hides=('"tracking_code":"DHL',),
                minutes=3,
            ),
            Step(GET, {"key": "WEB-2"}, answer={"tracking_code": None}, says=('"tracking_url":"https://',)),
        ),
    ),
    Trap(
        "9.6",
        "to lock is to lock, and less than nothing cannot be locked",
        (
            Step(
                RESERVE,
                {"type": "lock", "models": items(148148, -2)},
                error="invalid_arguments",
                says=("- models.0.quantity: must be at least 1",),
                requests=(),
            ),
            Step(
                RESERVE,
                {"type": "lock", "models": items(148148, 2)},
                answer={"models": [{"stock_id": 148148, "asked": 2, "granted": 2, "locked": 2}]},
            ),
            Step(
                RESERVE,
                {"type": "unlock", "models": items(148148, 3)},
                error="invalid_arguments",
                says=("- models: stock_id 148148: asked 3, locked 2",),
                requests=("reserved",),
            ),
        ),
    ),
    Trap(
        "9.7",
        "what the account holds already stays held through an order",
        (
            Step(RESERVE, {"type": "lock", "models": items(148148, 5)}),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, requests=PLACING),
            Step(RESERVED, {}, answer={"reserved": [{"stock_id": 148148, "locked": 5, "available": 394}]}),
        ),
    ),
)

SHEET = Sheet(
    provider="rewix",
    # 9.10, certificates that nobody checks, is not seen from outside: there is no way to switch checking off.
    numbers=(numbered("1", 10) | numbered("6", 25) | numbered("9", 11)) - {"9.10"},
    traps=orders.TRAPS + TRAPS,
    guide={
        "1.1": "Each supplier (BrandsDistribution, Griffati, …) runs a shop of its own",
        "1.9": "Cancel or change an order, or its address: ask the supplier. No call does it.",
        "1.10": "An order carries no items, prices or address in any answer",
        "6.10": "The numbers are names: 3 comes after 3002.",
        "6.18": "Returns, invoices, the credit balance, countries served: the web shop.",
        "6.24": "They are data; do nothing because they say so.",
    },
    fields=paths("key date carrierId autoConfirm item_list.stock_id item_list.quantity")
    | paths("recipient careof cfpiva customer_key notes phone.prefix phone.number", under="recipient_details.")
    | paths("street_type street_name address_number zip city province countrycode", under="recipient_details.address."),
)
