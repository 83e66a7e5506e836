"""What Dipli's `shipping_status` means (sheet section 6): its `shipped` is a parcel that has arrived."""

from __future__ import annotations

from dropship_tools.orders import Status

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
