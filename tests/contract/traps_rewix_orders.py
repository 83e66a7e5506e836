"""Rewix's traps around placing an order, and how the rows about Rewix are written."""

from __future__ import annotations

from contract.providers import Json, row_of
from contract.traps import Elsewhere, Step, Trap
from dropship_tools.sandbox.faults import Fault

CREATE, GET, RESERVED = "rewix_create_order", "rewix_get_order", "rewix_get_reserved"
ORDER = row_of("rewix").arguments("WEB-1")
FIRST = "130001"
RECIPIENT: Json = ORDER["recipient_details"]
PLACING = ("get", "reserved", "reserve", "create", "get")
CLEANING = ("reserved", "reserve")
LAST_TWO = 200022
PLUGIN = Elsewhere(
    "/restful/ghost/orders/0/dropshipping", {"order_list": [{**ORDER, "date": "2026/03/02 12:00:00 +0000"}]}
)


def order(**changed: object) -> Json:
    """A valid order with some arguments changed or added."""
    return {**ORDER, **changed}


def items(stock_id: object, quantity: object = 1) -> list[Json]:
    """One line."""
    return [{"stock_id": stock_id, "quantity": quantity}]


def recipient(**changed: object) -> Json:
    """The recipient with some fields changed or added."""
    return {**RECIPIENT, **changed}


def preview(*says: str, hides: tuple[str, ...] = (), **changed: object) -> Step:
    """What would be sent."""
    return Step(CREATE, order(dry_run=True, **changed), answer={"outcome": "preview"}, says=says, hides=hides)


def refused(*says: str, **changed: object) -> Step:
    """An order that is answered with what to do, and that Rewix never hears of."""
    return Step(CREATE, order(**changed), error="invalid_arguments", says=says, requests=(), orders=0)


def field(name: str, value: str) -> str:
    """A field of a previewed JSON body, as it stands inside of our own JSON."""
    return f'\\"{name}\\":\\"{value}\\"'


NOTHING_HELD = Step(RESERVED, {}, answer={"reserved": []})

