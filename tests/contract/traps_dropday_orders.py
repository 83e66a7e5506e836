"""Dropday's traps around placing an order: what agents get wrong with it (12.1 to 12.22)."""

from __future__ import annotations

import json

from contract.providers import Json, row_of
from contract.traps import Elsewhere, Step, Trap
from dropship_tools.sandbox.faults import Fault

CREATE, GET, LIST = "dropday_create_order", "dropday_get_order", "dropday_list_orders"
ORDER = row_of("dropday").arguments("WEB-1")
ADDRESS, LAMP = ORDER["shipping_address"], ORDER["products"][0]
NOBODYS: Json = {"external_id": "P-2", "name": "Something else", "quantity": 1, "price": 10}
PLACING = ("create", "get")


def order(**changed: object) -> Json:
    """A valid order with some arguments changed or added."""
    return {**ORDER, **changed}


def refused(*says: str, **changed: object) -> Step:
    """An order that is answered with what to do, and that Dropday never hears of."""
    return Step(CREATE, order(**changed), error="invalid_arguments", says=says, requests=(), orders=0)


def leaves(*parts: str, **changed: object) -> Step:
    """A preview: these parts of the body would leave as they stand here."""
    says = tuple(json.dumps(part, ensure_ascii=False)[1:-1] for part in parts)
    return Step(CREATE, order(dry_run=True, **changed), says=says, requests=(), orders=0)


def ordered_by(source: str) -> Elsewhere:
    """The same order, which a shop has sent to Dropday by itself."""
    return Elsewhere("/api/v1/orders", order(source=source))


