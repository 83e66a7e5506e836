"""How the two APIs of the Duoplane sandbox answer: an envelope in the new one, bare JSON and headers in the old one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from dropship_tools.duoplane.sandbox_bucket import Quota

Row = TypeVar("Row")

CALLER = "duoplane.caller"
PER_PAGE = 250


@dataclass(frozen=True)
class Caller:
    """Who asks. `vendor_id` None is the retailer's API user, the only one who may see orders and products."""

    api_key: str
    vendor_id: int | None
    quota: Quota


def caller_of(request: Request) -> Caller:
    """The caller the guard has put into the scope."""
    return cast(Caller, request.scope[CALLER])


@dataclass(frozen=True)
class Page:
    """One page of a list, counted from 1. What cannot be read is the default; `per_page` is never above 250."""

    number: int
    size: int

    @classmethod
    def of(cls, request: Request) -> Page:
        """`page` and `per_page` stand outside `search[]` (sheet 6); inside they are just unknown filters."""
        size = _positive(request.query_params.get("per_page"), PER_PAGE)
        return cls(_positive(request.query_params.get("page"), 1), min(size, PER_PAGE))

    def cut(self, rows: Sequence[Row]) -> tuple[list[Row], bool]:
        """The rows of this page, and whether there is another one."""
        start = (self.number - 1) * self.size
        return list(rows[start : start + self.size]), len(rows) > start + self.size


def _positive(text: str | None, otherwise: int) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return otherwise
    # Nine digits are plenty, and Python refuses to convert some thousands of them.
    return int(text[:9]) or otherwise


# --- the new API (sheet 4) -----------------------------------------------------------------------------------


def envelope(
    request: Request,
    data: object,
    *,
    status: int = 200,
    errors: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Response:
    """`{metadata, data, errors}`. Errors are plain strings, and may come with a success."""
    quota = caller_of(request).quota
    body = {
        "metadata": {
            "requests_remaining": quota.remaining,
            "retry_after_seconds": quota.retry_after,
            **(metadata or {}),
        },
        "data": data,
        "errors": list(errors),
    }
    return _json(body, status)


def refusal(request: Request, status: int, *errors: str) -> Response:
    """An envelope without data."""
    return envelope(request, None, status=status, errors=errors)


# --- the old API (sheet 6) -----------------------------------------------------------------------------------


def bare(request: Request, data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON without an envelope; the quota stands in headers."""
    quota = caller_of(request).quota
    response = _json(data, status)
    response.headers["duoplane-requests-left"] = str(quota.remaining)
    response.headers["duoplane-retry-after-seconds"] = str(quota.retry_after)
    response.headers.update(headers or {})
    return response


def bare_list(request: Request, rows: Sequence[Row], shown: Callable[[Row], Mapping[str, Any]]) -> Response:
    """One page of a list as a bare array."""
    page, more = Page.of(request).cut(rows)
    headers = {"duoplane-total-count": str(len(rows)), "duoplane-has-next-page": "true" if more else "false"}
    return bare(request, [shown(row) for row in page], headers=headers)


def bare_refusal(request: Request, status: int, error: str) -> Response:
    """The old API's errors; their shape is not documented."""
    return bare(request, {"status": status, "error": error}, status=status)


def html_page(status: int, text: str) -> Response:
    """What a web application says about a path it does not know: no JSON at all."""
    return HTMLResponse(
        f"<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>", status
    )


def _json(data: object, status: int) -> Response:
    content = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Response(content, status, media_type="application/json")


def seconds(moment: datetime) -> str:
    """ISO 8601 UTC without milliseconds, as the page of the create call prints it (sheet 4)."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def millis(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds, as the schema pages print it (sheet 4)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
