"""Who may come in: known addresses, and callers with a good token. The same for every page that is not public."""

from __future__ import annotations

import logging
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from dropship_mcp.caller import Caller
from dropship_mcp.web.challenges import Challenges, refusal, try_later
from dropship_mcp.web.keys import KeysUnavailable
from dropship_mcp.web.tokens import Refused, Tokens

log = logging.getLogger(__name__)

LONGEST_HOST = 253
"""Characters of a name in the log."""


class Entrance:
    """Looks at a request's address and headers, never at its body.

    Args:
        hosts: Host headers that are accepted.
        origins: Origin headers that are accepted, where there is one.
        challenges: how refusals are worded.
        tokens: verifies them; None where nobody has to say who they are.
    """

    def __init__(
        self, hosts: Collection[str], origins: Collection[str], challenges: Challenges, tokens: Tokens | None
    ) -> None:
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)
        self.challenges = challenges
        self._tokens = tokens
        self._told = False

    async def admit(self, scope: Scope, headers: Headers) -> Caller | Response | None:
        """Who makes the request, None where nobody has to say, or the refusal."""
        if refused := self.refuse_host(headers):
            return refused
        if not {origin.lower() for origin in headers.getlist("origin")} <= self._origins:
            return refusal(403, "wrong_origin", "pages of that origin may not call (DROPSHIP_HTTP_ORIGINS)")
        return await self.identify(scope, headers, self._tokens) if self._tokens else None

    async def identify(self, scope: Scope, headers: Headers, tokens: Tokens) -> Caller | Response:
        """Whose token the request brings, wherever it comes from; or the refusal."""
        if b"access_token=" in scope.get("query_string", b""):
            return self.challenges.malformed("tokens belong into the Authorization header, not into addresses")
        given = headers.getlist("authorization")
        if len(given) > 1:
            return self.challenges.malformed("there are two Authorization headers")
        scheme, _, token = given[0].strip().partition(" ") if given else ("", "", "")
        if scheme.lower() != "bearer":
            return self.challenges.unauthorized()
        try:
            return await tokens.verify(token.strip())
        except Refused as refused:
            log.info("a token was refused: %s", refused)
            return self.challenges.unauthorized(str(refused))
        except KeysUnavailable as unavailable:
            return try_later(f"{unavailable}, so this token cannot be verified now", unavailable.wait)

    def refuse_host(self, headers: Headers) -> Response | None:
        """Browsers set this header and that of the origin, so a page elsewhere cannot reach this server."""
        hosts = headers.getlist("host")
        host = hosts[0].lower() if len(hosts) == 1 else ""  # of two, a proxy may have looked at the other
        if host not in self._hosts:
            if not self._told:  # once, or anybody could fill the log
                self._told = True
                facts = {"host": host[:LONGEST_HOST]}
                log.warning("a request for an unknown name was refused (DROPSHIP_HTTP_HOSTS)", extra={"facts": facts})
            return refusal(421, "wrong_host", "this server is not known under that name (DROPSHIP_HTTP_HOSTS)")
        return None
