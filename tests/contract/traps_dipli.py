"""Dipli's traps: those of its order call (3.1 to 3.4), and what agents get wrong with it (10.1 to 10.19)."""

from __future__ import annotations

from contract.providers import Json, row_of
from contract.traps import Sheet, Step, Trap, numbered, paths
from dropship_tools.sandbox.faults import Fault

CREATE, GET, LIST, SETTLE = "dipli_create_order", "dipli_get_order", "dipli_list_orders", "dropship_settle_order"
ORDER = row_of("dipli").arguments("WEB-1")
FIRST = "A-412001"
BUYER = ("Jane Doe", "Harbour Road", "jane@example.org", "33612345678")
GIVE_UP = (
    "Call dropship_settle_order (provider dipli, reference WEB-1). If it finds nothing, a person must look at dipli"
)


def order(**changed: object) -> Json:
    """A valid order with some arguments changed or added."""
    return {**ORDER, **changed}


def refused(*says: str, **changed: object) -> Step:
    """An order that is answered with what to do, and that Dipli never hears of."""
    return Step(CREATE, order(**changed), error="invalid_arguments", says=says, requests=(), orders=0)


TRAPS = (
    Trap(
        "3.1",
        "of the three numbers of a product only the dropship id orders",
        tuple(
            Step(
                CREATE,
                order(product_id=number),
                error="provider_refused",
                says=(
                    "order sent: no",
                    "Check that product_id is Dipli's dropship id",
                    'said (untrusted): "Bad Request"',
                ),
                requests=("create",),
                orders=0,
            )
            for number in (707101, 25101)
        ),
    ),
    Trap(
        "3.3",
        "an order is shown in our names however Dipli spells them",
        (
            Step(CREATE, order(additional_street="bâtiment B")),
            Step(
                GET,
                {"public_id": FIRST},
                answer={
                    "ship_to": {
                        "name": "Jane Doe",
                        "street": "WEB-1 Harbour Road 7, bâtiment B",
                        "postcode": "69002",
                        "city": "Lyon",
                        "country": "FR",
                    }
                },
                hides=("firstname", "additionnal", "telephone", "shipping_address_json"),
            ),
        ),
    ),
    Trap(
        "3.4",
        "an accepted order is no confirmed sale",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "status": "received", "order_id": FIRST},
                says=("Not a confirmed sale yet",),
                requests=("create",),
            ),
        ),
    ),
    Trap(
        "10.1",
        "an order whose answer is lost is looked for and never sent again",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "order_id": FIRST},
                says=("the order was found by looking for it", "Recognised by buyer, address and product"),
                requests=("create", "list"),
                orders=1,
                fault=Fault("dipli", "create", "reset_after"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "already_placed", "order_id": FIRST}, requests=(), orders=1),
        ),
    ),
    Trap(
        "10.1",
        "an order that nobody can find stays unknown until a person decides",
        (
            Step(
                CREATE,
                ORDER,
                error="outcome_unknown",
                says=("order sent: maybe", GIVE_UP),
                requests=("create", "list"),
                fault=Fault("dipli", "create", "reset_before"),
            ),
            Step(CREATE, ORDER, error="outcome_unknown", says=("order sent: maybe",), requests=("list",), minutes=60),
            Step(
                SETTLE,
                {"provider": "dipli", "reference": "WEB-1"},
                answer={"outcome": "unknown"},
                requests=("list",),
                orders=0,
                minutes=3 * 24 * 60,
            ),
        ),
    ),
    Trap(
        "10.2",
        "the shop's own number leads to the order through the ledger only",
        (
            Step(CREATE, ORDER),
            Step(GET, {"alternative_id": "WEB-1"}, answer={"order_id": FIRST, "reference": "WEB-1"}, requests=("get",)),
            Step(GET, {"alternative_id": "WEB-2"}, error="not_found", says=("dipli_list_orders",), requests=()),
            Step(
                GET,
                {"public_id": "WEB-1"},
                error="invalid_arguments",
                says=("A- and digits like A-12345; your own number goes into alternative_id",),
                requests=(),
            ),
        ),
    ),
    Trap(
        "10.3",
        "several pieces or products are several calls",
        (
            refused("- quantity: is not an argument: one call buys one unit of one product", quantity=3),
            refused("- products: is not an argument: one call buys one unit", products=[{"id": 1}, {"id": 2}]),
        ),
    ),
    Trap(
        "10.4",
        "a SKU, a barcode or a name is no product_id",
        tuple(
            refused("- product_id: must be Dipli's own product number", product_id=wrong)
            for wrong in ("O3_MWLT2ZD/A", "5901234123457", "iPhone 11")
        ),
    ),
    Trap(
        "10.5",
        "a name in parts and an address object are told where they belong",
        (
            refused("- first_name: is not an argument: put first and last name together into buyer", first_name="Jane"),
            refused(
                "- shipping_address: is not an argument: street, additional_street", shipping_address={"city": "X"}
            ),
        ),
    ),
    Trap(
        "10.6",
        "a company is told where it belongs and is not dropped",
        (refused("- company: is not an argument: write it into additional_street", company="ACME"),),
    ),
    Trap(
        "10.7",
        "shipped means delivered and ongoing_shipping means shipped",
        (
            Step(CREATE, ORDER),
            Step(GET, {"public_id": FIRST}, answer={"status": "received", "provider_status": "pending_confirmation"}),
            Step(
                GET,
                {"public_id": FIRST},
                answer={"status": "shipped", "provider_status": "ongoing_shipping"},
                says=('"tracking_number":',),
                minutes=1,
            ),
            Step(
                GET,
                {"public_id": FIRST},
                answer={"status": "delivered", "provider_status": "shipped"},
                says=("Dipli says shipped when the parcel has been delivered",),
                minutes=10,
            ),
        ),
    ),
    Trap(
        "10.7",
        "a cancelled parcel and one that went wrong are told apart",
        (
            Step(CREATE, order(extra="sandbox:cancelled")),
            Step(CREATE, order(alternative_id="WEB-2", extra="sandbox:error_shipping")),
            Step(GET, {"public_id": FIRST}, answer={"status": "cancelled", "provider_status": "cancelled"}, minutes=20),
            Step(
                GET,
                {"public_id": "A-412002"},
                answer={"status": "problem", "provider_status": "error_shipping"},
                says=("a person must ask Dipli's support",),
            ),
        ),
    ),
    Trap(
        "10.8",
        "cents are shown as euros, and the euro as an assumption",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"public_id": FIRST},
                answer={
                    "total_incl_vat": "202.80",
                    "total_excl_vat": "169.00",
                    "shipping_incl_vat": "12.00",
                    "shipping_excl_vat": "10.00",
                    "currency": "EUR (assumed, Dipli states none)",
                },
                hides=("20280", "total_ttc"),
            ),
        ),
    ),
    Trap(
        "10.9",
        "nobody gets JSON inside of strings",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"public_id": FIRST},
                answer={
                    "lines": [
                        {
                            "name": "Apple iPhone 11 64",
                            "sku": "APPLE_IPHONE_11_64_SKU",
                            "quantity": 1,
                            "grade": "Grade A",
                            "unit_price": "159.00",
                        }
                    ]
                },
                hides=('\\"', "product_extra_infos"),
            ),
        ),
    ),
    Trap(
        "10.10",
        "the delivery slip is a token and no link",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"public_id": FIRST},
                says=('"delivery_slip_token":"',),
                hides=("bordereau_url", "delivery_slip_url", "http"),
            ),
        ),
    ),
    Trap(
        "10.11",
        "a success without a number is looked into",
        (
            Step(
                CREATE,
                order(extra="sandbox:no_public_id"),
                answer={"outcome": "placed", "order_id": FIRST},
                requests=("create", "list"),
                orders=1,
            ),
        ),
    ),
    Trap(
        "10.11",
        "a refusal inside a success is a refusal",
        (
            Step(
                CREATE,
                order(extra="sandbox:refused_in_200"),
                error="provider_refused",
                says=("order sent: no",),
                orders=0,
            ),
        ),
    ),
    Trap(
        "10.12",
        "an order stays unconfirmed until a parcel moves",
        (
            Step(CREATE, ORDER),
            Step(
                GET,
                {"public_id": FIRST},
                answer={"status": "received"},
                says=("Dipli accepts by e-mail after checking its stock",),
            ),
        ),
    ),
    Trap(
        "10.14",
        "what Dipli would refuse without a word is named at once and field by field",
        (
            refused(
                "4 problems",
                "- buyer: must not be empty",
                "- country: must be a two-letter ISO 3166-1 country code, here FR",
                "- buyer_phone: must hold 3 to 20 digits",
                "- buyer_email: must look like name@example.com",
                buyer="  ",
                country="France",
                buyer_phone="call me",
                buyer_email="jane",
            ),
            refused("- postcode: has five digits in FR", postcode=1000),
        ),
    ),
    Trap(
        "10.14",
        "a sold out product is refused with the three things to check",
        (
            Step(
                CREATE,
                order(product_id=11700111),
                error="provider_refused",
                says=("a product in stock", "Dipli delivers to the country", "with the same alternative_id"),
                orders=0,
            ),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1),
        ),
    ),
    Trap(
        "10.15",
        "the list is paged by Dipli's names and says when there is more",
        (
            Step(CREATE, ORDER),
            Step(CREATE, order(alternative_id="WEB-2")),
            Step(LIST, {"limit": 1}, error="invalid_arguments", says=("did you mean pageSize?",), requests=()),
            Step(LIST, {"offset": 1}, error="invalid_arguments", says=("page (from 1) and pageSize",), requests=()),
            Step(LIST, {"pageSize": 1}, answer={"page": 1, "count": 2, "has_more": True}, says=("A-412002",)),
            Step(LIST, {"pageSize": 1, "page": 2}, answer={"page": 2, "has_more": None}, says=(FIRST,)),
        ),
    ),
    Trap(
        "10.16",
        "a timestamp is cut to the day that the list understands",
        (
            Step(CREATE, ORDER),
            Step(LIST, {"createdAt": "2020-01-31T10:20:30+02:00"}, answer={"count": 1}, requests=("list",)),
            Step(LIST, {"createdAt": "31.01.2020"}, error="invalid_arguments", says=("a day like 2026-03-02",)),
        ),
    ),
    Trap(
        "10.18",
        "an order can be shown without being sent",
        (
            Step(
                CREATE,
                order(dry_run=True),
                answer={"outcome": "preview"},
                says=("https://dipli.sandbox.invalid/api-drop/v2/orders", "apikey: ***", "Nothing was sent"),
                hides=("sandbox-key",),
                requests=(),
                orders=0,
            ),
        ),
    ),
    Trap(
        "10.19",
        "a buyer's data are not repeated where nobody asked for them",
        (
            Step(CREATE, ORDER, hides=BUYER),
            Step(LIST, {}, answer={"count": 1}, hides=BUYER),
            Step(
                CREATE,
                order(alternative_id="WEB-2", buyer_email="jane at home"),
                error="invalid_arguments",
                hides=BUYER,
            ),
        ),
    ),
)

SHEET = Sheet(
    provider="dipli",
    numbers=numbered("3", 4) | numbered("10", 19),
    traps=TRAPS,
    guide={
        "3.1": "Dipli's data hold three numbers for a product, and the documentation does not say which one is meant",
        "3.2": "There is no catalogue, stock, price, cancellation, change, return or webhook",
        "10.1": "Never order under another `alternative_id` in the meantime.",
        "10.13": "Cancel, change or return an order",
        "10.17": "only explains the API: it places no orders",
    },
    fields=paths(
        "alternative_id product_id buyer street additional_street postcode city country buyer_phone buyer_email extra"
    ),
)
