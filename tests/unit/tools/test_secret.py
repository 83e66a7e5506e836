"""A credential shows itself in one way only."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable

import pytest

from dropship_tools.provider import Account
from dropship_tools.secret import Secret

CLEAR = "k-very-secret"
SECRET = Secret(CLEAR)


def test_reveal_is_the_way_out() -> None:
    assert SECRET.reveal() == CLEAR


SHOWN = {
    "repr": repr(SECRET),
    "str": str(SECRET),
    "ascii": ascii(SECRET),
    "pprint": pprint.pformat({"key": SECRET}),
    "format": f"{SECRET}",
    "format with width": f"{SECRET:>20}",
    "format of repr": f"{SECRET!r:>20}",
    "inside a list": repr([SECRET]),
    "inside an account": repr(Account("dropday", "main", "https://dropday.io", {"api_key": SECRET})),
    "traceback": "".join(traceback.format_exception(ValueError(SECRET))),
}


@pytest.mark.parametrize("way", SHOWN)
def test_no_way_of_showing_it_shows_it(way: str) -> None:
    assert "Secret(***)" in SHOWN[way]
    assert CLEAR not in SHOWN[way]


def test_a_log_record_does_not_hold_it(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("any").warning("key %s %r", SECRET, SECRET)

    assert caplog.messages == ["key Secret(***) Secret(***)"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="a secret cannot be pickled"):
        pickle.dumps(SECRET, protocol)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_it_cannot_be_copied(copied: Callable[[Secret], Secret]) -> None:
    with pytest.raises(TypeError, match="a secret cannot be pickled"):
        copied(SECRET)


def test_it_is_no_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": SECRET})


def test_it_has_no_attributes_to_look_into() -> None:
    assert not hasattr(SECRET, "__dict__")


def test_it_is_true_when_there_is_something_to_hide() -> None:
    assert (bool(Secret("a")), bool(Secret(""))) == (True, False)


def test_it_equals_another_secret_of_the_same_value_and_never_a_text() -> None:
    assert Secret(CLEAR) == SECRET
    assert len({Secret(CLEAR), SECRET}) == 1
    assert Secret("other") != SECRET
    assert SECRET != CLEAR


def test_an_account_gives_its_values_in_clear_to_the_code_that_signs() -> None:
    account = Account("dropday", "main", "https://dropday.io", {"api_key": SECRET, "account_id": "101"})

    assert (account.value("api_key"), account.value("account_id"), account.value("other")) == (CLEAR, "101", "")
