"""An order that the sandbox takes, and a mistake that an agent could make: for the demo and for trying things out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Example:
    """One provider's example.

    Attributes:
        reference_field: the argument that holds the caller's order number, in create and get alike.
        order: create arguments without the reference.
        mistake: arguments that replace those of `order`.
        mistake_is_same_order: the mistake is made under the reference that was just used.
        mistake_in_words: what is wrong.
    """

    reference_field: str
    order: Mapping[str, Any]
    mistake: Mapping[str, Any]
    mistake_in_words: str
    mistake_is_same_order: bool = False
