"""Recognising an order that Dipli lists.

Dipli never shows `alternative_id` again (sheet section 3), so an order whose answer was lost can only be known by
who gets what, where. Both sides are folded alike, because Dipli splits names and may change case, accents,
spaces and punctuation.
"""

from __future__ import annotations

import re
import unicodedata

from dropship_tools.dipli.models import CreateOrder, WireOrder

_WORD = re.compile(r"[^\W_]+")


def sent_trace(args: CreateOrder) -> str:
    """The trace of an order as it is sent."""
    street = f"{args.street} {args.additional_street}"
    return _trace(args.buyer, street, args.postcode, args.city, args.country, str(args.product_id))


def listed_traces(order: WireOrder) -> set[str]:
    """The traces of a listed order: one for each number that may be the `product_id` it was placed with."""
    to = order.shipping_address
    products = [item.product for item in order.cart_items]
    return {
        _trace(f"{to.firstname} {to.lastname}", f"{to.street} {to.additional}", to.postcode, to.city, to.country, id_)
        for product in products
        for id_ in (product.id, product.product_id, product.grouped_id)
        if id_
    }


def _trace(name: str, *parts: str) -> str:
    # Name parts are sorted: which of them Dipli takes for the first name is not documented.
    return "|".join([" ".join(sorted(_words(name))), *("".join(_words(part)) for part in parts)])


def _words(text: str) -> list[str]:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(text.casefold())
