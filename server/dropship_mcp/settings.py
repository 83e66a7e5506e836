"""Every setting, in one place, read from the environment.

Standard library only: a wrong setting is reported before the SDK, pydantic or any provider is imported. A host waits
for its tools meanwhile, so settings are named tuples (dataclasses import `inspect`), and functions import what few
settings need, like `pathlib`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from dropship_mcp.account_settings import read_accounts, read_private
from dropship_mcp.http_settings import HTTP_SETTINGS, HTTP_TABLES, HttpSettings, read_http
from dropship_mcp.ledger_settings import LEDGER_SETTINGS, LedgerDatabase, read_ledger
from dropship_mcp.near_names import did_you_mean
from dropship_mcp.policy_rules import Policy
from dropship_mcp.policy_settings import read_policy
from dropship_mcp.telemetry_settings import TELEMETRY_SETTINGS, TelemetrySettings, read_telemetry
from dropship_mcp.tenant_settings import TenantTable, read_tenants
from dropship_tools import PROVIDERS
from dropship_tools.provider import Account

if TYPE_CHECKING:
    from pathlib import Path

Mode = Literal["sandbox", "live"]
Orders = Literal["off", "ask", "allow"]

MEMORY = ":memory:"
PREFIX = "DROPSHIP_"

SETTINGS: dict[str, str] = {
    "DROPSHIP_MODE": "sandbox (default) or live",
    "DROPSHIP_ORDERS": "off: no tool that orders exists; ask (default in live mode): a person agrees to each order; "
    "allow (default in the sandbox): within the policy",
    "DROPSHIP_MAX_ORDERS_PER_DAY": "orders in 24 hours, all accounts together; default no limit",
    "DROPSHIP_MAX_ORDER_TOTAL": "largest total of one order, where the order states prices; default no limit",
    "DROPSHIP_MAX_QUANTITY": "most pieces on one line; default no limit",
    "DROPSHIP_COUNTRIES": "the only countries delivered to, separated by commas; default all",
    "DROPSHIP_PROVIDERS": "which providers to serve, separated by commas; default all that are configured",
    "DROPSHIP_EXTRA_TOOLS": "tools that are off by default, by name, separated by commas",
    "DROPSHIP_CONFIG": "path of a TOML file with several accounts",
    "DROPSHIP_TENANT": "whose accounts a command uses, where DROPSHIP_CONFIG has tenants; or --tenant",
    **LEDGER_SETTINGS,
    "DROPSHIP_SANDBOX": "path of the sandbox's orders, or :memory:; default a file in the user's state folder",
    "DROPSHIP_LOG_LEVEL": "debug, info, warning (default) or error; to stderr",
    **HTTP_SETTINGS,
    **TELEMETRY_SETTINGS,
}

CONFIGURATION = ("accounts", "policy", "tenants", *HTTP_TABLES)
"""The tables of the configuration file."""


class SettingsError(Exception):
    """Settings that make no sense. `problems` are single lines for a person, without any secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Settings(NamedTuple):
    """What the operator decided.

    Attributes:
        mode: where orders go.
        orders: whether tools that order exist, and whether a person is asked for each order.
        policy: the rules for every order.
        providers: names of the providers that may be served.
        extra_tools: names of tools that are off by default and switched on.
        accounts: live accounts with complete credentials; empty in sandbox mode.
        missing: for each provider without an account, the variables a person has to set.
        ledger: path or database given by the operator, or None for the default.
        sandbox: path given by the operator, `:memory:`, or None for the default.
        log_level: for stderr.
        http: how `dropship-mcp http` is reached, and by whom.
        telemetry: what can be seen from outside.
        tenant: whose settings these are; where they are those of several tenants, the one that the environment names.
        tenants: the settings of each tenant; these themselves have no accounts then.
        operator: where these are one tenant's, those that stand above them.
    """

    mode: Mode = "sandbox"
    orders: Orders = "allow"
    policy: Policy = Policy()
    providers: tuple[str, ...] = tuple(p.name for p in PROVIDERS)
    extra_tools: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = {}
    ledger: Path | LedgerDatabase | None = None
    sandbox: Path | str | None = None
    log_level: str = "warning"
    http: HttpSettings = HttpSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    tenant: str = ""
    tenants: Mapping[str, Settings] = {}
    operator: Settings | None = None

    @property
    def ordering(self) -> bool:
        """Whether tools that order exist."""
        return self.orders != "off"

    def orders_label(self) -> str:
        """The setting that switches ordering on."""
        own = self.operator and self.operator.ordering
        return f"tenants.{self.tenant}.orders" if own else "DROPSHIP_ORDERS"

    def providers_label(self, provider: str) -> str:
        """The setting that switches a provider on."""
        own = self.operator and provider in self.operator.providers
        return f"tenants.{self.tenant}.providers" if own else "DROPSHIP_PROVIDERS"

    def ledger_place(self) -> Path | LedgerDatabase:
        """Where the ledger is; each tenant has a scope of its own there."""
        return self.ledger or state_folder() / "ledger.sqlite3"

    def _ledger_file(self) -> Path | None:
        """The ledger's file, if the operator has named one."""
        return None if isinstance(self.ledger, LedgerDatabase) else self.ledger

    def approve_command(self) -> str:
        """How a person approves an order from a terminal; the number is added."""
        import shlex

        # a database's address is a secret, so the person has to have it set
        file = self._ledger_file()
        where = f"DROPSHIP_LEDGER={shlex.quote(str(file))} " if file else ""
        return f"{where}dropship-mcp approve" + (f" --tenant {self.tenant}" if self.tenant else "")

    def cache_folder(self) -> Path:
        """Where providers' clients may keep downloads: beside a ledger's file, sandbox and live apart."""
        file = self._ledger_file()
        folder = file.parent if file else state_folder()
        return folder / "cache" / "-".join(filter(None, (self.mode, self.tenant)))

    def sandbox_path(self) -> Path | None:
        """Where the sandbox keeps its orders; None for memory."""
        from pathlib import Path

        if self.sandbox == MEMORY:
            return None
        path = Path(self.sandbox).expanduser() if self.sandbox else state_folder() / "sandbox.sqlite3"
        return path.with_stem(f"{path.stem}-{self.tenant}") if self.tenant else path

    def chosen(self, tenant: str | None = None) -> Settings:
        """The settings of one tenant: of the one named, or of the one that the environment names.

        Raises:
            SettingsError: there are tenants and none is named, or there is none of that name.
        """
        name = tenant or self.tenant
        if not name and not self.tenants:
            return self
        if name in self.tenants:
            return self.tenants[name]
        there = f"there are: {', '.join(self.tenants)}" if self.tenants else "DROPSHIP_CONFIG has no [tenants.NAME]"
        which = f"{name} is no tenant" if name else "say whose accounts are meant, with --tenant or DROPSHIP_TENANT"
        raise SettingsError([f"{which}; {there}"])


