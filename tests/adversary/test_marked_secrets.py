"""Marked credentials and marked buyers: where they may not be, while questions wait and after they are decided.

The ledger's files are read byte by byte at every step of an approval's life; frames of failing calls are searched for
credentials; the commands' output is searched for both.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import TracebackType

import pytest

from contract.providers import NAMES, Json, Row, row_of
from contract.rigs import Rig, open_rig
from dropship_mcp.policy import Policy
from dropship_tools.errors import DropshipError, LedgerUnavailable, NeedsApproval, NotAllowed
from dropship_tools.http import Timing
from dropship_tools.provider import Account, Provider
from dropship_tools.sandbox.faults import Fault, FaultKind, add_fault
from dropship_tools.secret import Secret
from e2e.processes import COMMAND, environment, started
from protocol.samples import PERSONAL, SAMPLES, Sample
from unit.ledger.test_ledger_privacy import FULL, markers, swept
from unit.tools.http_fakes import KEY, LOOK, ORDER, permission
from unit.tools.loopback import provider as network
from unit.tools.loopback import request_head

pytestmark = pytest.mark.anyio

CREDENTIALS = (
    *("sandbox-key", "sandbox-password"),
    base64.b64encode(b"sandbox-key:sandbox-password").decode(),
    base64.b64encode(b"sandbox-key").decode().rstrip("="),
    base64.b64encode(b"sandbox-password").decode().rstrip("="),
)
"""As they are set, as they travel, and as somebody might store them."""


def leaks(text: str, name: str) -> list[str]:
    """What was found of the buyer and the credentials."""
    hidden = (*markers(FULL[name]), *CREDENTIALS)
    return [value for value in hidden if value.casefold() in text.casefold()]


def files(folder: Path) -> str:
    """Every file beside the ledger and its name, byte by byte."""
    return "".join(itertools.chain.from_iterable(swept(folder).items()))


async def withheld(rig: Rig, row: Row, reference: str) -> str:
    """What a model is told of an order that is not sent."""
    with pytest.raises((NeedsApproval, NotAllowed)) as error:
        await rig.create(row, marked(row, reference))
    return f"{error.value.what} {error.value.fix} {error.value.provider_said} {error.value.args}"


def marked(row: Row, reference: str) -> Json:
    """An order whose buyer is all markers."""
    return {**row.arguments(reference), **FULL[row.name]}


@pytest.mark.parametrize("name", NAMES)
async def test_no_file_holds_a_buyer_while_a_question_waits_or_after_it_was_decided(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=Policy(orders="ask")) as rig:
        approvals, good_for = rig.ledger.approvals, timedelta(minutes=30)
        told = [await withheld(rig, row, reference) for reference in ("R-1", "R-2", "R-3")]
        found = await approvals.recent(state="waiting")
        assert all("Recipient" in approval.question for approval in found)  # a person can read it
        seen = [files(tmp_path)]
        await approvals.decide(1, agreed=True, how="elsewhere", good_for=good_for)
        seen.append(files(tmp_path))
        await rig.create(row, marked(row, "R-1"))
        await approvals.decide(2, agreed=False, how="elsewhere", good_for=good_for)
        told.append(await withheld(rig, row, "R-2"))
        seen.append(files(tmp_path))
        rig.clock.move(minutes=31)
        decided = {approval.number: (approval.state, approval.question) for approval in await approvals.recent()}
        assert decided == {1: ("used", ""), 2: ("declined", ""), 3: ("expired", "")}
        seen.append(files(tmp_path))
    seen.append(files(tmp_path))
    assert all("r-1" in text for text in seen)  # what is written in clear is seen
    assert [leaks(text, name) for text in (*seen, *told)] == [[]] * (len(seen) + len(told))


def frames(trace: TracebackType | None) -> Iterator[tuple[str, str, str]]:
    """Each local variable of our own code in a traceback: where, its name, what a debugger shows."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "/dropship_" in code.co_filename and "sandbox" not in code.co_filename:
            for variable, value in trace.tb_frame.f_locals.items():
                yield f"{code.co_filename.rpartition('/')[2]}:{code.co_name}", variable, repr(value)
        trace = trace.tb_next


HIDDEN = ("marker-api_key", "marker-password", base64.b64encode(b"marker-api_key:marker-password").decode())


