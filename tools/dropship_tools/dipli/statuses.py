"""What Dipli's `shipping_status` means (sheet section 6): its `shipped` is a parcel that has arrived."""

from __future__ import annotations

from typing import Any, Literal

from dropship_tools.orders import Status

ShippingStatus = Literal["pending_confirmation", "ongoing_shipping", "shipped", "error_shipping", "cancelled"]
"""Dipli's own words, as its list can be filtered by them."""

_MEANING: dict[str, Status] = {
    "pending_confirmation": "received",
    "ongoing_shipping": "shipped",
    "shipped": "delivered",
    "error_shipping": "problem",
    "cancelled": "cancelled",
}

_NEXT_STEP: dict[Status, str] = {
    "received": (
        "Not a confirmed sale yet: Dipli accepts by e-mail after checking its stock. Follow it with dipli_get_order."
    ),
    "delivered": "Nothing to do: Dipli says shipped when the parcel has been delivered.",
    "problem": "The transport went wrong; a person must ask Dipli's support, no tool can change an order.",
    "cancelled": "Ask the person before ordering anew; a new order needs a new alternative_id.",
}


def order_status(shipping_status: str) -> Status:
    """The neutral status for Dipli's word; `unknown` for a word nobody documented."""
    return _MEANING.get(shipping_status, "unknown")


def next_step(status: Status) -> str:
    """What to do about an order that stands so; empty if the status says it all."""
    return _NEXT_STEP.get(status, "")


def shipping_status(word: Any) -> Any:
    """One of Dipli's words for its list; blank is None.

    Raises:
        ValueError: another word. Ours are not translated, because `shipped` is among both and means different things.
    """
    if not isinstance(word, str):
        return word
    wanted = word.strip().lower()
    if wanted and wanted not in _MEANING:
        known = ", ".join(f"{own} (which means {meaning})" for own, meaning in _MEANING.items())
        raise ValueError(f"must be one of Dipli's words: {known}")
    return wanted or None
