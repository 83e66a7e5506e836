"""The real server with an in-memory client, on sandboxes whose clock stands still and whose wire is watched.

Every answer a test gets through a `Bench` is checked for what holds for all answers.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.session import ElicitationFnT

from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.app import build_app
from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.ordering import Ordering
from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS
from dropship_tools.errors import ERROR_CODES
from dropship_tools.http import Timing
from dropship_tools.provider import Account, Provider
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.tool import ChangeTool
from protocol.samples import Sample
from unit.sandbox.worlds import Clock, world_at

if TYPE_CHECKING:
    from dropship_mcp.telemetry.telemetry import Telemetry

Era = Literal["auto", "legacy"]
ERAS: tuple[Era, ...] = ("auto", "legacy")
VERSIONS = {"auto": "2026-07-28", "legacy": "2025-11-25"}

Instead = Callable[[httpx2.Request], httpx2.Response | Exception | None]
"""What happens to a request in the sandbox's place; None lets it through."""

NO_PAUSES = Timing(pause=0.001, longest_pause=0.002)

jsonschema: Any = importlib.import_module("jsonschema")  # comes with the SDK, without types

EXTRA = tuple(t.name for p in PROVIDERS for t in p.tools() if isinstance(t, ChangeTool) and t.opt_in)
"""The tools that are off by default."""


@dataclass
class Wire:
    """What leaves for the providers."""

    instead: Instead = lambda _: None
    requests: list[httpx2.Request] = field(default_factory=list[httpx2.Request])

    def orders(self, sample: Sample) -> list[httpx2.Request]:
        """The requests that could have ordered something."""
        return [request for request in self.requests if is_order(sample, request)]


def is_order(sample: Sample, request: httpx2.Request) -> bool:
    """Whether this request could order something."""
    return request.method == "POST" and request.url.path == sample.create_path


class _Watched(httpx2.AsyncBaseTransport):
    def __init__(self, wire: Wire, sandbox: httpx2.AsyncBaseTransport) -> None:
        self._wire = wire
        self._sandbox = sandbox

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._wire.requests.append(request)
        done = self._wire.instead(request)
        if isinstance(done, Exception):
            raise done
        return done or await self._sandbox.handle_async_request(request)


class WatchedAccounts(Accounts):
    """Accounts on sandboxes in memory, whose clients do not wait."""

    def __init__(
        self,
        settings: Settings,
        world: SandboxWorld,
        wire: Wire,
        timing: Timing,
        telemetry: Telemetry | None = None,
    ) -> None:
        super().__init__(settings, timing=timing, world=world, observe=telemetry.observer if telemetry else None)
        self._wire = wire
        self._clock = world.now

    def _sandbox(self, provider: Provider) -> httpx2.AsyncBaseTransport:
        return _Watched(self._wire, super()._sandbox(provider))

    def _connect(self, provider: Provider, account: Account) -> Connection:
        connection = super()._connect(provider, account)
        if provider.name == "rewix":  # dates its orders, and looks for them after pauses
            connection.client.now = self._clock
            connection.client.sleep = _no_wait
        return connection


async def _no_wait(_: float) -> None: ...


@dataclass
class Bench:
    """A connected client and what stands behind the server."""

    client: Client
    accounts: Accounts
    ledger: SqliteLedger
    world: SandboxWorld
    clock: Clock
    wire: Wire
    tools: dict[str, dict[str, Any]]

    async def result(self, tool: str, arguments: Mapping[str, Any] | None = None) -> types.CallToolResult:
        """Whatever comes back."""
        return await self.client.call_tool(tool, dict(arguments or {}))

    async def call(self, tool: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer of a call that ends well."""
        result = await self.result(tool, arguments)
        assert not result.is_error, text_of(result)
        answer = cast("dict[str, Any]", result.structured_content)
        assert text_of(result) == json.dumps(answer, separators=(",", ":"), ensure_ascii=False)
        check_answer(answer, self.tools[tool]["outputSchema"])
        return answer

    async def fail(self, tool: str, arguments: Mapping[str, Any] | None = None) -> str:
        """The text of a call that ends in an error."""
        result = await self.result(tool, arguments)
        assert result.is_error
        assert result.structured_content is None
        check_error(text_of(result), orders=self.tools[tool]["annotations"]["destructiveHint"])
        return text_of(result)


@asynccontextmanager
async def bench(
    folder: Path,
    era: Era = "auto",
    *,
    only: Sample | None = None,
    settings: Settings | None = None,
    timing: Timing = NO_PAUSES,
    person: ElicitationFnT | None = None,
    world: SandboxWorld | None = None,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncGenerator[Bench]:
    """A server in sandbox mode and a client of the given era.

    Args:
        only: one provider, which opens much faster.
        person: answers the host's questions; without one the host cannot ask.
        world, clock: those of an earlier server on the same folder.
        telemetry: who watches it.
    """
    clock = clock or Clock()
    world = world or world_at(clock)
    wire = Wire()
    settings = settings or (Settings(providers=(only.provider,)) if only else Settings())
    settings = settings._replace(ledger=folder / "ledger.sqlite3")
    ledger = SqliteLedger(folder / "ledger.sqlite3", now=clock)
    accounts = WatchedAccounts(settings, world, wire, timing, telemetry)
    ordering = Ordering(ledger, settings.policy, now=clock, watch=telemetry.watch if telemetry else None)
    app = build_app(settings, accounts=accounts, ledger=ledger, ordering=ordering, telemetry=telemetry)
    try:
        async with Client(app, mode=era, cache=None, elicitation_callback=person) as client:
            tools = {tool["name"]: tool for tool in await listed(client)}
            yield Bench(client, accounts, ledger, world, clock, wire, tools)
    except ExceptionGroup as group:  # a failed assertion comes wrapped by every task group on its way
        raise _innermost(group) from None


async def listed(client: Client) -> list[dict[str, Any]]:
    """The tool list as it stands on the wire."""
    result = await client.list_tools()
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in result.tools]


def _innermost(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def text_of(result: types.CallToolResult) -> str:
    """The one text block of a result."""
    [block] = result.content
    assert isinstance(block, types.TextContent)
    return block.text


def check_answer(answer: dict[str, Any], schema: dict[str, Any]) -> None:
    """What holds for every answer: it conforms, names its mode, and holds neither nulls nor JSON in strings."""
    jsonschema.Draft202012Validator(schema).validate(answer)
    assert answer["mode"] in ("sandbox", "live")
    for path, value in leaves(answer):
        assert value is not None, path
        if isinstance(value, str) and path != ("request", "body"):
            assert not holds_json(value), path


def check_error(text: str, *, orders: bool) -> None:
    """What holds for every error: its form, a known code, and a word about sending from tools that order."""
    form = re.fullmatch(
        r"(?P<code>[a-z_]+): [^\n]+\n"
        r"(order sent: (?P<sent>no|maybe|yes)\n)?"
        r"fix: [^\n]+"
        r"(\n- [^\n:]+: [^\n]+)*"
        r'(\nprovider said \(untrusted\): "[^"\n]{1,300}")?',
        text,
    )
    assert form, text
    assert form["code"] in ERROR_CODES
    assert (form["sent"] is not None) == orders, text


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value that is no object or list, with where it stands."""
    if isinstance(value, dict):
        for name, child in cast("dict[str, Any]", value).items():
            yield from leaves(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(cast("list[Any]", value)):
            yield from leaves(child, (*path, index))
    else:
        yield path, value


def holds_json(text: str) -> bool:
    """Whether a string is itself a JSON object or array."""
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False
