"""From Duoplane's refusals to our errors: its words are plain texts that name no field (sheet sections 4 and 9)."""

from __future__ import annotations

from typing import Any

from dropship_tools.answers import order_error, read_error
from dropship_tools.duoplane.budget import quota, slow_down
from dropship_tools.duoplane.envelope import said
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    UnexpectedAnswer,
)
from dropship_tools.wire import Answer, Unreadable

TITLE = "Duoplane"

VENDOR_KEY = (
    "Stop and ask the person who runs this server to check the account: this looks like a vendor's key, and only a "
    "retailer's may see and create orders and products."
)
"""A vendor's key authenticates, and fails at everything that is the retailer's (sheet sections 2 and 9)."""

PERHAPS_VENDOR_KEY = "If every id fails, the key may be a vendor's: ask the person who runs this server."

_ARGUMENTS = {
    "sku": "order_items retailer_sku",
    "product": "order_items retailer_product_id",
    "country": "shipping_address.country_iso2",
    "province": "shipping_address.province_code",
    "state": "shipping_address.province_code",
    "post": "shipping_address.post_code",
    "store": "store_id",
}
"""Words in errors about orders, and the arguments they are probably about."""


def order_failure(answer: Answer, body: Any) -> DropshipError:
    """The error for an order that was not answered with 2xx."""
    words = said(answer, body)
    if answer.status == 429:
        return slow_down(quota(answer, body).wait, words)
    if answer.status in (403, 404):
        return _vendor_key(f"{TITLE} refused the order", answer, words)
    names = dict.fromkeys(name for word, name in _ARGUMENTS.items() if word in words.lower())
    fix = f"Correct {', '.join(names)} and call again with the same external_id." if names else ""
    return order_error(TITLE, answer, words, fix)


def read_failure(answer: Answer, body: Any, what: str, missing: str) -> DropshipError:
    """The error for a look-up that was not answered with 2xx.

    Args:
        what: what was looked for.
        missing: what to do if a 404 means that there is none; empty for lists, which are always there.
    """
    words = said(answer, body)
    if answer.status == 429:
        return slow_down(quota(answer, body).wait, words)
    if answer.status == 404 and missing:
        return NotFound(
            f"{TITLE} knows no {what} under that id", fix=f"{missing} {PERHAPS_VENDOR_KEY}", provider_said=words
        )
    if answer.status in (403, 404):
        return _vendor_key(f"{TITLE} does not show this account {what}", answer, words)
    return read_error(TITLE, answer, what, words)


def change_failure(answer: Answer, body: Any, change: str, look: str) -> DropshipError:
    """The error for a change that was not answered with 2xx. `look` tells how to see whether it happened."""
    words = said(answer, body)
    if answer.status == 429:
        return slow_down(quota(answer, body).wait, words)
    if answer.status in (403, 404):
        return _vendor_key(f"{TITLE} refused {change}", answer, words)
    if answer.status >= 500 or answer.status == 408:
        return ProviderUnavailable(
            f"{TITLE} answered {change} with HTTP {answer.status}: it may or may not have happened",
            fix=look,
            provider_said=words,
        )
    if answer.status == 401:
        return read_error(TITLE, answer, change, words)
    return ProviderRefused(
        f"{TITLE} refused {change} with HTTP {answer.status}",
        fix="Correct what Duoplane names and call again.",
        provider_said=words,
    )


def unreadable(error: Unreadable, answer: Answer, body: Any) -> UnexpectedAnswer:
    """The error for a look-up whose answer makes no sense; `errors` on success may tell why."""
    return UnexpectedAnswer(
        f"{TITLE} answered, but {error}",
        fix="Try once more later; if it stays so, tell the person who runs this server.",
        provider_said=said(answer, body),
    )


def _vendor_key(what: str, answer: Answer, words: str) -> DropshipError:
    """A door that a retailer's key opens is closed (403), or the application denies that it is there (404)."""
    kind = ProviderAuth if answer.status == 403 else ProviderRefused
    return kind(f"{what} (HTTP {answer.status})", fix=VENDOR_KEY, provider_said=words)