TRAPS = (
    Trap(
        "1.2 6.14 6.23 9.2",
        "the request has one format, the documented names, and no credentials to read",
        (
            preview(
                "https://rewix.sandbox.invalid/restful/ghost/orders/0/dropshipping",
                "Accept: application/json",
                "Content-Type: application/json",
                "Authorization: ***",
                '{\\"order_list\\":[{\\"key\\":\\"WEB-1\\",',
                '\\"item_list\\":[{\\"stock_id\\":\\"148148\\",\\"quantity\\":\\"1\\"}]',
                hides=("sandbox-password", "sandbox-key", "Basic"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1),
        ),
    ),
    Trap(
        "6.23",
        "refused credentials are not repeated",
        (
            Step(
                CREATE,
                ORDER,
                error="provider_auth",
                says=("order sent: no", "check the account's credentials"),
                hides=("sandbox-password", "sandbox-key", "rewix.sandbox.invalid"),
                requests=("get",),
                orders=0,
                fault=Fault("rewix", "*", "status", value=401),
            ),
        ),
    ),
    Trap(
        "1.3 6.1 9.1 9.9",
        "the order's number comes from looking it up by key and never from the answer to the order",
        (
            Step(CREATE, ORDER, answer={"outcome": "placed", "order_id": FIRST}, hides=("1000",), requests=PLACING),
            Step(GET, {"key": "WEB-1"}, answer={"order_id": FIRST, "reference": "WEB-1"}),
            Step(GET, {"rewix_order_id": 130001}, answer={"order_id": FIRST, "reference": "WEB-1"}),
        ),
    ),
    Trap(
        "1.4 1.10 6.2",
        "an order above the stock is refused and not shortened",
        (
            Step(
                CREATE,
                order(item_list=items(LAST_TWO, 3)),
                error="provider_refused",
                says=("order sent: no", f"item_list: stock_id {LAST_TWO}: asked 3, granted 2"),
                requests=("get", "reserved", "reserve", *CLEANING),
                orders=0,
            ),
            NOTHING_HELD,
            Step(CREATE, order(item_list=items(LAST_TWO, 2)), answer={"outcome": "placed"}, orders=1),
        ),
    ),
    Trap(
        "1.5 6.3 6.19 9.11",
        "a 429 on an order is a faulty order: no waiting, no repeating, no other way of ordering",
        (
            Step(
                CREATE,
                ORDER,
                error="provider_refused",
                says=("order sent: no", "HTTP 429, which does not mean too many requests here", "with the same key"),
                hides=("Wait", "retry"),
                requests=(*PLACING, *CLEANING),
                orders=0,
                fault=Fault("rewix", "create", "status", value=429),
            ),
            NOTHING_HELD,
        ),
    ),
    Trap(
        "1.6 6.6 6.24 9.8",
        "a refused order leaves nothing locked and tells Rewix's reason as somebody else's words",
        (
            Step(
                CREATE,
                order(carrierId=99),
                error="provider_refused",
                says=("order sent: no", 'provider said (untrusted): "carrier 99 is not valid for this account"'),
                orders=0,
            ),
            NOTHING_HELD,
        ),
    ),
    Trap(
        "1.6 6.12",
        "an unknown stock_id stops the order before anything is locked",
        (
            Step(
                CREATE,
                order(item_list=[*items(148148, 2), *items(50001)]),
                error="provider_refused",
                says=("Check each stock_id (rewix_find_stock; it is no product id, SKU or barcode)",),
                hides=("left behind",),
                orders=0,
            ),
            NOTHING_HELD,
        ),
    ),
    Trap(
        "1.7 6.7 6.8",
        "nothing is paid unless somebody says so, and an unpaid order is no parcel on its way",
        (
            preview(field("autoConfirm", "false")),
            Step(
                CREATE,
                ORDER,
                answer={"status": "awaiting_payment", "provider_status": "5 BOOKED", "payment_due": True},
                says=("Not paid, so it will not ship: a person must pay it", "about 24 hours"),
            ),
            Step(GET, {"key": "WEB-1"}, answer={"status": "cancelled", "payment_due": None}, minutes=24 * 60),
        ),
    ),
    Trap(
        "1.7 6.7",
        "whoever asks for payment is told that it may happen at once",
        (
            Step(
                CREATE,
                order(autoConfirm=True),
                answer={"status": "processing", "payment_due": None},
                says=("autoConfirm is true: the order may be paid at once",),
            ),
        ),
    ),
    Trap(
        "1.8 6.4 9.5",
        "an order whose answer is lost is found by its key and never sent again",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed", "order_id": FIRST},
                requests=(*PLACING, "reserved"),
                orders=1,
                fault=Fault("rewix", "create", "reset_after"),
            ),
            Step(CREATE, ORDER, answer={"outcome": "already_placed", "order_id": FIRST}, requests=(), orders=1),
        ),
    ),
    Trap(
        "1.8 6.4 9.5",
        "an order that is nowhere to be seen is sent again only when it cannot turn up any more",
        (
            Step(
                CREATE,
                ORDER,
                error="outcome_unknown",
                says=("order sent: maybe", "Never order under another reference"),
                orders=0,
                fault=Fault("rewix", "create", "reset_before"),
            ),
            Step(CREATE, ORDER, error="outcome_unknown", requests=("get",), orders=0, minutes=14),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1, minutes=2),
        ),
    ),
    Trap(
        "1.8 9.5",
        "an order that another program has placed under the key is not placed again",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "already_placed", "order_id": FIRST},
                says=("Rewix already had an order with this key; nothing was ordered now.",),
                requests=("get",),
                orders=1,
                elsewhere=PLUGIN,
            ),
            Step(GET, {"key": "WEB-1"}, says=("Rewix shows 2 orders with this key",), orders=2, elsewhere=PLUGIN),
        ),
    ),
    Trap(
        "6.4 9.4",
        "the key is asked for and is the same on every call",
        (
            refused("- key: is required", key=None),
            Step(CREATE, ORDER, answer={"outcome": "placed"}, orders=1),
            Step(CREATE, ORDER, answer={"outcome": "already_placed"}, requests=(), orders=1),
        ),
    ),
    Trap(
        "6.5",
        "an order that reserves and hears nothing looks and reserves no second time",
        (
            Step(
                CREATE,
                ORDER,
                answer={"outcome": "placed"},
                requests=("get", "reserved", "reserve", "reserved", "create", "get"),
                orders=1,
                fault=Fault("rewix", "reserve", "reset_after"),
            ),
            NOTHING_HELD,
        ),
    ),
    Trap(
        "6.11 9.3",
        "the date is ours, in Rewix's form and with a true offset",
        (
            preview(' +0000\\",\\"recipient_details\\"'),
            preview(field("date", "2021/02/02 23:59:59 +0200"), date="2021-02-02T23:59:59+02:00"),
            refused("- date: must be like 2021/02/02 23:59:59 +0000", date="2021-02-02T23:59:59"),
            refused("- date: must be like 2021/02/02 23:59:59 +0000", date="2021/02/02 11:59:59 PM"),
        ),
    ),
    Trap(
        "6.12",
        "a SKU, a barcode and a product are no stock_id",
        (
            refused("- item_list.0.stock_id: must be a whole number", item_list=items("MO1003_NAV")),
            refused(
                "- item_list.0.sku: is not an argument: items are named by stock_id only",
                "- item_list.0.stock_id: is required",
                item_list=[{"sku": "MO1003_NAV", "quantity": 1}],
            ),
        ),
    ),
    Trap(
        "6.13",
        "a flat order is led to the nested one",
        (
            refused(
                "- items: is not an argument; did you mean item_list?",
                "- address: is not an argument; did you mean recipient_details?",
                "- recipient: is not an argument; did you mean recipient_details?",
                items=items(148148),
                address={"city": "Torino"},
                recipient="Jane Doe",
            ),
            Step(CREATE, {"order_list": [ORDER]}, answer={"outcome": "placed"}, orders=1),
        ),
    ),
    Trap(
        "6.15",
        "what was not given is not made up, and a sample value is pointed out",
        (
            preview(hides=("carrierId", "cfpiva", "street_type", "address_number", "customer_key")),
            preview(
                "cfpiva 12345558 is the documentation's sample; leave it out",
                recipient_details=recipient(cfpiva="12345558"),
            ),
        ),
    ),
    Trap(
        "6.16",
        "a calling code stands in one place, and a door number may stand in the street",
        (
            preview(
                field("prefix", "+39") + "," + field("number", "0111234567"),
                field("street_name", "WEB-1 Harbour Road 7"),
                recipient_details=recipient(phone={"prefix": "0039", "number": "+39 0111234567"}),
            ),
            refused(
                "- recipient_details.phone.number: starts with another country code than prefix",
                recipient_details=recipient(phone={"prefix": "+39", "number": "+33 612345678"}),
            ),
        ),
    ),
)
