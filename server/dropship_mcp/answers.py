"""What a tool answers, as plain JSON: the same envelope for every provider, and the errors as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import to_json

from dropship_mcp.accounts import Connection
from dropship_mcp.approval import total
from dropship_mcp.placing import Outcome, Preview
from dropship_mcp.schema import Schema
from dropship_tools.errors import DropshipError
from dropship_tools.orders import Item
from dropship_tools.personal import MASK, without
from dropship_tools.text import SAID_LIMIT, clean
from dropship_tools.wire import WireRequest

QUOTED = 2000
"""So much of a provider's words (their clients keep no more) is searched for what must not be shown, before the rest is
cut to `SAID_LIMIT`."""


class Envelope(BaseModel):
    """Where an answer comes from."""

    provider: str
    account: str
    mode: Literal["sandbox", "live"]


class CreateEnvelope(Envelope):
    """What a create call knows at its end."""

    outcome: Literal["placed", "already_placed", "preview"]
    reference: str


@cache  # most tools share one of two outlines
def outline(*models: type[BaseModel]) -> Schema:
    """An output schema: the fields that are always there, and room for the facts of each answer.

    A model reads facts when they arrive; describing them beforehand would cost every conversation more tokens than
    the arguments do. So nested objects are not spelled out and further fields are allowed.

    Read off the fields, because pydantic would build every model for it, while a host waits for the tool list.
    """
    fields = {name: field for model in models for name, field in model.model_fields.items() if field.is_required()}
    properties = {name: _outlined(field.annotation) for name, field in fields.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}


_TYPES: Mapping[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number", Literal: "string"}


def _outlined(annotation: Any) -> Schema:
    kind, inside = get_origin(annotation) or annotation, get_args(annotation)
    if kind is Annotated:
        return _outlined(inside[0])
    if kind is list:
        return {"type": "array", "items": _outlined(inside[0])}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {"type": "object"}
    return {"type": _TYPES[kind]}


def envelope(connection: Connection) -> dict[str, Any]:
    """Where an answer comes from."""
    return {
        "provider": connection.provider.name,
        "account": connection.account.name,
        "mode": connection.mode,
    }


def created(connection: Connection, reference: str, outcome: Outcome) -> dict[str, Any]:
    """The answer of a create call that ended well."""
    answer = {**envelope(connection), "outcome": outcome.outcome, "reference": reference, **outcome.order}
    warnings = [*outcome.warnings, *answer.pop("warnings", [])]
    return {**answer, "warnings": warnings} if warnings else answer


def preview(connection: Connection, seen: Preview) -> dict[str, Any]:
    """The answer of a dry run. Credentials are masked; the body is exactly what would be sent."""
    plan, verdict = seen.plan, seen.verdict
    request = plan.requests[-1]
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    auth = [f"{name}: {MASK}" for name in connection.provider.auth_headers(connection.account)]
    answer: dict[str, Any] = {
        **envelope(connection),
        "outcome": "preview",
        "reference": plan.reference,
        **({"sent_before": [_sent(connection, early) for early in plan.requests[:-1]]} if plan.requests[1:] else {}),
        "request": {
            "method": request.method,
            "url": connection.http.url(request),
            "headers": [*headers, *auth],
            "body": request.body.decode("utf-8", "replace"),
        },
        "summary": {
            "recipient": plan.summary.recipient,
            "country": plan.summary.country,
            "items": [_item(item) for item in plan.summary.items],
            "total": total(plan.summary),
        },
        "policy": {"decision": verdict.decision, "reasons": [reason.text() for reason in verdict.reasons]},
        "next_step": f"Nothing was sent. {_PREVIEWED[seen.known or verdict.decision]}",
    }
    if seen.question:
        answer["question"] = seen.question
    return {**answer, "warnings": list(plan.warnings)} if plan.warnings else answer


def _sent(connection: Connection, request: WireRequest) -> str:
    """A request that prepares the order and may change something by itself (Rewix reserves stock)."""
    body = f" {request.body.decode('utf-8', 'replace')}" if request.body else ""
    return f"{request.method} {connection.http.url(request)}{body}"


_PREVIEWED = {
    "allow": "Call again without dry_run to order.",
    "ask": "Call again without dry_run to order; a person is asked the question first.",
    "deny": "The operator's policy forbids this order.",
    "this": "This order was sent before: the same call without dry_run tells what became of it, and orders nothing.",
    "another": "The reference belongs to another order: this one needs its own number.",
}


def _item(item: Item) -> str:
    return f"{item.quantity} x {item.id}" + (f" {item.name}" if item.name else "")


def as_text(answer: Mapping[str, Any]) -> str:
    """Compact JSON."""
    return to_json(answer).decode()


def error_text(error: DropshipError, *, ordering: bool, private: Iterable[str] = ()) -> str:
    """The text a model reads. It carries everything, since hosts drop structured content on errors.

    Args:
        error: what happened.
        ordering: the tool sends orders, so whether one was sent is part of the answer.
        private: credentials and buyers' data, cut out of the provider's words.
    """
    lines = [f"{error.code}: {error.what}"]
    if ordering:
        lines.append(f"order sent: {error.sent}")
    lines.append(f"fix: {error.fix}")
    lines += [f"- {problem.field}: {problem.problem}" for problem in error.fields]
    if quoted := said(error, private):
        lines.append(f'provider said (untrusted): "{quoted}"')
    return "\n".join(lines)


def said(error: DropshipError, private: Iterable[str]) -> str:
    """The provider's own words in one line that can stand between double quotes; `private` is cut out of them."""
    cut_off = len(error.provider_said) >= QUOTED
    words = clean(without(clean(error.provider_said, QUOTED), private, cut_off=cut_off), SAID_LIMIT)
    return words.replace('"', "'")
