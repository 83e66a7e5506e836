"""Text in arguments: what is accepted, in which form it is kept, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dropship_tools.arguments import Arguments, CreateArguments, Part
from dropship_tools.countries import ALSO_CALLED, country_codes
from unit.tools.argument_probe import TYPES, kept, problem

INVISIBLE = [
    *("\x00", "\x07", "\x1b", "\x7f", "\x85", "\u200b", "\u200e", "\u202e", "\u2066", "\ufeff", "\u2028"),
    *("\u2029", "\U000e0041", "\ue000", "\ud800", "\uffff"),
]


class Everything(Part):
    """One field that takes what a test puts in."""

    value: Any = None


# --- text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given_", "expected"),
    [
        ("Line", "", ""),
        ("Line", "  Jumpstreet 23 ", "Jumpstreet 23"),
        ("Line", "   ", ""),
        ("Line", "\u3164", ""),
        ("Line", "\u2800 \ufe0f", ""),
        ("Line", "\u2764\ufe0f", "\u2764\ufe0f"),
        ("Note", "\u2800\n\u3164", ""),
        ("Line", 4500, "4500"),
        ("Line", "e\u0301", "\u00e9"),
        ("Line", "x" * 255, "x" * 255),
        ("Line", "\u7530\u4e2d \U0001f355", "\u7530\u4e2d \U0001f355"),
        ("RequiredLine", " a ", "a"),
        ("RequiredLine", 0, "0"),
        ("Note", "", ""),
        ("Note", " ring twice \r\n then knock\n", "ring twice\nthen knock"),
        ("Note", "x" * 2000, "x" * 2000),
        ("Note", 7, "7"),
        ("Reference", "L41223D", "L41223D"),
        ("Reference", " shop.1_a-B ", "shop.1_a-B"),
        ("Reference", 10045, "10045"),
        ("Reference", "7" * 64, "7" * 64),
        ("Phone", "", ""),
        ("Phone", "222 222", "222 222"),
        ("Phone", "+33 (0)1.23/45-67 x89", "+33 (0)1.23/45-67 x89"),
        ("Phone", 612345678, "612345678"),
        ("Email", "", ""),
        ("Email", " info@example.org ", "info@example.org"),
        ("Email", "j.o'neil+shop@mail.example.co.uk", "j.o'neil+shop@mail.example.co.uk"),
        ("Email", "j\u00f6rg@example.org", "j\u00f6rg@example.org"),
        ("Country", "US", "US"),
        ("Country", " nl ", "NL"),
    ],
)
def test_text_is_kept_trimmed_and_in_one_form(name: str, given_: Any, expected: str) -> None:
    assert kept(name, given_) == expected


@pytest.mark.parametrize("name", ["Line", "RequiredLine", "Note", "Reference", "Phone", "Email", "Country"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (True, "must be text"),
        (False, "must be text"),
        (12.5, "must be text: as a number it may lose digits"),
        (12.0, "must be text: as a number it may lose digits"),
        (float("nan"), "must be text: as a number it may lose digits"),
        (["a"], "Input should be a valid string"),
        ({"a": 1}, "Input should be a valid string"),
        (b"a\xff", "Input should be a valid string, unable to parse raw data as a unicode string"),
        (None, "Input should be a valid string"),
    ],
)
def test_what_is_no_text_is_refused(name: str, value: Any, why: str) -> None:
    assert problem(name, value) == why


@pytest.mark.parametrize("name", ["Line", "RequiredLine", "Note", "Reference", "Phone", "Email", "Country"])
@pytest.mark.parametrize("character", INVISIBLE, ids=lambda c: f"U+{ord(c):04X}")
def test_invisible_characters_are_refused(name: str, character: str) -> None:
    # half a surrogate pair fails as soon as pydantic reads the string
    expected = "valid string" if character == "\ud800" else "must be one line without control or invisible characters"
    assert expected in problem(name, f"ab{character}cd")


@pytest.mark.parametrize("name", ["Line", "RequiredLine", "Reference"])
@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\t"])
def test_a_line_is_one_line(name: str, line_break: str) -> None:
    assert "one line" in problem(name, f"a{line_break}b")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Line", "x" * 256, "String should have at most 255 characters"),
        ("Note", "x" * 2001, "String should have at most 2000 characters"),
        ("RequiredLine", "", "must not be empty"),
        ("RequiredLine", "   ", "must not be empty"),
        ("RequiredLine", "\u3164", "must not be empty"),
        ("RequiredLine", "\u115f \u2800", "must not be empty"),
        ("Reference", "", "String should have at least 1 character"),
        ("Reference", "x" * 65, "String should have at most 64 characters"),
        ("Country", "", "must be a two-letter ISO 3166-1 country code such as FR"),
    ],
)
def test_text_has_its_length(name: str, value: str, why: str) -> None:
    assert problem(name, value) == why


@pytest.mark.parametrize(
    "value", [".", "..", "-1", "_a", "a/b", "a b", "a#1", "#1001", "\u00e9", "\u0661", "a\\b", "a%2F"]
)
def test_a_reference_travels_in_addresses_and_holds_nothing_that_could_change_them(value: str) -> None:
    assert problem("Reference", value) == ("may hold letters, digits and . _ - only, and starts with a letter or digit")


@settings(deadline=None)
@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_every_ordinary_reference_is_kept_as_it_is(value: str) -> None:
    assert kept("Reference", value) == value


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**18))
def test_a_number_and_its_digits_are_the_same_reference(value: int) -> None:
    assert kept("Reference", value) == kept("Reference", str(value)) == str(value)


@settings(deadline=None)
@given(st.text())
def test_a_reference_is_kept_or_refused_and_never_mended(value: str) -> None:
    try:
        reference = kept("Reference", value)
    except ValidationError:
        return
    assert reference == value.strip()
    assert reference.isascii()
    assert "/" not in reference


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("12", "must hold 3 to 20 digits"),
        ("call me", "must hold 3 to 20 digits"),
        ("1" * 21, "must hold 3 to 20 digits"),
        ("0612345678 (Ann)", "may hold digits, spaces and + ( ) . / - only"),
        ("\u0661\u0662\u0663\u0664", "may hold digits, spaces and + ( ) . / - only"),
        ("123" + " " * 38, None),
        ("123" + "-" * 38, "may hold digits, spaces and + ( ) . / - only"),
    ],
)
def test_a_telephone_number_looks_like_one(value: str, why: str | None) -> None:
    if why is None:
        assert kept("Phone", value) == value.strip()
    else:
        assert problem("Phone", value) == why


@pytest.mark.parametrize(
    "value",
    [
        "info",
        "info@",
        "@example.org",
        "info@example",
        "info@@example.org",
        "a b@example.org",
        "a@example.org, b@example.org",
        "Ann <ann@example.org>",
        '"ann"@example.org',
        "ann@-example.org",
        "ann@example-.org",
        "ann@.org",
        "ann@example..org",
        f"{'a' * 65}@example.org",
        f"{'a' * 60}@{'b' * 186}.example",
        f"a@{'b-' * 120}",
    ],
)
def test_an_email_address_looks_like_one(value: str) -> None:
    assert problem("Email", value) == "must look like name@example.com"


@pytest.mark.parametrize(
    "value", ["EU", "XX", "999", "Europe", "Freedonia", "N", "\u00df", "\ufb01", "\uff26\uff32", "F R"]
)
def test_a_country_is_a_code_of_the_standard(value: str) -> None:
    assert problem("Country", value) == "must be a two-letter ISO 3166-1 country code such as FR"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("UK", "GB"),
        ("United Kingdom", "GB"),
        ("Germany", "DE"),
        ("france", "FR"),
        ("Italy", "IT"),
        ("SPAIN", "ES"),
        ("España", "ES"),
        ("Netherlands", "NL"),
        ("the Netherlands", "NL"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"),
        ("DEU", "DE"),
        ("528", "NL"),
        ("USA", "US"),
    ],
)
def test_for_a_countrys_name_its_code_is_told(value: str, meant: str) -> None:
    assert problem("Country", value) == f"must be a two-letter ISO 3166-1 country code, here {meant}"


def test_every_other_name_leads_to_a_code_of_the_standard() -> None:
    assert set(ALSO_CALLED.values()) <= country_codes()
    assert not set(ALSO_CALLED) & country_codes()
    assert list(ALSO_CALLED) == [name.upper() for name in ALSO_CALLED]


def test_the_standard_is_complete() -> None:
    assert len(country_codes() - {"XK"}) == 249
    assert {"NL", "BE", "DE", "FR", "IT", "GB", "US"} <= country_codes()


# --- objects ----------------------------------------------------------------------------------------------------


def test_arguments_are_closed_and_do_not_change() -> None:
    part = Everything(value=1)

    with pytest.raises(ValidationError, match="extra_forbidden"):
        Everything.model_validate({"value": 1, "valeu": 2})
    with pytest.raises(ValidationError, match="frozen"):
        part.value = 2


@pytest.mark.parametrize("name", list(TYPES))
def test_a_refusal_does_not_repeat_what_was_given(name: str) -> None:
    with pytest.raises(ValidationError) as raised:
        kept(name, ["s-very-secret"])

    assert "s-very-secret" not in str(raised.value)


def test_an_order_is_real_unless_a_dry_run_is_asked_for() -> None:
    assert issubclass(CreateArguments, Arguments)
    assert CreateArguments().dry_run is False
    assert CreateArguments.model_validate({"dry_run": "true"}).dry_run is True


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        *(
            (name, {"type": "string"})
            for name in ("Line", "RequiredLine", "Note", "Reference", "Phone", "Email", "Country")
        ),
        ("PositiveInt", {"type": "integer", "minimum": 1}),
        ("Quantity", {"type": "integer", "minimum": 1}),
        ("Count", {"type": "integer", "minimum": 0}),
        ("Amount", {"type": "number", "minimum": 0}),
    ],
)
def test_schemas_hold_only_what_every_host_understands(name: str, schema: dict[str, Any]) -> None:
    assert TypeAdapter(TYPES[name]).json_schema() == schema
