"""From a provider's answer to a typed value or an error of ours: the part that is alike for all providers."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dropship_tools.errors import (
    DropshipError,
    NotFound,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    UnexpectedAnswer,
)
from dropship_tools.wire import Answer, Unreadable

ModelT = TypeVar("ModelT", bound=BaseModel)

ORDER_ONCE = "Do not order again under another reference."


class WireModel(BaseModel):
    """A provider's answer as we read it: unknown keys are ignored, numbers may stand where text is meant."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        defer_build=True,  # built when the first answer comes, not while a host waits for the tool list
    )


def parse(model: type[ModelT], raw: Any) -> ModelT:
    """`raw` as `model`.

    Raises:
        Unreadable: it does not fit; names the fields, not their values.
    """
    try:
        return model.model_validate(raw)
    except (ValidationError, RecursionError) as error:
        places = (
            sorted({".".join(map(str, e["loc"]))[:60] for e in error.errors(include_url=False, include_input=False)})
            if isinstance(error, ValidationError)
            else []
        )
        raise Unreadable("the answer has an unexpected form at " + (", ".join(places[:3]) or "its root")) from error


def unreadable_read(title: str, error: Unreadable) -> UnexpectedAnswer:
    """The error for a look-up whose answer makes no sense."""
    return UnexpectedAnswer(
        f"{title} answered, but {error}",
        fix="Try once more later; if it stays so, tell the person who runs this server.",
    )


def unreadable_order(title: str, error: Unreadable) -> OutcomeUnknown:
    """The error for an order whose answer makes no sense: the order may well exist."""
    return OutcomeUnknown(f"{title} took the order, but {error}", fix=ORDER_ONCE)


def read_error(title: str, answer: Answer, what: str, said: str = "") -> DropshipError:
    """The error for a look-up that was not answered with 2xx. `what` names the thing looked for."""
    if answer.status in (401, 403):
        return _auth(title, answer, said)
    if answer.status == 404:
        return NotFound(
            f"{title} knows no {what} under that id",
            fix="Check which kind of id it is; dropship_status lists the accounts that were asked.",
            provider_said=said,
        )
    if answer.status == 429:
        return _rate_limited(title, answer, said)
    if answer.status >= 500 or answer.status == 408:
        return ProviderUnavailable(
            f"{title} answered with HTTP {answer.status}",
            fix="Wait a minute and call the same tool again; reading changes nothing.",
            provider_said=said,
        )
    return ProviderRefused(
        f"{title} refused the look-up with HTTP {answer.status}",
        fix="Check the arguments.",
        provider_said=said,
    )


def order_error(title: str, answer: Answer, said: str = "", fix: str = "") -> DropshipError:
    """The error for an order that was not answered with 2xx.

    4xx means that no order came of it; 408 and 5xx leave that open.
    """
    if answer.status in (401, 403):
        return _auth(title, answer, said)
    if answer.status == 429:
        return _rate_limited(title, answer, said)
    if answer.status >= 500 or answer.status == 408:
        return OutcomeUnknown(
            f"the order was sent to {title}, which answered with HTTP {answer.status}",
            fix=ORDER_ONCE,
            provider_said=said,
        )
    return ProviderRefused(
        f"{title} refused the order with HTTP {answer.status}",
        fix=fix or "Correct what the provider names and call again with the same reference.",
        provider_said=said,
    )


def _auth(title: str, answer: Answer, said: str) -> ProviderAuth:
    return ProviderAuth(
        f"{title} does not accept the credentials (HTTP {answer.status})",
        fix="Stop and ask the person who runs this server to check the account's credentials.",
        provider_said=said,
    )


def _rate_limited(title: str, answer: Answer, said: str) -> RateLimited:
    seconds = 60.0 if answer.retry_after is None else answer.retry_after
    return RateLimited(
        f"{title} asks to slow down",
        fix=f"Wait {seconds:g} s, then make the same call again.",
        provider_said=said,
        retry_after=seconds,
    )
