"""Where no look-up can tell, a person decides with `dropship-mcp orders settle`, and the decision holds."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from contract.providers import NAMES, Row, row_of
from contract.rigs import Rig, open_rig
from dropship_mcp.cli import main
from dropship_tools.errors import OutcomeUnknown, ReferenceConflict
from dropship_tools.sandbox.faults import Fault, add_fault

pytestmark = pytest.mark.anyio


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger's folder, as the command line finds it too."""
    monkeypatch.setenv("DROPSHIP_LEDGER", str(tmp_path / "ledger.sqlite3"))
    return tmp_path


async def settle(*arguments: str) -> int:
    """The person's command, in a process of its own as far as the ledger can tell."""
    return await anyio.to_thread.run_sync(main, ["orders", "settle", *arguments])


async def lose(rig: Rig, row: Row, reference: str) -> None:
    """An order whose outcome is unknown; the provider does not have it."""
    add_fault(rig.world.store, Fault(row.name, "create", "reset_before"))
    with pytest.raises(OutcomeUnknown):
        await rig.create(row, row.arguments(reference))


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_settled_as_placed_is_never_sent_again(name: str, ledger: Path) -> None:
    row = row_of(name)
    async with open_rig(ledger) as rig:
        await lose(rig, row, "R-1")
        assert await settle("R-1", "--provider", name, "--as", "placed", "--order-id", "X-77") == 0
        again = await rig.create(row, row.arguments("R-1"))
        assert (again.outcome, again.order["order_id"]) == ("already_placed", "X-77")
        assert (await rig.settle(row, "R-1")).order_id == "X-77"
        with pytest.raises(ReferenceConflict):
            await rig.create(row, row.changed(row.arguments("R-1"), "Harbour Road 9"))
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (1, 0)


@pytest.mark.parametrize("name", NAMES)
async def test_an_order_settled_as_refused_may_be_sent_again(name: str, ledger: Path) -> None:
    row = row_of(name)
    async with open_rig(ledger) as rig:
        await lose(rig, row, "R-1")
        assert await settle("R-1", "--provider", name, "--as", "refused") == 0
        assert (await rig.settle(row, "R-1")).outcome == "refused"
        assert (await rig.create(row, row.arguments("R-1"))).outcome == "placed"
        assert (rig.trace.sent(), rig.orders(row, "R-1")) == (2, 1)


@pytest.mark.parametrize("name", [name for name in NAMES if row_of(name).silence == "never"])
async def test_the_error_names_the_command_that_settles(name: str, ledger: Path) -> None:
    row = row_of(name)
    async with open_rig(ledger) as rig:
        add_fault(rig.world.store, Fault(name, "create", "reset_before"))
        with pytest.raises(OutcomeUnknown) as caught:
            await rig.create(row, row.arguments("R-1"))
        command = f"dropship-mcp orders settle R-1 --provider {name} --as refused, or --as placed --order-id NUMBER"
        assert command in caught.value.fix
        assert command in (await rig.settle(row, "R-1")).next_step


async def test_one_provider_is_settled_at_a_time(ledger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dipli, duoplane = row_of("dipli"), row_of("duoplane")
    async with open_rig(ledger) as rig:
        await lose(rig, dipli, "R-1")
        await lose(rig, duoplane, "R-1")
        assert await settle("R-1", "--as", "refused") == 1
        assert "several orders have this reference" in capsys.readouterr().err
        assert await settle("R-1", "--provider", "duoplane", "--as", "refused") == 0
        assert [await rig.state(row, "R-1") for row in (dipli, duoplane)] == ["unknown", "refused"]


@pytest.mark.parametrize("state", ["placed", "refused", "sending"])
async def test_only_an_unknown_outcome_is_settled_by_hand(
    state: str, ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row, codes = row_of("dipli"), list[int]()
    async with open_rig(ledger) as rig:

        async def meanwhile(point: str) -> None:
            if point == "before create":
                codes.append(await settle("R-1", "--as", "refused"))

        if state == "refused":
            await lose(rig, row, "R-1")
            assert await settle("R-1", "--as", "refused") == 0
        else:
            rig.trace.at = meanwhile if state == "sending" else None
            await rig.create(row, row.arguments("R-1"))
        codes = codes or [await settle("R-1", "--as", "placed")]
        assert (codes, f"this order is {state}" in capsys.readouterr().err) == ([1], True)


@pytest.mark.parametrize("arguments", [("placed",), ("refused", "--order-id", "X-1")])
async def test_placed_needs_the_providers_number_and_refused_has_none(
    arguments: tuple[str, ...], ledger: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_rig(ledger) as rig:
        await lose(rig, row_of("dipli"), "R-1")
        assert await settle("R-1", "--as", *arguments) == 2
    assert "--as placed needs --order-id, --as refused takes none" in capsys.readouterr().err
