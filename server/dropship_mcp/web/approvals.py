"""`/approvals`: people read what waits for them, and agree or decline. It works without scripts.

Only somebody with the scope `orders:approve` gets in, by a token that a proxy puts into each request or by signing in
with one. A form counts only if it was sent from this page, by the person it was made for, about the order it showed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from dropship_mcp.caller import APPROVE, Caller
from dropship_mcp.http_settings import APPROVALS
from dropship_mcp.leaving import Leaving
from dropship_mcp.ledger import Approval, Approvals, Decided
from dropship_mcp.watching import NobodyWatches, Watch
from dropship_mcp.web import approval_html as html
from dropship_mcp.web.bodies import read_body
from dropship_mcp.web.entrance import Entrance
from dropship_mcp.web.keys import KeysUnavailable
from dropship_mcp.web.sessions import Failures, Session, Sessions
from dropship_mcp.web.tokens import Refused, Tokens
from dropship_tools.errors import LedgerUnavailable
from dropship_tools.text import clean

log = logging.getLogger(__name__)

LARGEST_FORM = 16 * 1024
"""Bytes."""

MOST_SHOWN = 20
"""Decided approvals in the overview."""

_LONGEST_NUMBER = 9
"""Digits; databases count no further than a few more."""

_SIGN_OUT = "sign out"

_TOO_OLD = "This page was too old, or was not made for you. Look at the order once more."


class Book(Protocol):
    """What the page needs of a ledger."""

    @property
    def approvals(self) -> Approvals:
        """The agreements it keeps."""
        ...

    async def key(self, purpose: str) -> bytes:
        """A key that only those know who share the ledger."""
        ...


@dataclass(frozen=True)
class Office:
    """What the people of one tenant decide on.

    Attributes:
        book: where it is kept.
        mode: sandbox or live; approvals of the other one are not shown.
        good_for: how long an agreement is good.
        watch: is told what was decided.
    """

    book: Book
    mode: str
    good_for: timedelta
    watch: Watch = field(default_factory=NobodyWatches)

    async def key(self) -> bytes:
        """What its people's sessions and forms are sealed with."""
        return await self.book.key("approvals page")

    async def approval(self, number: int | None) -> Approval | None:
        """One approval of the mode in force."""
        found = None if number is None else await self.book.approvals.get(number)
        return found if found and found.key.mode == self.mode else None


@dataclass(frozen=True)
class Visit:
    """A request of somebody who may decide."""

    session: Session
    office: Office
    key: bytes

    def form(self, approval: Approval) -> str:
        """What a decision on this very content brings back."""
        return self.session.form(self.key, *_about(approval))

    def decides(self, given: str, approval: Approval) -> bool:
        """Whether a form brought that back."""
        return self.session.sent(given, self.key, *_about(approval))

    def header(self, path: str) -> str:
        """Who is here."""
        leave = self.session.form(self.key, _SIGN_OUT) if self.session.id else ""
        return html.signed_in_as(path, self.session.caller.subject, leave)


