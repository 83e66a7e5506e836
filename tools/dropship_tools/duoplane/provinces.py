"""States and provinces of the countries whose parcels do not arrive without: the United States and Canada.

The code is the field to rely on, the name is spelt as the channel likes (https://support.duoplane.com, article
360049003672; sheet section 6.1). Codes are those of ISO 3166-2 without the prefix, and the postal service's for the
armed forces and the freely associated states.
"""

from __future__ import annotations

_UNITED_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware
DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky
LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana
NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota
OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas
UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI U.S. Virgin Islands
UM U.S. Minor Outlying Islands|FM Federated States of Micronesia|MH Marshall Islands|PW Palau
AA Armed Forces Americas|AE Armed Forces Europe|AP Armed Forces Pacific
"""
_CANADA = """
AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia
NT Northwest Territories|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon
"""


def _table(text: str) -> dict[str, str]:
    return dict(entry.split(" ", 1) for entry in text.strip().replace("\n", "|").split("|"))


PROVINCES = {"US": _table(_UNITED_STATES), "CA": _table(_CANADA)}
"""Country to codes to names."""


def code_of(name: str, country: str) -> str:
    """The code of a province with this name; empty for any other spelling, which proves nothing."""
    wanted = name.casefold()
    return next((code for code, known in PROVINCES.get(country, {}).items() if known.casefold() == wanted), "")
