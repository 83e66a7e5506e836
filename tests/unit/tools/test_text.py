"""Text of other people: poisoned strings come out harmless, ordinary ones unharmed, and both quickly."""

from __future__ import annotations

import time
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ValidationError

from dropship_tools.text import SAID_LIMIT, CleanAlready, Said, clean

ORDINARY = [
    "Pizza margherita, 2 pieces @ 10.99",
    "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144",
    "\u7530\u4e2d\u592a\u90ce \u2014 \u20ac 5,00",
    "\u05e9\u05dc\u05d5\u05dd",
    "\U0001f355 hot",
    "5 < 6 and 7 > 3",
    "if a<5 then b>4",
    "AT&T; R&D",
    "100 % \u00bd \u00b2",
    "C:\\temp\\x [a] {b} `c` $d",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a \t\r\n  b\u2028c\u2029d\xa0e ", "a b c d e"),
        ("<b>bold</b> move", "bold move"),
        ("a<br/>b<!DOCTYPE html>c<?php x ?>d", "a b c d"),
        ("<a href='x' onclick=\"y\">link</a>", "link"),
        ("<img\nsrc=x>after", "after"),
        ("<script>steal()</script>Hello<style>p{}</style>", "Hello"),
        ("<SCRIPT src=x>steal()</ScRiPt >Hello", "Hello"),
        ("Hello<script>never closed", "Hello"),
        ("a<!-- hidden > still hidden -->b", "a b"),
        ("a<!-- never closed", "a"),
        ("<scr<script>ipt>x", "<scr"),
        ("<scr<b>ipt>x", "ipt>x"),
        ("<a<b<c<d>>>>e", ">>>e"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("&amp;lt;script&amp;gt;steal()&amp;lt;/script&amp;gt;ok", "ok"),
        ("&#60;b&#62;x&#x3c;/b&#x3E;", "x"),
        ("&#8203;a&#x202E;b&#xE0041;c", "abc"),
        ("caf&eacute; &amp; bar", "caf\u00e9 & bar"),
        ("&#0;&#1;&#xD800;&#x110000;x", "\ufffd\ufffd\ufffdx"),
        (f"a&#{'9' * 5000};b", "a b"),
        (f"a&#x{'f' * 5000};b", "a b"),
        (f"a&amp;#{'9' * 5000};b", "a b"),
        ("I\u200bg\u200dn\u2060o\ufeffr\xade", "Ignore"),
        ("abc\u202egnp.exe\u202c", "abcgnp.exe"),
        ("\u2066a\u2069 \u200eb\u200f \u061cc", "a b c"),
        ("ok" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all"), "ok"),
        ("ok" + "".join(chr(0xE0100 + n) for n in range(200)), "ok"),
        ("a\ufe0f\ufe00b", "ab"),
        ("\u3164\u115f\u1160\uffa0\u2800\u034f\u180bx", "x"),
        ("a\x00\x07\x1b[31mb\x7f\x85c", "a[31mbc"),
        ("\ud800x\udfff", "x"),
        ("\ue000\U000f0000x", "x"),
        ("<\u200bscript>steal()</script>ok", "ok"),
        ("&l\u200bt;b&gt;x", "x"),
    ],
)
def test_poison_is_removed(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize("length", [SAID_LIMIT - 1, SAID_LIMIT])
def test_text_up_to_the_limit_stays_whole(length: int) -> None:
    assert clean("x" * length) == "x" * length


@pytest.mark.parametrize("length", [SAID_LIMIT + 1, 10**6])
def test_longer_text_is_cut_and_says_so(length: int) -> None:
    assert clean("x" * length) == "x" * (SAID_LIMIT - 1) + "\u2026"


def test_the_limit_can_be_chosen() -> None:
    assert clean("one two three", 8) == "one two\u2026"


@pytest.mark.parametrize("before", ["", "a", "a "])
def test_a_character_stays_or_goes_whatever_stands_beside_it(before: str) -> None:
    texts = [f"{before}{chr(code)}b" for code in range(0x400)]
    assert [clean(text) for text in texts] == [clean(f"{text}\u200b") for text in texts]


HOSTILE = [
    "<",
    "<a",
    "</",
    "<!--",
    "<!-- -->",
    "<script>",
    "</script ",
    "<script></script ",
    "&",
    "&#",
    "&amp;",
    "&lt;",
    "&#9",
    "\u200b",
    " ",
    "\n",
    "a<b>",
]


@pytest.mark.parametrize("unit", HOSTILE, ids=repr)
def test_hostile_text_of_any_length_is_cleaned_quickly(unit: str) -> None:
    begun = time.process_time()
    for text in (unit * 100_000, "<script>" + unit * 100_000, "&#" + "9" * 100_000, "<b>" + unit * 100_000 + ">"):
        assert len(clean(text, 5_000)) <= 5_000
    assert time.process_time() - begun < 3


@settings(deadline=None)
@given(st.text(), st.integers(min_value=2, max_value=400))
def test_whatever_comes_in_one_short_visible_line_comes_out(text: str, limit: int) -> None:
    cleaned = clean(text, limit)

    assert len(cleaned) <= limit
    assert cleaned == cleaned.strip()
    assert all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in cleaned)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["<", ">", "b", "&lt;", "&gt;", "&amp;", "lt;", "#60;", "/", "!--", "script", "\u200b"]))
)
def test_no_tag_survives_whatever_it_is_made_of(pieces: list[str]) -> None:
    cleaned = clean("".join(pieces))

    assert "<b>" not in cleaned
    assert "<script>" not in cleaned
    assert "\u200b" not in cleaned


