"""One provider's tools over its sandbox in memory, called through the real client, without a ledger in between.

Every call through a `Desk` is checked for what holds as long as no fault is asked for: an answer conforms to the tool's
output schema, and an error is one that the caller has brought about.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, cast

import anyio
from hypothesis import strategies as st

from contract.providers import row_of
from dropship_mcp.answers import error_text, outline
from dropship_mcp.arguments import accept
from dropship_mcp.schema import portable_schema
from dropship_tools import PROVIDERS
from dropship_tools.arguments import CreateArguments
from dropship_tools.errors import DropshipError, InvalidArguments, NotFound, ProviderRefused, ReferenceConflict
from dropship_tools.http import ProviderHttp
from dropship_tools.orders import Finding, Plan, Sought
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.tool import ChangeTool, CreateTool, Placement, ReadTool, Tool
from dropship_tools.wire import SendOnce
from protocol.bench import NO_PAUSES, check_error, leaves
from protocol.samples import REFERENCE, SAMPLES, Sample
from unit.sandbox.drawn_arguments import drawn_arguments
from unit.sandbox.worlds import Clock, world_at

Json = dict[str, Any]

TOOLS: Mapping[str, Tool] = {tool.name: tool for provider in PROVIDERS for tool in provider.tools()}

OWN_FAULT: Mapping[type[Tool], tuple[type[DropshipError], ...]] = {
    ReadTool: (InvalidArguments, NotFound, ProviderRefused),
    ChangeTool: (InvalidArguments, NotFound, ProviderRefused),
    CreateTool: (InvalidArguments, ProviderRefused, ReferenceConflict),
}
"""What a caller can bring about without a fault."""

jsonschema: Any = importlib.import_module("jsonschema")  # comes with the SDK, without types


@dataclass
class Desk:
    """The tools of one provider and what stands behind them.

    Attributes:
        placed: the order ids that were answered, by reference.
        plans: those orders.
    """

    sample: Sample
    client: Any
    world: SandboxWorld
    clock: Clock
    placed: dict[str, str] = field(default_factory=dict[str, str])
    plans: dict[str, Plan] = field(default_factory=dict[str, Plan])

    async def order_id(self, reference: str) -> str | None:
        """What a ledger would know (`dropship_tools.tool.Records`)."""
        return self.placed.get(reference)

    async def call(self, name: str, given: Mapping[str, Any]) -> Json | DropshipError:
        """The answer of a tool that places no order, or the error that the caller has brought about."""
        tool = TOOLS[name]
        assert not isinstance(tool, CreateTool)
        self.clock.move(minutes=1)  # providers count requests
        try:
            result = await tool.run(self.client, accept(tool.arguments, given, name), self)
        except DropshipError as error:
            return _own_fault(tool, error)
        return _checked(result.facts(), outline(tool.result))

    async def order(self, given: Mapping[str, Any]) -> Json | DropshipError:
        """The create tool. What it says is held against what the sandbox has."""
        tool = cast("CreateTool[Any, CreateArguments]", TOOLS[self.sample.create])
        self.clock.move(minutes=1)
        before = self.count()
        try:
            plan = tool.plan(self.client, accept(tool.arguments, given, tool.name))
            known = self.plans.get(plan.reference)
            # A ledger lets no other order through under a known reference, and to Dipli, which knows none, not even
            # the same one again. Everywhere else the client itself has to see that the order is there.
            if known and (known.content != plan.content or self.sample.provider == "dipli"):
                return ReferenceConflict("what a ledger would say", fix="")
            placement = await tool.place(self.client, plan, SendOnce(_nothing))
        except DropshipError as error:
            assert self.count() == before
            return _own_fault(tool, error)
        return await self._placed(plan, placement, known=known is not None)

    async def _placed(self, plan: Plan, placement: Placement, *, known: bool) -> Json:
        order, reference = placement.order, plan.reference
        assert placement.existed == known
        assert self.placed.setdefault(reference, order.order_id) == order.order_id
        self.plans[reference] = plan
        assert (order.reference, self.count(reference), self.count()) == (reference, 1, len(self.placed))
        await self.finds(reference)
        return _checked(order.facts(), outline(type(order)))

    async def finds(self, reference: str) -> None:
        """An order that was placed is found by its reference and by the provider's number, and is one and the same."""
        order_id = self.placed[reference]
        ours = await self.call(self.sample.get, {self.sample.own_number: reference})
        theirs = await self.call(self.sample.get, {self.sample.their_number: order_id})
        assert isinstance(ours, dict), ours
        assert isinstance(theirs, dict), theirs
        assert (ours["reference"], ours["order_id"], theirs["order_id"]) == (reference, order_id, order_id)
        by_number = await self.seek(reference, order_id)
        assert by_number.order is not None
        assert by_number.order.order_id == order_id
        without = await self.seek(reference)
        # Dipli's orders are recognised by their looks, and two may look alike
        assert without.order is not None if self.sample.provider != "dipli" else not without.absent
        assert without.order is None or without.order.order_id == order_id

    async def seek(self, reference: str, order_id: str = "") -> Finding:
        """What an outcome that nobody knows is settled with."""
        tool = cast("CreateTool[Any, CreateArguments]", TOOLS[self.sample.create])
        self.clock.move(minutes=1)
        others = {number for name, number in self.placed.items() if name != reference}
        plan = self.plans.get(reference)
        return await tool.find(
            self.client,
            Sought(
                reference=reference,
                order_id=order_id,
                since=self.clock() - timedelta(days=400),
                is_trace=lambda trace: plan is not None and trace == plan.trace,
                is_other=lambda number: number in others,
            ),
        )

    def count(self, reference: str | None = None) -> int:
        """How many orders the sandbox has, with this reference or at all."""
        store, provider = self.world.store, self.sample.provider
        return store.count(provider, "order") if reference is None else len(store.find(provider, "order", reference))


