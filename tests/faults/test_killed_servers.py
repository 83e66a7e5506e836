"""Real servers over real pipes are killed in the middle of an order; a fresh server gets the same call.

What is proven for hundreds of moments in `test_killed_processes.py` is shown here for the whole server, with the SDK's
client at the other end, in both protocol eras.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from mcp import Client, MCPError, StdioServerParameters

from contract.providers import NAMES, Json, row_of
from dropship_tools.sandbox.store import SandboxStore

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parent.parent

ENDS = {
    "before claim": "placed",
    "after claim": "placed",
    "after sending": "outcome_unknown",
    "after create": "already_placed",
    "before placed": "already_placed",
}
"""Where the server dies, and what the fresh one answers for a provider that cannot tell whether an order exists."""

KILLS = 10
SEED = 20260302


def crashing(folder: Path, *when: str) -> StdioServerParameters:
    """A server that dies."""
    command = ["-m", "faults.crashing_server", str(folder), *when]
    return StdioServerParameters(command=sys.executable, args=command, cwd=TESTS)


def fresh(folder: Path) -> StdioServerParameters:
    """The server as hosts start it, on the same files."""
    files = {"DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"), "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3")}
    return StdioServerParameters(command=sys.executable, args=["-m", "dropship_mcp"], env=files)


async def end_of(client: Client, name: str, reference: str) -> str:
    """The outcome or the error's code; `died` if the server did."""
    row = row_of(name)
    try:
        result = await client.call_tool(row.create, row.arguments(reference))
    except MCPError:
        return "died"
    if result.structured_content is None:
        return str(getattr(result.content[0], "text", "")).partition(":")[0]
    answer: Json = result.structured_content
    return answer["outcome"]


def orders(folder: Path, name: str) -> dict[str, int]:
    """How many orders the provider has under each reference."""
    store = SandboxStore(folder / "sandbox.sqlite3")
    try:
        references = [document.key for document in store.all(name, "order")]
    finally:
        store.close()
    return {reference: references.count(reference) for reference in references}


@pytest.mark.timeout(120)
async def test_a_server_that_dies_at_a_point_is_followed_by_one_that_knows_what_to_do(tmp_path: Path) -> None:
    for number, point in enumerate(ENDS):
        async with Client(crashing(tmp_path, point), mode=("auto", "legacy")[number % 2]) as client:
            assert await end_of(client, "dipli", f"R-{number}") == "died"
    async with Client(fresh(tmp_path)) as client:
        ends = [await end_of(client, "dipli", f"R-{number}") for number in range(len(ENDS))]
    assert dict(zip(ENDS, ends, strict=True)) == ENDS
    assert orders(tmp_path, "dipli") == {"R-0": 1, "R-1": 1, "R-3": 1, "R-4": 1}


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_servers_that_die_at_random_moments_never_order_twice(tmp_path: Path) -> None:
    chance, ends = random.Random(SEED), list[str]()
    calls = [(NAMES[number % len(NAMES)], f"R-{number}") for number in range(KILLS)]
    for number, call in enumerate(calls):
        when = f"{chance.uniform(0, 0.1):.4f}"
        async with Client(crashing(tmp_path, when, call[1]), mode=("auto", "legacy")[number % 2]) as client:
            ends += [await end_of(client, *earlier) for earlier in calls[:number][-1:]]
            await end_of(client, *call)
    async with Client(fresh(tmp_path)) as client:
        ends.append(await end_of(client, *calls[-1]))
    for (name, reference), end in zip(calls, ends, strict=True):
        ordered = orders(tmp_path, name).get(reference, 0)
        assert (end, ordered) in [("placed", 1), ("already_placed", 1), ("outcome_unknown", 0)]
