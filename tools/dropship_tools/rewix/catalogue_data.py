"""What is kept of a shop's catalogue: enough to find a `stock_id` and to show what it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Variant:
    """One size or colour: what an order names.

    Texts are the supplier's own and not cleaned yet.

    Attributes:
        stock_id: `models[].id` of the catalogue.
        options: size, colour and whatever else tells it from its siblings.
        code: often shared by all sizes of a product.
        model: the supplier's second code, sometimes one for each size.
        price: what the account pays for a piece, without VAT, in main units; empty if not told.
        availability: pieces when the catalogue was made; None if not told.
    """

    stock_id: int
    options: tuple[str, ...] = ()
    code: str = ""
    model: str = ""
    barcode: str = ""
    price: str = ""
    currency: str = ""
    availability: int | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What a shop page shows. `about` holds further words to find it by; without variants it is not sold any more."""

    id: str
    name: str
    code: str = ""
    about: str = ""
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One download.

    Attributes:
        last_update: what to ask `since` the next time; empty if not told.
        total: how many products there are by the shop's word; None if not told.
        unreadable: how many products made no sense and were left out.
    """

    products: tuple[Product, ...]
    last_update: str = ""
    total: int | None = None
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """The catalogue as it was when the shop was last asked.

    Attributes:
        read_at: when that was, in seconds since 1970 by our clock.
        full_at: when it was last downloaded whole.
        missing: products that the last whole download announced and did not bring, or that made no sense.
    """

    products: tuple[Product, ...]
    last_update: str
    read_at: float
    full_at: float
    missing: int = 0

    def with_changes(self, feed: Feed, read_at: float) -> Copy:
        """The copy with the products of a feed of changes in their new form."""
        products = {product.id: product for product in (*self.products, *feed.products)}
        return replace(
            self, products=_sold(products.values()), last_update=feed.last_update or self.last_update, read_at=read_at
        )


def whole_copy(feed: Feed, read_at: float) -> Copy:
    """A copy made of a whole download."""
    missing = max(feed.unreadable, (feed.total or 0) - len(feed.products))
    return Copy(_sold(feed.products), feed.last_update, read_at, read_at, missing)


def _sold(products: Iterable[Product]) -> tuple[Product, ...]:
    return tuple(product for product in products if product.variants)
