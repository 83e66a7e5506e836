"""Searching a catalogue: words, codes and barcodes, however they are written."""

from __future__ import annotations

import pytest

from dropship_tools.rewix.catalogue_data import Copy, Product, Variant
from dropship_tools.rewix.catalogue_search import Index


def variants(first: int, colour: str, *sizes: str, stock: int = 5, code: str = "") -> tuple[Variant, ...]:
    """One variant for each size."""
    return tuple(
        Variant(first + n, (size, colour), code, f"{code} {size}", f"800{first + n:010d}", "9.00", "EUR", stock)
        for n, size in enumerate(sizes)
    )


INDEX = Index(
    Copy(
        (
            Product("1", "Monteluce T-shirt", "MO1000_BLA", "Monteluce clothing", variants(100, "black", "S", "M", "L", code="MO1000_BLA")),
            Product("2", "Monteluce Jacket", "MO1001_NAV", "Monteluce clothing", variants(200, "navy blue", "46", "48")),
            Product("3", "Karlsvik Stövlar", "KA-77/X", "shoes Łódź", variants(300, "Weiß", "38", "38.5", "39", stock=0)),
            Product("4", "Karlsvik Shirt", "501", "", variants(400, "sand", "M", "XL")),
            Product("5", "Karlsvik Belt for shirts", "B5", "", variants(500, "sand", "100")),
        ),
        "",
        0,
        0,
    )
)  # fmt: skip


def found(search: str, options: str = "") -> list[int]:
    """The stock_ids."""
    return [variant.stock_id for _, variant in INDEX.find(search, options)]


@pytest.mark.parametrize(
    ("search", "options", "expected"),
    [
        ("monteluce", "", [100, 101, 102, 200, 201]),
        ("MONTELUCE jack", "", [200, 201]),
        ("t-shirt", "", [100, 101, 102]),
        ("shirt", "", [100, 101, 102, 400, 401, 500]),
        ("tshirt", "", []),
        ("stovlar", "", [300, 301, 302]),
        ("STÖVLAR", "", [300, 301, 302]),
        ("sto\u0308vlar", "", [300, 301, 302]),
        ("lodz", "", [300, 301, 302]),
        ("clothing", "", [100, 101, 102, 200, 201]),
        ("nothing", "", []),
        ("!!!", "", []),
        ("", "", []),
    ],
)
def test_words_find_products_whatever_their_case_accents_and_ends(
    search: str, options: str, expected: list[int]
) -> None:
    assert found(search, options) == expected


@pytest.mark.parametrize(
    ("search", "options", "expected"),
    [
        ("monteluce", "M", [101]),
        ("monteluce", "black m", [101]),
        ("monteluce", "navy", [200, 201]),
        ("monteluce jacket", "48 blue", [201]),
        ("monteluce", "white", []),
        ("karlsvik", "weiss", [300, 301, 302]),
        ("karlsvik", "38", [300]),
        ("karlsvik", "38,5", [301]),
        ("karlsvik", "38.5", [301]),
        ("karlsvik", "XL", [401]),
        ("karlsvik", "L", []),
        ("shirt", "S", [100]),
    ],
)
def test_sizes_must_be_the_very_size_and_colours_may_be_begun(search: str, options: str, expected: list[int]) -> None:
    assert found(search, options) == expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [("monteluce t-shirt M", [101]), ("monteluce black", [100, 101, 102]), ("karlsvik stovlar 38.5 weiss", [301])],
)
def test_sizes_and_colours_among_the_search_words_count_as_well(search: str, expected: list[int]) -> None:
    assert found(search) == expected


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("MO1000_BLA", [100, 101, 102]),
        ("mo1000 bla", [100, 101, 102]),
        ("mo1000bla", [100, 101, 102]),
        ("mo1000_bla m", [101]),
        ("ka77x", [300, 301, 302]),
        ("8000000000101", [101]),
        (" 800-0000000-101 ", [101]),
        ("101", [101]),
    ],
)
def test_codes_barcodes_and_stock_ids_find_their_variants_however_they_are_written(
    search: str, expected: list[int]
) -> None:
    """Sheet section 4.8: all sizes of a product may share one code, so a code is no variant."""
    assert found(search) == expected


def test_a_barcode_is_found_with_and_without_the_zeros_that_get_lost_in_front() -> None:
    index = Index(Copy((Product("1", "Hat", variants=(Variant(7, barcode="0012345678905"),)),), "", 0, 0))
    for barcode in ("0012345678905", "12345678905", "012345678905"):
        assert [variant.stock_id for _, variant in index.find(barcode)] == [7]


def test_a_number_that_is_a_code_and_a_word_finds_both_once_and_the_code_first() -> None:
    index = Index(
        Copy(
            (
                Product("1", "Jeans 501", variants=(Variant(1),)),
                Product("2", "Belt", "501", variants=(Variant(2),)),
                Product("3", "Sock", variants=(Variant(501),)),
            ),
            "",
            0,
            0,
        )
    )
    assert [variant.stock_id for _, variant in index.find("501")] == [2, 501, 1]


def test_whole_words_and_goods_in_stock_come_first() -> None:
    assert found("karlsvik") == [400, 401, 500, 300, 301, 302]


def test_letters_of_other_scripts_are_words_too() -> None:
    index = Index(Copy((Product("1", "Пиджак 夾克", variants=(Variant(1, ("M",)),)),), "", 0, 0))
    assert [[v.stock_id for _, v in index.find(word)] for word in ("ПИДЖАК", "夾克", "пидж")] == [[1], [1], [1]]


def test_a_flood_of_words_is_cut() -> None:
    assert found("monteluce " * 5000) == [100, 101, 102, 200, 201]
