"""Reads the answer of the catalogue call, in both formats, one product at a time (sheet section 4.8).

Ten thousand products are some 30 MB. They are never spread out as Python objects all at once: each product is read,
reduced to what is kept, and dropped. One product that makes no sense does not spoil the others.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from dropship_tools.rewix.amounts import amount_text
from dropship_tools.rewix.catalogue_data import Feed, Product, Variant
from dropship_tools.wire import Unreadable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST_TEXT = 200
"""Characters that are kept of a name or a code."""

LONGEST_VALUE = 2 * 1024 * 1024
"""Characters of the longest product that is read."""

_PIECE = 256 * 1024
_BEGINS = object()
_ITEMS, _LAST_UPDATE, _TOTAL = "pageItems", "lastUpdate", "totalItems"
_EPOCH_MILLISECONDS = re.compile(r"[0-9]{12,14}")
_MOMENT = re.compile(r"[0-9A-Za-z:.,+/ -]{1,40}")
_WHOLE = re.compile(r"[0-9]{1,18}")
_SOLID = re.compile(r"[^ \t\r\n]")

Part = tuple[str, Any]
"""A name at the top of the feed and its value; `pageItems` comes once for each product, and first as `_BEGINS`."""


def read_feed(body: bytes) -> Feed:
    """A catalogue answer, JSON or XML by what it is.

    Raises:
        Unreadable: it is no catalogue, or nothing in it makes sense.
    """
    is_xml = body[:200].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")
    products: dict[str, Product] = {}
    facts: dict[str, Any] = {}
    unreadable = 0
    try:
        for name, value in _xml_parts(body) if is_xml else _json_parts(body):
            facts[name] = value
            if name != _ITEMS or value is _BEGINS:
                continue
            product = _product(value)
            if product is None:
                unreadable += 1
            else:
                products[product.id] = product
    except (SyntaxError, ValueError, LookupError, RecursionError) as error:
        raise Unreadable(f"the catalogue is not valid {'XML' if is_xml else 'JSON'}") from error
    if _ITEMS not in facts:
        raise Unreadable("the answer is no catalogue")
    if unreadable and not products:
        raise Unreadable("no product of the catalogue has the documented form")
    return Feed(tuple(products.values()), _moment(facts.get(_LAST_UPDATE)), _whole(facts.get(_TOTAL)), unreadable)


# --- JSON: {pageItems: [...], totalItems, lastUpdate} ----------------------------------------------------------------


def _json_parts(body: bytes) -> Iterator[Part]:
    text = _Window(body)
    if text.next() != "{":
        raise ValueError("no object")
    text.skip()
    while text.next() != "}":
        name = text.value()
        text.skip(":")
        if name == _ITEMS and text.next() == "[":
            yield _ITEMS, _BEGINS
            text.skip()
            while text.next() != "]":
                yield _ITEMS, text.value()
                text.skip_comma("]")
            text.skip()
        else:
            value = text.value()
            yield str(name), _BEGINS if name == _ITEMS and value is None else value
        text.skip_comma("}")


class _Window:
    """JSON text that is decoded piece by piece, so that it does not stand in memory as text as well."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._taken = 0
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._at = 0

    def next(self) -> str:
        """The next character that is not blank; it stays where it is.

        Raises:
            ValueError: there is none.
        """
        while not (found := _SOLID.search(self._text, self._at)):
            self._at = len(self._text)
            if not self._more():
                raise ValueError("the text ends early")
        self._at = found.start()
        return found[0]

    def skip(self, expected: str = "") -> None:
        """Go past the next character. Raises ValueError unless it is the expected one, if any."""
        if expected and self.next() != expected:
            raise ValueError("the text is no JSON")
        self._at += 1

    def skip_comma(self, end: str) -> None:
        """Go past a comma, or stay before the end of the list or object."""
        if self.next() != end:
            self.skip(",")

    def value(self) -> Any:
        """The next value, and past it. Raises ValueError when there is none, or one too long."""
        self.next()
        while len(self._text) - self._at <= LONGEST_VALUE:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if not self._more():  # the text may just not be whole yet
                    raise
                continue
            # A number at the very end of a piece may go on in the next one.
            if end < len(self._text) or not self._more():
                self._at = end
                return value
        raise ValueError("a value is too long")

    def _more(self) -> bool:
        """Decode the next piece, and forget what was read."""
        if self._taken >= len(self._body):
            return False
        piece = bytes(self._body[self._taken : self._taken + _PIECE])
        self._taken += len(piece)
        text = self._decode(piece, self._taken >= len(self._body))
        self._text, self._at = self._text[self._at :] + text, 0
        return True


