"""What one order adds to the account's reservation: taken before the order, given back if there is none.

Rewix shortens an order above the stock without a word, so every piece is reserved first (sheet sections 1 and 5). The
reservation is one per account and never lapses: only differences to the moment before are ours, nothing is ever set to
an absolute number, and nothing may be left behind unsaid.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio

from dropship_tools.errors import DropshipError, FieldProblem, ProviderRefused, ProviderUnavailable
from dropship_tools.provider import Held
from dropship_tools.rewix.client import TITLE, Reserved, RewixClient

CLEAN_UP = 6.0
"""Longest time, in seconds, to free what was reserved, or to see what is left of it."""

PATIENCE = 10.0
"""Longest wait, in seconds, for other orders of this account."""

_LISTED = 10


@asynccontextmanager
async def turn(client: RewixClient) -> AsyncGenerator[Held]:
    """Be the only one, of this process and of those that share its ledger, who uses the account's reservation.

    Gives a way to ask whether that is still so.

    Raises:
        ProviderUnavailable: another one takes too long.
        LedgerUnavailable: the others cannot be asked.
    """
    is_held: Held | None = None
    async with AsyncExitStack() as held:
        with anyio.move_on_after(PATIENCE):
            await held.enter_async_context(client.line)  # so that a process waits but once among the others
            is_held = await held.enter_async_context(client.turn())
        if is_held is None:
            raise ProviderUnavailable(
                "another order of this account is being placed, and nothing was sent",
                fix="Make the same call again, unchanged, when the other one has ended.",
            )
        yield is_held


class Reservation:
    """One order's share of the account's reservation.

    Args:
        client: the account.
        wanted: pieces per stock_id.
        before: the account's reservation before this order.
    """

    def __init__(self, client: RewixClient, wanted: Mapping[int, int], before: Reserved) -> None:
        self._client = client
        self._wanted = wanted
        self._before = before
        self._gained: Mapping[int, int] | None = {}  # None: asked for, and not known yet what came of it

    async def take(self) -> None:
        """Reserve every piece.

        Raises:
            ProviderRefused: too little stock (`fields` says how little), or Rewix said no.
            ProviderAuth, RateLimited, ProviderUnavailable: it is not known to be reserved.
        """
        self._gained = None
        try:
            after = await self._client.reserve("lock", self._wanted)
        except ProviderUnavailable as lost:
            # A second lock could reserve twice; what is reserved now says whether the first one worked.
            after = await self._client.reserved()
            if not self._share(after):
                raise ProviderUnavailable(
                    f"{TITLE} did not confirm that the items are reserved, so nothing was ordered",
                    fix="Wait a minute and make the same call again, with the same key.",
                ) from lost
        self._gained = self._share(after)
        short = {i: got for i, asked in self._wanted.items() if (got := self._gained.get(i, 0)) < asked}
        if short:
            fix = "Order at most what was granted, or another variant, under the same key."
            if any(self._before.get(stock_id) for stock_id in short):
                fix += " Pieces the account holds already and meant for this order: rewix_reserve_stock unlock first."
            raise ProviderRefused(
                f"{TITLE} has too little stock, so nothing was ordered",
                fix=fix,
                fields=[self._shortage(stock_id, granted) for stock_id, granted in short.items()],
            )

    def _shortage(self, stock_id: int, granted: int) -> FieldProblem:
        held = self._before.get(stock_id, 0)
        more = f"; held by the account before: {held}" if held else ""
        return FieldProblem(
            f"item_list: stock_id {stock_id}", f"asked {self._wanted[stock_id]}, granted {granted}{more}"
        )

    async def give_back(self) -> str:
        """Free what this order reserved and is still reserved, also when the call is being cancelled.

        Returns:
            What stays reserved, for people; empty if nothing does. Never raises a `DropshipError`.
        """
        if self._gained is not None and not self._gained:
            return ""
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEAN_UP), suppress(DropshipError):
            left = await self._free()
            return f"Reserved stock is left behind: {pieces_in_words(left)}. {_FREE_IT}" if left else ""
        return f"Reserved stock may be left behind: {pieces_in_words(self._gained or self._wanted)}. {_FREE_IT}"

    async def _free(self) -> dict[int, int]:
        now = self._share(await self._client.reserved())
        gained = now if self._gained is None else self._gained
        freeable = {i: n for i, pieces in gained.items() if (n := min(pieces, now.get(i, 0)))}
        if not freeable:
            return {}
        left = self._share(await self._client.reserve("unlock", freeable))
        return {i: n for i, pieces in left.items() if (n := min(pieces, freeable.get(i, 0)))}

    async def left_over(self, after: Reserved | None) -> list[str]:
        """Warnings about pieces that are still reserved although the order exists.

        Args:
            after: the reservation after the order, if its answer showed it.
        """
        if after is None:
            with anyio.move_on_after(CLEAN_UP), suppress(DropshipError):
                after = await self._client.reserved()
        if after is None:
            return ["It could not be read whether the order took everything that was reserved for it."]
        grown = self._growth(after)
        if not grown:
            return []
        return [
            f"More is reserved than before this order: {pieces_in_words(grown)}. The order may lack it, or another one "
            f"of the account reserved it. {_FREE_IT}"
        ]

    def _growth(self, now: Reserved) -> dict[int, int]:
        return {i: more for i, pieces in now.items() if (more := pieces - self._before.get(i, 0)) > 0}

    def _share(self, now: Reserved) -> dict[int, int]:
        """The growth that can be this order's: at most what it wants."""
        return {i: min(more, self._wanted[i]) for i, more in self._growth(now).items() if i in self._wanted}


_FREE_IT = "Reservations never lapse: free them with rewix_reserve_stock (unlock), or ask the supplier."


def pieces_in_words(quantities: Mapping[int, int]) -> str:
    """`2 of stock_id 1567, 1 of stock_id 1578`."""
    listed = [f"{pieces} of stock_id {stock_id}" for stock_id, pieces in quantities.items()]
    more = [f"{len(listed) - _LISTED} more"] if len(listed) > _LISTED else []
    return ", ".join(listed[:_LISTED] + more)
