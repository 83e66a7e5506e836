"""What the ledger seals comes back only from exactly what it gave out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dropship_mcp.ledger.hashing import ContentHasher

HASHER = ContentHasher(b"k" * 32)

CHANGES: dict[str, Callable[[str], str]] = {
    "more behind it": lambda sealed: f"{sealed}-TAMPERED",
    "more padding": lambda sealed: f"{sealed}=",
    "a blank behind it": lambda sealed: f"{sealed} ",
    "a foreign letter before it": lambda sealed: f"!{sealed}",
    "a foreign letter in it": lambda sealed: f"{sealed[:9]}~{sealed[9:]}",
    "no ASCII": lambda sealed: f"{sealed}é",
    "cut": lambda sealed: sealed[:-1],
    "other letters": str.swapcase,
    "empty": lambda _: "",
}


def test_what_was_sealed_can_be_read_with_the_same_secret_only() -> None:
    sealed = HASHER.seal("order 7, Łódź")
    assert HASHER.unseal(sealed) == "order 7, Łódź"
    assert "order" not in sealed
    assert ContentHasher(b"o" * 32).unseal(sealed) is None


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_seal_that_was_changed_opens_nothing(change: Callable[[str], str]) -> None:
    assert HASHER.unseal(change(HASHER.seal("order 7, two pieces"))) is None