@pytest.fixture
def marked_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's credentials are held as in live mode."""
    usual = Provider.sandbox_account

    def account(provider: Provider, name: str = "sandbox") -> Account:
        secrets = {c.name: Secret(f"marker-{c.name}") for c in provider.credentials if c.secret}
        found = usual(provider, name)
        return found._replace(values={**found.values, **secrets})

    monkeypatch.setattr(Provider, "sandbox_account", account)


def all_frames(error: BaseException) -> list[tuple[str, str, str]]:
    """Those of an error, and of the errors behind it."""
    shown: list[tuple[str, str, str]] = []
    present: BaseException | None = error
    while present is not None:
        shown += frames(present.__traceback__)
        present = present.__cause__ or present.__context__
    assert len(shown) > 10
    return shown


@pytest.mark.usefixtures("marked_accounts")
@pytest.mark.parametrize("kind", ["status", "malformed", "reset_before", "redirect"])
@pytest.mark.parametrize("name", NAMES)
async def test_no_frame_of_a_failing_order_shows_a_credential(name: str, kind: FaultKind, tmp_path: Path) -> None:
    """Crash reporters collect local variables."""
    row = row_of(name)
    async with open_rig(tmp_path) as rig:
        add_fault(rig.world.store, Fault(name, "create", kind, times=9, value=422 if kind == "status" else 0))
        add_fault(rig.world.store, Fault(name, "*", "status", times=99, value=503))
        with pytest.raises(DropshipError) as error:
            await rig.create(row, marked(row, "R-1"))
    shown = all_frames(error.value)
    assert [(place, variable) for place, variable, text in shown if any(h in text for h in HIDDEN)] == []


async def test_no_frame_of_a_turn_that_cannot_be_had_shows_a_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, usual = row_of("rewix"), Provider.sandbox_account
    known = row.provider.sandbox_credentials()
    login = f"password {known['password']}"  # the password alone stands in the provider's description

    def account(provider: Provider) -> Account:
        return usual(provider)._replace(values={name: Secret(value) for name, value in known.items()})

    monkeypatch.setattr(Provider, "sandbox_account", account)
    (tmp_path / "ledger.sqlite3.turns").write_text("in the way")
    async with open_rig(tmp_path) as rig:
        with pytest.raises(LedgerUnavailable) as error:
            await rig.create(row, marked(row, "R-1"))
    shown = all_frames(error.value)
    assert ("file.py:turn", "name") in [(place, variable) for place, variable, _ in shown]
    assert [(place, variable) for place, variable, text in shown if login in text] == []


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 302 Found\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]
)
async def test_no_frame_of_a_call_over_the_network_shows_a_credential(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(answer)
        await writer.drain()

    shown: list[tuple[str, str, str]] = []
    async with network(serve, timing=Timing(attempts=1)) as http:
        for call in (http.read(LOOK), http.change(ORDER), http.send_order(ORDER, permission())):
            with pytest.raises(DropshipError) as error:
                await call
            shown += all_frames(error.value)
    assert [(place, variable) for place, variable, text in shown if KEY in text] == []


@pytest.mark.timeout(90)
def test_no_command_prints_a_credential_or_a_buyer(tmp_path: Path) -> None:
    """A real process orders, asks and fails; then every command that tells something of it runs."""
    sample: Sample = SAMPLES["dropday"]
    ask = {"DROPSHIP_ORDERS": "ask", "DROPSHIP_PROVIDERS": "dropday", "DROPSHIP_LOG_LEVEL": "debug"}
    with started(tmp_path, "legacy", (COMMAND,), None, **ask) as server:
        server.send(server.hello(), server.call(sample.create, sample.order))
        server.read()
        said = str(server.read())
        server.send(server.call("dropship_status"))
        said += str(server.read())
        server.close()
        said += server.finish()[1]
    with started(tmp_path, "legacy", (COMMAND,), None, **{**ask, "DROPSHIP_ORDERS": "allow"}) as server:
        server.send(server.hello(), server.call(sample.create, sample.order))
        server.read()
        assert server.read()["result"]["structuredContent"]["outcome"] == "placed"
        arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().decode()
        server.close()
        said += arguments + server.finish()[1]
    for command in (["orders"], ["orders", "--json"], ["orders", "show", "WEB-1001"], ["approve"], ["check"]):
        run = subprocess.run([COMMAND, *command], env=environment(tmp_path, **ask), capture_output=True, timeout=60)
        said += (run.stdout + run.stderr).decode()
    assert "WEB-1001" in said
    hidden = (*PERSONAL, *CREDENTIALS)
    assert [value for value in hidden if value.casefold() in said.casefold()] == []
