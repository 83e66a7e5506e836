"""The Rewix sandbox: a supplier's shop with one dropshipping account, as documented, traps included.

Sources: the sheet `rewix.md` and https://developer.rewixecommerce.com. What neither says was decided here:

* a Content-Type other than JSON or XML is 415, a wrong reserve body 429 like a wrong order, a wrong query of the
  catalogue 412;
* orders of one body are made one after the other, so that those before an unknown stock id stay made;
* an order of which not one piece is left is made, never confirmed, and lapses unpaid.

The account's credit is `sandbox_stock.CREDIT_CENTS`. Confirmed orders go through `sandbox_status.CONFIRMED_LIFE`;
the `notes` of an order can ask for other lives (`sandbox_status.ASKED_FOR`).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dropship_tools.rewix import REWIX
from dropship_tools.rewix.sandbox_carriers import find_carrier, listed
from dropship_tools.rewix.sandbox_catalogue import LOCALES, Catalogue, Feed, Product, build_catalogue
from dropship_tools.rewix.sandbox_formats import (
    MEDIA_TYPES,
    Format,
    Unreadable,
    acceptable,
    content_format,
    read_operations,
    read_orders,
    write_carriers,
    write_reservation,
    write_statuses,
)
from dropship_tools.rewix.sandbox_orders import BadBody, check_operations, check_orders
from dropship_tools.rewix.sandbox_status import by_id, by_key, place
from dropship_tools.rewix.sandbox_stock import Account, Reservation, UnknownStock, open_account
from dropship_tools.sandbox.world import SandboxWorld

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CREDENTIALS = REWIX.sandbox_credentials()
"""The one account. Obviously no secret; it opens nothing but this sandbox."""

BOTH: tuple[Format, ...] = ("xml", "json")
OLDEST_SINCE = timedelta(hours=4)
CREATE_PATH = "/restful/ghost/orders/0/dropshipping"

OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("POST", "/restful/ghost/orders/0/dropshipping/?", "create"),
    ("POST", "/restful/ghost/orders/sold/?", "reserve"),
    ("GET", "/restful/ghost/orders/dropshipping/locked/?", "reserved"),
    ("HEAD", "/restful/ghost/orders/dropshipping/locked/?", "reserved"),
    ("GET", "/restful/ghost/clientorders/(clientkey|serverkey)/.+", "get"),
    ("GET", "/restful/export/carriers/?", "carriers"),
    ("GET", r"/restful/export/api/products\.(json|xml)", "catalogue"),
)


def operation(method: str, path: str) -> str:
    """A short name for a request: create, get, reserve, reserved, carriers, catalogue, or other."""
    for verb, pattern, name in OPERATIONS:
        if method.upper() == verb and re.fullmatch(pattern, path):
            return name
    return "other"


def build(world: SandboxWorld, catalogue: Catalogue | None = None) -> ASGIApp:
    """The sandbox on one world. `catalogue` replaces the small one, which depends on the world's seed."""
    shop = _Shop(world, catalogue or build_catalogue(seed=world.seed))
    app = Starlette(
        routes=[
            *_with_and_without_slash(CREATE_PATH, shop.create, "POST"),
            *_with_and_without_slash("/restful/ghost/orders/sold", shop.reserve, "POST"),
            *_with_and_without_slash("/restful/ghost/orders/dropshipping/locked", shop.reserved, "GET"),
            Route("/restful/ghost/clientorders/clientkey/{key:path}", shop.status_by_key),
            Route("/restful/ghost/clientorders/serverkey/{order_id:path}", shop.status_by_id),
            *_with_and_without_slash("/restful/export/carriers", shop.carriers, "GET"),
            Route("/restful/export/api/products.json", shop.products),
            Route("/restful/export/api/products.xml", shop.products),
        ],
        exception_handlers={HTTPException: _refuse},
    )
    app.router.redirect_slashes = False

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            send = _without_body(send)
        if not _authorized(Request(scope).headers.get("authorization")):
            refusal = PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": 'Basic realm="Rewix"'})
            await refusal(scope, receive, send)
            return
        await app(scope, receive, send)

    return guarded


def _with_and_without_slash(path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str) -> list[Route]:
    return [Route(path, endpoint, methods=[method]), Route(f"{path}/", endpoint, methods=[method])]


def _authorized(header: str | None) -> bool:
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = f"{CREDENTIALS['api_key']}:{CREDENTIALS['password']}"
    return hmac.compare_digest(given, expected.encode())


