"""Why a database cannot be used, in words that hold nothing of its address."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from dropship_mcp.ledger.opening import Unusable
from dropship_mcp.ledger.schema import NewerLedger

BROKE_OFF = "the connection to its database broke off"
UNKEPT = "its database cannot keep a text that was given"
DAMAGED = "its tables are missing or damaged"
READ_ONLY = "its database is read-only: a standby, or told to be"
FULL = "the database's disk is full or failing"
NO_ENTRY = "its database does not accept the user or the password"
CANNOT_START = "its database is starting, stopping or recovering"

_STATES: Mapping[str, str] = {
    "08": BROKE_OFF,
    "25006": READ_ONLY,
    "28": NO_ENTRY,
    "3D000": "there is no such database",
    "40": "other processes were in the way again and again",
    "42501": "its database does not let this user write: it needs CREATE on the database once, then its own schema",
    "42": DAMAGED,
    "22": UNKEPT,
    "23": DAMAGED,
    "53300": "its database has no connection left",
    "53": FULL,
    "55P03": "another process holds it locked",
    "57014": "its database was too slow",
    "57P0": CANNOT_START,
    "57": BROKE_OFF,
    "58": FULL,
    "XX": DAMAGED,
}
"""By the beginning of the SQLSTATE; the first that fits counts."""

_AGAIN = ("08", "40", "57P01", "57P02", "57P05", "25P03")
"""The connection or the transaction was ended from outside."""


def in_words(error: Exception) -> str:
    """What is wrong, for a person."""
    if isinstance(error, NewerLedger):
        return "it was written by a newer version of this program"
    if isinstance(error, Unusable):
        return str(error)
    state = _state(error)
    for beginning, words in _STATES.items():
        if state.startswith(beginning):
            return words
    if isinstance(error, TimeoutError):
        return "its database did not answer in time"
    if isinstance(error, ssl.SSLError):
        return "its database cannot be reached safely: TLS fails"
    if isinstance(error, OSError):
        return "its database cannot be reached"
    if isinstance(error, ValueError):
        return DAMAGED
    return BROKE_OFF if not state else f"its database refuses (SQLSTATE {state})"


def is_worth_another_try(error: Exception) -> bool:
    """Whether the same work may well succeed on a new connection."""
    if isinstance(error, Unusable | NewerLedger | TimeoutError):
        return False
    state = _state(error)
    return state.startswith(_AGAIN) or (not state and not isinstance(error, ValueError))


def _state(error: Exception) -> str:
    return str(getattr(error, "sqlstate", None) or "")
