"""Dipli's dropship API as its documentation and our sheet (providers/dipli.md) describe it, traps included.

* A refused request is a bare 400 that names no field and no reason (section 3).
* The same `alternative_id` twice makes two orders, and no answer ever shows it again (section 3).
* Reading spells names differently from writing and nests JSON in strings (section 5).
* `shipped` means delivered (section 6); amounts are cents (section 7).
* On request a create is answered in the ways that prove nothing or contradict themselves (sections 3 and 8).

Where the documentation is silent this sandbox takes the stricter reading, so that a client that pleases it has the
best chance to please Dipli.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast

from dropship_tools.dipli import DIPLI
from dropship_tools.dipli.sandbox_catalogue import COUNTRIES, MARGIN_VAT, OFFERS, Offer
from dropship_tools.sandbox.body import json_body
from dropship_tools.sandbox.store import Document
from dropship_tools.sandbox.world import SandboxWorld

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

CREDENTIALS = DIPLI.sandbox_credentials()

PROVIDER = "dipli"
ORDER = "order"
ORDERS = "/api-drop/v2/orders"
FIRST_ID = 412_001

REQUIRED = ("alternative_id", "buyer", "street", "postcode", "city", "country", "buyer_phone", "buyer_email")
OPTIONAL = ("additional_street", "extra")
STATUSES = ("ongoing_shipping", "error_shipping", "cancelled", "pending_confirmation", "shipped")
PAGE_SIZE = 50
LARGEST_PAGE_SIZE = 100

# How long an order waits, and how long a parcel travels. `extra` can ask for the two unhappy endings.
CONFIRMED_AFTER = timedelta(minutes=1)
DELIVERED_AFTER = timedelta(minutes=10)
UNHAPPY_ENDINGS = {"sandbox:cancelled": "cancelled", "sandbox:error_shipping": "error_shipping"}

# What else `extra` can ask for: an answer that does not say what became of the order, and whether there is one.
ODD_ANSWERS: dict[str, tuple[int, dict[str, Any], bool]] = {
    "sandbox:server_error": (500, {"code": 500, "msg": "Internale Server Error"}, True),
    "sandbox:no_public_id": (200, {"code": 200, "msg": "Success"}, True),
    "sandbox:refused_in_200": (200, {"code": 400, "msg": "Bad Request"}, False),
}

# The documented samples carry +01:00 in September too: an offset, not a time zone.
OFFSET = timezone(timedelta(hours=1))
COURIERS = ("ups", "dpd", "chronopost", "colissimo")
SHIPPING_HT = 1000
SHIPPING_TTC = 1200

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PHONE = re.compile(r"\+?[\d\s().\-/]+")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def operation(method: str, path: str) -> str:
    """`create`, `list`, `get`, or `other` for a request that is not documented."""
    if path == ORDERS:
        return {"POST": "create", "GET": "list"}.get(method, "other")
    return "get" if method == "GET" and path.startswith(f"{ORDERS}/") else "other"


def build(world: SandboxWorld) -> ASGIApp:
    """The dropship API, to be served from the root of its host."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def refuse(status: int, message: str) -> Response:
        return JSONResponse({"code": status, "msg": message}, status_code=status)

    def is_authorised(request: Request) -> bool:
        return request.headers.get("apikey") == CREDENTIALS["api_key"]

    async def create(request: Request) -> Response:
        if not is_authorised(request):
            return refuse(401, "Unauthorized")
        try:
            order = checked_order(await json_body(request))
        except ValueError:
            return refuse(400, "Bad Request")
        key, extra = cast(str, order["alternative_id"]), cast(str, order["extra"])
        status, answer, stored = ODD_ANSWERS.get(extra, (200, {}, True))
        if stored:
            document = world.store.add(PROVIDER, ORDER, order, key=key, first_id=FIRST_ID)
            answer = answer or {"code": 200, "msg": "Success", "public_id": public_id(document)}
        return JSONResponse(answer, status_code=status)

    async def list_orders(request: Request) -> Response:
        if not is_authorised(request):
            return refuse(401, "Unauthorized")
        try:
            search = Search.parse(request.query_params)
        except ValueError:
            return refuse(400, "Bad Request")
        documents = reversed(world.store.all(PROVIDER, ORDER))
        found = [document for document in documents if search.matches(document, world.now())]
        start = (search.page - 1) * search.page_size
        return JSONResponse(
            {
                "count": len(found),
                "page": search.page,
                "pageSize": search.page_size,
                "result": [shown(document, world) for document in found[start : start + search.page_size]],
            }
        )

    async def get(request: Request) -> Response:
        if not is_authorised(request):
            return refuse(401, "Unauthorized")
        match = re.fullmatch(r"A-([1-9]\d{0,17})", cast(str, request.path_params["public_id"]), re.ASCII)
        document = world.store.get(PROVIDER, ORDER, int(match[1])) if match else None
        return JSONResponse(shown(document, world)) if document else refuse(404, "Not Found")

    async def not_documented(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return refuse(status, {404: "Not Found", 405: "Method Not Allowed"}.get(status, "Bad Request"))

    app = Starlette(
        routes=[
            Route(ORDERS, create, methods=["POST"]),
            Route(ORDERS, list_orders, methods=["GET"]),
            Route(f"{ORDERS}/{{public_id}}", get, methods=["GET"]),
        ],
        exception_handlers={HTTPException: not_documented},
    )
    app.router.redirect_slashes = False
    return app


def checked_order(body: Any) -> dict[str, Any]:
    """The documented fields of a valid order; fields nobody documented (a `quantity`!) are dropped silently.

    ValueError for anything wrong, with a reason that Dipli would not tell.
    """
    if not isinstance(body, dict):
        raise ValueError("not an object")
    fields = cast(dict[str, Any], body)
    order: dict[str, Any] = {}
    for name in REQUIRED:
        value = fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name} is required text")
        order[name] = value.strip()
    for name in OPTIONAL:
        value = fields.get(name, "")
        if not isinstance(value, str):
            raise ValueError(f"{name} is text")
        order[name] = value.strip()
    product_id = fields.get("product_id")
    if not isinstance(product_id, int) or isinstance(product_id, bool):
        raise ValueError("product_id is an integer")
    # Stock is a figure of the catalogue and is not used up: a sandbox that runs dry answers 400 without a reason.
    if product_id not in OFFERS or OFFERS[product_id].stock < 1:
        raise ValueError("product_id is not for sale")
    if order["country"] not in COUNTRIES:
        raise ValueError("country is an ISO 3166-1 alpha-2 code that is delivered to")
    if not EMAIL.fullmatch(cast(str, order["buyer_email"])):
        raise ValueError("buyer_email is an address")
    phone = cast(str, order["buyer_phone"])
    if not PHONE.fullmatch(phone) or sum(character.isdigit() for character in phone) < 6:
        raise ValueError("buyer_phone is a number")
    return {**order, "product_id": product_id}