class ApprovalsPage:
    """The page and its forms.

    Args:
        url: the page as people know it.
        offices: by `Caller.tenant`.
        entrance: knows the server's names.
        tokens: verifies the token of whoever signs in.
        leaving: cuts off forms that are still being sent.
    """

    def __init__(
        self, url: str, offices: Mapping[str | None, Office], entrance: Entrance, tokens: Tokens, leaving: Leaving
    ) -> None:
        public = urlsplit(url)
        self._path = public.path
        self._scheme = public.scheme
        self._cookie = "__Secure-dropship-approvals" if public.scheme == "https" else "dropship-approvals"
        self._offices = offices
        self._entrance = entrance
        self._tokens = tokens
        self._leaving = leaving
        self._sessions = Sessions(tokens)
        self._failures = Failures()

    def routes(self) -> list[Route]:
        """Where it is served."""
        return [
            Route(APPROVALS, self._guarded(self._overview), methods=["GET"]),
            Route(f"{APPROVALS}/sign-in", self._guarded(self._sign_in), methods=["POST"]),
            Route(f"{APPROVALS}/sign-out", self._guarded(self._sign_out), methods=["POST"]),
            Route(f"{APPROVALS}/{{number}}", self._guarded(self._details), methods=["GET"]),
            Route(f"{APPROVALS}/{{number}}", self._guarded(self._decide), methods=["POST"]),
        ]

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """What holds for every request: known names, forms from this page only, and headers for the browser."""

        async def guarded(request: Request) -> Response:
            response = self._entrance.refuse_host(request.headers)
            if response is None and request.method == "POST" and not self._is_ours(request):
                response = self._message(403, "Not from this page", "The form was sent from another page.")
            try:
                response = response or await answer(request)
            except LedgerUnavailable as error:
                log.warning("the approvals page cannot be shown: %s", error.what)
                response = self._message(503, "Not now", "The ledger cannot be used. Nothing was decided.")
            except ClientDisconnect:
                response = Response(status_code=400)  # nobody is left to answer
            response.headers.update(html.HEADERS)
            return response

        return guarded

    def _is_ours(self, request: Request) -> bool:
        """Whether a form was sent from this page: browsers say so themselves, and pages cannot make them lie."""
        headers = request.headers
        ours = f"{self._scheme}://{headers['host']}".lower()
        site = headers.get("sec-fetch-site", "same-origin")
        return headers.get("origin", "").lower() == ours and site == "same-origin"

    # --- pages -------------------------------------------------------------------------------------------------------

    async def _overview(self, request: Request) -> Response:
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        approvals, mode = visit.office.book.approvals, visit.office.mode
        waiting = await approvals.recent(mode, "waiting")
        recent = await approvals.recent(mode, limit=len(waiting) + MOST_SHOWN)
        decided = [approval for approval in recent if approval.state != "waiting"][:MOST_SHOWN]
        return HTMLResponse(html.overview(self._path, waiting, decided, visit.header(self._path)))

    async def _details(self, request: Request) -> Response:
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        approval = await visit.office.approval(_number(request.path_params["number"]))
        return self._show(visit, approval) if approval else self._unknown()

    async def _decide(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        approval = await visit.office.approval(_number(request.path_params["number"]))
        if approval is None:
            return self._unknown()
        if not visit.decides(form.get("form", ""), approval):
            return self._show(visit, approval, 403, _TOO_OLD)
        decision = form.get("decision")
        unreadable = approval.state == "waiting" and not approval.question
        if decision not in ("approve", "decline") or unreadable:
            return self._show(visit, approval, 400, "Nothing was decided.")
        how = f"on the approvals page by {clean(visit.session.caller.subject, 64)}"
        try:
            await visit.office.book.approvals.decide(
                approval.number, agreed=decision == "approve", how=how, good_for=visit.office.good_for
            )
        except Decided:
            present = await visit.office.approval(approval.number)
            notice = "This was settled before, so your answer does not count."
            return self._show(visit, present, 409, notice) if present else self._unknown()
        visit.office.watch.approval_decided(approval.key.mode, approval.key.provider, agreed=decision == "approve")
        return RedirectResponse(f"{self._path}/{approval.number}", 303)

    def _show(self, visit: Visit, approval: Approval, status: int = 200, notice: str = "") -> Response:
        page = html.details(self._path, approval, visit.form(approval), visit.header(self._path), notice)
        return HTMLResponse(page, status)

    def _unknown(self) -> Response:
        return self._message(404, "No such approval", "It does not exist, or not any more.")

    def _message(self, status: int, title: str, text: str) -> Response:
        return HTMLResponse(html.message(self._path, title, text), status)

    # --- people ------------------------------------------------------------------------------------------------------

    async def _visit(self, request: Request) -> Visit | Response:
        """Who is here, or what to answer instead."""
        if "authorization" in request.headers:
            caller = await self._entrance.identify(request.scope, request.headers, self._tokens)
            if isinstance(caller, Response):
                return caller
            return await self._admitted(Session(caller))
        session = await self._session(request)
        if session is None:
            return self._ask_in(request)
        return await self._admitted(session)

    async def _admitted(self, session: Session) -> Visit | Response:
        office = self._offices.get(session.caller.tenant)
        if office is None or APPROVE not in session.caller.scopes:
            return self._message(403, "Not allowed", "Your token does not allow approving orders (orders:approve).")
        return Visit(session, office, await office.key())

    async def _session(self, request: Request) -> Session | None:
        owner, dot, sealed = request.cookies.get(self._cookie, "").partition(".")
        tenant = owner or None
        office = self._offices.get(tenant) if dot else None
        return self._sessions.read(sealed, tenant, await office.key()) if office else None

    def _ask_in(self, request: Request) -> Response:
        number = _number(request.path_params.get("number", ""))
        elsewhere = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
        if elsewhere and request.method != "POST" and self._cookie not in request.cookies:
            return HTMLResponse(html.once_more(f"{self._path}/{number}" if number else self._path))
        return self._sign_in_again(number, 401)

    def _sign_in_again(self, number: int | None, status: int, problem: str = "", wait: int = 0) -> Response:
        headers = {"www-authenticate": "Bearer"} if status == 401 else {"retry-after": str(wait)}
        return HTMLResponse(html.sign_in(self._path, number, problem), status, headers)

    async def _sign_in(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        number = _number(form.get("number", ""))
        address = request.client.host if request.client else ""
        if seconds := self._failures.wait(address):
            return self._sign_in_again(
                number, 429, f"Too many tokens were refused. Try again in {seconds} s.", wait=seconds
            )
        try:
            caller = await self._tokens.verify(form.get("token", "").strip())
        except Refused as refused:
            self._failures.add(address)
            log.info("somebody could not sign in to the approvals page: %s", refused)
            return self._sign_in_again(number, 401, "The token was refused.")
        except KeysUnavailable as unavailable:
            what = f"This token cannot be verified now. Try again in {unavailable.wait} s."
            return self._sign_in_again(number, 503, what, wait=unavailable.wait)
        visit = await self._admitted(Session(caller))
        if isinstance(visit, Response):
            return visit
        return self._welcome(caller, visit.key, number)

    def _welcome(self, caller: Caller, key: bytes, number: int | None) -> Response:
        sealed, seconds = self._sessions.begin(caller, key)
        response = RedirectResponse(f"{self._path}/{number}" if number else self._path, 303)
        self._set_cookie(response, f"{caller.tenant or ''}.{sealed}", seconds)
        return response

    async def _sign_out(self, request: Request) -> Response:
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        visit = await self._visit(request)
        if isinstance(visit, Response):
            return visit
        if not visit.session.sent(form.get("form", ""), visit.key, _SIGN_OUT):
            return self._message(403, "Not signed out", _TOO_OLD)
        response = RedirectResponse(self._path, 303)
        self._set_cookie(response, "", 0)
        return response

    def _set_cookie(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._cookie,
            value,
            max_age=seconds,
            path=self._path,
            secure=self._scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def _form(self, request: Request) -> dict[str, str] | Response:
        """The fields of a form; of one that comes twice the last."""
        body = await read_body(request.headers, request.receive, LARGEST_FORM, self._leaving)
        if isinstance(body, Response):
            return body
        try:
            fields = parse_qs(body.decode("ascii"), max_num_fields=10)
        except ValueError:
            return self._message(400, "Not understood", "That is not a form of this page.")
        return {name: values[-1] for name, values in fields.items()}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _about(approval: Approval) -> tuple[str, ...]:
    """A form about other content is another form."""
    return str(approval.number), approval.fingerprint
