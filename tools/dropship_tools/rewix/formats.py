"""The two formats of Rewix's bodies. JSON and XML have different names and shapes (sheet section 3.2).

Every value goes out as text, in JSON too, as in the documentation's examples. An answer is read by what it is, not by
what was asked for: hosts answer XML where they were not told otherwise, and JSON where they should not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from dropship_tools import wire
from dropship_tools.wire import Answer, Unreadable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Operation = Literal["lock", "unlock"]
"""Changes of the reservation. `set` overwrites what other processes hold and is never used (sheet section 5)."""

_KEPT_WHEN_EMPTY = frozenset({"careof", "notes"})
"""Elements that the documented XML order has without a text."""

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True, slots=True)
class Format:
    """How one account's host is spoken to.

    Attributes:
        name: how the catalogue's path ends.
        media: the value of `Accept` and `Content-Type`.
        order: writes the body of an order from the documentation's order object.
        reservation: writes the body of one change of the reservation, pieces per stock_id.
    """

    name: str
    media: str
    order: Callable[[Mapping[str, Any]], bytes]
    reservation: Callable[[Operation, Mapping[int, int]], bytes]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_texts(value: Any) -> Any:
    """Every value as text; what is empty left out."""
    if isinstance(value, Mapping):
        return {name: _as_texts(v) for name, v in cast("Mapping[str, Any]", value).items() if v not in ("", None)}
    if isinstance(value, list):
        return [_as_texts(v) for v in cast("list[Any]", value)]
    return _text(value)


def _json_order(order: Mapping[str, Any]) -> bytes:
    return wire.dump_json({"order_list": [_as_texts(order)]})


def _json_reservation(operation: Operation, quantities: Mapping[int, int]) -> bytes:
    models = [{"stock_id": stock_id, "quantity": pieces} for stock_id, pieces in quantities.items()]
    return wire.dump_json({"operations": [_as_texts({"type": operation, "models": models})]})


def _xml_order(order: Mapping[str, Any]) -> bytes:
    from xml.etree.ElementTree import Element, SubElement

    root = Element("root")
    _write(SubElement(SubElement(root, "order_list"), "order"), order)
    return _document(root)


def _write(parent: Element, fields: Mapping[str, Any]) -> None:
    from xml.etree.ElementTree import SubElement

    for name, value in fields.items():
        if value in ("", None) and name not in _KEPT_WHEN_EMPTY:
            continue
        element = SubElement(parent, name)
        if isinstance(value, Mapping):
            _write(element, cast("Mapping[str, Any]", value))
        elif isinstance(value, list):
            for item in cast("list[Mapping[str, Any]]", value):
                _write(SubElement(element, "item"), item)
        else:
            element.text = _text(value)


def _xml_reservation(operation: Operation, quantities: Mapping[int, int]) -> bytes:
    from xml.etree.ElementTree import Element, SubElement

    root = Element("root")
    changes = SubElement(root, "operation", {"type": operation})
    for stock_id, pieces in quantities.items():
        SubElement(changes, "model", {"stock_id": str(stock_id), "quantity": str(pieces)})
    return _document(root)


def _document(root: Element) -> bytes:
    from xml.etree.ElementTree import tostring

    return _DECLARATION + tostring(root, encoding="utf-8", xml_declaration=False)


FORMATS: dict[str, Format] = {
    "json": Format("json", wire.JSON, _json_order, _json_reservation),
    "xml": Format("xml", wire.XML, _xml_order, _xml_reservation),
}


# --- answers ----------------------------------------------------------------------------------------------------


def order_rows(answer: Answer) -> list[Any]:
    """The orders of a status answer, as field names and values; empty when it clearly holds none.

    Raises:
        Unreadable: it is no such answer.
    """
    if _is_xml(answer):
        root = _root(answer)
        orders = root.find("order_list")
        if orders is not None:
            return [{field.tag: field.text for field in order} for order in orders.findall("order")]
        if len(root) or root.attrib:
            raise Unreadable("the answer holds no list of orders")
        return []  # how a serialiser writes a list that is null, like `"orders": null` in JSON
    body = answer.json_object()
    if "orders" not in body:
        raise Unreadable("the answer holds no list of orders")
    return _list(body["orders"])


def reservation_rows(answer: Answer) -> list[Any]:
    """The variants in an answer that shows the reservation; empty when nothing is reserved.

    Raises:
        Unreadable: it is no such answer.
    """
    if _is_xml(answer):
        root = _root(answer)
        rows: list[Any] = [model.attrib for model in root.findall("model")]
        named = rows or "order_id" in root.attrib
    else:
        body = answer.json_object()
        rows = _list(body.get("models"))
        named = "models" in body or "order_id" in body
    if not named:
        raise Unreadable("the answer shows no reservation")
    return rows


def carrier_rows(answer: Answer) -> list[Any]:
    """The carriers of the account, as field names and values.

    Raises:
        Unreadable: it is no such answer.
    """
    if _is_xml(answer):
        return [carrier.attrib for carrier in _root(answer, "collection").findall("carrier")]
    return _list(answer.json())


def said(answer: Answer) -> str:
    """Rewix's words about a failure: a JSON or XML `message`, or the text as it is (sheet section 3.3)."""
    try:
        message = _root(answer).get("message") if _is_xml(answer) else answer.json_object().get("message")
    except Unreadable:
        message = None
    return message if isinstance(message, str) else answer.text()[:2000]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unreadable("the answer holds something else where a list belongs")
    return cast("list[Any]", value)


def _is_xml(answer: Answer) -> bool:
    return answer.body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _root(answer: Answer, name: str = "root") -> Element:
    """The root of an XML answer. Documents with a document type or entities are refused unread."""
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(answer.body, forbid_dtd=True)
    except (SyntaxError, ValueError, LookupError) as error:  # ParseError is a SyntaxError, defusedxml's are ValueErrors
        raise Unreadable("the answer is not valid XML") from error
    if root.tag != name:
        raise Unreadable("the answer is not a Rewix document")
    return root