@dataclass(frozen=True)
class Search:
    """The query of the list, sheet section 4. Dates are lower bounds, inclusive, in the sandbox's offset."""

    only_new: bool
    created: date | None
    updated: date | None
    status: str | None
    page: int
    page_size: int

    @classmethod
    def parse(cls, query: QueryParams) -> Search:
        """ValueError for a value that is not what its field documents."""
        new, status = query.get("new", "false"), query.get("status")
        if new not in ("true", "false", "1", "0"):
            raise ValueError("new is a boolean")
        if status is not None and status not in STATUSES:
            raise ValueError("status is not one of the five")
        return cls(
            only_new=new in ("true", "1"),
            created=_day(query.get("createdAt")),
            updated=_day(query.get("updatedAt")),
            status=status,
            page=_positive(query.get("page", "1")),
            page_size=min(_positive(query.get("pageSize", str(PAGE_SIZE))), LARGEST_PAGE_SIZE),
        )

    def matches(self, document: Document, now: datetime) -> bool:
        """Whether the order belongs to the answer at this moment."""
        status, since = history(document, now)[-1]
        return (
            (not self.only_new or status == "pending_confirmation")
            and (self.status is None or status == self.status)
            and (self.created is None or document.created_at.astimezone(OFFSET).date() >= self.created)
            and (self.updated is None or since.astimezone(OFFSET).date() >= self.updated)
        )


