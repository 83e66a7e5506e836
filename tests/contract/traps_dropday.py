"""Dropday's traps around looking at orders and products (12.1 to 12.22), and the list of all."""

from __future__ import annotations

from contract import traps_dropday_orders as orders
from contract.traps import Sheet, Step, Trap, numbered, paths
from contract.traps_dropday_orders import CREATE, GET, LAMP, LIST, NOBODYS, ORDER, order
from dropship_tools.sandbox.faults import Fault

PRODUCTS = "dropday_list_products"

TRAPS = (
    Trap(
        "12.5",
        "a test order is found by its number and hidden otherwise",
        (
            Step(CREATE, order(test=True)),
            Step(LIST, {}, answer={"orders": []}, says=("test orders are hidden unless include_test is true",)),
            Step(LIST, {"include_test": True}, answer={"count": 1}),
            Step(LIST, {"external_id": "WEB"}, answer={"count": 1}),
            Step(GET, {"external_id": "WEB-1"}, answer={"order_id": "98", "test": True}),
        ),
    ),
    Trap(
        "12.6",
        "the shop's number finds exactly its order and is not taken for Dropday's",
        (
            Step(CREATE, order(external_id="WEB-11")),
            Step(CREATE, ORDER),
            Step(CREATE, order(external_id="WEB-1.1")),
            Step(
                GET, {"external_id": "WEB-1"}, answer={"order_id": "99", "reference": "WEB-1"}, requests=("list", "get")
            ),
            Step(GET, {"external_id": "WEB"}, error="not_found", says=("no order with exactly this external_id",)),
            Step(GET, {"reference": "WEB-1"}, error="not_found", requests=("get",)),
            Step(
                GET,
                {"id": 70001},
                error="invalid_arguments",
                says=("- id: is not an argument; did you mean reference?",),
            ),
            Step(
                LIST,
                {"external_id": "WEB-1"},
                answer={"count": 3},
                says=("also finds parts of numbers: 2 of these orders have another one",),
            ),
        ),
    ),
    Trap(
        "12.12",
        "completed means handed to the supplier, and nothing is ever delivered",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"reference": "98"},
                answer={"status": "processing", "provider_status": "lines: 1 completed"},
                says=("For shipping and tracking ask the supplier",),
                minutes=24 * 60,
            ),
            Step(LIST, {}, says=("completed means handed to the supplier, not delivered",)),
            Step(
                LIST,
                {"statuses": ["delivered"]},
                error="invalid_arguments",
                says=("Dropday knows nothing of shipping or delivery",),
                requests=(),
            ),
        ),
    ),
    Trap(
        "12.13",
        "the status of an order is computed from its lines and says so",
        (
            Step(CREATE, order(products=[LAMP, NOBODYS], total=51.98)),
            Step(
                LIST,
                {},
                says=(
                    '"status":"problem","provider_status":"lines: 1 completed, 1 skipped"',
                    "computed from the lines, the worst decides",
                ),
                minutes=3,
            ),
        ),
    ),
    Trap(
        "12.14",
        "a blocked order says so first",
        (
            Step(
                CREATE,
                order(products=[{**LAMP, "price": 3000}], total=6004.98),
                answer={"blocked": True, "status": "problem", "provider_status": "blocked; lines: 1 pending"},
                says=('"warnings":["Dropday has blocked this order and gives no reason',),
            ),
            Step(GET, {"reference": "98"}, answer={"blocked": True, "status": "problem"}, minutes=60),
            Step(LIST, {"blocked": True}, answer={"count": 1}, says=("Blocked, Dropday gives no reason: 1",)),
        ),
    ),
    Trap(
        "12.17",
        "errors of both shapes are told in Dropday's words",
        (
            Step(
                GET,
                {"reference": "999999"},
                error="not_found",
                says=('provider said (untrusted): "Not Found - There is no order with reference 999999."',),
            ),
            Step(
                CREATE,
                ORDER,
                error="provider_refused",
                says=("order sent: no", "Correct the fields Dropday names"),
                requests=("create",),
                orders=0,
                fault=Fault("dropday", "create", "status", value=422),
            ),
            Step(
                LIST,
                {},
                error="provider_auth",
                says=("does not accept the credentials",),
                fault=Fault("dropday", "list", "status", value=401),
            ),
        ),
    ),
    Trap(
        "12.19",
        "pages of both lists are turned alike, whatever their envelopes",
        (
            Step(CREATE, ORDER),
            Step(CREATE, order(external_id="WEB-2")),
            Step(LIST, {"per_page": 1}, answer={"page": 1, "count": 2, "has_more": True}, hides=("WEB-1",)),
            Step(LIST, {"per_page": 1, "page": 2}, answer={"page": 2, "count": 2, "has_more": None}, says=("WEB-1",)),
            Step(LIST, {"per_page": 101}, error="invalid_arguments", says=("- per_page: must be at most 100",)),
            Step(PRODUCTS, {}, answer={"page": 1, "count": 133, "has_more": True}, requests=("products",)),
            Step(PRODUCTS, {"page": 7}, answer={"page": 7, "count": 133, "has_more": None}, says=("VX-SPOKE-300",)),
            Step(PRODUCTS, {"per_page": 5}, error="invalid_arguments", says=("a page always holds 20 products",)),
        ),
    ),
    Trap(
        "12.21",
        "Dropday's number is text, however it comes",
        (
            Step(CREATE, ORDER, answer={"order_id": "98"}),
            Step(GET, {"reference": 98}, answer={"order_id": "98"}, requests=("get",)),
        ),
    ),
)

SHEET = Sheet(
    provider="dropday",
    numbers=numbered("12", 22),
    traps=orders.TRAPS + TRAPS,
    guide={
        "12.2": "never changed on a retry or to get past a duplicate: a new one buys again.",
        "12.4": "It must be said in the call; without it the order is live.",
        "12.15": "A supplier's e-mail may leave within seconds, and nothing takes it back.",
        "12.16": "Only orders that the buyer has **paid**.",
        "12.20": "Recommend a prefix for each shop (LAMPS-1001) and another one for tests.",
        "12.22": "`supplier` is a label that rules may use or ignore: it does not choose the supplier.",
    },
    fields=paths(
        "external_id source test total shipping_cost email",
        *paths("name description cost note delivery_date", under="shipping."),
        *paths("first_name last_name company_name address1 address2 postcode city", under="shipping_address."),
        *paths("state country phone", under="shipping_address."),
        *paths("external_id name quantity price ean13 reference stock_quantity purchase_price", under="products."),
        *paths("image_url brand category supplier", under="products."),
        *paths("name value", under="products.custom."),  # documented as an object of any names
    ),
)
