"""Addresses of a Duoplane order (sheet section 5.1), and the mix-ups of names and codes that agents send."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from dropship_tools.arguments import Country, Email, Line, Part, Phone, RequiredLine, WrongTogether
from dropship_tools.countries import code_named, country_code
from dropship_tools.duoplane.provinces import PROVINCES, code_of

_PROVINCE_CODE = re.compile(r"[A-Za-z0-9]{1,3}|[A-Z0-9][A-Z0-9 ]{0,5}")
"""ISO 3166-2 without its prefix, and the longer capitals some channels use for Mexico. Words do not fit."""


def _blank_or_country(value: str) -> str:
    return country_code(value) if value else ""


def _province_problem(code: str, name: str, country: str) -> str:
    prefix, _, rest = code.rpartition("-")
    if prefix and prefix.upper() != country:
        return "province_code belongs to another country than country_iso2"
    if not _PROVINCE_CODE.fullmatch(rest) or (country in PROVINCES and len(rest) != 2):
        return "province_code must be a code such as CA; a name belongs in province_name"
    if country in PROVINCES and rest.upper() not in PROVINCES[country]:
        return f"province_code is none of {country}"
    named = code_of(name, country)
    return "province_name and province_code are different places" if named and named != rest.upper() else ""


class Address(Part):
    """An address with the documented names. As it is, it is the `billing_address`: nothing in it is required."""

    also_called: ClassVar[Mapping[str, str]] = {
        "firstname": "first_name",
        "lastname": "last_name",
        "company": "company_name",
        "address": "address_1",
        "street": "address_1",
        "address1": "address_1",
        "address2": "address_2",
        "zip": "post_code",
        "zip_code": "post_code",
        "postcode": "post_code",
        "postal_code": "post_code",
        "state": "province_name",
        "province": "province_name",
        "state_code": "province_code",
        "province_iso": "province_code",
        "country": "country_iso2",
        "country_code": "country_iso2",
        "telephone": "phone",
    }

    first_name: Line = ""
    last_name: Line = ""
    company_name: Line = ""
    address_1: Line = ""
    address_2: Line = ""
    city: Line = ""
    post_code: Line = ""
    province_name: Line = ""
    province_code: Line = ""
    country_name: Line = ""
    country_iso2: Annotated[Line, AfterValidator(_blank_or_country)] = Field(default="", validate_default=True)
    phone: Phone = ""
    email: Email = ""

    @field_validator("country_iso2")
    @classmethod
    def _names_and_codes_agree(cls, country: str, info: ValidationInfo) -> str:
        problems: list[str] = []
        if code := info.data.get("province_code"):
            problems.append(_province_problem(code, info.data.get("province_name", ""), country))
        named = code_named(info.data.get("country_name", ""))
        if named and country and named != country:
            problems.append("country_name and country_iso2 are different countries")
        if any(problems):
            raise WrongTogether("; ".join(filter(None, problems)))
        return country

    def recipient(self) -> str:
        """The person, or else the company."""
        return f"{self.first_name} {self.last_name}".strip() or self.company_name


class ShippingAddress(Address):
    """`shipping_address`: what a parcel needs is required, although the documentation marks no field (section 5.1)."""

    company_name: Line = Field(default="", validate_default=True)
    address_1: RequiredLine = Field(description="street and house number")
    city: RequiredLine = Field()
    post_code: RequiredLine = Field()
    province_code: Line = Field(default="", description="state code such as CA")
    country_iso2: Country = Field(description="ISO 3166-1 alpha-2")

    @field_validator("company_name")
    @classmethod
    def _somebody(cls, company_name: str, info: ValidationInfo) -> str:
        if not company_name and info.data.get("first_name") == info.data.get("last_name") == "":
            raise WrongTogether("needs first_name and last_name, or company_name")
        return company_name
