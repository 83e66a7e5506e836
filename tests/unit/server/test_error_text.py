"""The text of an error: its form, and what is cut out of a provider's words."""

from __future__ import annotations

import pytest

from dropship_mcp.answers import error_text
from dropship_tools.errors import FieldProblem, InvalidArguments, OutcomeUnknown, ProviderRefused


def said(words: str, *private: str) -> str:
    """What is shown of a provider's words."""
    text = error_text(ProviderRefused("no", fix="Ask."), ordering=False)
    assert text == "provider_refused: no\nfix: Ask."
    text = error_text(ProviderRefused("no", fix="Ask.", provider_said=words), ordering=False, private=private)
    return text.removeprefix("provider_refused: no\nfix: Ask.").removeprefix("\nprovider said (untrusted): ")


def test_an_error_has_the_documented_form() -> None:
    error = InvalidArguments(
        "2 problems", fix="Correct them.", fields=[FieldProblem("a", "b"), FieldProblem("c.0", "d")]
    )
    assert error_text(error, ordering=True) == (
        "invalid_arguments: 2 problems\norder sent: no\nfix: Correct them.\n- a: b\n- c.0: d"
    )


def test_an_unknown_outcome_says_maybe_and_quotes_the_provider_last() -> None:
    error = OutcomeUnknown("it broke off", fix="Look.", provider_said="502")
    assert error_text(error, ordering=True) == (
        'outcome_unknown: it broke off\norder sent: maybe\nfix: Look.\nprovider said (untrusted): "502"'
    )


@pytest.mark.parametrize(
    ("words", "private", "shown"),
    [
        ("", (), ""),
        ("<p> </p>\u200b", (), ""),
        ('say "yes"\nnow', (), "\"say 'yes' now\""),
        ("no Ann here", ("Ann",), '"no *** here"'),
        ("no ANN here", ("ann",), '"no *** here"'),
        ("Main   Street", ("Main Street",), '"***"'),
        ("Main Street", (" Main \n Street ",), '"***"'),
        ("Zoe\u0308", ("Zo\u00eb",), '"***"'),
        ("a&amp;b GmbH", ("a&b GmbH",), '"***"'),
        ("a.c and abc", ("a.c",), '"*** and abc"'),
        ("Annabel Ann", ("Ann", "Annabel"), '"*** ***"'),
        ("in FR 75", ("FR", "75"), '"in FR 75"'),
        ("does not match; Doe's 2doe, DOE_1", ("Doe",), '"does not match; ***\'s 2***, ***_1"'),
        ("Annabel, reannounce", ("Ann",), '"Annabel, reannounce"'),
        ("\u7530\u4e2d\u592a\u69d8", ("\u7530\u4e2d\u592a",), '"***\u69d8"'),
        ("sent to main str…", ("Main Street",), '"sent to ***"'),
        ("sent to Ma…", ("Main Street",), '"sent to Ma…"'),
        ("1 pending", ("Ingrid",), '"1 pending"'),
    ],
)
def test_private_values_are_masked_in_whatever_form_they_come_back(
    words: str, private: tuple[str, ...], shown: str
) -> None:
    assert said(words, *private) == shown


def test_a_flood_of_words_is_cut_to_300_characters() -> None:
    assert said("word " * 10_000) == '"' + ("word " * 60)[:299].rstrip() + '…"'
