"""What Duoplane says in words: `errors` of the envelope, and what else a failure may carry (sheet section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dropship_tools.text import clean
from dropship_tools.wire import Answer, Unreadable

MOST_COMPLAINTS = 20


def body_of(answer: Answer) -> Any:
    """The JSON of an answer; None if it is none, for Duoplane may answer with HTML or nothing."""
    try:
        return answer.json()
    except Unreadable:
        return None


def complaints(body: Any) -> list[str]:
    """`errors`, cleaned: documented as texts; maps of field to texts, single texts and objects are read too."""
    errors: Any = cast("Mapping[str, Any]", body).get("errors") if isinstance(body, Mapping) else None
    texts = [text for text in (clean(text) for text in _texts(errors)) if text]
    more = len(texts) - MOST_COMPLAINTS
    return texts[:MOST_COMPLAINTS] + ([f"and {more} more"] if more > 0 else [])


def said(answer: Answer, body: Any) -> str:
    """Duoplane's words about a failure."""
    if not isinstance(body, Mapping):
        return answer.text()[:2000] if body is None else ""
    facts = cast("Mapping[str, Any]", body)
    plain = [facts[key] for key in ("message", "error") if isinstance(facts.get(key), str)]
    return " | ".join(complaints(facts) or plain)


def _texts(errors: Any) -> list[str]:
    if errors is None or errors is False:
        return []
    if isinstance(errors, list):
        return [text for error in cast("list[Any]", errors) for text in _texts(error)]
    if isinstance(errors, Mapping):
        return [f"{name}: {'; '.join(_texts(error))}" for name, error in cast("Mapping[str, Any]", errors).items()]
    return [str(errors)]
