"""What Rewix's status numbers mean (sheet sections 4.4 and 7).

The numbers are names, not steps: 3 comes after 3002. There is no status for a delivered parcel.
"""

from __future__ import annotations

from dataclasses import dataclass

from dropship_tools.orders import Status

BOOKED = "5"
RESERVATION = "5003"
"""Not an order: the container of everything the account has reserved."""

FOLLOW = "Follow it with rewix_get_order."


@dataclass(frozen=True, slots=True)
class Meaning:
    """One status number: Rewix's name, ours, and what to do or to know next."""

    name: str
    status: Status
    next_step: str = FOLLOW


_MEANINGS: dict[str, Meaning] = {
    "0": Meaning("PENDING", "received"),
    "1": Meaning("MONEY WAITING", "received"),
    BOOKED: Meaning(
        "BOOKED",
        "awaiting_payment",
        "Not paid, so it will not ship: a person must pay it in the supplier's web shop. BrandsDistribution cancels "
        "unpaid orders after about 24 hours.",
    ),
    "2": Meaning("TO DISPATCH", "processing"),
    "3001": Meaning("WORKING ON", "processing"),
    "3002": Meaning(
        "READY", "ready_to_ship", "Waits for the carrier to collect it; neither shipped nor delivered yet."
    ),
    "3": Meaning(
        "DISPATCHED", "shipped", "With the carrier; Rewix never reports delivery, only the carrier's tracking."
    ),
    "2000": Meaning("CANCELLED", "cancelled", "Ask the supplier why before ordering again."),
    "2002": Meaning(
        "VERIFY FAILED", "problem", "The payment was refused: a person must look in the supplier's web shop."
    ),
    RESERVATION: Meaning("DROPSHIPPER GROWING", "unknown"),
}


def meaning(code: str) -> Meaning:
    """What a status number means; `unknown`, without a name, for every number that is not documented."""
    return _MEANINGS.get(code, Meaning("", "unknown"))


def in_words(code: str) -> str:
    """`5 BOOKED`, or the bare number where it has no documented name."""
    return f"{code} {meaning(code).name}".strip()
