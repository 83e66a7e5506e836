"""What the program asks of a ledger, wherever it is kept.

Every method raises `LedgerUnavailable` when the ledger cannot be used. What a method has written survives a killed
process and a power cut before the method returns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from dropship_mcp.ledger.rows import Approval, ApprovalState, Change, Claim, Content, OrderKey, Row, State, Terms
from dropship_mcp.policy import Before, Policy
from dropship_tools.provider import Held, SharedBucket


class Approvals(Protocol):
    """The questions that wait for a person, and what the person said."""

    async def decide(self, number: int, *, agreed: bool, how: str, good_for: timedelta) -> None:
        """Record what a person said. An agreement can be used once, within `good_for`.

        Raises:
            Decided: it does not wait any more, or there is no such question.
        """
        ...

    async def reopen(self, number: int) -> bool:
        """Take a person's no back, so that the next call asks anew; False if it is no no."""
        ...

    async def get(self, number: int) -> Approval | None:
        """One approval, its question in clear; None if there is none."""
        ...

    async def recent(
        self, mode: str | None = None, state: ApprovalState | None = None, limit: int = 100
    ) -> list[Approval]:
        """Approvals, newest first, their questions in clear."""
        ...

    async def sealed(self, approval: Approval) -> str:
        """Says which question this is, so that only this ledger can write or read it."""
        ...

    async def is_sealed(self, state: str, approval: Approval) -> bool:
        """Whether `state` was sealed for this question."""
        ...


class Ledger(Protocol):
    """What was promised, and what became of it. Opened on first use."""

    @property
    def place(self) -> str:
        """Where it is, for people; holds no secret."""
        ...

    @property
    def approvals(self) -> Approvals:
        """The agreements it keeps."""
        ...

    async def close(self) -> None:
        """Leave it and give up this process's claims."""
        ...

    async def check(self) -> None:
        """Write without changing anything."""
        ...

    async def key(self, purpose: str) -> bytes:
        """32 bytes that only those know who share this ledger; others for each purpose."""
        ...

    def bucket(self, name: str) -> SharedBucket | None:
        """The leaky bucket called `name` that all processes at this ledger share; None if each has its own."""
        ...

    def turn(self, name: str) -> AbstractAsyncContextManager[Held]:
        """The turn called `name`, which one process at this ledger has at a time; entering it waits."""
        ...

    # --- an order's life -----------------------------------------------------------------------------------------

    async def hashes(self, content: Mapping[str, Any], trace: str = "", *, parcel: str = "") -> Content:
        """Keyed hashes of an order's content."""
        ...

    async def claim(self, key: OrderKey, content: Content, terms: Terms | None = None) -> Claim:
        """Promise to send an order, unless it is somebody else's or settled, or the terms forbid it.

        New, refused, and claimed-by-a-dead-process orders are won. A row that a dead process was sending becomes
        `unknown`. No two processes pass the last place of a limit.

        Raises:
            Withheld: the policy denies it, or a person has to agree first or said no.
        """
        ...

    async def sending(self, row: Row) -> Row:
        """Record that the order leaves now. Nothing may leave when this raises.

        Raises:
            LostOrder: the row is not this process's any more.
        """
        ...

    async def placed(self, row: Row, order_id: str, answer: Mapping[str, Any], reason: str = "") -> Row:
        """Record that the order exists.

        Raises:
            LostOrder: it is not this process's, was settled meanwhile, or the order found is another reference's.
        """
        ...

    async def refused(self, row: Row, reason: str) -> Row:
        """Record that no order exists and that it may be sent again. Raises `LostOrder`."""
        ...

    async def unknown(self, row: Row, reason: str) -> Row:
        """Record that an order may exist. Raises `LostOrder`."""
        ...

    async def settle_by_hand(
        self, row: Row, state: State, order_id: str, answer: Mapping[str, Any], reason: str
    ) -> Row:
        """Record what a person found out about an order that may exist; not while a living process is sending it.

        Raises:
            LostOrder: it is being sent, or was settled meanwhile.
        """
        ...

    async def before(self, key: OrderKey, content: Content, policy: Policy) -> Before:
        """What went out before, as the policy would see it now."""
        ...

    # --- looking -------------------------------------------------------------------------------------------------

    async def peek(self, key: OrderKey) -> Row | None:
        """The same as `get`; a ledger that does not exist yet is not made."""
        ...

    async def get(self, key: OrderKey) -> Row | None:
        """One order. A row that a dead process was sending is shown as `unknown`, here and below."""
        ...

    async def by_reference(self, mode: str, reference: str) -> list[Row]:
        """All orders with this reference, whichever provider and account."""
        ...

    async def recent(self, mode: str | None = None, provider: str = "", state: str = "", limit: int = 100) -> list[Row]:
        """Orders, newest first."""
        ...

    async def order_ids(self, key: OrderKey, since: datetime) -> frozenset[str]:
        """The provider's numbers of the account's other orders since then."""
        ...

    async def is_anothers(self, row: Row, order_id: str, since: datetime) -> bool:
        """Whether an order that looks like `row`'s is, or may be, that of another reference since then."""
        ...

    async def changes(self, row: Row) -> list[Change]:
        """The order's life, oldest first."""
        ...

    async def trace_test(self, row: Row) -> Callable[[str], bool]:
        """A test whether a trace seen at the provider is this order's."""
        ...

    async def forget_sandbox(self) -> None:
        """Delete the sandbox's orders and approvals; live ones stay."""
        ...
