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

    def __init__(self, context: Context, params: types.CallToolRequestParams) -> None:
        self._context = context
        self._params = params

    def reply(self) -> Reply | None:
        """The person's answer, if it came with the call."""
        answer = (self._params.input_responses or {}).get(KEY)
        if not isinstance(answer, types.ElicitResult) or not self._params.request_state:
            return None
        return Reply(self._params.request_state, agreed=_said(answer))

    def send_back(self, approval: Approval, state: str) -> None:
        """Raises `Asked` in a protocol without requests from the server."""
        if self._can_show() and self._context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            form = types.ElicitRequestFormParams(message=approval.question, requested_schema=FORM)
            raise Asked(
                types.InputRequiredResult(input_requests={KEY: types.ElicitRequest(params=form)}, request_state=state)
            )

    async def ask(self, approval: Approval) -> bool | None:
        """Show the question and wait; None where the host cannot show one."""
        if not self._can_show():
            return None
        try:
            answer = await self._context.session.elicit_form(
                approval.question, FORM, related_request_id=self._context.request_id
            )
        except MCPError:  # it cannot ask, or went away
            return None
        return _said(answer)

    def _can_show(self) -> bool:
        capabilities = self._context.session.client_capabilities
        elicitation = capabilities.elicitation if capabilities else None
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)  # bare {}: form


def _said(answer: types.ElicitResult) -> bool | None:
    """Agreed, declined, or None for a question that was put away undecided."""
    if answer.action == "cancel":
        return None
    return answer.action == "accept" and (answer.content or {}).get("confirm") is True
