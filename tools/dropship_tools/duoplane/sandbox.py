"""The Duoplane sandbox: one company account behind both APIs of Duoplane, as documented, traps included.

Sources: the sheet `duoplane.md`, https://developers.duoplane.com and https://support.duoplane.com. What they do not say
was decided in `sandbox_checks` (required fields), `sandbox_orders` (what follows an order, and when) and here: 401 is
plain text and uncounted, 429 the new API's envelope in both APIs, an unknown path an HTML page.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from dropship_tools.duoplane import DUOPLANE
from dropship_tools.duoplane.sandbox_answers import CALLER, Caller, html_page, refusal
from dropship_tools.duoplane.sandbox_bucket import pour
from dropship_tools.duoplane.sandbox_new_api import NewApi
from dropship_tools.duoplane.sandbox_old_api import BadSearch, OldApi, bad_search
from dropship_tools.sandbox.world import SandboxWorld

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CREDENTIALS = DUOPLANE.sandbox_credentials()
"""The retailer's API user and the store its orders belong to. No secret; it opens nothing but this sandbox."""

VENDOR_CREDENTIALS: dict[str, str] = {"api_key": "sandbox-vendor-key", "password": "sandbox-vendor-password"}
"""An API user of a vendor: it authenticates, and may not see orders and products (sheet 2)."""

VENDOR_ID = 501

OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("POST", "/api/orders", "create"),
    ("GET", "/api/orders", "list"),
    ("GET", "/api/orders/[^/]+", "get"),
    ("POST", "/api/products", "create_product"),
    ("GET", "/api/products/[^/]+", "get_product"),
    ("GET", r"/purchase_orders\.json", "purchase_orders"),
    ("GET", r"/purchase_orders/[^/]+\.json", "purchase_order"),
    ("GET", r"/shipments\.json", "shipments"),
    ("GET", r"/shipments/[^/]+\.json", "shipment"),
    ("GET", r"/orders\.json", "old_orders"),
    ("GET", r"/orders/[^/]+\.json", "old_order"),
    ("GET", r"/products\.json", "products"),
    ("GET", r"/products/[^/]+\.json", "product"),
)


def operation(method: str, path: str) -> str:
    """A short name for a request: create, list, get, create_product, get_product, those of the old API, or other."""
    for verb, pattern, name in OPERATIONS:
        if method.upper() == verb and re.fullmatch(pattern, path):
            return name
    return "other"


def build(world: SandboxWorld) -> ASGIApp:
    """The sandbox on one world."""
    app = Starlette(
        routes=[*NewApi(world).routes(), *OldApi(world).routes()],
        exception_handlers={HTTPException: _no_such_page, BadSearch: bad_search},
    )
    app.router.redirect_slashes = False

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        user = _user(Request(scope).headers.get("authorization"))
        if user is None:
            denied = PlainTextResponse(
                "HTTP Basic: Access denied.\n", 401, {"WWW-Authenticate": 'Basic realm="Application"'}
            )
            await denied(scope, receive, send)
            return
        api_key, vendor_id = user
        caller = Caller(api_key, vendor_id, pour(world, api_key))
        scope = {**scope, CALLER: caller}
        if caller.quota.limited:
            await _limited(Request(scope), caller)(scope, receive, send)
            return
        await app(scope, receive, send)

    return guarded


def _user(header: str | None) -> tuple[str, int | None] | None:
    """The API key that was proved, and the vendor it belongs to, if any."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        given = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    for pair, vendor_id in ((CREDENTIALS, None), (VENDOR_CREDENTIALS, VENDOR_ID)):
        if hmac.compare_digest(given, f"{pair['api_key']}:{pair['password']}".encode()):
            return pair["api_key"], vendor_id
    return None


def _limited(request: Request, caller: Caller) -> Response:
    response = refusal(request, 429, "Rate limit exceeded")
    if request.url.path.endswith(".json"):
        response.headers["duoplane-requests-left"] = str(caller.quota.remaining)
        response.headers["duoplane-retry-after-seconds"] = str(caller.quota.retry_after)
    return response


async def _no_such_page(_: Request, error: Exception) -> Response:
    return html_page(404, "The page you were looking for doesn't exist")
