"""Finds variants in a catalogue by words, codes and barcodes, whatever their accents, case and punctuation.

Built once for each copy of the catalogue and kept in memory. A search reads one line of text for each product, which
takes some milliseconds for ten thousand of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from dropship_tools.rewix.catalogue_data import Copy, Product, Variant

_WORD = re.compile(r"[0-9]+(?:[.,/][0-9]+)+|[^\W_]+")
"""A size such as 38.5 or 1/2 is one word."""

_MOST_WORDS = 12
_UNFOLDED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take apart."""

Row = tuple[Product, Variant]


@dataclass(frozen=True, slots=True)
class _Line:
    """One product: its words with those of its variants' options, and without; the option words of each variant."""

    product: Product
    all_words: str
    own_words: str
    options: tuple[str, ...]
    in_stock: bool


class Index:
    """A copy of the catalogue, ready for searching."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy
        self._lines = [_line(product) for product in copy.products]
        self._by_code: dict[str, list[tuple[_Line, int]]] = {}
        for line in self._lines:
            for position, variant in enumerate(line.product.variants):
                for code in _codes(line.product, variant):
                    self._by_code.setdefault(code, []).append((line, position))

    def find(self, search: str, options: str = "") -> Iterator[Row]:
        """Variants, best first: those whose code, barcode or stock_id it is, then those whose words it begins.

        Args:
            search: each of its words must begin a word of the product, or of the variant's size or colour.
            options: each of its words must begin a word of the variant's size or colour.
        """
        wanted = [_pattern(word) for word in _words(options)]
        seen: set[int] = set()
        for line, position in chain(self._by_code.get(_code(search), ()), self._by_words(_words(search))):
            variant = line.product.variants[position]
            if variant.stock_id not in seen and all(pattern in line.options[position] for pattern in wanted):
                seen.add(variant.stock_id)
                yield line.product, variant

    def _by_words(self, words: Sequence[str]) -> Iterator[tuple[_Line, int]]:
        if not words:
            return
        patterns = [_pattern(word) for word in words]
        lines = self._lines
        for pattern in patterns:
            lines = [line for line in lines if pattern in line.all_words]
        whole = [f" {word} " for word in words]
        lines.sort(key=lambda line: (not all(word in line.all_words for word in whole), not line.in_stock))
        for line in lines:
            loose = [pattern for pattern in patterns if pattern not in line.own_words]
            for position, options in enumerate(line.options):
                if all(pattern in options for pattern in loose):
                    yield line, position


def _line(product: Product) -> _Line:
    own = _text(f"{product.name} {product.code} {product.about}")
    options = tuple(_text(" ".join(variant.options)) for variant in product.variants)
    every = own + "".join(dict.fromkeys(options))
    return _Line(product, every, own, options, any(variant.availability for variant in product.variants))


def _codes(product: Product, variant: Variant) -> set[str]:
    given = (product.code, variant.code, variant.model, variant.barcode, str(variant.stock_id))
    return {code for code in map(_code, given) if code}


def _folded(text: str) -> str:
    """Without case, accents and the different ways to write one character."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not unicodedata.combining(c))
    return text.casefold().translate(_UNFOLDED)


def _all_words(text: str) -> list[str]:
    return [word.replace(",", ".") for word in _WORD.findall(_folded(text))]


def _words(search: str) -> list[str]:
    return _all_words(search)[:_MOST_WORDS]


def _text(text: str) -> str:
    """The words of a text, each between blanks."""
    return " " + "".join(f"{word} " for word in _all_words(text))


def _code(text: str) -> str:
    """A code without punctuation; of numbers alone (barcodes) also without the zeros some lose in front."""
    code = text.lower() if text.isascii() and text.isalnum() else "".join(_all_words(text))
    return code.lstrip("0") if code.isdigit() else code


def _pattern(word: str) -> str:
    """Where a word begins; short words and numbers (S, XL, 38) must be whole ones."""
    return f" {word} " if len(word) <= 2 or word[0].isdigit() else f" {word}"
