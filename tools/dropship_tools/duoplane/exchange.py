"""One account's requests to both APIs: within its budget, answers read for their quota, failures as errors of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from dropship_tools import wire
from dropship_tools.answers import parse
from dropship_tools.duoplane.budget import Budget, quota
from dropship_tools.duoplane.envelope import body_of, complaints
from dropship_tools.duoplane.failures import read_failure, unreadable
from dropship_tools.duoplane.paging import FULL_PAGE, Page, Row, read_page
from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import ProviderHttp
from dropship_tools.wire import Answer, SendOnce, Unreadable, WireRequest


class Exchange:
    """Sends and reads for one account.

    Args:
        budget: shared by all calls of the account, because Duoplane counts per API user.
    """

    def __init__(self, http: ProviderHttp, budget: Budget) -> None:
        self._http = http
        self._budget = budget

    async def send_order(self, request: WireRequest, once: SendOnce) -> tuple[Answer, Any]:
        """Send an order, once; its answer with the body, whatever the status.

        Raises:
            RateLimited, ProviderUnavailable: nothing left.
            OutcomeUnknown: it left, and no usable answer came.
        """
        await self._budget.take()
        return await self._heeded(await self._http.send_order(request, once))

    async def change(self, request: WireRequest, look: str) -> tuple[Answer, Any]:
        """Send a change, once; its answer with the body, whatever the status. `look`: how to see whether it happened.

        Raises:
            RateLimited: nothing left.
            ProviderUnavailable: the message says whether it may have happened.
        """
        await self._budget.take()
        try:
            return await self._heeded(await self._http.change(request))
        except ProviderUnavailable as error:
            raise ProviderUnavailable(error.what, fix=look) from error

    async def one(
        self, request: WireRequest, model: type[Row], object_id: str, what: str, missing: str
    ) -> tuple[Row, tuple[str, ...]]:
        """One object of the new API, and the `errors` told with it. `missing`: what to do if there is none.

        Raises:
            NotFound, ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        answer, body = await self._read(request, what, missing)
        try:
            if not isinstance(body, Mapping):
                raise Unreadable("the answer is not the documented envelope")
            found = parse(model, cast("Mapping[str, Any]", body).get("data"))
            if found.id != object_id:
                raise Unreadable(f"the answer shows another {what}")
        except Unreadable as error:
            raise unreadable(error, answer, body) from error
        return found, tuple(complaints(body))

    async def page(
        self,
        what: str,
        target: str,
        model: type[Row],
        *,
        query: Mapping[str, str] | None = None,
        number: int = 1,
        size: int = FULL_PAGE,
    ) -> Page[Row]:
        """One page of a list of either API.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        # Paging stands outside of search[...]; inside it is silently ignored (sheet section 9).
        request = wire.get(target, {**(query or {}), "page": number, "per_page": size})
        answer, body = await self._read(request, what, missing="")
        try:
            return read_page(answer, body, model, number, size)
        except Unreadable as error:
            raise unreadable(error, answer, body) from error

    async def scan(
        self,
        what: str,
        target: str,
        model: type[Row],
        wanted: Callable[[Row], bool],
        *,
        pages: int,
        query: Mapping[str, str] | None = None,
        enough: Callable[[Row], bool] = lambda _: False,
    ) -> tuple[list[Row], bool]:
        """The wanted rows of a list, up to the page with one that is `enough`; and whether it was read to its end.

        Raises:
            ProviderAuth, RateLimited, ProviderUnavailable, ProviderRefused.
        """
        page = await self.page(what, target, model, query=query)
        rows, read, end = list(page.rows), 1, math.inf if page.more else 1
        for number in page.others(pages):
            if number > end or any(wanted(row) and enough(row) for row in rows):
                break
            page = await self.page(what, target, model, query=query, number=number)
            rows += page.rows
            read += 1
            if not page.more:
                end = number
        # A new row pushes others to the next page while pages are turned: they come twice.
        hits = {row.id or index: row for index, row in enumerate(rows) if wanted(row)}
        return list(hits.values()), read >= end

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _read(self, request: WireRequest, what: str, missing: str) -> tuple[Answer, Any]:
        await self._budget.take()
        # It may send up to three; requests_remaining corrects the count.
        answer, body = await self._heeded(await self._http.read(request))
        if not answer.ok:
            raise read_failure(answer, body, what, missing)
        return answer, body

    async def _heeded(self, answer: Answer) -> tuple[Answer, Any]:
        """The answer and its body, after the budget learned what it tells."""
        body = body_of(answer)
        await self._budget.heed(quota(answer, body))
        return answer, body
