"""How the Dropday sandbox's orders look and move with time (sheet sections 5 and 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from dropship_tools.dropday.sandbox_catalogue import FeedRow, Supplier, matching_row, matching_supplier
from dropship_tools.dropday.sandbox_rules import Fields
from dropship_tools.sandbox.store import Document

# `reference` and `id` count from different figures, so that one is never taken for the other by luck.
FIRST_ID = 70_001
FIRST_REFERENCE = 98

# The rules run soon after an order arrives; the supplier's action (an e-mail, a file) a little later.
RULED_AFTER = timedelta(seconds=30)
COMPLETED_AFTER = timedelta(minutes=2)

# Orders above this total, in main currency units, are held back. Our figure: Dropday documents no reason.
BLOCKED_OVER = 5000

# What makes a supplier's action end otherwise than `completed` is ours too: Dropday names those statuses only.
MOST_PIECES = 500


@dataclass(frozen=True)
class Step:
    """One entry of a line's log."""

    status: str
    message: str
    at: datetime


@dataclass(frozen=True)
class Line:
    """One line of an order at a moment: what was ordered, who supplies it, how far it came."""

    number: int
    product: Fields
    supplier: Supplier | None
    steps: tuple[Step, ...]

    @property
    def status(self) -> str:
        """The line's `current_status`."""
        return self.steps[-1].status


def lines_of(order: Document, now: datetime) -> list[Line]:
    """The order's lines as they stand at `now`."""
    products = cast(list[Fields], order.body["products"])
    return [_line(order, number, product, now) for number, product in enumerate(products, start=1)]


def is_blocked(order: Document) -> bool:
    """Whether the order is held back."""
    return order.body["total"] > BLOCKED_OVER


def reference_of(order: Document) -> int:
    """Dropday's own order number: a number when the order is created, text when it is read."""
    return order.id - FIRST_ID + FIRST_REFERENCE


def id_of(reference: str) -> int | None:
    """The internal id behind the reference of a path, or None when it cannot be one."""
    if not (reference.isascii() and reference.isdigit()) or reference.startswith("0") or len(reference) > 15:
        return None
    return int(reference) - FIRST_REFERENCE + FIRST_ID


def shown_order(order: Document, now: datetime, *, with_logs: bool) -> dict[str, Any]:
    """The order object; logs are part of the single-order answer only."""
    body, lines = order.body, lines_of(order, now)
    suppliers = {line.supplier.id: line.supplier for line in lines if line.supplier is not None}
    return {
        "id": order.id,
        "external_id": body["external_id"],
        "reference": str(reference_of(order)),
        "source": body["source"],
        "test": body["test"],
        "blocked": is_blocked(order),
        "total": body["total"],
        "shipping_address": {**body["shipping_address"], "email": body["email"]},
        "shipping": {
            **body["shipping"],
            "cost": body["shipping_cost"] if body["shipping"]["cost"] is None else body["shipping"]["cost"],
        },
        "custom": None,
        "order_lines": [_shown_line(order, line, with_logs) for line in lines],
        "suppliers": [_shown_supplier(supplier) for supplier in suppliers.values()],
        "created_at": stamp(order.created_at),
        "updated_at": stamp(max(line.steps[-1].at for line in lines)),
    }


def shown_feed_row(row: FeedRow, since: datetime) -> dict[str, Any]:
    """A row of GET /products, sheet section 7: `active` is 1 or 0."""
    return {
        "id": row.id,
        "project_id": 12,
        "product_feed_id": row.supplier.product_feed_id,
        "sku": row.sku,
        "ean13": row.ean13,
        "name": row.name,
        "purchase_price": row.purchase_price,
        "stock_quantity": row.stock_quantity,
        "active": int(row.active),
        "created_at": stamp(since),
        "updated_at": stamp(since),
    }


def stamp(moment: datetime) -> str:
    """UTC with microseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _line(order: Document, number: int, product: Fields, now: datetime) -> Line:
    begun = order.created_at
    steps = [Step("pending", "Line received", begun)]
    if order.body["test"] or is_blocked(order):
        return Line(number, product, None, tuple(steps))
    ean13, sku = product["ean13"], product["reference"]
    supplier = matching_supplier(product["supplier"], product["brand"], ean13, sku)
    if supplier is None:
        steps.append(Step("skipped", "No rule matched this line", begun + COMPLETED_AFTER))
    else:
        steps.append(Step("ruled", f"Matched to {supplier.name}", begun + RULED_AFTER))
        steps.append(_outcome(product["quantity"], supplier, matching_row(ean13, sku), begun + COMPLETED_AFTER))
    reached = tuple(step for step in steps if step.at == begun or step.at <= now)
    return Line(number, product, supplier if len(reached) > 1 else None, reached)


def _outcome(quantity: int, supplier: Supplier, row: FeedRow | None, at: datetime) -> Step:
    """How the supplier's action ends."""
    if quantity > MOST_PIECES:
        return Step("declined", f"{supplier.name} takes no orders of more than {MOST_PIECES} pieces", at)
    if row is None or row.stock_quantity >= quantity:
        return Step("completed", f"Passed on to {supplier.name}", at)
    if row.stock_quantity == 0:
        return Step("failed", f"{supplier.name} is out of stock", at)
    return Step("partially_completed", f"{supplier.name} has only {row.stock_quantity} pieces", at)


def _shown_line(order: Document, line: Line, with_logs: bool) -> dict[str, Any]:
    product = line.product
    line_id = order.id * 100 + line.number
    shown: dict[str, Any] = {
        "id": line_id,
        # The name of a supplier that was sent is not shown again.
        **{name: product[name] for name in ("external_id", "name", "ean13", "reference", "quantity")},
        **{name: product[name] for name in ("stock_quantity", "price", "purchase_price", "brand", "category")},
        **{name: product[name] for name in ("image_url", "custom")},
        "current_status": line.status,
        "matched_supplier": _shown_supplier(line.supplier) if line.supplier else None,
    }
    if with_logs:
        shown["logs"] = [
            {
                "id": line_id * 10 + position,
                "status": step.status,
                "message": step.message,
                "created_at": stamp(step.at),
            }
            for position, step in enumerate(line.steps)
        ]
    return shown


def _shown_supplier(supplier: Supplier) -> dict[str, Any]:
    return {"id": supplier.id, "name": supplier.name}
