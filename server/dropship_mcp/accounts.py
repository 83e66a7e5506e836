"""The accounts in use and their open connections. A connection is made when its first call comes."""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dropship_mcp.settings import Mode, Settings
from dropship_tools import PROVIDERS, Provider
from dropship_tools.errors import NotConfigured
from dropship_tools.http import Observer, ProviderHttp, Timing
from dropship_tools.provider import Account, Held, SharedBucket

if TYPE_CHECKING:
    import httpx2

    from dropship_tools.sandbox.world import SandboxWorld


@dataclass(frozen=True)
class Connection:
    """An account with its client and the HTTP it speaks through.

    Attributes:
        several: the provider has other accounts as well, so that this one has to be named.
    """

    mode: Mode
    provider: Provider
    account: Account
    client: Any
    http: ProviderHttp
    several: bool = False

    def secrets(self) -> Iterator[str]:
        """The credentials in clear, and as they travel."""
        account, credentials = self.account, self.provider.credentials
        shown = {account.value(credential.name) for credential in credentials if not credential.secret}
        yield from (account.value(credential.name) for credential in credentials if credential.secret)
        headers = (value.rpartition(" ")[2] for value in self.provider.auth_headers(account).values())
        yield from (value for value in headers if value not in shown)


class Accounts:
    """The accounts the settings name; in sandbox mode one for each provider.

    Args:
        settings: who may be served.
        timing: HTTP limits, for tests.
        world: the sandbox to use in sandbox mode instead of the one the settings name, for tests.
        bucket: the leaky bucket that all servers with a login share, by a name for the login.
        turn: the turn that one of them has at a time, likewise.
        observe: who watches the requests of an account.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        timing: Timing | None = None,
        world: SandboxWorld | None = None,
        bucket: Callable[[str], SharedBucket | None] = lambda _: None,
        turn: Callable[[str], AbstractAsyncContextManager[Held]] | None = None,
        observe: Callable[[Provider, Account], Observer] | None = None,
    ) -> None:
        self._settings = settings
        self._timing = timing
        self._world = world
        self._bucket = bucket
        self._turn = turn
        self._observe = observe
        self._open: dict[str, tuple[Connection, ...]] = {}

    @property
    def mode(self) -> Mode:
        """`sandbox` or `live`."""
        return self._settings.mode

    def providers(self) -> tuple[Provider, ...]:
        """The providers that have an account."""
        if self._settings.mode == "sandbox":
            return tuple(p for p in PROVIDERS if p.name in self._settings.providers)
        configured = {account.provider for account in self._settings.accounts}
        return tuple(p for p in PROVIDERS if p.name in configured)

    def of(self, provider: Provider) -> tuple[Connection, ...]:
        """The connections of a provider's accounts, in the order of the settings."""
        if provider.name not in self._open:
            if self._settings.mode == "sandbox":
                accounts = (provider.sandbox_account(),)
            else:
                accounts = tuple(a for a in self._settings.accounts if a.provider == provider.name)
            connections = [self._connect(provider, account) for account in accounts]
            self._open[provider.name] = tuple(replace(c, several=len(accounts) > 1) for c in connections)
        return self._open[provider.name]

    def connections(self) -> Iterator[Connection]:
        """All accounts' connections."""
        return (connection for provider in self.providers() for connection in self.of(provider))

    async def close(self) -> None:
        """Close what was opened."""
        for connection in itertools.chain.from_iterable(self._open.values()):
            await connection.http.aclose()
        self._open.clear()

    def _connect(self, provider: Provider, account: Account) -> Connection:
        transport: Callable[[], httpx2.AsyncBaseTransport] | None = None
        if self._settings.mode == "sandbox":
            transport = partial(self._sandbox, provider)
        account = account._replace(cache=self._settings.cache_folder() / f"{provider.name}-{account.name}")
        # hashed, for what holds a name for long may be seen in crash reports
        login = hashlib.sha256(" ".join(account.login()).encode()).hexdigest()
        if self._settings.mode == "live":
            account = account._replace(bucket=self._bucket(login))
        if self._turn:
            account = account._replace(turn=partial(self._turn, login))
        http = ProviderHttp(
            provider.title,
            account.base_url,
            provider.auth_headers(account),
            timing=self._timing,
            transport=transport,
            observer=self._observe(provider, account) if self._observe else None,
        )
        return Connection(self._settings.mode, provider, account, provider.connect(account, http), http)

    def _sandbox(self, provider: Provider) -> httpx2.AsyncBaseTransport:
        from dropship_tools.sandbox.service import in_process_app
        from dropship_tools.sandbox.transport import SandboxTransport

        if self._world is None:
            self._world = usable(open_world(self._settings))
        return SandboxTransport(in_process_app(self._world, provider.name))


def usable(world: SandboxWorld) -> SandboxWorld:
    """`world`, if its file can be opened.

    Raises:
        NotConfigured: it cannot.
    """
    try:
        world.store.count("", "")
    except (OSError, sqlite3.Error) as error:
        raise NotConfigured(
            "the sandbox's file cannot be opened, so nothing was sent",
            fix="A person has to set DROPSHIP_SANDBOX to a path that can be written, or to :memory:.",
        ) from error
    return world


def open_world(settings: Settings) -> SandboxWorld:
    """The sandbox the settings name."""
    from dropship_tools.sandbox.store import SandboxStore
    from dropship_tools.sandbox.world import SandboxWorld

    return SandboxWorld(SandboxStore(settings.sandbox_path()))
