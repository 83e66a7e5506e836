"""Accounts from the environment (one for each provider) and from the configuration file (any number, by name).

    [accounts.griffati]
    provider = "rewix"
    url = "https://www.griffati.com"
    api_key = "…"
    password_file = "/path/only/you/can/read"
    format = "xml"

Standard library only, like all settings.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from dropship_mcp.near_names import did_you_mean
from dropship_tools import PROVIDERS, Provider
from dropship_tools.provider import Account, Credential
from dropship_tools.secret import Secret
from dropship_tools.urls import check_base_url

_NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
CONTAINER_SECRETS = "/run/secrets/"
"""Containers mount secrets here, readable for everyone inside."""


class Environment(NamedTuple):
    """`DIPLI_API_KEY`, `DIPLI_API_KEY_FILE`, `DIPLI_URL`."""

    env: Mapping[str, str]

    def get(self, credential: Credential, suffix: str = "") -> str:
        """The value, or with the suffix `_file` the path of the file that holds it; empty if absent."""
        return self.env.get(self.label(credential, suffix), "").strip()

    def url(self, provider: Provider) -> str:
        """The variable's value."""
        return self.env.get(provider.url_env, "").strip()

    def label(self, credential: Credential, suffix: str = "") -> str:
        """The variable's name."""
        return credential.env + suffix.upper()

    def url_label(self, provider: Provider) -> str:
        """The variable's name."""
        return provider.url_env


class Table(NamedTuple):
    """One `[accounts.NAME]` of the configuration file, or of the table `within`."""

    name: str
    values: Mapping[str, Any]
    within: str = ""

    def get(self, credential: Credential, suffix: str = "") -> str:
        """As of the environment; numbers may stand without quotes."""
        return str(self.values.get(credential.name + suffix, "")).strip()

    def url(self, provider: Provider) -> str:
        """The key's value."""
        return str(self.values.get("url", "")).strip()

    def label(self, credential: Credential, suffix: str = "") -> str:
        """The key with its table."""
        return f"{self.within}accounts.{self.name}.{credential.name}{suffix}"

    def url_label(self, provider: Provider) -> str:
        """The key with its table."""
        return f"{self.within}accounts.{self.name}.url"


Source = Environment | Table
"""Where an account's values stand."""


def read_accounts(
    env: Mapping[str, str], tables: Mapping[str, Any], providers: tuple[str, ...], problems: list[str]
) -> tuple[list[Account], dict[str, tuple[str, ...]]]:
    """All complete accounts, and for each provider without one the variables to set. Adds to `problems`."""
    accounts: list[Account] = []
    missing: dict[str, tuple[str, ...]] = {}
    for provider in PROVIDERS:
        if provider.name not in providers:
            continue
        account, absent = _account(provider, provider.name, Environment(env), problems)
        if account:
            accounts.append(account)
        named = [a for n, t in tables.items() if (a := _named(n, t, provider, problems))]
        accounts += named
        if not (account or named):
            missing[provider.name] = absent
    for name, table in tables.items():
        _check_table(name, table, problems)
    names = [account.name for account in accounts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"accounts need different names; used twice: {', '.join(twice)}")
    _check_logins(accounts, problems)
    return accounts, missing


def _check_logins(accounts: list[Account], problems: list[str]) -> None:
    """One login under two names would be two accounts to the ledger: the same order could go out under each."""
    seen: dict[tuple[object, ...], str] = {}
    problems += [
        f"accounts {first} and {account.name} are the same login; keep one"
        for account in accounts
        if (first := seen.setdefault(account.login(), account.name)) != account.name
    ]


def _named(name: str, table: Any, provider: Provider, problems: list[str]) -> Account | None:
    if not isinstance(table, Mapping) or cast("Mapping[str, Any]", table).get("provider") != provider.name:
        return None
    account, absent = _account(provider, name, Table(name, cast("Mapping[str, Any]", table)), problems)
    if absent:
        problems.append(f"accounts.{name} is incomplete: {', '.join(absent)} not set")
    return account