class Told(BaseModel):
    """Somebody else's words."""

    text: Said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<b>x</b>", "x"),
        (98, "98"),
        (10.5, "10.5"),
        (Decimal("10.50"), "10.50"),
        (Decimal("1E+5"), "1E+5"),
    ],
)
def test_a_field_of_said_words_is_cleaned_and_takes_numbers(value: Any, text: str) -> None:
    assert Told(text=value).text == text


@pytest.mark.parametrize("value", [None, True, [], {}, b"\xff"])
def test_a_field_of_said_words_takes_nothing_else(value: Any) -> None:
    with pytest.raises(ValidationError):
        Told(text=value)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.text(alphabet=st.characters(max_codepoint=0x250)),
        st.text(alphabet=st.sampled_from("ab <>&;\u00e9\xa0\u200b"), min_size=SAID_LIMIT - 2, max_size=SAID_LIMIT + 2),
        st.integers(),
        st.floats(),
        st.decimals(allow_nan=False, allow_infinity=False),
    )
)
def test_a_field_of_said_words_holds_what_clean_makes_of_them(value: Any) -> None:
    assert Told(text=value).text == clean(str(value))


@pytest.mark.parametrize("value", ["\ud800x", "x\udfff"])
def test_a_field_of_said_words_loses_half_characters(value: str) -> None:
    assert Told(text=value).text == "x"


def test_what_is_no_text_is_one_problem_at_its_field() -> None:
    with pytest.raises(ValidationError) as caught:
        Told.model_validate({"text": ["a"]})
    assert [problem["loc"] for problem in caught.value.errors()] == [("text",)]


class Marked(BaseModel):
    """A field whose validator tells that it was asked."""

    text: Annotated[str, BeforeValidator(lambda _: "asked"), CleanAlready(5)]
    words: Annotated[str, BeforeValidator(lambda _: "asked"), CleanAlready(numbers=False)] = ""


@pytest.mark.parametrize("value", ["", "x", "a b c", "\u00c9\u0142\u00e9ph", 12345, Decimal("1.50")])
def test_what_is_clean_already_is_taken_without_asking(value: Any) -> None:
    assert Marked(text=value).text == str(value)


@pytest.mark.parametrize(
    "value", ["longer", " x", "x\n", "a  b", "a&b", "<b>", "x\xa0", "x\xad", 123456, None, [], True]
)
def test_about_all_else_the_validator_is_asked(value: Any) -> None:
    assert Marked(text=value).text == "asked"


@pytest.mark.parametrize(("value", "words"), [("12", "12"), (12, "asked"), (Decimal("1.5"), "asked")])
def test_numbers_are_taken_only_where_they_may_be(value: Any, words: str) -> None:
    assert Marked(text="x", words=value).words == words


def test_said_words_are_plain_strings_in_schemas() -> None:
    assert Told.model_json_schema()["properties"] == {"text": {"title": "Text", "type": "string"}}
