"""HTTP requests of every kind, drawn around the documented ones, and sent to a sandbox without a client in between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode

from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from dropship_tools import PROVIDERS
from protocol.samples import SAMPLES
from unit.sandbox.drawn_arguments import LIKELY, TEXTS, drawn_arguments, weighted

Headers = tuple[tuple[bytes, bytes], ...]

METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "BREW")
TYPES = (
    *("application/json", "application/json; charset=utf-8", "application/xml", "text/xml"),
    *("text/plain", "*/*", "", ";", "a/b;q=x"),
)
HOSTS = ("provider.example", "", "[", "a:b:c", "ü.example")


PLAIN_VALUES = (
    *(str(value) for values in LIKELY.values() for value in values),
    *TEXTS,
    *("en_US", "en_US,xx", "LEGACY", "shipped", "completed", "HP-TOTE", "WEB-1001", "1e999", "nan", "1" * 5000),
)


@dataclass(frozen=True)
class Documented:
    """What a provider takes.

    Attributes:
        lines: methods and paths of the documentation; `{}` stands for an id.
        ids: some that exist, and some that cannot.
        query: names of parameters.
    """

    lines: Sequence[str]
    ids: Sequence[str]
    query: Sequence[str]

    def requests(self) -> list[tuple[str, str]]:
        """Method and path of each."""
        return [(method, path) for method, _, path in (line.partition(" ") for line in self.lines)]


DOCUMENTED: Mapping[str, Documented] = {
    "dipli": Documented(
        lines=("POST /api-drop/v2/orders", "GET /api-drop/v2/orders", "GET /api-drop/v2/orders/{}"),
        ids=("A-412001", "A-412002", "A-0", "412001"),
        query=("new", "createdAt", "updatedAt", "status", "page", "pageSize"),
    ),
    "rewix": Documented(
        lines=(
            "POST /restful/ghost/orders/0/dropshipping",
            "POST /restful/ghost/orders/sold",
            "GET /restful/ghost/orders/dropshipping/locked/",
            "GET /restful/ghost/clientorders/clientkey/{}",
            "GET /restful/ghost/clientorders/serverkey/{}",
            "GET /restful/export/carriers",
            "GET /restful/export/api/products.json",
            "GET /restful/export/api/products.xml",
        ),
        ids=("WEB-1001", "130001", "1000", "0"),
        query=("acceptedlocales", "v", "since", "tag_1", "tag_26"),
    ),
    "dropday": Documented(
        lines=(
            *("GET /api/v1", "POST /api/v1/orders", "GET /api/v1/orders", "GET /api/v1/orders/{}"),
            "GET /api/v1/products",
        ),
        ids=("98", "99", "0", "70001"),
        query=(
            *("external_id", "date_from", "date_to", "statuses", "supplier_ids", "total_min", "total_max", "blocked"),
            *("include_test", "per_page", "page"),
        ),
    ),
    "duoplane": Documented(
        lines=(
            *("POST /api/orders", "GET /api/orders", "GET /api/orders/{}", "POST /api/products"),
            *("GET /api/products/{}", "GET /purchase_orders.json", "GET /purchase_orders/{}.json"),
            *("GET /shipments.json", "GET /shipments/{}.json", "GET /orders.json", "GET /orders/{}.json"),
            *("GET /products.json", "GET /products/{}.json"),
        ),
        ids=("8800001", "51000001", "71000001", "2100003", "2200001"),
        query=(
            *("page", "per_page", "search[order_public_reference]", "search[fulfilled]", "search[created_at_min]"),
            *("search[updated_at_max]", "search[retailer_sku]", "search[vendor_sku]"),
        ),
    ),
}


@dataclass(frozen=True)
class RawRequest:
    """What goes over the wire. `target` is the path with its query, percent-encoded."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True)
class RawAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without parameters."""
        return self.headers.get("content-type", "").partition(";")[0]


def auth_headers(provider: str) -> Headers:
    """Those that open the sandbox."""
    described = next(p for p in PROVIDERS if p.name == provider)
    auth = described.auth_headers(described.sandbox_account())
    return tuple((name.lower().encode(), value.encode()) for name, value in auth.items())


def raw_requests(provider: str) -> st.SearchStrategy[RawRequest]:
    """Around what a provider documents."""
    documented = DOCUMENTED[provider].requests()
    writes = [(method, path) for method, path in documented if method == "POST"]
    known = weighted((1, st.sampled_from(writes)), (1, st.sampled_from(documented)))
    lines = weighted((6, known), (1, st.tuples(st.sampled_from(METHODS), _odd_paths(provider))))
    headers = st.tuples(
        weighted((12, st.just(auth_headers(provider))), (1, st.just(())), (1, _header("authorization").map(_only))),
        weighted((6, st.just(_content_type("application/json"))), (2, st.sampled_from(TYPES).map(_content_type))),
        weighted((6, st.just(_accept("application/json"))), (2, st.sampled_from(TYPES).map(_accept))),
        weighted((8, st.just(())), (1, _header("host").map(_only)), (1, _header("x-odd").map(_only))),
    )
    return st.builds(_request, lines, _ids(provider), _queries(provider), headers, _bodies(provider))


def _request(line: tuple[str, str], number: str, query: str, headers: tuple[Headers, ...], body: bytes) -> RawRequest:
    method, path = line
    target = path.replace("{}", number) + (f"?{query}" if query else "")
    return RawRequest(method, target, tuple(pair for group in headers for pair in group), body)


def _ids(provider: str) -> st.SearchStrategy[str]:
    return weighted(
        (3, st.sampled_from(DOCUMENTED[provider].ids)),
        (1, st.sampled_from(TEXTS).map(_encoded)),
        (1, st.text(min_size=1, max_size=30).map(_encoded)),
    )


def _odd_paths(provider: str) -> st.SearchStrategy[str]:
    paths = st.sampled_from([path for _, path in DOCUMENTED[provider].requests()])
    changed = paths.flatmap(lambda path: st.sampled_from((path, f"{path}/", f"/{path}", path.upper(), path[:-1])))
    return changed | st.text(max_size=30).map(lambda text: "/" + _encoded(text))


def _queries(provider: str) -> st.SearchStrategy[str]:
    values = st.one_of(st.sampled_from(PLAIN_VALUES), st.text(max_size=20))
    pairs = st.tuples(st.sampled_from(DOCUMENTED[provider].query), values)
    documented = st.lists(pairs, max_size=3).map(_query)
    return weighted((2, st.just("")), (3, documented), (1, st.binary(max_size=20).map(quote)))


def _only(pair: tuple[bytes, bytes]) -> Headers:
    return (pair,)


def _content_type(value: str) -> Headers:
    return ((b"content-type", value.encode()),)


def _accept(value: str) -> Headers:
    return ((b"accept", value.encode()),)


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode([(name, value.encode("utf-8", "surrogatepass")) for name, value in pairs])


def _header(name: str) -> st.SearchStrategy[tuple[bytes, bytes]]:
    values = st.sampled_from([host.encode() for host in HOSTS]) | st.binary(max_size=30)
    return values.map(lambda value: (name.encode(), value))


# --- bodies ----------------------------------------------------------------------------------------------------------

REWIX_ORDER = {**SAMPLES["rewix"].order, "date": "2026/03/02 12:00:00 +0000", "carrierId": 10, "autoConfirm": True}

JSON_BODIES: Mapping[str, Sequence[dict[str, Any]]] = {
    "dipli": (SAMPLES["dipli"].order,),
    "rewix": (
        {"order_list": [REWIX_ORDER]},
        {"operations": [{"type": "lock", "models": [{"stock_id": 1567, "quantity": 3}]}]},
    ),
    "dropday": (SAMPLES["dropday"].order,),
    "duoplane": (
        {"store_id": 3101, "ordered_at": "2026-03-02T12:00:00Z", **SAMPLES["duoplane"].order},
        {
            "name": "Oak tray",
            "retailer_sku": "HP-TRAY",
            "product_inventories": [{"vendor_id": 501, "cost": 7.5, "backordered_until": "2026-04-01"}],
        },
    ),
}
"""What the documentation has callers send."""

XML_BODIES = (
    b"<root><order_list><order><key>WEB-1</key><date>2026/03/02 12:00:00 +0000</date><recipient_details>"
    b"<recipient>Jane</recipient><address><street_name>Via</street_name><zip>1</zip><city>B</city><province>T</province>"
    b"<countrycode>IT</countrycode></address><phone><prefix>+39</prefix><number>011</number></phone></recipient_details>"
    b"<item_list><item><stock_id>1567</stock_id><quantity>1</quantity></item></item_list></order></order_list></root>",
    b'<root><operation type="lock"><model stock_id="1567" quantity="3"/></operation></root>',
)

ODD_BODIES = (
    *(b"", b"null", b"[]", b"{}", b"0", b'"x"', b"NaN", b"[NaN]", b"\xff\xfe", b"{", b'{"a":1,"a":2}', b'"\\ud83d"'),
    *(b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"[" * 3000, b"9" * 5000, b'{"data":{"attributes":{}}}'),
    *(b"<root/>", b"<a><b/></a>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
    b"<?xml version='1.0' encoding='x'?><a/>",
)

PIECES = (b"", b"<", b">", b"/", b"&", b"&#0;", b"&#x10FFFF;", b"<x/>", b"\x00", b"\xff", b"<!--", b"9" * 30)


def _bodies(provider: str) -> st.SearchStrategy[bytes]:
    documented = [
        drawn_arguments(schema_of(body), body).map(json.dumps).map(str.encode) for body in JSON_BODIES[provider]
    ]
    odd = st.one_of(st.sampled_from(ODD_BODIES), st.binary(max_size=40))
    xml = [st.sampled_from(XML_BODIES), st.sampled_from(XML_BODIES).flatmap(_torn)] if provider == "rewix" else []
    return weighted((6, st.one_of(documented)), (2 if xml else 0, st.one_of(xml)), (1, odd))


def schema_of(value: Any) -> dict[str, Any]:
    """As if a tool advertised it."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {"type": "object", "properties": {name: schema_of(inside) for name, inside in fields.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(cast("list[Any]", value)[0])}
    return {"type": {bool: "boolean", int: "integer", float: "number", str: "string"}[type(value)]}


def _torn(body: bytes) -> st.SearchStrategy[bytes]:
    """With something else in place of a piece of it."""

    def torn(start: int, length: int, piece: bytes) -> bytes:
        return body[:start] + piece + body[start + length :]

    places = st.integers(0, len(body))
    return st.builds(torn, places, places, st.sampled_from(PIECES))


# --- sending ---------------------------------------------------------------------------------------------------------


async def send(app: ASGIApp, request: RawRequest) -> RawAnswer:
    """As a server calls an app. What the app raises is raised."""
    path, _, query = request.target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": list(request.headers),
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 0),
        "root_path": "",
        "extensions": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    start, *rest = sent
    headers = {bytes(name).decode(): bytes(value).decode("latin-1") for name, value in start["headers"]}
    return RawAnswer(start["status"], headers, b"".join(message.get("body", b"") for message in rest))
