"""Duoplane's traps around placing an order: what agents get wrong with it (9.1 to 9.20)."""

from __future__ import annotations

import json

from contract.providers import Json, row_of
from contract.traps import Elsewhere, Step, Trap
from dropship_tools.sandbox.faults import Fault

CREATE, GET, FIND = "duoplane_create_order", "duoplane_get_order", "duoplane_find_product"
SETTLE = "dropship_settle_order"
ORDER = row_of("duoplane").arguments("WEB-1")
ADDRESS, KETTLE = ORDER["shipping_address"], ORDER["order_items"][0]
FIRST = "8800001"
LOOKING = ("purchase_orders", "list")
PLACING = (*LOOKING, "create")
ROUTING = "is not an argument: routing is Duoplane's; use retailer_sku or retailer_product_id"
UNKNOWN = [{"name": "Something", "quantity": 1, "price": 5, "retailer_sku": "NOBODYS"}]


def order(**changed: object) -> Json:
    """A valid order with some arguments changed or added."""
    return {**ORDER, **changed}


def sent_to(**changed: object) -> Json:
    """A valid order with some fields of the address changed or added."""
    return order(shipping_address={**ADDRESS, **changed})


def refused(arguments: Json, *says: str) -> Step:
    """An order that is answered with what to do, and that Duoplane never hears of."""
    return Step(CREATE, arguments, error="invalid_arguments", says=says, requests=(), orders=0)


def leaves(arguments: Json, *parts: str, hides: tuple[str, ...] = ()) -> Step:
    """A preview: these parts of the body would leave as they stand here."""
    says = tuple(json.dumps(part, ensure_ascii=False)[1:-1] for part in parts)
    return Step(CREATE, {**arguments, "dry_run": True}, says=says, hides=hides, requests=(), orders=0)


TRAPS = (
    Trap(
        "9.1",
        "the request is flat, although answers are wrapped",
        (
            refused({"data": {"attributes": ORDER}}, "- data: is not an argument: give the fields flat"),
            leaves(ORDER, '{"store_id":3101,"external_id":"WEB-1",', hides=("attributes",)),
            Step(CREATE, order(order_items=json.dumps([KETTLE])), answer={"outcome": "placed"}),
        ),
    ),
    Trap(
        "9.2",
        "names of other systems lead to Duoplane's",
        (
            refused(
                sent_to(address1="1 Elm St", zip="04101", state="Maine", country="US", company="Doe Inc"),
                "- shipping_address.address1: is not an argument; did you mean address_1?",
                "- shipping_address.zip: is not an argument; did you mean post_code?",
                "- shipping_address.state: is not an argument; did you mean province_name?",
                "- shipping_address.country: is not an argument; did you mean country_iso2?",
                "- shipping_address.company: is not an argument; did you mean company_name?",
            ),
        ),
    ),
    Trap(
        "9.3",
        "names of places are not codes, and both must agree",
        (
            refused(sent_to(country_iso2="United States"), "- shipping_address.country_iso2: must be a two-letter"),
            refused(sent_to(province_code="California"), "province_code must be a code such as CA"),
            refused(sent_to(province_name="Texas"), "province_name and province_code are different places"),
            refused(sent_to(country_name="France"), "country_name and country_iso2 are different countries"),
            leaves(sent_to(country_name="United States", province_name="Maine"), '"province_code":"ME"'),
        ),
    ),
    Trap(
        "9.6",
        "an order whose answer is lost is looked for and never sent again",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "order_id": FIRST},
                says=("the order was found by looking for it",),
                requests=(*PLACING, *LOOKING, "get"),
                orders=1,
                fault=Fault("duoplane", "create", "reset_after"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "already_placed", "order_id": FIRST}, requests=(), orders=1),
        ),
    ),
    Trap(
        "9.6 9.11",
        "an order that nobody can find stays unknown until a person decides",
        (
            Step(
                CREATE,
                ORDER,
                error="outcome_unknown",
                says=("order sent: maybe", "Call dropship_settle_order", "a person must look at duoplane"),
                requests=(*PLACING, *LOOKING),
                orders=0,
                fault=Fault("duoplane", "create", "status", value=503),
            ),
            Step(CREATE, ORDER, error="outcome_unknown", requests=LOOKING, orders=0, minutes=60),
            Step(
                SETTLE,
                {"provider": "duoplane", "reference": "WEB-1"},
                answer={"outcome": "unknown"},
                requests=LOOKING,
                orders=0,
                minutes=24 * 60,
            ),
        ),
    ),
    Trap(
        "9.7",
        "the number is the caller's, and the same for the same order only",
        (
            refused(order(external_id=None), "- external_id: is required"),
            Step(CREATE, ORDER, answer={"outcome": "placed"}),
            Step(CREATE, ORDER, answer={"outcome": "already_placed", "order_id": FIRST}, requests=(), orders=1),
            Step(
                CREATE,
                order(order_items=[{**KETTLE, "quantity": 3}]),
                error="reference_conflict",
                says=("order sent: no", "different: order_items"),
                requests=(),
                orders=1,
            ),
        ),
    ),
    Trap(
        "9.7",
        "an order that Duoplane has already is not bought again",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "already_placed", "order_id": FIRST},
                says=("nothing was sent. A person must compare the two",),
                requests=(*LOOKING, "get"),
                orders=1,
                elsewhere=Elsewhere("/api/orders", order(store_id=3101)),
            ),
        ),
    ),
    Trap(
        "9.8",
        "problems named on success are shown, and no plain success is reported",
        (
            Step(
                CREATE,
                order(order_items=UNKNOWN),
                answer={"outcome": "placed", "status": "problem", "provider_status": "accepted with errors"},
                says=(
                    "retailer_sku NOBODYS does not match any product",
                    "Duoplane shows no vendor SKU for: NOBODYS",
                    "Do not order again.",
                ),
                orders=1,
            ),
        ),
    ),
    Trap(
        "9.8",
        "a line that reaches nobody is told even when the answer was lost",
        (
            Step(
                CREATE,
                order(order_items=UNKNOWN),
                answer={"outcome": "placed", "order_id": FIRST},
                says=("was lost", "Duoplane shows no vendor SKU for: NOBODYS; such lines may reach no vendor."),
                fault=Fault("duoplane", "create", "reset_after"),
            ),
        ),
    ),
    Trap(
        "9.14",
        "a store that does not exist is refused, and products tell the stores there are",
        (
            Step(
                CREATE,
                order(store_id=1),
                error="provider_refused",
                says=("order sent: no", "fix: Correct store_id", "store_id 1 is unknown"),
                orders=0,
            ),
            Step(
                FIND, {"retailer_sku": "HP-BOWL-20"}, says=('"store_id":"3101"', "The account's default store sells it")
            ),
            leaves(ORDER, '"store_id":3101'),
        ),
    ),
    Trap(
        "9.15",
        "an order chooses no vendor",
        (
            refused(
                order(order_items=[{**KETTLE, "vendor_sku": "KO-3107", "cost": 9.4, "vendor_id": 503}]),
                f"- order_items.0.vendor_sku: {ROUTING}",
                f"- order_items.0.cost: {ROUTING}",
                f"- order_items.0.vendor_id: {ROUTING}",
            ),
        ),
    ),
)
