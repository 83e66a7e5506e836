"""Asking a person through the host, in both protocol eras (MCP: elicitation).

Up to 2025-11-25 the server asks the host while the call waits. Since 2026-07-28 the call ends with the question as its
result, and the host makes the same call again with the answer beside the arguments, where no model can put it.
"""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from dropship_mcp.approval import Reply
from dropship_mcp.caller import APPROVE, present_caller
from dropship_mcp.ledger import Approval

Context = ServerRequestContext[Any, Any]

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"confirm": {"type": "boolean", "title": "Yes, place this order", "default": False}},
    "required": ["confirm"],
}
KEY = "approval"


class Asked(Exception):
    """The call ends here: its result is the question."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class HostDialog:
    """The host of one call (`dropship_mcp.approval.Host`)."""

    def __init__(self, context: Context, params: types.CallToolRequestParams, page: str = "") -> None:
        self._context = context
        self._params = params
        self._page = page

    def reply(self) -> Reply | None:
        """The person's answer, if it came with the call."""
        answer = (self._params.input_responses or {}).get(KEY)
        if not isinstance(answer, types.ElicitResult) or not self._params.request_state:
            return None
        return Reply(self._params.request_state, agreed=_said(answer) if self._may_show() else None)

    def send_back(self, approval: Approval, state: str) -> None:
        """Raises `Asked` in a protocol without requests from the server."""
        if self._context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return
        if self._may_show():
            params = types.ElicitRequestFormParams(message=approval.question, requested_schema=FORM)
        elif self._page and self._elicitation().url is not None:
            message = f"A person has to decide on this order (approval {approval.number}). The page shows it."
            params = types.ElicitRequestURLParams(message=message, url=f"{self._page}/{approval.number}")
        else:
            return
        asked = types.ElicitRequest(params=params)
        raise Asked(types.InputRequiredResult(input_requests={KEY: asked}, request_state=state))

    async def ask(self, approval: Approval) -> bool | None:
        """Show the question and wait; None where the host cannot show one."""
        if not self._may_show():
            return None
        try:
            answer = await self._context.session.elicit_form(
                approval.question, FORM, related_request_id=self._context.request_id
            )
        except MCPError:  # it cannot ask, or went away
            return None
        return _said(answer)

    def _may_show(self) -> bool:
        """Whether the host can show a form, and its caller may agree to orders: an agent's token cannot."""
        form, url = self._elicitation().form, self._elicitation().url
        caller = present_caller()
        shows = form is not None or (self._asks() and url is None)  # a bare {} means forms
        return shows and (caller is None or APPROVE in caller.scopes)

    def _asks(self) -> bool:
        capabilities = self._context.session.client_capabilities
        return capabilities is not None and capabilities.elicitation is not None

    def _elicitation(self) -> types.ElicitationCapability:
        capabilities = self._context.session.client_capabilities
        return (capabilities and capabilities.elicitation) or types.ElicitationCapability()


def _said(answer: types.ElicitResult) -> bool | None:
    """Agreed, declined, or None for a question that was put away undecided."""
    if answer.action == "cancel":
        return None
    return answer.action == "accept" and (answer.content or {}).get("confirm") is True
