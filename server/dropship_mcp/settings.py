"""Every setting, in one place, read from the environment.

Standard library only: a wrong setting is reported before the SDK, pydantic or any provider is imported.
"""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from dropship_tools import PROVIDERS, Provider
from dropship_tools.provider import Account, Credential
from dropship_tools.secret import Secret
from dropship_tools.urls import check_base_url

Mode = Literal["sandbox", "live"]

MEMORY = ":memory:"

SETTINGS: dict[str, str] = {
    "DROPSHIP_MODE": "sandbox (default) or live",
    "DROPSHIP_ORDERS": "allow (default), or off: no tool that orders exists",
    "DROPSHIP_PROVIDERS": "which providers to serve, separated by commas; default all that are configured",
    "DROPSHIP_EXTRA_TOOLS": "tools that are off by default, by name, separated by commas",
    "DROPSHIP_LEDGER": "path of the ledger; default a file in the user's state folder",
    "DROPSHIP_SANDBOX": "path of the sandbox's orders, or :memory:; default a file in the user's state folder",
    "DROPSHIP_LOG_LEVEL": "debug, info, warning (default) or error; to stderr",
}


class SettingsError(Exception):
    """Settings that make no sense. `problems` are single lines for a person, without any secret."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """What the operator decided.

    Attributes:
        mode: where orders go.
        ordering: whether tools that order exist.
        providers: names of the providers that may be served.
        extra_tools: names of tools that are off by default and switched on.
        accounts: live accounts with complete credentials; empty in sandbox mode.
        missing: for each provider without an account, the variables a person has to set.
        ledger: path given by the operator, or None for the default.
        sandbox: path given by the operator, `:memory:`, or None for the default.
        log_level: for stderr.
    """

    mode: Mode = "sandbox"
    ordering: bool = True
    providers: tuple[str, ...] = tuple(p.name for p in PROVIDERS)
    extra_tools: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    ledger: Path | None = None
    sandbox: Path | str | None = None
    log_level: str = "warning"

    def ledger_path(self) -> Path:
        """Where the ledger is."""
        return self.ledger or state_folder() / "ledger.sqlite3"

    def cache_folder(self) -> Path:
        """Where providers' clients may keep downloads: beside the ledger, sandbox and live apart."""
        return self.ledger_path().parent / "cache" / self.mode

    def sandbox_path(self) -> Path | None:
        """Where the sandbox keeps its orders; None for memory."""
        if self.sandbox == MEMORY:
            return None
        return Path(self.sandbox) if self.sandbox else state_folder() / "sandbox.sqlite3"


def state_folder() -> Path:
    """The user's state folder for this program, by the system's conventions."""
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
    orders = _choice("DROPSHIP_ORDERS", values, ("allow", "off"), problems)
    level = _choice("DROPSHIP_LOG_LEVEL", values, ("warning", "debug", "info", "error"), problems)
    providers = _providers(values["DROPSHIP_PROVIDERS"], problems)

    accounts: list[Account] = []
    missing: dict[str, tuple[str, ...]] = {}
    if mode == "live":
        for provider in PROVIDERS:
            if provider.name in providers:
                account, absent = _account(provider, env, problems)
                if account:
                    accounts.append(account)
                else:
                    missing[provider.name] = absent
    if problems:
        raise SettingsError(problems)
    return Settings(
        mode=cast("Mode", mode),
        ordering=orders == "allow",
        providers=providers,
        extra_tools=tuple(filter(None, (name.strip() for name in values["DROPSHIP_EXTRA_TOOLS"].split(",")))),
        accounts=tuple(accounts),
        missing=missing,
        ledger=Path(values["DROPSHIP_LEDGER"]).expanduser() if values["DROPSHIP_LEDGER"] else None,
        sandbox=values["DROPSHIP_SANDBOX"] or None,
        log_level=level,
    )


def _unknown(env: Mapping[str, str]) -> list[str]:
    """A misspelt limit must not be a missing limit."""
    problems: list[str] = []
    for name in sorted(env):
        if name.startswith("DROPSHIP_") and name not in SETTINGS:
            near = difflib.get_close_matches(name, SETTINGS, 1)
            problems.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))
    return problems


def _choice(name: str, values: Mapping[str, str], choices: tuple[str, ...], problems: list[str]) -> str:
    """The value in lower case; the first choice if it is not set."""
    value = values[name].lower() or choices[0]
    if value not in choices:
        problems.append(f"{name} must be one of: {', '.join(choices)}")
    return value


def _providers(value: str, problems: list[str]) -> tuple[str, ...]:
    known = [p.name for p in PROVIDERS]
    if not value:
        return tuple(known)
    wanted = [name.strip().lower() for name in value.split(",") if name.strip()]
    if strange := [name for name in wanted if name not in known]:
        problems.append(f"DROPSHIP_PROVIDERS names unknown providers: {', '.join(strange)}; known: {', '.join(known)}")
    return tuple(name for name in known if name in wanted)


def _account(provider: Provider, env: Mapping[str, str], problems: list[str]) -> tuple[Account | None, tuple[str, ...]]:
    """The account the environment describes, or the names of the variables it lacks."""
    values: dict[str, Secret | str] = {}
    absent: list[str] = []
    for credential in provider.credentials:
        value = _value(credential.env, env, problems) or credential.default
        if not value and credential.required:
            absent.append(credential.env)
        if credential.choices and value:
            value = value.lower()
            if value not in credential.choices:
                problems.append(f"{credential.env} must be one of: {', '.join(credential.choices)}")
        if not all(" " <= character <= "~" for character in value):
            problems.append(f"{credential.env} holds characters that cannot be sent in a header")
        values[credential.name] = Secret(value) if credential.secret else value
    url = env.get(provider.url_env, "").strip() or provider.base_url
    if not url:
        absent.insert(0, provider.url_env)
    else:
        try:
            url = check_base_url(url)
        except ValueError as error:
            problems.append(f"{provider.url_env} {error}")
    given = any(_is_given(c, env) for c in provider.credentials if c.required)
    if absent and given:
        problems.append(f"{provider.title} is only half configured: {', '.join(absent)} not set")
    if absent:
        return None, tuple(absent)
    return Account(provider.name, provider.name, url, values), ()


def _is_given(credential: Credential, env: Mapping[str, str]) -> bool:
    return bool(env.get(credential.env, "").strip() or env.get(f"{credential.env}_FILE", "").strip())


def _value(name: str, env: Mapping[str, str], problems: list[str]) -> str:
    """A value, from the variable itself or from the file that `<name>_FILE` names."""
    file = env.get(f"{name}_FILE", "").strip()
    value = env.get(name, "").strip()
    if not file:
        return value
    if value:
        problems.append(f"{name} and {name}_FILE are both set; keep one")
        return ""
    try:
        path = Path(file).expanduser()
        shared = path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)
        if os.name == "posix" and shared and not path.is_relative_to("/run/secrets"):  # containers mount 0444 there
            problems.append(f"{name}_FILE is open to other users; restrict it with chmod 600")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{name}_FILE cannot be read: {type(error).__name__}")
        return ""
