"""The suppliers, feed rows and routing rules of the Dropday sandbox's account. Invented, in the sheet's shapes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Supplier:
    """A supplier the account's rules can route to. `brands` are compared without regard to case."""

    id: int
    name: str
    product_feed_id: int
    brands: tuple[str, ...]


@dataclass(frozen=True)
class FeedRow:
    """One row of an imported supplier feed (sheet section 7). `purchase_price` is in main currency units."""

    id: int
    supplier: Supplier
    sku: str
    ean13: str
    name: str
    purchase_price: float
    stock_quantity: int
    active: bool = True


NORDLYS = Supplier(301, "Nordlys Lighting", 41, ("Nordlys", "Halo & Co"))
KETEL = Supplier(302, "De Koperen Ketel", 42, ("Koperen Ketel",))
VELOX = Supplier(303, "Velox Bikes Europe", 43, ("Velox", "Ridgeway"))

SUPPLIERS: tuple[Supplier, ...] = (NORDLYS, KETEL, VELOX)

FEED: tuple[FeedRow, ...] = (
    FeedRow(8101, NORDLYS, "NL-DESK-01", "8712345000018", "Desk lamp Fjord, oak", 18.5, 120),
    FeedRow(8102, NORDLYS, "NL-DESK-02", "8712345000025", "Desk lamp Fjord, black", 18.5, 64),
    FeedRow(8103, NORDLYS, "NL-FLOOR-07", "8712345000032", "Floor lamp Skagen", 54.95, 12),
    FeedRow(8104, NORDLYS, "NL-BULB-E27", "8712345000049", "Filament bulb E27, 3 pieces", 4.2, 900),
    FeedRow(8105, NORDLYS, "NL-PEND-03", "8712345000056", "Pendant lamp Bergen", 39.0, 30, active=False),
    # EAN codes may begin with a zero, which a number would lose.
    FeedRow(8201, KETEL, "KK-KETTLE-18", "0745125000015", "Copper kettle 1.8 l", 22.75, 45),
    FeedRow(8202, KETEL, "KK-PAN-24", "0745125000022", "Copper pan 24 cm", 31.4, 18),
    FeedRow(8203, KETEL, "KK-MILL-PEP", "0745125000039", "Pepper mill, beech", 9.99, 210),
    FeedRow(8301, VELOX, "VX-LOCK-90", "4006381333931", "Folding lock 90 cm", 27.6, 75),
    FeedRow(8302, VELOX, "VX-HELM-M", "4006381333948", "Helmet Urban, size M", 33.0, 26),
    FeedRow(8303, VELOX, "VX-PUMP-01", "4006381333955", "Floor pump 11 bar", 15.25, 51),
    FeedRow(8304, VELOX, "VX-LIGHT-SET", "4006381333962", "Bike light set, USB", 11.8, 0),
    # More rows than a page holds.
    *(
        FeedRow(8305 + n, VELOX, f"VX-SPOKE-{180 + n}", f"4006381401{180 + n}", f"Spoke 2.0 x {180 + n} mm", 0.35, 400)
        for n in range(121)
    ),
)


def matching_row(ean13: str | None, sku: str | None) -> FeedRow | None:
    """The active feed row with this EAN or this SKU."""
    for row in FEED:
        if row.active and (row.ean13 == ean13 or row.sku == sku):
            return row
    return None


def matching_supplier(supplier: str | None, brand: str | None, ean13: str | None, sku: str | None) -> Supplier | None:
    """What the account's rules decide for a line: supplier name first, then EAN or SKU, then brand."""
    for candidate in SUPPLIERS:
        if supplier is not None and supplier.casefold() == candidate.name.casefold():
            return candidate
    row = matching_row(ean13, sku)
    if row is not None:
        return row.supplier
    for candidate in SUPPLIERS:
        if brand is not None and brand.casefold() in {name.casefold() for name in candidate.brands}:
            return candidate
    return None