TRAPS = (
    Trap(
        "12.1",
        "an order that was there before is not reported as new",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "already_placed", "order_id": "98"},
                says=("nothing was ordered or changed now, and its content may differ",),
                requests=PLACING,
                orders=1,
                elsewhere=ordered_by("Lampshop"),
            ),
        ),
    ),
    Trap(
        "12.2",
        "another content under the number is refused and a number is never made up",
        (
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1),
            Step(
                CREATE,
                order(total=60),
                error="reference_conflict",
                says=("order sent: no", "different: total"),
                requests=(),
                orders=1,
            ),
            Step(CREATE, order(external_id=None), error="invalid_arguments", says=("- external_id: is required",)),
        ),
    ),
    Trap(
        "12.3",
        "an order whose answer is lost is found by its number",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "order_id": "98"},
                says=("the order was found by looking for it",),
                requests=("create", "list"),
                orders=1,
                fault=Fault("dropday", "create", "reset_after"),
            ),
        ),
    ),
    Trap(
        "12.3",
        "an order that never arrived is sent again under the same number only",
        (
            Step(
                CREATE,
                ORDER,
                error="outcome_unknown",
                says=("order sent: maybe", "Make exactly the same call again"),
                requests=("create", "list"),
                orders=0,
                fault=Fault("dropday", "create", "reset_before"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, requests=("list", *PLACING), orders=1),
        ),
    ),
    Trap(
        "12.4",
        "a test order is one when the call says so, and then never reaches a supplier",
        (
            leaves('"test":false'),
            leaves('"test":true', test="true"),
            Step(CREATE, order(test="yes, please"), error="invalid_arguments", says=("- test: must be true or false",)),
            Step(CREATE, order(test="true"), answer={"outcome": "placed", "test": True}),
            Step(
                GET,
                {"external_id": "WEB-1"},
                answer={"test": True, "status": "received", "provider_status": "lines: 1 pending"},
                hides=("Nordlys",),
                minutes=60,
            ),
        ),
    ),
    Trap(
        "12.7",
        "telephone numbers and codes leave as text with their zeros",
        (
            leaves('"phone":"31201234567"', shipping_address={**ADDRESS, "phone": 31201234567}),
            leaves('"phone":"+31 20 123"', shipping_address={**ADDRESS, "phone": "+31 20 123"}),
            leaves('"ean13":"0745125000015"', products=[{**LAMP, "ean13": "0745125000015"}]),
            leaves('"ean13":"8712345000018"', products=[{**LAMP, "ean13": 8712345000018}]),
            refused(
                "- products.0.ean13: must be text: as a number it may lose digits",
                products=[{**LAMP, "ean13": 8712345000018.0}],
            ),
            Step(
                CREATE,
                order(dry_run=True, products=[{**LAMP, "ean13": 745125000015}]),
                says=("were leading zeros lost?",),
            ),
        ),
    ),
    Trap(
        "12.8",
        "money is in main units, and cents are noticed",
        (
            leaves('"total":41.98', '"price":18.5'),
            Step(CREATE, order(dry_run=True, total=4198), says=("total is 4198.00", "cents mixed with main units?")),
            refused("- total: must have at most two decimal places", total=41.985),
            refused("- total: must be a plain number such as 10.99", total="1,041.98"),
        ),
    ),
    Trap(
        "12.9",
        "a delivery date leaves day first and is shown year first",
        (
            leaves('"delivery_date":"07-11-2026"', shipping={"delivery_date": "2026-11-07"}),
            leaves('"delivery_date":"07-11-2026"', shipping={"delivery_date": "07-11-2026"}),
            Step(CREATE, order(shipping={"delivery_date": "2026-11-07"})),
            Step(GET, {"reference": "98"}, answer={"delivery_date": "2026-11-07"}),
        ),
    ),
    Trap(
        "12.10",
        "names that other systems use lead to Dropday's",
        (
            refused(
                *("- items: is not an argument; did you mean products?", "did you mean reference?"),
                *("- shipping_address.firstname: is not an argument; did you mean first_name?", "mean postcode?"),
                *("- shipping_address.street: is not an argument; did you mean address1?", "mean company_name?"),
                items=[],
                shipping_address={
                    **ADDRESS,
                    "firstname": "Jo",
                    "zip": "1012 AB",
                    "street": "Kade 2",
                    "company": "Jo BV",
                },
                products=[{**LAMP, "sku": "NL-DESK-01"}],
            ),
        ),
    ),
    Trap(
        "12.11",
        "a line that no rule can match is doubted before and named after",
        (
            Step(
                CREATE,
                order(products=[LAMP, NOBODYS], total=51.98),
                answer={"outcome": "placed", "unmatched_lines": ["P-1", "P-2"]},
                says=("No brand, ean13, supplier or category on: P-2", "nobody will buy them"),
            ),
            Step(
                GET,
                {"reference": "98"},
                answer={"status": "problem", "provider_status": "lines: 1 completed, 1 skipped"},
                says=('"supplier":"Nordlys Lighting"', '"why":"No rule matched this line"'),
                minutes=3,
            ),
        ),
    ),
    Trap(
        "12.15",
        "an order can be looked at before it cannot be taken back",
        (Step(CREATE, order(dry_run=True), answer={"outcome": "preview"}, says=("/api/v1/orders",), orders=0),),
    ),
    Trap(
        "12.18",
        "credentials travel in Dropday's own headers and are shown to nobody",
        (
            Step(
                CREATE,
                order(dry_run=True),
                says=('"api-key: ***"', '"account-id: ***"', '"Accept: application/json"'),
                hides=("sandbox-key", "1001", "Authorization", "apikey"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, hides=("sandbox-key",)),  # the sandbox wants both
            Step(CREATE, order(**{"api-key": "k"}), error="invalid_arguments", says=("- api-key: is not an argument",)),
        ),
    ),
    Trap(
        "12.20",
        "another shop's order under the number is not taken for this one",
        (
            Step(
                CREATE,
                ORDER,
                error="reference_conflict",
                says=("order sent: no", "a real order, of another shop", "ask a person under which external_id"),
                requests=PLACING,
                orders=1,
                elsewhere=ordered_by("Bikeshop"),
            ),
            Step(GET, {"external_id": "WEB-1"}, answer={"source": "Bikeshop"}),
        ),
    ),
    Trap(
        "12.22",
        "the supplier of a line is a label and chooses nobody",
        (
            Step(CREATE, order(products=[{**LAMP, "supplier": "Mario"}])),
            Step(GET, {"reference": "98"}, says=('"supplier":"Nordlys Lighting"',), hides=("Mario",), minutes=1),
        ),
    ),
)
