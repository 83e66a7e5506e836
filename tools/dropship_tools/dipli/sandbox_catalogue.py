"""What the Dipli sandbox sells, and where it delivers. Invented, in the shape of sheet section 5."""

from __future__ import annotations

from dataclasses import dataclass

STANDARD_VAT = "TVA Classique"
MARGIN_VAT = "TVA sur marge"


@dataclass(frozen=True)
class Offer:
    """One sellable offer.

    A create order wants `id`. `grouped_id` (all offers of a model) and `product_id` (the model itself) look like
    ids too and are refused: sheet section 3, trap 1. `price_ht` is in cents without VAT.
    """

    id: int
    grouped_id: int
    product_id: int
    name: str
    grade: str
    color: str
    sku: str
    price_ht: int
    stock: int
    tax_class: str = STANDARD_VAT
    packaging: str = "Chargeur et cable"
    position: str = "1er"


OFFERS: dict[int, Offer] = {
    offer.id: offer
    for offer in (
        Offer(11700101, 707101, 25101, "Apple iPhone 11 64", "Grade A", "Noir", "O3_MWLT2ZD/A", 15900, 14),
        Offer(11700102, 707101, 25101, "Apple iPhone 11 64", "Grade C", "Blanc", "O3_MWLU2ZD/A", 12900, 31),
        Offer(11700103, 707102, 25102, "Apple iPhone 12 128", "Grade A", "Bleu", "O3_MGJE3ZD/A", 22900, 9),
        Offer(11700104, 707103, 25103, "Apple iPhone 13 128", "Grade B", "Minuit", "O3_MLPF3ZD/A", 31900, 22),
        Offer(11700105, 707103, 25103, "Apple iPhone 13 128", "CPO", "Rose", "O3_MLPH3ZD/A", 36900, 3, MARGIN_VAT),
        Offer(11700106, 707104, 25104, "Apple iPhone SE 2022 64", "Grade A", "Rouge", "O3_MMXH3ZD/A", 17900, 6),
        Offer(11700107, 707201, 25201, "Samsung Galaxy S21 128", "Grade B", "Gris", "SM-G991B/DS", 18900, 17),
        Offer(11700108, 707202, 25202, "Samsung Galaxy S22 256", "Grade A", "Noir", "SM-S901B/DS", 27900, 8),
        Offer(11700109, 707203, 25203, "Samsung Galaxy A54 128", "New", "Lime", "SM-A546B/DS", 21900, 40, MARGIN_VAT),
        Offer(11700110, 707301, 25301, "Google Pixel 7 128", "Grade B", "Vert", "GA04528-GB", 20900, 5),
        # Known and sold out: refused like an unknown one, with the same bare 400.
        Offer(11700111, 707302, 25302, "Fairphone 4 256", "Grade A", "Gris", "F4_256/8-GR", 26900, 0),
    )
}

# fmt: off
COUNTRIES = frozenset({
    "AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MC", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on
