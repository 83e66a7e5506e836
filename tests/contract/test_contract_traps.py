"""Every trap of every provider, run through the real server into the provider's sandbox and looked at from outside.

The traps are data (`contract/traps_<provider>.py`). What no code can close is answered in the provider's guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp_types import CallToolResult

from contract import traps_dipli, traps_dropday, traps_duoplane, traps_rewix
from contract.providers import Json, row_of
from contract.rigs import Rig, make_rig
from contract.traps import Elsewhere, Sheet, Step, Trap
from dropship_tools.sandbox.faults import add_fault
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

SHEETS: tuple[Sheet, ...] = (traps_dipli.SHEET, traps_rewix.SHEET, traps_dropday.SHEET, traps_duoplane.SHEET)

EVERY_TRAP = [
    pytest.param(sheet, trap, id=f"{sheet.provider}-{trap.name}".replace(" ", "_"))
    for sheet in SHEETS
    for trap in sheet.traps
]
EVERY_SHEET = [pytest.param(sheet, id=sheet.provider) for sheet in SHEETS]


@dataclass(frozen=True)
class Seen:
    """What one call led to."""

    result: CallToolResult
    requests: tuple[str, ...]
    orders: int


@pytest.mark.parametrize(("sheet", "trap"), EVERY_TRAP)
async def test_a_trap_is_closed(sheet: Sheet, trap: Trap, tmp_path: Path) -> None:
    rig = make_rig(tmp_path, clock=Clock(datetime.now(UTC)))  # the server's own tools go by the real time
    async with Client(rig.server()) as client:
        seen = [await _take(step, client, rig, sheet.provider) for step in trap.steps]
    for step, led_to in zip(trap.steps, seen, strict=True):
        _compare(step, led_to)


async def _take(step: Step, client: Client, rig: Rig, provider: str) -> Seen:
    rig.clock.move(minutes=step.minutes)
    if step.elsewhere is not None:
        await _send(step.elsewhere, rig, provider)
    if step.fault is not None:
        add_fault(rig.world.store, step.fault)
    asked = len(rig.trace.requests())
    result = await client.call_tool(step.tool, step.arguments)
    return Seen(result, tuple(rig.trace.requests()[asked:]), len(rig.world.store.all(provider, "order")))


async def _send(elsewhere: Elsewhere, rig: Rig, provider: str) -> None:
    description = row_of(provider).provider
    async with httpx2.AsyncClient(
        transport=SandboxTransport(in_process_app(rig.world, provider)),
        base_url="https://provider.example",
        headers={**description.auth_headers(description.sandbox_account()), "Accept": "application/json"},
    ) as client:
        (await client.post(elsewhere.path, json=elsewhere.body)).raise_for_status()


def _compare(step: Step, seen: Seen) -> None:
    text = str(getattr(seen.result.content[0], "text", ""))
    assert (text.partition(":")[0] if seen.result.is_error else "") == step.error, text
    assert seen.result.is_error == ("\nfix: " in text)
    answer: Json = seen.result.structured_content or {}
    assert {name: answer.get(name) for name in step.answer} == step.answer
    assert [passage for passage in step.says if passage not in text] == [], text
    assert [passage for passage in step.hides if passage in text] == [], text
    assert step.requests in (None, seen.requests)
    assert step.orders in (None, seen.orders)


@pytest.mark.parametrize("sheet", EVERY_SHEET)
def test_every_numbered_trap_is_closed_or_answered_in_the_guide(sheet: Sheet) -> None:
    closed = {number for trap in sheet.traps for number in trap.numbers.split()}
    assert closed | sheet.guide.keys() == sheet.numbers
    assert [trap.name for trap in sheet.traps if not any(step.looks_at_something() for step in trap.steps)] == []


@pytest.mark.parametrize("sheet", EVERY_SHEET)
async def test_no_argument_of_an_order_exists_that_the_documentation_does_not_have(
    sheet: Sheet, tmp_path: Path
) -> None:
    async with Client(make_rig(tmp_path).server()) as client:
        tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    assert set(_named(tools[row_of(sheet.provider).create])) == sheet.fields | {"dry_run"}


def _named(schema: Json, under: str = "") -> Iterator[str]:
    """The paths of everything that a schema names and that holds nothing else."""
    for name, field in schema["properties"].items():
        inside = field.get("items", field)
        if "properties" in inside:
            yield from _named(inside, f"{under}{name}.")
        else:
            yield under + name


@pytest.mark.parametrize("sheet", EVERY_SHEET)
def test_the_guide_says_what_it_is_relied_on_for(sheet: Sheet) -> None:
    guide = " ".join(row_of(sheet.provider).provider.guide().split())
    assert {number: words for number, words in sheet.guide.items() if words not in guide} == {}
