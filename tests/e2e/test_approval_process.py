"""A person's agreement with real processes: the SDK's client as a host of each era over stdio, and a terminal."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from mcp import Client, StdioServerParameters

from e2e.processes import COMMAND, environment, line, started
from e2e.terminals import in_terminal
from protocol.bench import ERAS, Era, text_of
from protocol.persons import NO, UNTICKED, Answer, Person
from protocol.samples import DROPDAY, REFERENCE

Json = dict[str, Any]

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]


def asking(folder: Path) -> dict[str, str]:
    """A person is asked for each order."""
    return environment(folder, DROPSHIP_ORDERS="ask", DROPSHIP_PROVIDERS="dropday")


def host(folder: Path, era: Era, person: Person | None = None) -> Client:
    """A host with a server of its own."""
    server = StdioServerParameters(command=COMMAND, env=asking(folder))
    return Client(server, mode=era, cache=None, elicitation_callback=person)


async def order(client: Client, **changes: Any) -> str:
    """The outcome, or the error's text."""
    result = await client.call_tool(DROPDAY.create, DROPDAY.arguments(**changes))
    return text_of(result) if result.is_error else cast("Json", result.structured_content)["outcome"]


def approve(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`dropship-mcp approve` without a terminal."""
    return subprocess.run(
        [COMMAND, "approve", *arguments], env=asking(folder), input="y\ny\n", capture_output=True, text=True, timeout=30
    )


def at_the_terminal(folder: Path, number: int, types: str) -> tuple[int, str]:
    """`dropship-mcp approve NUMBER` with a person in front of it."""
    return in_terminal([COMMAND, "approve", str(number)], asking(folder), waits_for="[y/N] ", types=types)


@pytest.mark.parametrize("era", ERAS)
async def test_a_host_that_can_ask_places_the_order_when_the_person_agrees(tmp_path: Path, era: Era) -> None:
    person = Person()
    async with host(tmp_path, era, person) as client:
        assert await order(client) == "placed"
        assert await order(client) == "already_placed"
    [question] = person.questions
    assert f'Reference: "{REFERENCE}"' in question


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", [UNTICKED, NO], ids=["unticked", "declined"])
async def test_a_no_holds_in_the_next_process_too(tmp_path: Path, era: Era, answer: Answer) -> None:
    async with host(tmp_path, era, Person(answer)) as client:
        assert "a person declined this order" in await order(client)
    async with host(tmp_path, era, Person()) as client:
        assert "a person declined this order" in await order(client)


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_at_a_terminal_approves_what_a_host_cannot_ask(tmp_path: Path, era: Era) -> None:
    async with host(tmp_path, era) as client:
        text = await order(client)
        [number] = re.findall(r"dropship-mcp approve (\d+)", text)
        code, screen = await anyio.to_thread.run_sync(at_the_terminal, tmp_path, int(number), "y\n")
        assert code == 0
        assert screen.splitlines()[:3] == [
            "Place this order? (sandbox: no money)",
            "Provider: Dropday, account sandbox, SANDBOX",
            f'Reference: "{REFERENCE}"',
        ]
        assert screen.splitlines()[-1].startswith("Approved, for 30 minutes and one order.")
        assert "approval number 2" in await order(client, shipping_cost=1)  # another order, which nobody agreed to
        assert await order(client) == "placed"
    code, screen = at_the_terminal(tmp_path, int(number), "y\n")
    assert (code, screen) == (1, f"dropship-mcp: approval {number} is used already\n")


@pytest.mark.parametrize("types", ["n\n", "\n", "yo\n"])
async def test_anything_but_yes_declines(tmp_path: Path, types: str) -> None:
    async with host(tmp_path, "auto") as client:
        await order(client)
        assert (await anyio.to_thread.run_sync(at_the_terminal, tmp_path, 1, types))[1].endswith("Declined.\n")
        assert "a person declined this order" in await order(client)


async def test_a_no_by_mistake_can_be_taken_back_at_a_terminal(tmp_path: Path) -> None:
    async with host(tmp_path, "auto") as client:
        await order(client)
        await anyio.to_thread.run_sync(at_the_terminal, tmp_path, 1, "n\n")
        assert "dropship-mcp approve 1" in await order(client)
        assert "dropday/sandbox WEB-1001  declined " in approve(tmp_path, "--all").stdout
        assert approve(tmp_path, "1").returncode == 2  # a program cannot
        code, screen = await anyio.to_thread.run_sync(at_the_terminal, tmp_path, 1, "y\n")
        assert (code, screen.splitlines()[-1]) == (0, "It may be asked again. The agent can repeat its call.")
        assert "approval number 2" in await order(client)
    assert approve(tmp_path, "99999999999999999999").returncode == 2


async def test_the_end_of_the_input_decides_nothing(tmp_path: Path) -> None:
    async with host(tmp_path, "auto") as client:
        await order(client)
        code, screen = await anyio.to_thread.run_sync(at_the_terminal, tmp_path, 1, "\x04")
        assert (code, screen.splitlines()[-1]) == (1, "Nothing was decided; the order still waits.")
        assert "approval number 1" in await order(client)


async def test_a_program_cannot_approve_and_may_decline(tmp_path: Path) -> None:
    async with host(tmp_path, "auto") as client:
        await order(client)
        piped = approve(tmp_path, "1")
        assert (piped.returncode, piped.stderr) == (
            2,
            "dropship-mcp: only a person at a terminal can approve an order\n",
        )
        assert approve(tmp_path).stdout.startswith(f"1  sandbox dropday/sandbox {REFERENCE}  waits until ")
        assert "approval number 1" in await order(client)
        assert approve(tmp_path, "1", "--decline").stdout.endswith("Declined.\n")
        assert "a person declined this order" in await order(client)
    assert approve(tmp_path).stdout == "No order waits for approval.\n"
    assert approve(tmp_path, "7").stderr == "dropship-mcp: approval 7 does not exist in this ledger (DROPSHIP_LEDGER)\n"
    assert approve(tmp_path, "--decline").returncode == 2


async def test_a_server_killed_while_the_question_is_open_has_ordered_nothing(tmp_path: Path) -> None:
    asked = anyio.Event()

    class Slow(Person):
        async def __call__(self, context: Any, params: Any) -> Any:
            asked.set()
            await anyio.sleep_forever()

    async with host(tmp_path, "legacy", Slow()) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(order, client)
        await asked.wait()
        tasks.cancel_scope.cancel()
    async with host(tmp_path, "legacy", Person()) as client:
        assert await order(client) == "placed"


def test_a_late_answer_still_counts(tmp_path: Path) -> None:
    """The host cancels its call as if out of patience, and the person answers afterwards."""
    with started(tmp_path, "legacy", DROPSHIP_ORDERS="ask", DROPSHIP_PROVIDERS="dropday") as server:
        server.send(server.hello().replace(b'"capabilities": {}', b'"capabilities": {"elicitation": {}}'))
        server.read()
        call = server.call(DROPDAY.create, DROPDAY.order)
        server.send(call)
        question = server.read()
        assert question["method"] == "elicitation/create"
        cancelled = {"requestId": json.loads(call)["id"]}
        agreed = {"action": "accept", "content": {"confirm": True}}
        server.send(
            line({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}),
            line({"jsonrpc": "2.0", "id": question["id"], "result": agreed}),
            server.call(DROPDAY.create, DROPDAY.order),
        )
        message = server.read()
        assert message["result"]["structuredContent"]["outcome"] == "placed"
