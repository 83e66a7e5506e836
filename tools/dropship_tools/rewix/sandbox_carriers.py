"""The carriers of the Rewix sandbox (sheet 4.7): ids and names of the documentation's examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EUROPE = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT"),
        *("LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
UNREACHABLE = frozenset({"AQ", "BV", "HM", "TF"})


@dataclass(frozen=True)
class Carrier:
    """A carrier of the account.

    `countries` None is the whole world, `UNREACHABLE` aside. `gives_code` False is a carrier of which only a
    tracking URL is known, as in the documentation's XML example.
    """

    id: int
    name: str
    cost_cents: int
    countries: frozenset[str] | None
    tracking_url: str
    gives_code: bool = True

    def serves(self, country: str) -> bool:
        """Whether there is a rate for the country."""
        return country not in UNREACHABLE if self.countries is None else country in self.countries


CARRIERS: tuple[Carrier, ...] = (
    # The URL ends in the brand: who takes the text after the last "=" for the code gets "DHL" (sheet 6).
    Carrier(10, "DHL", 1450, None, "https://tracking.invalid/dhl?AWB={code}&brand=DHL"),
    Carrier(20, "UPS", 1240, EUROPE | {"US", "GB", "CH", "CA"}, "https://tracking.invalid/ups?tracknum={code}"),
    Carrier(30, "GLS", 790, EUROPE, "https://tracking.invalid/gls/{code}"),
    Carrier(39, "TNT", 980, EUROPE | {"GB", "CH", "NO"}, "https://tracking.invalid/tnt?cons={code}"),
    Carrier(40, "Bartolini", 650, frozenset({"IT"}), "https://tracking.invalid/brt?id={code}", gives_code=False),
)


def find_carrier(carrier_id: int) -> Carrier | None:
    """The carrier with this id, or None."""
    return next((carrier for carrier in CARRIERS if carrier.id == carrier_id), None)


def assign_carrier(asked: int | None, country: str) -> Carrier | None:
    """Who will carry: the one asked for, or without a word the cheapest one with a rate for the country.

    None when nobody goes there; such an order cannot be confirmed (sheet 4.1.2, 4.7).
    """
    wish = None if asked is None else find_carrier(asked)
    if wish is not None and wish.serves(country):
        return wish
    able = [carrier for carrier in CARRIERS if carrier.serves(country)]
    return min(able, key=lambda carrier: carrier.cost_cents, default=None)


def listed(carriers: Sequence[Carrier] = CARRIERS) -> list[dict[str, Any]]:
    """The JSON list. Neither currency nor meaning of `cost` is documented."""
    return [{"id": carrier.id, "name": carrier.name, "cost": carrier.cost_cents / 100} for carrier in carriers]