def _without_body(send: Send) -> Send:
    async def only_headers(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return only_headers


async def _refuse(_: Request, error: Exception) -> Response:
    """Refusals are plain text, whatever the caller accepts (sheet 3.3)."""
    refusal = cast(HTTPException, error)
    return PlainTextResponse(refusal.detail, refusal.status_code, headers=refusal.headers)


class _Shop:
    """The endpoints."""

    def __init__(self, world: SandboxWorld, catalogue: Catalogue) -> None:
        self.world = world
        self.catalogue = catalogue

    async def create(self, request: Request) -> Response:
        """POST /restful/ghost/orders/0/dropshipping (sheet 4.1)."""
        wanted = _wanted(request)
        body = await request.body()
        try:
            orders = check_orders(read_orders(body, _sent_as(request)))
        except (Unreadable, BadBody) as error:
            # 429 means "your body is wrong" here, and nowhere else.
            raise HTTPException(429, str(error)) from None
        for order in orders:
            if order.carrier_id is not None and find_carrier(order.carrier_id) is None:
                raise HTTPException(412, f"carrier {order.carrier_id} is not valid for this account")
        aborted: UnknownStock | None = None
        with open_account(self.world, self.catalogue) as account:
            try:
                for order in orders:
                    place(self.world, account, order)
            except UnknownStock as error:
                # Caught inside the block: what was locked so far must be saved.
                aborted = error
            reservation = account.reservation()
        if aborted is not None:
            raise HTTPException(404, str(aborted))
        return _reservation(reservation, wanted)

    async def reserve(self, request: Request) -> Response:
        """POST /restful/ghost/orders/sold (sheet 4.5)."""
        wanted = _wanted(request)
        body = await request.body()
        try:
            operations = check_operations(read_operations(body, _sent_as(request)))
        except (Unreadable, BadBody) as error:
            raise HTTPException(429, str(error)) from None
        try:
            with open_account(self.world, self.catalogue) as account:
                for step in operations:
                    account.apply(step)
                reservation = account.reservation()
        except UnknownStock as error:
            raise HTTPException(404, str(error)) from None
        return _reservation(reservation, wanted)

    async def reserved(self, request: Request) -> Response:
        """GET /restful/ghost/orders/dropshipping/locked (sheet 4.6); `models` is null when there are none."""
        wanted = _wanted(request)
        with open_account(self.world, self.catalogue) as account:
            reservation: Reservation = {"models": None, **account.reservation()}
        return _reservation(reservation, wanted)

    async def status_by_key(self, request: Request) -> Response:
        """GET /restful/ghost/clientorders/clientkey/{key} (sheet 4.2)."""
        wanted = _wanted(request)
        key = cast(str, request.path_params["key"])
        # One host was seen to accept a slash at the end.
        orders = by_key(self.world, key) or by_key(self.world, key.removesuffix("/"))
        if not orders:
            raise HTTPException(404, "order not found")
        return Response(write_statuses(orders, wanted), media_type=MEDIA_TYPES[wanted])

    async def status_by_id(self, request: Request) -> Response:
        """GET /restful/ghost/clientorders/serverkey/{order_id} (sheet 4.3)."""
        wanted = _wanted(request)
        text = cast(str, request.path_params["order_id"]).removesuffix("/")
        order_id = int(text) if re.fullmatch("[0-9]{1,18}", text) else 0
        with open_account(self.world, self.catalogue) as account:
            orders = by_id(self.world, account, order_id)
        if not orders:
            raise HTTPException(404, "order not found")
        return Response(write_statuses(orders, wanted), media_type=MEDIA_TYPES[wanted])

    async def carriers(self, request: Request) -> Response:
        """GET /restful/export/carriers (sheet 4.7)."""
        wanted = _wanted(request)
        return Response(write_carriers(listed(), wanted), media_type=MEDIA_TYPES[wanted])

    async def products(self, request: Request) -> Response:
        """GET /restful/export/api/products.json and .xml (sheet 4.8): the path decides about the format."""
        wanted = _wanted(request, ("json",) if request.url.path.endswith(".json") else ("xml",))
        query = request.query_params
        locales = [name.strip() for name in query.get("acceptedlocales", "").split(",") if name.strip()]
        if not locales:
            raise HTTPException(412, "acceptedlocales is required")
        version = query.get("v", "LEGACY")
        if version not in ("LEGACY", "TEAL"):
            raise HTTPException(412, "v must be LEGACY or TEAL")
        now = self.world.now()
        since = _since(query.get("since"), now)
        with open_account(self.world, self.catalogue) as account:
            if since is None and not account.download():
                raise HTTPException(429, "too many requests, try again in 15 minutes")
            made = account.listing()
            feed = Feed(
                products=[p for p in self.catalogue.products if _listed(p, request, account, since, made)],
                locales=[name for name in LOCALES if name in locales],
                legacy=version == "LEGACY",
                last_update=made.astimezone(UTC),
                availability=account.listed,
                updated=account.moved_at,
            )
        body = feed.as_json() if wanted == "json" else feed.as_xml()
        return Response(body, media_type=MEDIA_TYPES[wanted])


def _wanted(request: Request, offered: Sequence[Format] = BOTH) -> Format:
    accept = ",".join(request.headers.getlist("accept")) or None
    wanted = acceptable(accept, offered)
    if wanted is None:
        raise HTTPException(406, "Not Acceptable")
    return wanted


def _sent_as(request: Request) -> Format:
    sent_as = content_format(request.headers.get("content-type"))
    if sent_as is None:
        raise HTTPException(415, "Unsupported Media Type")
    return sent_as


def _reservation(reservation: Reservation, wanted: Format) -> Response:
    return Response(write_reservation(reservation, wanted), media_type=MEDIA_TYPES[wanted])


def _since(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        raise HTTPException(412, "since is not an ISO 8601 date") from None
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    if now - since > OLDEST_SINCE:
        raise HTTPException(412, "since is too old, download everything")
    return since


def _listed(product: Product, request: Request, account: Account, since: datetime | None, made: datetime) -> bool:
    """Whether a product passes the tag filters and had changed since then when the catalogue was made."""
    for number, value in product.tags.items():
        asked = request.query_params.get(f"tag_{number}")
        if asked and asked.casefold() != value.casefold():
            return False
    return since is None or any(since <= account.moved_at(model.id) <= made for model in product.models)
