"""Ids, which are integers here, strings there, and floats after a round trip through JSON (sheet sections 4 and 9)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FLOATED = re.compile(r"([0-9]+)\.0+")


def id_text(value: Any) -> Any:
    """`51661073`, `51661073.0` and `"51661073.0"` as `"51661073"`.

    Raises:
        ValueError: it is no id: too long, empty, or with characters that no id here has.
    """
    if value is None:
        return value
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("must be an id")
    text = str(value).strip()
    if floated := _FLOATED.fullmatch(text):
        text = floated[1]
    if not _ID.fullmatch(text):
        raise ValueError("must be an id")
    return text


def _number(whose: str, value: Any) -> str:
    try:
        text = id_text(value) or ""
    except ValueError:
        text = ""
    if not text.isdecimal() or len(text) > 18:
        raise ValueError(f"must be Duoplane's number of the {whose}")
    return str(int(text))


def _order_id(value: Any) -> Any:
    return value if value == "" else _number("order, digits only; yours goes into external_id", value)


def _product_id(value: Any) -> Any:
    return _number("product, digits only; duoplane_find_product looks a SKU up", value)


WireId = Annotated[str, BeforeValidator(id_text)]
"""An id in an answer, as text."""

OptionalWireId = Annotated[WireId | None, BeforeValidator(lambda value: None if value == "" else value)] | None
"""An id that may be missing, null or empty."""

OrderId = Annotated[str, BeforeValidator(_order_id), WithJsonSchema({"type": "string"})]
"""Duoplane's number of an order in arguments: digits as text, or empty."""

ProductId = Annotated[str, BeforeValidator(_product_id), WithJsonSchema({"type": "string"})]
"""Duoplane's number of a product in arguments: digits as text."""
