"""What a provider is, before any of its code is loaded.

Standard library only: settings and `--help` read these descriptions without importing pydantic, the SDK or an
HTTP client. The heavy parts of a provider (`tools`, `client`, `sandbox`) are imported on first use. Named tuples, not
dataclasses: those import `inspect` and take five times as long to define, while a host waits for its tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from dropship_tools.secret import Secret

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from dropship_tools.example import Example
    from dropship_tools.http import ProviderHttp
    from dropship_tools.tool import Tool


class Credential(NamedTuple):
    """One value an account needs.

    Attributes:
        name: the key in an account's values and in the TOML file, e.g. `api_key`.
        env: the environment variable, e.g. `DIPLI_API_KEY`; `<env>_FILE` names a file that holds it.
        where: where a person finds it.
        secret: masked everywhere.
        required: an account is complete only with it.
        choices: the allowed values, if few.
        default: used when it is not set.
        sandbox: what the sandbox takes for it; opens nothing else.
    """

    name: str
    env: str
    where: str
    secret: bool = True
    required: bool = True
    choices: tuple[str, ...] = ()
    default: str = ""
    sandbox: str = ""


class SharedBucket(Protocol):
    """A leaky bucket that several servers pour into. It is measured in the seconds it takes to run empty."""

    async def pour(self, seconds: float, most: float) -> float:
        """Add `seconds`, unless it would hold more than `most` then; the seconds it holds, or would hold.

        Raises:
            LedgerUnavailable: it cannot be reached.
        """
        ...

    async def fill(self, seconds: float) -> None:
        """Let it hold at least `seconds`. Raises as `pour`."""
        ...


Held = Callable[[], bool]
"""Whether a turn is still had. It can be lost, if seldom."""

Turn = Callable[[], "AbstractAsyncContextManager[Held]"]
"""What one process at a time has; entering it waits. Raises `LedgerUnavailable`."""


class Account(NamedTuple):
    """A named set of credentials for one provider.

    Attributes:
        base_url: where its requests go.
        values: credentials and other values by their names.
        cache: a folder in which the client may keep what it can download again; None: keep nothing.
        bucket: how full the provider's leaky bucket is, counted by all servers that share the login; None: this one
            counts alone.
        turn: had by one of all the servers that share the login, while it does what the others' must not mix with;
            None: there is only this server.
    """

    provider: str
    name: str
    base_url: str
    values: Mapping[str, Secret | str] = {}
    cache: Path | None = None
    bucket: SharedBucket | None = None
    turn: Turn | None = None

    def login(self) -> tuple[str, ...]:
        """What the provider knows it by. Holds secrets."""
        secrets = sorted((name, value) for name, value in self.values.items() if isinstance(value, Secret))
        login = (text for name, secret in secrets for text in (name, secret.reveal()))
        return (self.provider, self.base_url.lower(), *login)

    def value(self, name: str) -> str:
        """The value called `name` in clear; empty if it is not set."""
        value = self.values.get(name, "")
        return value.reveal() if isinstance(value, Secret) else value


class Checks(Protocol):
    """What every provider's client can do, beside what its tools ask of it."""

    async def check(self) -> None:
        """See whether the account works: the cheapest read that needs the credentials. It changes nothing.

        Raises:
            DropshipError: it does not; `WrongKindOfKey` and `UnexpectedAnswer` tell what is easily mistaken.
        """
        ...


class Provider(NamedTuple):
    """One line of the table of contents (`dropship_tools.PROVIDERS`).

    Attributes:
        name: lower-case word used in tool names and settings.
        title: the name people use.
        package: the import package that holds `tools`, `client` and `sandbox`.
        base_url: the documented host; empty where each account has its own.
        url_env: environment variable that overrides the host (or names it, where there is no common one).
        credentials: what an account needs.
        routes: the documented paths of its API, with names in braces for what varies.
    """

    name: str
    title: str
    package: str
    base_url: str
    url_env: str
    credentials: tuple[Credential, ...]
    routes: tuple[str, ...] = ()

    def tools(self) -> tuple[Tool, ...]:
        """The provider's tools, imported now."""
        return cast("tuple[Tool, ...]", self._module("tools").TOOLS)

    def connect(self, account: Account, http: ProviderHttp) -> Any:
        """The provider's typed client for one account, speaking through `http`; it fulfils `Checks`."""
        return self._module("client").connect(account, http)

    def auth_headers(self, account: Account) -> dict[str, str]:
        """The headers that carry the account's credentials."""
        return cast("dict[str, str]", self._module("client").auth_headers(account))

    def sandbox_credentials(self) -> dict[str, str]:
        """What the sandbox takes; known here so that listing tools loads no sandbox."""
        return {c.name: c.sandbox for c in self.credentials if c.sandbox}

    def sandbox_account(self, name: str = "sandbox") -> Account:
        """An account with the sandbox's own fixed credentials, on a host that does not exist."""
        values = {c.name: c.sandbox or c.default for c in self.credentials}
        return Account(self.name, name, f"https://{self.name}.sandbox.invalid", values)

    def example(self) -> Example:
        """An order for trying things out in the sandbox."""
        return cast("Example", self._module("example").EXAMPLE)

    def guide(self) -> str:
        """What an agent should know about this provider, in Markdown."""
        from importlib.resources import files

        return files(self.package).joinpath("guide.md").read_text(encoding="utf-8")

    def _module(self, name: str) -> Any:
        return import_module(f"{self.package}.{name}")
