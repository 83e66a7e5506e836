"""Countries as ISO 3166-1 alpha-2, and the code for what else people call them."""

from __future__ import annotations

from functools import cache

ALSO_CALLED = {
    **dict.fromkeys(("UK", "UNITED KINGDOM", "GREAT BRITAIN", "ENGLAND", "SCOTLAND", "WALES"), "GB"),
    **dict.fromkeys(("THE NETHERLANDS", "HOLLAND", "NEDERLAND"), "NL"),
    **dict.fromkeys(("BELGIQUE", "BELGIË", "BELGIE"), "BE"),
    **dict.fromkeys(("SUISSE", "SCHWEIZ", "SVIZZERA"), "CH"),
    **dict.fromkeys(("ESPAÑA", "ESPANA"), "ES"),
    **dict.fromkeys(("ÖSTERREICH", "OESTERREICH"), "AT"),
    **dict.fromkeys(("EL", "HELLAS"), "GR"),
    "CZECH REPUBLIC": "CZ",
    "DANMARK": "DK",
    "DEUTSCHLAND": "DE",
    "ITALIA": "IT",
    "LËTZEBUERG": "LU",
    "MOLDOVA": "MD",
    "NORGE": "NO",
    "NORTHERN IRELAND": "GB",
    "POLSKA": "PL",
    "REPUBLIC OF IRELAND": "IE",
    "SUOMI": "FI",
    "SVERIGE": "SE",
    "TURKEY": "TR",
    "UNITED STATES": "US",
}
"""In Europe mostly, where these providers deliver. ISO's own names and longer codes are known without it."""


@cache
def country_codes() -> frozenset[str]:
    """All of them."""
    import iso3166

    return frozenset(iso3166.countries_by_alpha2)


def code_named(name: str) -> str:
    """The code of a country's name, or of another code; empty for any other spelling, which proves nothing."""
    import iso3166

    plain = name.isascii() or len(name) > 2  # in capitals a German sharp s looks like South Sudan
    country = iso3166.countries.get(name, None) if plain else None
    return country.alpha2 if country else ALSO_CALLED.get(name.upper(), "")


def country_code(value: str) -> str:
    """The code in upper case. Raises ValueError for anything else, and names the code if that is plain."""
    code = value.upper()
    if value.isascii() and code in country_codes():
        return code
    if meant := code_named(value):
        raise ValueError(f"must be a two-letter ISO 3166-1 country code, here {meant}")
    raise ValueError("must be a two-letter ISO 3166-1 country code such as FR")