def _own_fault(tool: Tool, error: DropshipError) -> DropshipError:
    """The error, if the caller brought it about and a model can read it."""
    ordering = isinstance(tool, CreateTool)
    text = error_text(error, ordering=ordering)
    assert isinstance(error, OWN_FAULT[type(tool)]), text
    check_error(text, orders=ordering)
    return error


def _checked(answer: Json, schema: Mapping[str, Any]) -> Json:
    """The answer, if it is what the tool promises and plain JSON."""
    jsonschema.Draft202012Validator(schema).validate(answer)
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
    assert not [path for path, value in leaves(answer) if value is None]
    return answer


async def _nothing() -> None: ...


@asynccontextmanager
async def open_desk(name: str) -> AsyncGenerator[Desk]:
    """A provider's tools on a new sandbox."""
    clock = Clock()
    world = world_at(clock)
    row = row_of(name)
    account = row.provider.sandbox_account()
    auth = row.provider.auth_headers(account)
    app = in_process_app(world, name)
    http = ProviderHttp(
        row.provider.title, account.base_url, auth, timing=NO_PAUSES, transport=lambda: SandboxTransport(app)
    )
    client = row.client(account, http)
    if name == "rewix":
        client.now = clock
    try:
        yield Desk(SAMPLES[name], client, world, clock)
    finally:
        await http.aclose()
        world.store.close()


def provider_of(tool: str) -> str:
    """The provider a tool belongs to."""
    return tool.partition("_")[0]


@cache
def drawn_calls(tool: str) -> st.SearchStrategy[Json]:
    """Arguments for one of the providers' tools, from its advertised schema."""
    sample = SAMPLES[provider_of(tool)]
    examples: list[Json] = {
        sample.create: [sample.order],
        sample.get: [{sample.own_number: REFERENCE}, {sample.their_number: known_order(sample.provider)}],
    }.get(tool) or [sample.others[tool]]
    known = {
        **KNOWN[sample.provider],
        sample.reference: (REFERENCE, "R-1", "R-2"),
        **({sample.their_number: (known_order(sample.provider), sample.unknown_number)} if tool == sample.get else {}),
    }
    schema = portable_schema(TOOLS[tool].arguments)
    return st.one_of([drawn_arguments(schema, example, known) for example in examples])


@cache
def known_order(provider: str) -> str:
    """The number that a provider's sandbox gives to the first order."""

    async def first() -> str:
        async with open_desk(provider) as desk:
            answer = await desk.order(desk.sample.order)
            return str(cast("Json", answer)["order_id"])

    return anyio.run(first)


KNOWN: Mapping[str, Mapping[str, Any]] = {
    "dipli": {"product_id": (11700105, 11700111, "11700101", 1, 99999999999)},
    "rewix": {
        "stock_id": (148148, 200020, 200021, 200022, 99, "1567"),
        "carrierId": (10, 40, 999),
        "search": ("sneakers", "T-SHIRT", "s", "MO1000", "1567", "nobody has it"),
        "options": ("M", "46", "black", "black 46"),
    },
    "dropday": {
        "ean13": ("8712345000056", "0745125000015", "745125000015"),
        "reference": ("KK-PAN-24", "VX-LIGHT-SET", "98", "99"),
        "brand": ("velox", "Halo & Co"),
        "supplier": ("De Koperen Ketel", "Nobody"),
        "supplier_ids": ([301], [301, 302], "303", 1),
        "statuses": (["completed"], ["pending", "failed"], "ruled", "shipped"),
    },
    "duoplane": {
        "store_id": (3101, 3102, 1),
        "retailer_sku": ("HP-TOTE", "HP-TEAPOT", "HP-KETTLE", "HP-NOBODY"),
        "vendor_sku": ("BW-T10", "ESM-5001"),
        "product_id": ("2100003", "2100010", "1"),
        "retailer_product_id": (2100003, 2100010, 1),
        "vendor_id": (501, 503, 1),
        "vendor_name": ("Elm Street Mills", "Nobody"),
        "country_iso2": ("US", "CA", "FR", "XX"),
        "province_code": ("ME", "QC", "ZZ"),
    },
}
"""Ids of the sandboxes' catalogues, and some that nothing has."""
