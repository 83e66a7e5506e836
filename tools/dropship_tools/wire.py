"""One request and one answer, as they stand on the wire."""

from __future__ import annotations

import json
from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast
from urllib.parse import quote, urlencode

JSON = "application/json"
XML = "application/xml"

MAX_DEPTH = 64
"""Deepest nesting of a JSON answer that is read."""

MAX_EXPONENT = 308
"""Largest power of ten in a JSON answer, as for floats."""


class Unreadable(Exception):
    """The body is not what the provider's documentation promises. Carries our own words only."""


_NO_SEGMENTS = frozenset(("", ".", ".."))


def path(*segments: str | int) -> str:
    """`/a/b/c` with every segment percent-encoded, so that no id can change the path.

    Raises:
        ValueError: a segment is empty or a dot segment, which URL libraries would resolve.
    """
    encoded = [quote(str(segment), safe="") for segment in segments]
    if not _NO_SEGMENTS.isdisjoint(encoded):
        raise ValueError("an empty or dot segment cannot stand in a path")
    return "/" + "/".join(encoded)


def basic_auth(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic (RFC 7617), in UTF-8."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request without credentials.

    Attributes:
        method: GET, POST, …
        path: encoded, from the host root, starting with `/`.
        query: names and values, in order.
        headers: documented headers other than authentication.
        body: exactly what is sent; empty for none.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):  # behind a host, anything else could name another host
            raise ValueError("a path starts with a slash")

    def target(self) -> str:
        """Path and query as they go out."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path


def get(target: str, query: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> WireRequest:
    """A GET. Query entries whose value is None are left out; booleans become `true` and `false`."""
    pairs = tuple(
        (name, str(value).lower() if isinstance(value, bool) else str(value))
        for name, value in (query or {}).items()
        if value is not None
    )
    return WireRequest("GET", target, pairs, {"Accept": JSON} if headers is None else headers)


def post_json(target: str, body: Any, headers: Mapping[str, str] | None = None) -> WireRequest:
    """A POST with a JSON body. `Decimal` values are written as plain numbers."""
    return WireRequest("POST", target, (), {"Content-Type": JSON, "Accept": JSON, **(headers or {})}, dump_json(body))


def dump_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; `Decimal` as a number, never in exponent form for money-sized values.

    Raises:
        ValueError: a number that is not finite, or text that is not Unicode.
    """
    return _ENCODER.encode(value).encode()


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_number)


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer, read whole and bounded in size."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds the provider asks to wait, a day at most; None if it names no number of seconds."""
        text = self.headers.get("retry-after", "").strip()
        return min(float(text), 86400.0) if text.isascii() and text.isdigit() else None

    def text(self) -> str:
        """The body as text, whatever it is; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Numbers with a point come as `Decimal`, so that money keeps its digits.

        Raises:
            Unreadable: not JSON, not UTF-8, nested too deeply, or a number that is none.
        """
        try:
            value = _DECODER.decode(self.body.removeprefix(BOM_UTF8).decode())
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise Unreadable("the answer is not valid JSON") from error
        brackets = self.body.count(b"{") + self.body.count(b"[")
        if brackets >= MAX_DEPTH and depth_exceeds(value, MAX_DEPTH):
            raise Unreadable("the answer is nested too deeply")
        return value

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Unreadable: it is anything else.
        """
        value = self.json()
        if not isinstance(value, dict):
            raise Unreadable("the answer is not a JSON object")
        return cast("dict[str, Any]", value)


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not -MAX_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise ValueError("a number beyond all measure")  # written out in digits it would fill the memory
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_decimal, parse_constant=_constant)


def depth_exceeds(value: Any, limit: int) -> bool:
    """Whether decoded JSON is nested more than `limit` levels deep."""
    level: list[Any] = [value]
    for _ in range(limit):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(cast("dict[str, Any]", item).values())
            elif isinstance(item, list):
                below.extend(cast("list[Any]", item))
        if not below:
            return False
        level = below
    return True


class SendOnce:
    """Permission to send one order, once.

    The only way to let an order leave is to use such a permission, and only the life of an order
    (`dropship_mcp.ordering`) hands one out, after the order was promised in the ledger. `use` records that the
    order is about to leave; when that cannot be recorded, it raises and nothing leaves.
    """

    def __init__(self, before: Callable[[], Awaitable[None]]) -> None:
        self._before = before
        self._taken = False
        self._used = False
        self.nothing_left = False
        """Set when the connection was never made."""
        self.status: int | None = None
        """The HTTP status of the answer, once there is one."""

    @property
    def used(self) -> bool:
        """Whether the order may have left."""
        return self._used

    async def use(self) -> None:
        """Record that the order leaves now.

        Raises:
            RuntimeError: it was used before, even if it could not be recorded then.
            DropshipError: it cannot be recorded.
        """
        if self._taken:
            raise RuntimeError("an order is sent once")
        self._taken = True  # at once: another task may ask while the first is being recorded
        await self._before()
        self._used = True
