"""A shop's catalogue, at most asked for every 15 minutes and otherwise answered from a copy (sheet section 4.8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

import anyio
from anyio.to_thread import run_sync as in_thread

from dropship_tools.answers import unreadable_read
from dropship_tools.errors import DropshipError, ProviderAuth, RateLimited
from dropship_tools.http import NoAnswer
from dropship_tools.rewix.catalogue_data import Copy, whole_copy
from dropship_tools.rewix.catalogue_feed import read_feed
from dropship_tools.rewix.catalogue_file import ASKED_EVERY, CatalogueFile
from dropship_tools.rewix.catalogue_search import Index
from dropship_tools.wire import Answer, Unreadable

WHOLE_EVERY = 24 * 3600.0
"""Seconds between two whole downloads. It is not documented that a feed of changes tells what is gone."""

Download = Callable[[str], Awaitable[Answer]]
"""Asks for the changes since a moment, or with an empty one for everything. Raises `TooLongAgo`, `DropshipError`."""


class TooLongAgo(Exception):
    """The shop does not know any more what changed since then; it wants to be asked for everything."""


class Catalogue:
    """The catalogue of one account.

    Args:
        title: the provider's name for messages.
        download: asks the shop.
        file: where the copy is kept.
        now: the clock.
    """

    def __init__(self, title: str, download: Download, file: CatalogueFile, now: Callable[[], datetime]) -> None:
        self._title = title
        self._download = download
        self._file = file
        self._now = now
        self._turn = anyio.Lock()
        self._index: Index | None = None

    async def current(self) -> Index:
        """The newest copy that can be had. It is older than 15 minutes where the shop gives none.

        Raises:
            RateLimited: there is no copy yet, and the shop must not be asked for one now.
            ProviderUnavailable: there is no copy yet, and the shop gave none.
            ProviderAuth.
        """
        async with self._turn:
            if self._index is None or not self.is_fresh(self._index.copy):
                self._index = await self._newer(self._index)
            return self._index

    def age(self, copy: Copy) -> float:
        """Seconds since the shop was asked for what is in a copy; negative if the clock was set back since."""
        return self._now().timestamp() - copy.read_at

    def is_fresh(self, copy: Copy) -> bool:
        """Whether a copy is as new as the shop may be asked for."""
        return 0 <= self.age(copy) < ASKED_EVERY

    async def _newer(self, index: Index | None) -> Index:
        saved = await in_thread(self._file.load)  # another process may have been quicker
        if saved is not None and (index is None or saved.read_at > index.copy.read_at):
            index = await in_thread(Index, saved)
            if self.is_fresh(saved):
                return index
        now = self._now().timestamp()
        wait = await in_thread(self._file.claim, now)
        if wait:
            if index is None:
                raise RateLimited(
                    f"{self._title} was asked for its catalogue within the last 15 minutes and gave none; it must not "
                    "be asked again yet",
                    fix=f"Wait {wait:.0f} s, or a minute if another process is downloading it now, then call again.",
                    retry_after=wait,
                )
            return index
        try:
            copy = await self._ask(index.copy if index else None, now)
        except DropshipError as error:
            if isinstance(error, ProviderAuth) or _never_left(error):
                await in_thread(self._file.release)
            if index is None or isinstance(error, ProviderAuth):
                raise
            return index
        await in_thread(self._file.save, copy)
        return await in_thread(Index, copy)

    async def _ask(self, copy: Copy | None, now: float) -> Copy:
        """The changes since the copy, or the whole catalogue where there is none or the shop wants it."""
        try:
            if copy is not None and copy.last_update and 0 <= now - copy.full_at < WHOLE_EVERY:
                with suppress(TooLongAgo):
                    changes = await self._download(copy.last_update)
                    return copy.with_changes(await in_thread(read_feed, changes.body), now)
            whole = await self._download("")
            return whole_copy(await in_thread(read_feed, whole.body), now)
        except Unreadable as error:
            raise unreadable_read(self._title, error) from error


def _never_left(error: DropshipError) -> bool:
    return isinstance(error.__cause__, NoAnswer) and not error.__cause__.left