def _nothing(_: str) -> None:
    """NaN and Infinity are no JSON, and no price."""


_DECODER = json.JSONDecoder(parse_float=str, parse_constant=_nothing)  # prices keep their digits as text


# --- XML: page > items > item, facts as attributes or elements of page ------------------------------------------------


def _xml_parts(body: bytes) -> Iterator[Part]:
    from io import BytesIO

    from defusedxml.ElementTree import iterparse

    root: Element | None = None
    items: Element | None = None
    for event, element in iterparse(BytesIO(body), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            if root is None:
                root = element
                if element.tag != "page":
                    return
                if element.attrib:
                    yield _ITEMS, _BEGINS  # a list that is null has no element
            elif items is None and element.tag == "items":
                items = element
                yield _ITEMS, _BEGINS
        elif items is not None and element.tag == "item":
            yield _ITEMS, _item(element)
            items.clear()
    if root is None:
        raise ValueError("no document")
    yield _LAST_UPDATE, root.get(_LAST_UPDATE) or root.findtext(_LAST_UPDATE)
    yield _TOTAL, root.get("totalNumberOfElements") or root.get(_TOTAL)


def _item(element: Element) -> dict[str, Any]:
    """A product in the shape that it has in JSON."""
    fields: dict[str, Any] = {child.tag: child.text for child in element if not len(child)}
    return {
        **fields,
        "models": [{child.tag: child.text for child in model} for model in element.iterfind("models/model")],
        "productLocalizations": {
            "productName": [{"value": name.text} for name in element.iterfind("localizations/name/localevalue")]
        },
        "tags": [{"value": {"value": value.text}} for value in element.iterfind("tags/tag/value/value")],
    }


# --- products ---------------------------------------------------------------------------------------------------------


def _product(raw: Any) -> Product | None:
    """What is kept of a product; None if it makes no sense. One that is not sold any more keeps no variants."""
    fields = _object(raw)
    product_id, name = _text(fields.get("id")), _text(fields.get("name"))
    models = fields.get("models")
    if not product_id or not isinstance(models, list):
        return None
    if not models or fields.get("online") in (False, "false"):
        return Product(product_id, name)
    variants = tuple(v for model in _list(models) if (v := _variant(_object(model), fields)))
    if not variants:
        return None
    localised = _list(_object(fields.get("productLocalizations")).get("productName"))
    words = [_text(fields.get("brand")), *(_text(_object(text).get("value")) for text in localised)]
    words += [_text(_object(_object(tag).get("value")).get("value")) for tag in _list(fields.get("tags"))]
    about = " ".join(dict.fromkeys(word for word in words if word and word != name))
    return Product(product_id, name, _text(fields.get("code")), about, variants)


def _variant(model: dict[str, Any], product: dict[str, Any]) -> Variant | None:
    stock_id = _whole(model.get("id"))
    if not stock_id:
        return None
    # size and color are deprecated in favour of option1 to option3
    options = [_text(model.get(name)) for name in ("option1", "option2", "option3")]
    if not any(options):
        options = [_text(model.get(name)) for name in ("size", "color")]
    price = amount_text(model.get("taxable")) or amount_text(product.get("taxable"))
    return Variant(
        stock_id=stock_id,
        options=tuple(dict.fromkeys(option for option in options if option)),
        code=_text(model.get("code")) or _text(product.get("code")),
        model=_text(model.get("model")),
        barcode=_text(model.get("barcode")),
        price=price,
        currency=(_text(model.get("currency")) or _text(product.get("currency"))) if price else "",
        availability=_whole(model.get("availability")),
    )


def _text(value: Any) -> str:
    """A short text or number as text that can be stored; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**18 else ""
    text = value[:LONGEST_TEXT].strip()
    return text if text.isascii() else text.encode("utf-8", "ignore").decode()


def _whole(value: Any) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and _WHOLE.fullmatch(text) else None


def _moment(value: Any) -> str:
    """When the feed was made, as `since` wants it: ISO 8601, also where JSON has milliseconds since 1970.

    It travels back in a URL, so what cannot be a moment is none.
    """
    text = _text(value)
    if not _EPOCH_MILLISECONDS.fullmatch(text):
        return text if _MOMENT.fullmatch(text) else ""
    return datetime.fromtimestamp(int(text) / 1000, UTC).isoformat(timespec="milliseconds")


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