def _check_table(name: str, table: Any, problems: list[str]) -> None:
    """Names and keys that no account can have."""
    if not re.fullmatch(_NAME, name):
        problems.append(f"accounts.{name}: a name holds small letters, digits, - and _, at most 32")
    if not isinstance(table, Mapping):
        problems.append(f"accounts.{name} must be a table")
        return
    values = cast("Mapping[str, Any]", table)
    provider = next((p for p in PROVIDERS if p.name == values.get("provider")), None)
    if provider is None:
        problems.append(f"accounts.{name}.provider must be one of: {', '.join(p.name for p in PROVIDERS)}")
        return
    known = ["provider", "url", *(c.name + suffix for c in provider.credentials for suffix in ("", "_file"))]
    for key, value in values.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            problems.append(f"accounts.{name}.{key} must be text")
        if key not in known:
            problems.append(f"accounts.{name}.{key} is not known{did_you_mean(key, known)}")


def _account(
    provider: Provider, name: str, source: Source, problems: list[str]
) -> tuple[Account | None, tuple[str, ...]]:
    """The account a source describes, or what it lacks."""
    values: dict[str, Secret | str] = {}
    absent: list[str] = []
    given = False
    for credential in provider.credentials:
        found = _value(credential, source, problems)
        given = given or bool(found and credential.required)
        value = found or credential.default
        if not value and credential.required:
            absent.append(source.label(credential))
        if credential.choices and value:
            value = value.lower()
            if value not in credential.choices:
                problems.append(f"{source.label(credential)} must be one of: {', '.join(credential.choices)}")
        if not all(" " <= character <= "~" for character in value):
            problems.append(f"{source.label(credential)} holds characters that cannot be sent in a header")
        values[credential.name] = Secret(value) if credential.secret else value
    url = provider.base_url
    if elsewhere := source.url(provider):
        try:
            url = check_base_url(elsewhere)
        except ValueError as error:
            problems.append(f"{source.url_label(provider)} {error}")
    elif not url:
        absent.insert(0, source.url_label(provider))
    if absent and given and isinstance(source, Environment):
        problems.append(f"{provider.title} is only half configured: {', '.join(absent)} not set")
    return (None, tuple(absent)) if absent else (Account(provider.name, name, url, values), ())


def _value(credential: Credential, source: Source, problems: list[str]) -> str:
    """A credential, as it is given or from its file."""
    value, file = source.get(credential), source.get(credential, "_file")
    return value_or_file(value, file, source.label(credential), source.label(credential, "_file"), problems)


def value_or_file(value: str, file: str, name: str, label: str, problems: list[str]) -> str:
    """A value, from where it stands or from the file that is named instead.

    Args:
        value, file: what is given; empty if absent.
        name, label: what a person calls them.
        problems: is added to.
    """
    if not file:
        return value
    if value:
        problems.append(f"{name} and {label} are both set; keep one")
        return ""
    count = len(problems)
    text = read_private(file, label, problems).strip()
    if not text and len(problems) == count:
        problems.append(f"{label} is empty")
    return text


def read_private(path: str, label: str, problems: list[str]) -> str:
    """The text of a file that holds secrets; refused where other users can read or change it."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            text = file.read()
            shared = os.fstat(file.fileno()).st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)
        if os.name == "posix" and shared and not path.startswith(CONTAINER_SECRETS):
            problems.append(f"{label} is open to other users; restrict it with chmod 600")
        return text
    except (OSError, ValueError) as error:
        problems.append(f"{label} cannot be read: {_why_unread(error)}")
        return ""


def _why_unread(error: OSError | ValueError) -> str:
    """In words, without the path and without what the file holds."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, ValueError):
        return "that is no path"
    known: dict[type[OSError], str] = {
        FileNotFoundError: "there is no such file",
        PermissionError: "this user may not read it",
        IsADirectoryError: "it is a folder",
        NotADirectoryError: "its folder is a file",
    }
    return known.get(type(error)) or (error.strerror or "the system refuses it").lower()