def state_folder() -> Path:
    """The user's state folder for this program, by the system's conventions."""
    from pathlib import Path

    import platformdirs

    return Path(platformdirs.user_state_dir("dropship-mcp", appauthor=False))


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environment` (by default the process's).

    Raises:
        SettingsError: with every problem found.
    """
    env = os.environ if environment is None else environment
    problems = _unknown(env)
    values = {name: env.get(name, "").strip() for name in SETTINGS}

    mode = _choice("DROPSHIP_MODE", values, ("sandbox", "live"), problems)
    orders = cast("Orders", _choice("DROPSHIP_ORDERS", values, _orders_choices(mode), problems))
    level = _choice("DROPSHIP_LOG_LEVEL", values, ("warning", "debug", "info", "error"), problems)
    providers = _providers(values["DROPSHIP_PROVIDERS"], problems)

    configuration = _configuration(values["DROPSHIP_CONFIG"], problems)
    tenants = read_tenants(configuration, problems)
    accounts: list[Account] = []
    missing: dict[str, tuple[str, ...]] = {}
    if tenants:
        problems += _belonging_to_nobody(env)
    elif mode == "live":
        accounts, missing = read_accounts(env, configuration.get("accounts", {}), providers, problems)
    policy, wrong = read_policy(
        env,
        {} if tenants else configuration.get("policy", {}),
        orders="ask" if orders == "ask" else "allow",
        live=mode == "live",
        names=_rule_names(configuration.get("accounts", {})),
    )
    problems += wrong
    http = read_http(env, configuration, problems)
    telemetry = read_telemetry(env, problems)
    ledger = read_ledger(env, problems)
    sandbox = values["DROPSHIP_SANDBOX"]
    if sandbox not in ("", MEMORY) and not os.path.isabs(os.path.expanduser(sandbox)):
        problems.append("DROPSHIP_SANDBOX must be an absolute path")
    settings = Settings(
        mode=cast("Mode", mode),
        orders=orders,
        policy=policy,
        providers=providers,
        extra_tools=tuple(filter(None, (name.strip() for name in values["DROPSHIP_EXTRA_TOOLS"].split(",")))),
        accounts=tuple(accounts),
        missing=missing,
        ledger=ledger,
        sandbox=sandbox or None,
        log_level=level,
        http=http,
        telemetry=telemetry,
        tenant=values["DROPSHIP_TENANT"],
    )
    if tenants:
        settings = _with_tenants(settings, tenants, env, problems)
    problems += settings.http.auth.misplaced_tokens()
    if problems:
        raise SettingsError(problems)
    return settings


def _with_tenants(shared: Settings, tables: list[TenantTable], env: Mapping[str, str], problems: list[str]) -> Settings:
    """Settings that all tenants share, with each one's own."""
    tenants = {table.name: _of_tenant(shared, table, env, problems) for table in tables}
    owners: dict[tuple[object, ...], str] = {}
    problems += [
        f"tenants {first} and {tenant.tenant} have an account with the same login; each ledger would order with it"
        for tenant in tenants.values()
        for account in tenant.accounts
        if (first := owners.setdefault(account.login(), tenant.tenant)) != tenant.tenant
    ]
    auth = shared.http.auth._replace(tenants={claim: table.name for table in tables for claim in table.claims})
    return shared._replace(http=shared.http._replace(auth=auth), tenants=tenants)


def _of_tenant(shared: Settings, table: TenantTable, env: Mapping[str, str], problems: list[str]) -> Settings:
    """One tenant's settings: its own accounts and policy, and the operator's caps from the environment."""
    own: list[str] = []
    live = shared.mode == "live"
    orders = _stricter(shared, table.orders, given=bool(env.get("DROPSHIP_ORDERS", "").strip()))
    providers = _providers(table.providers, own, f"tenants.{table.name}.providers") if table.providers else ()
    if strange := [name for name in providers if name not in shared.providers]:
        own.append(f"tenants.{table.name}.providers: DROPSHIP_PROVIDERS leaves out {', '.join(strange)}")
    providers = providers or shared.providers
    accounts, missing = read_accounts({}, table.accounts, providers, own) if live else ([], {})
    policy, wrong = read_policy(
        env, table.policy, orders="ask" if orders == "ask" else "allow", live=live, names=_rule_names(table.accounts)
    )
    problems += table.located([*own, *wrong])
    return shared._replace(
        orders=orders,
        policy=policy,
        providers=providers,
        accounts=tuple(accounts),
        missing=dict.fromkeys(missing, (f"tenants.{table.name}.accounts.NAME",)),
        tenant=table.name,
        operator=shared._replace(tenant=""),
    )


def _stricter(shared: Settings, wanted: str, *, given: bool) -> Orders:
    """An operator who switches ordering off means everybody."""
    choices: tuple[Orders, ...] = ("allow", "ask", "off")
    own = [choice for choice in choices if choice == wanted]
    return max([*own, *([shared.orders] if given or not own else [])], key=choices.index)


def _belonging_to_nobody(env: Mapping[str, str]) -> list[str]:
    """Accounts of the environment, beside tenants."""
    names = [
        name
        for provider in PROVIDERS
        for name in (provider.url_env, *(f"{c.env}{end}" for c in provider.credentials for end in ("", "_FILE")))
    ]
    place = "with tenants, accounts stand in [tenants.NAME.accounts.NAME]"
    return [f"{name} belongs to nobody: {place}" for name in names if env.get(name, "").strip()]


def _unknown(env: Mapping[str, str]) -> list[str]:
    """A misspelt limit must not be a missing limit."""
    strange = (name for name in sorted(env) if name.startswith(PREFIX) and name not in SETTINGS)
    return [f"{name} is not a setting{did_you_mean(name, SETTINGS, PREFIX)}" for name in strange]


def _choice(name: str, values: Mapping[str, str], choices: tuple[str, ...], problems: list[str]) -> str:
    """The value in lower case; the first choice if it is not set."""
    value = values[name].lower() or choices[0]
    if value not in choices:
        problems.append(f"{name} must be one of: {', '.join(choices)}")
    return value


def _orders_choices(mode: str) -> tuple[str, ...]:
    """The default first."""
    return ("allow", "ask", "off") if mode == "sandbox" else ("ask", "allow", "off")


def _rule_names(accounts: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a rule of the policy may name: an account of the environment has its provider's name."""
    providers = tuple(provider.name for provider in PROVIDERS)
    return {"providers": providers, "accounts": (*providers, *accounts)}


def _providers(value: str, problems: list[str], where: str = "DROPSHIP_PROVIDERS") -> tuple[str, ...]:
    known = [p.name for p in PROVIDERS]
    if not value:
        return tuple(known)
    wanted = [name.strip().lower() for name in value.split(",") if name.strip()]
    if strange := [name for name in wanted if name not in known]:
        problems.append(f"{where} names unknown providers: {', '.join(strange)}; known: {', '.join(known)}")
    if not wanted:
        problems.append(f"{where} names no provider; known: {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


def _configuration(path: str, problems: list[str]) -> Mapping[str, Any]:
    """The configuration file as plain values; empty if none is named or it cannot be read."""
    if not path:
        return {}
    import tomllib

    try:
        found = tomllib.loads(read_private(path, "DROPSHIP_CONFIG", problems))
    except tomllib.TOMLDecodeError as error:
        problems.append(f"DROPSHIP_CONFIG is not valid TOML: {_place(error)}")
        return {}
    except RecursionError:
        problems.append("DROPSHIP_CONFIG is nested too deeply")
        return {}
    tables = ", ".join(CONFIGURATION)
    problems += [f"DROPSHIP_CONFIG: [{n}] is not known; there are: {tables}" for n in found if n not in CONFIGURATION]
    if not isinstance(found.get("accounts", {}), dict):
        problems.append("DROPSHIP_CONFIG: accounts must be tables: [accounts.NAME]")
        return {}
    return found


def _place(error: Exception) -> str:
    """Only the place: the text of the error may quote a secret."""
    place = re.search(r"at (line \d+, column \d+|end of document)", str(error))
    return place[0] if place else "it cannot be parsed"
