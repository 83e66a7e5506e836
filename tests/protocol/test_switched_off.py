"""What the operator switched off or denies altogether: not done, and the model is told who can change it."""

from __future__ import annotations

from pathlib import Path

import mcp_types as types
import pytest

from dropship_mcp.policy import Policy
from dropship_mcp.settings import Settings
from protocol.bench import Era, bench, text_of
from protocol.samples import SAMPLES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("settings", "tool", "why"),
    [
        (Settings(orders="off"), "dropday_create_order", "ordering is switched off; a person sets DROPSHIP_ORDERS=ask"),
        (Settings(orders="off"), "rewix_reserve_stock", "ordering is switched off"),
        (Settings(), "duoplane_add_product", "it is off by default; a person names it in DROPSHIP_EXTRA_TOOLS"),
    ],
)
async def test_a_tool_of_an_old_list_says_why_it_is_off(
    tmp_path: Path, era: Era, settings: Settings, tool: str, why: str
) -> None:
    async with bench(tmp_path, era, settings=settings) as desk:
        result = await desk.client.session.call_tool(tool, {})
        assert isinstance(result, types.CallToolResult)
        assert result.is_error
        assert text_of(result).startswith(f"not_allowed: {tool} is switched off: {why}")
        prompts = [prompt.name for prompt in (await desk.client.list_prompts()).prompts]
        assert ("place_order" in prompts) is settings.ordering


@pytest.mark.parametrize("policy", [Policy(providers={"rewix": "deny"}), Policy(accounts={"sandbox": "deny"})])
async def test_what_is_denied_altogether_is_not_reserved_either(tmp_path: Path, era: Era, policy: Policy) -> None:
    rewix = SAMPLES["rewix"]
    async with bench(tmp_path, era, settings=Settings(providers=("rewix",), policy=policy)) as desk:
        tool = "rewix_reserve_stock"
        result = await desk.result(tool, rewix.others[tool])
        assert text_of(result).startswith("not_allowed: the operator's policy forbids this")
        assert desk.wire.requests == []
