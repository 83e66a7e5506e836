"""Dropday's API as its documentation and our sheet (providers/dropday.md) describe it, traps included.

* 200 answers a new order and a repeated `external_id` alike; only `message` tells them apart (section 4).
* Test and live orders share one space of `external_id`; lists hide test orders (sections 4, 5, 9).
* `reference` is a number when created and text when read, and is not the internal `id` (sections 4, 5).
* Without `Accept: application/json` a failed validation is a redirect to a page (section 2).
* `completed` means handed to the supplier (section 5). A line that no rule matches is never bought.

What the account's rules and suppliers are stands in `sandbox_catalogue.py`. An order above `BLOCKED_OVER` is
blocked; Dropday documents neither why orders get blocked nor what `failed`, `declined` and `partially_completed` mean,
so what brings them about here (`sandbox_orders.py`) is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from dropship_tools.dropday import DROPDAY
from dropship_tools.dropday.sandbox_catalogue import FEED
from dropship_tools.dropday.sandbox_orders import FIRST_ID, id_of, reference_of, shown_feed_row, shown_order
from dropship_tools.dropday.sandbox_rules import Refused, checked_order
from dropship_tools.dropday.sandbox_search import Search
from dropship_tools.sandbox.body import json_body
from dropship_tools.sandbox.store import Document
from dropship_tools.sandbox.world import PREFIX, SandboxWorld

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

CREDENTIALS = DROPDAY.sandbox_credentials()

PROVIDER = "dropday"
ORDER = "order"
ROOT = "/api/v1"
ORDERS = f"{ROOT}/orders"
PRODUCTS = f"{ROOT}/products"
PRODUCTS_PER_PAGE = 100
FEED_IMPORTED_AT = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def operation(method: str, path: str) -> str:
    """`create`, `list`, `get`, `products`, `check`, or `other` for a request that is not documented."""
    if path == ORDERS:
        return {"POST": "create", "GET": "list"}.get(method, "other")
    if method == "GET":
        if path.startswith(f"{ORDERS}/"):
            return "get"
        return {PRODUCTS: "products", ROOT: "check", f"{ROOT}/": "check"}.get(path, "other")
    return "other"


def build(world: SandboxWorld) -> ASGIApp:
    """The API, to be served from the root of its host."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def check(_request: Request) -> Response:
        return JSONResponse({"message": "OK"})

    async def create(request: Request) -> Response:
        try:
            order = checked_order(await _input(request))
        except Refused as refused:
            return _invalid(request, refused)
        with world.store.transaction():
            known = world.store.find(PROVIDER, ORDER, order["external_id"])
            if known:
                return JSONResponse({"message": "Order already exists", "reference": reference_of(known[0])})
            created = world.store.add(PROVIDER, ORDER, order, key=order["external_id"], first_id=FIRST_ID)
        return JSONResponse({"message": "Order created", "reference": reference_of(created)})

    async def list_orders(request: Request) -> Response:
        try:
            search = Search.parse(request.query_params)
        except Refused as refused:
            return _invalid(request, refused)
        now = world.now()
        found = [order for order in reversed(world.store.all(PROVIDER, ORDER)) if search.matches(order, now)]
        return JSONResponse(_order_page(request, found, search.per_page, now))

    async def get(request: Request) -> Response:
        reference = cast(str, request.path_params["reference"])
        internal = id_of(reference)
        order = None if internal is None else world.store.get(PROVIDER, ORDER, internal)
        if order is None:
            return JSONResponse(
                {"message": "Not Found", "error": f"There is no order with reference {reference}."},
                status_code=404,
            )
        return JSONResponse(shown_order(order, world.now(), with_logs=True))

    async def products(request: Request) -> Response:
        return JSONResponse(_product_page(request))

    async def not_documented(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        message = {404: "Not Found", 405: "Method Not Allowed"}.get(status, "Server Error")
        return JSONResponse({"message": message, "error": "There is no such endpoint."}, status_code=status)

    app = Starlette(
        routes=[
            Route(ROOT, check, methods=["GET"]),
            Route(f"{ROOT}/", check, methods=["GET"]),
            Route(ORDERS, create, methods=["POST"]),
            Route(ORDERS, list_orders, methods=["GET"]),
            Route(f"{ORDERS}/{{reference}}", get, methods=["GET"]),
            Route(PRODUCTS, products, methods=["GET"]),
        ],
        exception_handlers={HTTPException: not_documented},
    )
    app.router.redirect_slashes = False

    async def with_authentication(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_authorised(scope):
            answer = JSONResponse(
                {
                    "message": "Unauthorized",
                    "error": "The api-key or account-id header is missing or not valid.",
                },
                status_code=401,
            )
            await answer(scope, receive, send)
            return
        await app(scope, receive, send)

    return with_authentication


def _is_authorised(scope: Scope) -> bool:
    headers = dict(cast(list[tuple[bytes, bytes]], scope["headers"]))
    return (
        headers.get(b"api-key") == CREDENTIALS["api_key"].encode()
        and headers.get(b"account-id") == CREDENTIALS["account_id"].encode()
    )


async def _input(request: Request) -> Any:
    """What Laravel takes as input: nothing, when the body is not JSON or is not declared as JSON."""
    if not _is_json(request.headers.get("content-type", "")):
        return None
    try:
        return await json_body(request)
    except ValueError:
        return None


def _is_json(media_type: str) -> bool:
    return "/json" in media_type.lower() or "+json" in media_type.lower()


def _invalid(request: Request, refused: Refused) -> Response:
    from starlette.responses import HTMLResponse, JSONResponse

    # Laravel looks at the first type only; a browser is sent back to the form it never came from.
    if _is_json(request.headers.get("accept", "").partition(",")[0]):
        return JSONResponse({"message": "Errors", "errors": refused.errors}, status_code=422)
    home = str(request.base_url)
    page = f'<!DOCTYPE html><html><head><meta http-equiv="refresh" content="0;url={home}"></head></html>'
    return HTMLResponse(page, status_code=302, headers={"location": home})


def _address(request: Request, path: str) -> str:
    prefix = cast(str, request.scope.get("extensions", {}).get(PREFIX, ""))
    return f"{str(request.base_url).rstrip('/')}{prefix}{path}"


def _page_number(request: Request) -> int:
    # Laravel's paginator takes anything odd for the first page.
    text = request.query_params.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0 else 1


def _bounds(page: int, per_page: int, total: int) -> tuple[int | None, int | None, int]:
    """`from`, `to` and `last_page`."""
    start = (page - 1) * per_page
    last_page = max(1, -(-total // per_page))
    return (start + 1, min(start + per_page, total), last_page) if start < total else (None, None, last_page)


def _order_page(request: Request, found: Sequence[Document], per_page: int, now: datetime) -> dict[str, Any]:
    """The orders' envelope, which mixes two of Laravel's paginator styles (sheet section 5)."""
    page = _page_number(request)
    first, last, last_page = _bounds(page, per_page, len(found))
    address = _address(request, ORDERS)
    start = (page - 1) * per_page
    return {
        "current_page": page,
        "data": [shown_order(order, now, with_logs=False) for order in found[start : start + per_page]],
        # The links forget the filters.
        "links": {
            "first": f"{address}?page=1",
            "last": f"{address}?page={last_page}",
            "prev": f"{address}?page={page - 1}" if page > 1 else None,
            "next": f"{address}?page={page + 1}" if page < last_page else None,
        },
        "meta": {
            "current_page": page,
            "from": first,
            "last_page": last_page,
            "path": address,
            "per_page": per_page,
            "to": last,
            "total": len(found),
        },
    }


def _product_page(request: Request) -> dict[str, Any]:
    """The products' envelope, all keys at the top (sheet section 7)."""
    page = _page_number(request)
    first, last, last_page = _bounds(page, PRODUCTS_PER_PAGE, len(FEED))
    address = _address(request, PRODUCTS)
    start = (page - 1) * PRODUCTS_PER_PAGE
    return {
        "current_page": page,
        "data": [shown_feed_row(row, FEED_IMPORTED_AT) for row in FEED[start : start + PRODUCTS_PER_PAGE]],
        "first_page_url": f"{address}?page=1",
        "from": first,
        "last_page": last_page,
        "last_page_url": f"{address}?page={last_page}",
        "next_page_url": f"{address}?page={page + 1}" if page < last_page else None,
        "path": address,
        "per_page": PRODUCTS_PER_PAGE,
        "prev_page_url": f"{address}?page={page - 1}" if page > 1 else None,
        "to": last,
        "total": len(FEED),
    }
