"""JSON and XML of the Rewix sandbox: which one a request wants, and the two different shapes of every body.

The names differ between the formats (sheet 3.2), so nothing here derives one from the other: each shape is read and
written by hand. Inside the sandbox a body is the JSON shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, cast

# Only for building answers and for the types; documents from outside are read with defusedxml.
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

Format = Literal["json", "xml"]

MEDIA_TYPES: dict[Format, str] = {"xml": "application/xml", "json": "application/json"}
TEXT_XML = "text/xml"

# XML 1.0 has no way to write these, not even escaped.
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(ValueError):
    """The body is not a document of the format its Content-Type names."""


def acceptable(accept: str | None, offered: Sequence[Format]) -> Format | None:
    """The format to answer in, or None when the caller accepts none of those offered.

    Without an Accept header, and for `*/*`, it is the first one offered: XML wherever both are (sheet 3.2).
    """
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_media_range(part) for part in accept.split(",") if part.strip()]
    best: tuple[float, int, int] | None = None
    chosen: Format | None = None
    for candidate in offered:
        names = (MEDIA_TYPES[candidate], TEXT_XML) if candidate == "xml" else (MEDIA_TYPES[candidate],)
        # The most specific range decides about a type; of two types with one quality the more specific, then the
        # earlier one wins.
        matches = [
            (specific, quality, -position)
            for position, (media, quality) in enumerate(ranges)
            for name in names
            if (specific := _specificity(media, name)) > 0
        ]
        if not matches:
            continue
        specific, quality, position = max(matches)
        rank = (quality, specific, position)
        if quality > 0 and (best is None or rank > best):
            best, chosen = rank, candidate
    return chosen


def _media_range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                quality = 0.0
    return media, quality


def _specificity(media: str, name: str) -> int:
    if media == name:
        return 3
    if media == name.split("/")[0] + "/*":
        return 2
    return 1 if media == "*/*" else 0


def content_format(content_type: str | None) -> Format | None:
    """The format a request body claims to have, or None for anything but JSON and XML."""
    media = (content_type or "").split(";")[0].strip().lower()
    if media == MEDIA_TYPES["json"]:
        return "json"
    return "xml" if media in (MEDIA_TYPES["xml"], TEXT_XML) else None


def parse_json(body: bytes) -> Any:
    """Decoded JSON. Raises Unreadable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the body is not valid JSON") from error


def parse_xml(body: bytes) -> Element:
    """The root element; documents with a DTD or entities are refused. Raises Unreadable."""
    try:
        return defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Unreadable("the XML body may not hold a document type or entities") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable("the body is not well-formed XML") from error


# --- what a caller sends -------------------------------------------------------------------------------------


def read_orders(body: bytes, sent_as: Format) -> Any:
    """The body of a create call in its JSON shape (sheet 4.1). Raises Unreadable."""
    if sent_as == "json":
        return parse_json(body)
    root = _rooted(parse_xml(body))
    orders = root.find("order_list")
    return {"order_list": None if orders is None else [_order(order) for order in orders.findall("order")]}


def _order(order: Element) -> dict[str, Any]:
    fields: dict[str, Any] = _texts(order)
    recipient = order.find("recipient_details")
    if recipient is not None:
        details: dict[str, Any] = _texts(recipient)
        for group in ("address", "phone"):
            element = recipient.find(group)
            if element is not None:
                details[group] = _texts(element)
        fields["recipient_details"] = details
    items = order.find("item_list")
    if items is not None:
        fields["item_list"] = [_texts(item) for item in items.findall("item")]
    return fields


def read_operations(body: bytes, sent_as: Format) -> Any:
    """The body of a reserve call in its JSON shape (sheet 3.2, 4.5). Raises Unreadable."""
    if sent_as == "json":
        return parse_json(body)
    root = _rooted(parse_xml(body))
    return {
        "operations": [
            {**operation.attrib, "models": [dict(model.attrib) for model in operation.findall("model")]}
            for operation in root.findall("operation")
        ]
    }


def _rooted(root: Element) -> Element:
    if root.tag != "root":
        raise Unreadable("the XML body must have the element root at its top")
    return root


def _texts(element: Element) -> dict[str, str]:
    """The children that hold text only; `<careof />` is an empty text."""
    return {child.tag: (child.text or "").strip() for child in element if len(child) == 0}


# --- what the sandbox answers --------------------------------------------------------------------------------


def write_json(data: object) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def write_xml(root: Element) -> bytes:
    """A UTF-8 document with the declaration the documentation shows."""
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + ElementTree.tostring(root, encoding="utf-8")


def add_text(parent: Element, name: str, value: object) -> Element:
    """A child element holding a value, written as XML writes booleans and numbers."""
    child = SubElement(parent, name)
    child.text = plain(value)
    return child


def plain(value: object) -> str:
    """A value as XML text, without the characters XML cannot hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return UNWRITABLE.sub("", str(value))


def write_reservation(reservation: Mapping[str, Any], wanted: Format) -> bytes:
    """`{order_id, models}`, or `root[order_id] > model[stock_id, locked, available]` (sheet 3.2)."""
    if wanted == "json":
        return write_json(reservation)
    root = Element("root", {"order_id": str(reservation["order_id"])})
    for model in cast(list[dict[str, int]], reservation.get("models") or []):
        SubElement(root, "model", {name: str(model[name]) for name in ("stock_id", "locked", "available")})
    return write_xml(root)


def write_statuses(orders: Sequence[Mapping[str, Any]], wanted: Format) -> bytes:
    """`{orders[]}`, or `root > order_list > order` (sheet 4.2).

    `parsedDate` is epoch milliseconds in JSON and ISO 8601 with an offset in XML. What is null in JSON is absent
    in XML.
    """
    if wanted == "json":
        return write_json({"orders": list(orders)})
    root = Element("root")
    listed = SubElement(root, "order_list")
    for order in orders:
        element = SubElement(listed, "order")
        for name in sorted(order):
            value = order[name]
            if name == "parsedDate":
                value = datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds")
            if value is not None:
                add_text(element, name, value)
    return write_xml(root)


def write_carriers(carriers: Sequence[Mapping[str, Any]], wanted: Format) -> bytes:
    """A bare array with a cost, or `collection > carrier[id, name]` without one (sheet 3.2, 4.7)."""
    if wanted == "json":
        return write_json(list(carriers))
    root = Element("collection")
    for carrier in carriers:
        SubElement(root, "carrier", {"id": str(carrier["id"]), "name": str(carrier["name"])})
    return write_xml(root)
