"""Other accounts, other providers, other addresses and other hosts are no ways around a decision either."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mcp_types as types
import pytest
from mcp import MCPError

from contract.providers import NAMES, row_of
from contract.rigs import open_rig
from dropship_mcp.accounts import Accounts
from dropship_mcp.approval import Host
from dropship_mcp.binding import as_listed
from dropship_mcp.catalogue import offers
from dropship_mcp.elicitation import HostDialog
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.ordering import Ordering
from dropship_mcp.policy import Limits, Policy
from dropship_mcp.settings import Settings
from dropship_tools.errors import NeedsApproval, NotAllowed
from protocol.bench import VERSIONS, Era, bench
from protocol.samples import Sample

pytestmark = pytest.mark.anyio

ASK = Policy(orders="ask")


@pytest.mark.parametrize("name", NAMES)
async def test_another_account_does_not_take_what_was_declined(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=ASK) as rig:
        with pytest.raises(NeedsApproval):
            await rig.create(row, row.arguments("R-1"))
        await rig.ledger.approvals.decide(1, agreed=False, how="elsewhere", good_for=timedelta(minutes=30))
        for account in ("other", "SANDBOX", "sandbox2"):
            with pytest.raises(NotAllowed, match="a person declined this order"):
                await rig.create(row, row.arguments("R-1"), account=account)
        assert rig.trace.sent() == 0


@pytest.mark.parametrize("name", NAMES)
async def test_an_agreement_is_for_one_account(name: str, tmp_path: Path) -> None:
    row = row_of(name)
    async with open_rig(tmp_path, policy=ASK) as rig:
        with pytest.raises(NeedsApproval):
            await rig.create(row, row.arguments("R-1"))
        await rig.ledger.approvals.decide(1, agreed=True, how="elsewhere", good_for=timedelta(minutes=30))
        with pytest.raises(NeedsApproval, match="approval number 2"):
            await rig.create(row, row.arguments("R-1"), account="other")
        assert rig.trace.sent() == 0


async def test_limits_count_all_accounts_and_providers_together(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=Policy(deny=Limits(orders_per_day=1))) as rig:
        first = row_of("dropday")
        await rig.create(first, first.arguments("R-1"))
        for name in NAMES:
            row = row_of(name)
            with pytest.raises(NotAllowed, match="orders_per_day"):
                await rig.create(row, row.arguments("R-2"), account="other")
        assert rig.trace.sent() == 1


async def test_a_declined_parcel_still_needs_a_person_at_every_other_provider(tmp_path: Path) -> None:
    async with open_rig(tmp_path, policy=ASK) as rig:
        for number, name in enumerate(NAMES, 1):
            row = row_of(name)
            with pytest.raises(NeedsApproval, match=f"approval number {number}"):
                await rig.create(row, row.arguments("R-1"))
            await rig.ledger.approvals.decide(number, agreed=False, how="elsewhere", good_for=timedelta(minutes=30))
        assert rig.trace.sent() == 0


def test_a_tool_that_orders_has_no_argument_for_what_the_operator_decides(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite3")
    decided = {"mode", "orders", "policy", "approval", "approve", "confirm", "url", "base_url", "host", "api_key"}
    for offer in offers(Settings(), Accounts(Settings()), ledger, Ordering(ledger)):
        assert decided.isdisjoint(as_listed(offer)["inputSchema"]["properties"]), offer.name


PATHS = (
    "..",
    "../../admin",
    "..%2f..%2fadmin",
    "1/../../admin",
    "1?x=1",
    "1#x",
    "//evil.example/",
    "https://evil.example/",
)


async def test_no_order_number_leads_to_another_path_or_host(tmp_path: Path, sample: Sample) -> None:
    async with bench(tmp_path, only=sample) as desk:
        for path in PATHS:
            for argument in (sample.their_number, sample.own_number):
                await desk.result(sample.get, {argument: path})
        heads = {step for request in desk.wire.requests for step in request.url.raw_path.split(b"?")[0].split(b"/")}
        assert {request.url.host for request in desk.wire.requests} <= {f"{sample.provider}.sandbox.invalid"}
        assert heads.isdisjoint({b"..", b".", b"admin", b"evil.example"})
        assert desk.wire.orders(sample) == []


URIS = (
    "dropship://guides/../../../etc/passwd",
    "dropship://guides/dipli/../rewix",
    "dropship://guides/%2e%2e/settings",
    "dropship://guides/dipli%00",
    "dropship://guides/",
    "dropship://ledger",
    "file:///etc/passwd",
    "https://evil.example/dipli",
    "dropship://guides/DIPLI",
)


@pytest.mark.parametrize("uri", URIS)
async def test_only_the_guides_can_be_read_as_resources(tmp_path: Path, era: Era, uri: str) -> None:
    async with bench(tmp_path, era, settings=Settings(providers=("dipli",))) as desk:
        with pytest.raises(MCPError) as error:
            await desk.client.read_resource(uri)
        assert error.value.error.code == types.INVALID_PARAMS
        assert "passwd" not in error.value.error.message


def host_of(version: str, elicitation: types.ElicitationCapability | None) -> Host:
    """A host, known by what it says it can show."""
    session = SimpleNamespace(client_capabilities=types.ClientCapabilities(elicitation=elicitation))
    context: Any = SimpleNamespace(protocol_version=version, session=session)
    return HostDialog(context, types.CallToolRequestParams(name="dropday_create_order", arguments={}))


async def test_a_host_that_only_opens_addresses_is_not_shown_a_form(tmp_path: Path, era: Era) -> None:
    row = row_of("dropday")
    urls = types.ElicitationCapability(url=types.UrlElicitationCapability())
    for elicitation in (None, urls):
        host = host_of(VERSIONS[era], elicitation)
        folder = tmp_path / str(elicitation is None)
        folder.mkdir()
        async with open_rig(folder, policy=ASK) as rig:
            with pytest.raises(NeedsApproval, match="approval number 1"):
                await rig.create(row, row.arguments("R-1"))
            found = await rig.ledger.approvals.get(1)
            assert found is not None
            host.send_back(found, "state")
            assert await host.ask(found) is None
