"""The goods of the Rewix sandbox: a small fashion catalogue, the same for everybody who asks with the same seed.

Field names follow sheet 4.8; the XML element names (`pictures`, `localizations`, `localevalue`, `tags`) are those of
the maker's published client. Traps kept: all sizes of a product share one `code`, image URLs are relative, some
`suggestedPrice` are 0, the prices are per model and without VAT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from dropship_tools.rewix.sandbox_formats import add_text, plain, write_json, write_xml

PRODUCTS = 40
CURRENCY = "EUR"
LISTED_AT = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)

# The documentation's example orders ask for 1 of 1578, 10 of 148148 and 15 of 148367 (seed 001).
EXAMPLE_STOCK: tuple[dict[int, int], ...] = (
    {1567: 80, 1578: 120, 1589: 60},
    {148148: 400, 148259: 250, 148367: 400},
)
SOLD_OUT = 200020
LAST_ONE = 200021
LAST_TWO = 200022
SHORT_STOCK = {SOLD_OUT: 0, LAST_ONE: 1, LAST_TWO: 2, 200023: 30}
FIRST_MODEL = 200000

LOCALES = ("en_US", "it_IT", "de_DE", "fr_FR")
BRANDS = ("Monteluce", "Karlsvik", "Rue Vernet", "Otterdale", "Sant'Arno", "Brigg & Hale")
# Category of the documentation (tag_4), the thing in each locale, its sizes.
THINGS: tuple[tuple[str, tuple[str, str, str, str], tuple[str, ...]], ...] = (
    ("clothing", ("T-shirt", "Maglietta", "T-Shirt", "T-shirt"), ("S", "M", "L", "XL", "XXL")),
    ("shoes", ("Sneakers", "Scarpe da ginnastica", "Turnschuhe", "Baskets"), ("38", "39", "40", "41", "42")),
    ("clothing", ("Jacket", "Giacca", "Jacke", "Veste"), ("46", "48", "50", "52")),
    ("bags", ("Shoulder bag", "Borsa a spalla", "Umhängetasche", "Sac bandoulière"), ("S", "M", "L")),
    ("underwear", ("Boxer shorts", "Boxer", "Boxershorts", "Boxer"), ("S", "M", "L", "XL")),
    ("accessories", ("Belt", "Cintura", "Gürtel", "Ceinture"), ("85", "90", "95", "100")),
    ("clothing", ("Jeans", "Jeans", "Jeans", "Jean"), ("28", "30", "32", "34", "36")),
    ("shoes", ("Ankle boots", "Stivaletti", "Stiefeletten", "Bottines"), ("37", "38", "39", "40")),
)
COLOURS = ("black", "navy", "white", "bordeaux", "olive", "sand")
GENDERS = ("men", "women", "unisex", "kids")
SEASONS = ("fw", "ss", "all-year")
MADE_IN = ("Italy", "Portugal", "Turkey", "China")
# Which tag number a product's property has (sheet 4.8).
TAGS = {1: "brand", 4: "category", 26: "gender", 11: "season"}


@dataclass(frozen=True)
class Model:
    """One size of a product; its id is the `stock_id` of an order. Prices in cents, without VAT."""

    id: int
    size: str
    barcode: str
    stock: int
    suggested_cents: int


@dataclass(frozen=True)
class Product:
    """What a shop page shows; it cannot be ordered itself. Prices in cents, without VAT; weight in kilograms."""

    id: int
    code: str
    names: tuple[str, ...]
    colour: str
    tags: dict[int, str]
    taxable_cents: int
    street_cents: int
    weight: float
    made_in: str
    models: tuple[Model, ...]

    @property
    def name(self) -> str:
        """The name in the first locale."""
        return self.names[0]


@dataclass(frozen=True)
class Catalogue:
    """Products, and every model with its product by stock id."""

    products: tuple[Product, ...]
    by_stock_id: Mapping[int, tuple[Product, Model]]

    def stock(self, stock_id: int) -> int | None:
        """What the supplier had before anybody ordered, or None for an unknown id."""
        found = self.by_stock_id.get(stock_id)
        return None if found is None else found[1].stock

    def price_cents(self, stock_id: int) -> int:
        """What the account pays for one piece, in cents without VAT."""
        return self.by_stock_id[stock_id][0].taxable_cents


def build_catalogue(products: int = PRODUCTS, seed: int = 1) -> Catalogue:
    """A catalogue of so many products, each in 3 to 5 sizes; 10 000 of them make a realistic benchmark.

    The first two products hold the stock ids of the documentation's examples, the third one the shortages.
    """
    made = tuple(_product(index, seed) for index in range(products))
    return Catalogue(made, {model.id: (product, model) for product in made for model in product.models})


def _product(index: int, seed: int) -> Product:
    def pick(what: str, below: int) -> int:
        text = f"{seed}/rewix/{index}/{what}"
        return int(hashlib.sha256(text.encode()).hexdigest(), 16) % below

    category, things, sizes = THINGS[index % len(THINGS)]
    brand = BRANDS[pick("brand", len(BRANDS))]
    colour = COLOURS[pick("colour", len(COLOURS))]
    taxable = 900 + pick("taxable", 60) * 100 + 90
    fixed = EXAMPLE_STOCK[index] if index < len(EXAMPLE_STOCK) else SHORT_STOCK if index == 2 else None
    if fixed is None:
        count = min(len(sizes), 3 + pick("sizes", 3))
        # A quarter of the models is nearly gone, so that shortage is an everyday thing.
        fixed = {
            FIRST_MODEL + index * 10 + position: pick(f"few/{position}", 3)
            if pick(f"short/{position}", 4) == 0
            else 5 + pick(f"stock/{position}", 56)
            for position in range(count)
        }
    models = tuple(
        Model(
            id=stock_id,
            size=sizes[position],
            barcode=f"8{pick(f'barcode/{position}', 10**12):012d}",
            stock=stock,
            suggested_cents=0 if pick(f"suggested/{position}", 100) < 27 else taxable * 2,
        )
        for position, (stock_id, stock) in enumerate(fixed.items())
    )
    return Product(
        id=50001 + index,
        code=f"{brand[:2].upper()}{1000 + index}_{colour[:3].upper()}",
        names=tuple(f"{brand} {thing}" for thing in things),
        colour=colour,
        tags={
            1: brand,
            4: category,
            26: GENDERS[pick("gender", len(GENDERS))],
            11: SEASONS[pick("season", len(SEASONS))],
        },
        taxable_cents=taxable,
        street_cents=taxable * 3,
        weight=round(0.2 + pick("weight", 14) / 10, 1),
        made_in=MADE_IN[pick("madein", len(MADE_IN))],
        models=models,
    )


@dataclass(frozen=True)
class Feed:
    """One download: which products, and what to say about them.

    `availability` and `updated` answer for a stock id at the time of the download.
    """

    products: Sequence[Product]
    locales: Sequence[str]
    legacy: bool
    last_update: datetime
    availability: Callable[[int], int]
    updated: Callable[[int], datetime]

    def as_json(self) -> bytes:
        """`{pageItems, totalItems, lastUpdate}`."""
        items = [self._item(product) for product in self.products]
        return write_json({"pageItems": items, "totalItems": len(items), "lastUpdate": iso(self.last_update)})

    def as_xml(self) -> bytes:
        """`page > items > item`; the paging attributes are deprecated and always say one page."""
        count = str(len(self.products))
        page = Element(
            "page",
            {
                "currentPage": "1",
                "pageSize": count,
                "totalNumberOfElements": count,
                "totalPages": "1",
                "lastUpdate": iso(self.last_update),
            },
        )
        items = SubElement(page, "items")
        for product in self.products:
            self._add_item(items, self._item(product))
        return write_xml(page)

    def _item(self, product: Product) -> dict[str, Any]:
        models = [self._model(product, model) for model in product.models]
        item: dict[str, Any] = {
            "id": product.id,
            "name": product.name,
            "code": product.code,
            "streetPrice": product.street_cents / 100,
            "suggestedPrice": max(model.suggested_cents for model in product.models) / 100,
            "taxable": product.taxable_cents / 100,
            "bestTaxable": product.taxable_cents / 100,
            "currency": CURRENCY,
            "weight": product.weight,
            "availability": sum(model["availability"] for model in models),
            "madein": product.made_in,
            "online": True,
            "intangible": False,
            "images": [
                {"id": product.id * 10 + number, "url": f"/prod/stock_prod_{product.id}_{number}.jpg"}
                for number in (1, 2)
            ],
            "models": models,
            "productLocalizations": {
                "productName": self._localised(product.names),
                "description": self._localised(tuple(f"{name}, {product.colour}" for name in product.names)),
            },
            "tags": [
                {"id": number, "name": TAGS[number], "value": {"value": value}}
                for number, value in product.tags.items()
            ],
        }
        if self.legacy:
            item["brand"] = product.tags[1]
        return item

    def _model(self, product: Product, model: Model) -> dict[str, Any]:
        return {
            "id": model.id,
            "code": product.code,
            "model": f"{product.code} {model.size}",
            "barcode": model.barcode,
            "availability": self.availability(model.id),
            "backorder": False,
            "streetPrice": product.street_cents / 100,
            "suggestedPrice": model.suggested_cents / 100,
            "taxable": product.taxable_cents / 100,
            "bestTaxable": product.taxable_cents / 100,
            "currency": CURRENCY,
            "size": model.size,
            "color": product.colour,
            "option1": model.size,
            "option2": product.colour,
            "option3": None,
            # Dates are epoch milliseconds in JSON, as in the status answer (sheet 4.2).
            "lastUpdate": int(self.updated(model.id).timestamp() * 1000),
        }

    def _localised(self, values: Sequence[str]) -> list[dict[str, str]]:
        known = dict(zip(LOCALES, values, strict=True))
        return [{"localecode": locale, "value": known[locale]} for locale in self.locales if locale in known]

    def _add_item(self, items: Element, item: dict[str, Any]) -> None:
        element = SubElement(items, "item")
        for name, value in item.items():
            if not isinstance(value, list | dict):
                add_text(element, name, value)
        pictures = SubElement(element, "pictures")
        for image in item["images"]:
            _add_fields(SubElement(pictures, "image"), image)
        models = SubElement(element, "models")
        for model in item["models"]:
            dated = {**model, "lastUpdate": iso(datetime.fromtimestamp(model["lastUpdate"] / 1000, UTC))}
            _add_fields(SubElement(models, "model"), dated)
        localizations = SubElement(element, "localizations")
        for name, texts in (("name", "productName"), ("description", "description")):
            group = SubElement(localizations, name)
            for text in item["productLocalizations"][texts]:
                value = SubElement(group, "localevalue", {"localecode": text["localecode"]})
                value.text = plain(text["value"])
        tags = SubElement(element, "tags")
        for tag in item["tags"]:
            added = SubElement(tags, "tag")
            add_text(added, "id", tag["id"])
            add_text(added, "name", tag["name"])
            _add_fields(SubElement(added, "value"), tag["value"])


def _add_fields(element: Element, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if value is not None:
            add_text(element, name, value)


def iso(moment: datetime) -> str:
    """ISO 8601 with milliseconds and an offset, as the feed writes its own times."""
    return moment.isoformat(timespec="milliseconds")