def history(document: Document, now: datetime) -> list[tuple[str, datetime]]:
    """The statuses the order has reached, each with the time it began."""
    confirmed = document.created_at + CONFIRMED_AFTER
    steps = [("pending_confirmation", document.created_at)]
    ending = UNHAPPY_ENDINGS.get(cast(str, document.body["extra"]))
    if ending == "cancelled":
        steps.append((ending, confirmed))
    else:
        steps.append(("ongoing_shipping", confirmed))
        steps.append((ending or "shipped", document.created_at + DELIVERED_AFTER))
    return [steps[0], *((status, since) for status, since in steps[1:] if since <= now)]


def public_id(document: Document) -> str:
    """The handle of an order."""
    return f"A-{document.id}"


def shown(document: Document, world: SandboxWorld) -> dict[str, Any]:
    """An order as it is read, sheet section 5: other names than written, no `alternative_id`, no `extra`."""
    body, offer = document.body, OFFERS[cast(int, document.body["product_id"])]
    reached = dict(history(document, world.now()))
    status = list(reached)[-1]
    on_its_way = "ongoing_shipping" in reached
    price_ttc = offer.price_ht if offer.tax_class == MARGIN_VAT else round(offer.price_ht * 1.2)
    courier = COURIERS[world.number(len(COURIERS), "courier", document.id)]
    relay = world.number(900_000_000, "relay", document.id) + 100_000_000
    return {
        "id": document.id,
        "public_id": public_id(document),
        "by_agora": True,
        "to_ship": status == "pending_confirmation",
        "order_at": _stamp(document.created_at),
        "delivered_at": _stamp(reached.get("shipped")),
        "bordereau_url": world.digest("bordereau", document.id)[:32],
        "payment_status": "payment_received",
        "shipping_status": status,
        "billing_address_json": _nested(_address(body, "billing")),
        "shipping_address_json": _nested(_address(body, "shipping")),
        "anonymous_email": f"{relay}_{document.id}@orders.agora.place",
        "tracking_courier": courier if on_its_way else None,
        "tracking_number": world.digest("tracking", document.id)[:12].upper() if on_its_way else None,
        # Whether totals include shipping is not documented; here they do.
        "total_ttc": price_ttc + SHIPPING_TTC,
        "total_ht": offer.price_ht + SHIPPING_HT,
        "shipping_h_t": SHIPPING_HT,
        "shipping_t_t_c": SHIPPING_TTC,
        "canceled_at": _stamp(reached.get("cancelled")),
        "cart_items": [
            {
                "tax_class": offer.tax_class,
                "product_sku": re.sub(r"[^A-Z0-9]+", "_", f"{offer.name} SKU".upper()),
                "product_name": offer.name,
                "product_quantity": 1,
                "product_extra_infos": _nested(_extra_infos(offer, world)),
            }
        ],
    }


def _address(body: dict[str, Any], kind: str) -> dict[str, Any]:
    first, _, last = cast(str, body["buyer"]).partition(" ")
    return {
        "street": body["street"],
        "additionnal": body["additional_street"] or None,
        "postcode": body["postcode"],
        "city": body["city"],
        "country": body["country"],
        "firstname": first,
        "lastname": last.strip(),
        "company": None,
        "type": kind,
        "email": body["buyer_email"],
        "telephone": body["buyer_phone"],
        "deliveryinfos": None,
        "ref": None,
    }


def _extra_infos(offer: Offer, world: SandboxWorld) -> dict[str, Any]:
    infos = asdict(offer)
    infos["price"] = infos.pop("price_ht")
    # One document writes the tax class in two ways: sheet section 5.
    infos["tax_class"] = offer.tax_class.capitalize()
    infos["extended_images"] = [f"{world.digest('image', offer.id)[:20]}.jpg"]
    return infos


def _nested(value: dict[str, Any]) -> str:
    # PHP writes a slash as \/ and everything beyond ASCII as \u escapes.
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(OFFSET).isoformat(timespec="seconds") if moment else None


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    if not DAY.fullmatch(text):
        raise ValueError("a day is yyyy-mm-dd")
    return date.fromisoformat(text)


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise ValueError("a whole number from 1")
    return int(text)
