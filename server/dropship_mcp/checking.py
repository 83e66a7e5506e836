"""Does everything work that an order needs? Accounts are tried by a read, the ledger by a write without a change."""

from __future__ import annotations

import math
import os
import socket
import ssl
import stat
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, cast

import anyio

from dropship_mcp import answers
from dropship_mcp.account_settings import Environment, Source, Table, read_private
from dropship_mcp.accounts import Accounts, Connection
from dropship_mcp.ledger import Ledger, make_ledger
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_mcp.settings import Mode, Settings
from dropship_tools import PROVIDERS, Provider
from dropship_tools.body import NoAnswer
from dropship_tools.errors import (
    DropshipError,
    LedgerUnavailable,
    NotConfigured,
    NotFound,
    ProviderAuth,
    ProviderRefused,
    RateLimited,
    UnexpectedAnswer,
    WrongKindOfKey,
)
from dropship_tools.http import Timing
from dropship_tools.provider import Checks

TIMING = Timing(connect=5, read=8, attempts=1)
"""One attempt: a person who checks wants to know what happens now."""

LONGEST = 18.0
"""Seconds for one account; all are tried at once. Some checks need a second request."""

Verdict = Literal[
    "works",
    "wrong_key",
    "wrong_kind_of_key",
    "refused",
    "busy",
    "unreachable",
    "failing",
    "nonsense",
    "not_configured",
    "broken",
]
Reason = Literal["", "dns", "refused", "tls", "timeout", "proxy", "broken"]
"""Why a host cannot be reached."""


@dataclass(frozen=True)
class Check:
    """One thing that was tried. All texts may be shown to anybody; what does not apply is empty.

    Attributes:
        check: what was tried. All but accounts either works or is broken.
        mode: empty where settings are broken.
        place: the account's address, or the ledger's.
        what: what is wrong, in our words.
        fix: how a person mends it.
        provider_said: the provider's own words, cleaned and cut; not to be trusted.
        tenant: whose it is, where there are tenants.
    """

    check: Literal["account", "ledger", "files", "keys", "settings"]
    mode: Mode | Literal[""]
    verdict: Verdict
    provider: str = ""
    account: str = ""
    place: str = ""
    milliseconds: int = 0
    reason: Reason = ""
    what: str = ""
    fix: str = ""
    provider_said: str = ""
    tenant: str = ""


async def check_everything(
    settings: Settings, environment: Mapping[str, str], accounts: Accounts | None = None
) -> list[Check]:
    """Try everything at once: each account in force, then the ledger, then the files.

    Args:
        settings: what the operator decided.
        environment: where the settings stand, to name them and the files they name.
        accounts: for tests that bring their own.
    """
    ledger = make_ledger(settings.ledger_place(), scope=settings.tenant)
    accounts = accounts or Accounts(settings, timing=TIMING, bucket=ledger.bucket)
    tries: list[Callable[[], Awaitable[Check]]] = [
        *(partial(_check_account, connection, environment, settings.tenant) for connection in accounts.connections()),
        partial(_check_ledger, ledger, settings),
    ]
    done: dict[int, Check] = {}

    async def run(place: int) -> None:
        done[place] = await tries[place]()

    try:
        async with anyio.create_task_group() as tasks:
            for place in range(len(tries)):
                tasks.start_soon(run, place)
    finally:
        await accounts.close()
        await ledger.close()
    checks = [*(done[place] for place in sorted(done)), _check_files(settings, ledger, environment)]
    return [replace(check, tenant=settings.tenant) for check in checks]


# --- accounts ------------------------------------------------------------------------------------------------------


async def _check_account(connection: Connection, environment: Mapping[str, str], tenant: str) -> Check:
    began = time.monotonic()
    error: DropshipError | TimeoutError | None = None
    try:
        with anyio.fail_after(LONGEST):
            await cast("Checks", connection.client).check()
    except (DropshipError, TimeoutError) as failure:
        error = failure
    verdict, reason = _judge(error)
    return Check(
        check="account",
        mode=connection.mode,
        verdict=verdict,
        provider=connection.provider.name,
        account=connection.account.name,
        place=connection.account.base_url,
        milliseconds=round((time.monotonic() - began) * 1000),
        reason=reason,
        what=_WHY[reason] if reason else error.what if isinstance(error, DropshipError) else "",
        fix=_fix(verdict, reason, error, connection, _source(connection, environment, tenant)) if error else "",
        provider_said=answers.said(error, connection.secrets()) if isinstance(error, DropshipError) else "",
    )


_VERDICTS: tuple[tuple[type[DropshipError], Verdict], ...] = (
    (WrongKindOfKey, "wrong_kind_of_key"),
    (ProviderAuth, "wrong_key"),
    (RateLimited, "busy"),
    (UnexpectedAnswer, "nonsense"),
    (NotFound, "nonsense"),
    (ProviderRefused, "refused"),
    (NotConfigured, "not_configured"),
)
"""The first that fits counts."""

_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (socket.gaierror, "dns"),
    (ssl.SSLError, "tls"),
    (ConnectionRefusedError, "refused"),
    (TimeoutError, "timeout"),
)

_WHY: Mapping[Reason, str] = {
    "dns": "it cannot be reached: its name is not known",
    "refused": "it cannot be reached: nothing listens at this address",
    "tls": "it cannot be reached safely: its certificate is not accepted, or it does not speak TLS",
    "timeout": "no answer came in time",
    "proxy": "it cannot be reached: the proxy refuses",
    "broken": "it cannot be reached: the connection could not be made or broke off",
}


def _judge(error: Exception | None) -> tuple[Verdict, Reason]:
    if error is None:
        return "works", ""
    for kind, verdict in _VERDICTS:
        if isinstance(error, kind):
            return verdict, ""
    if reason := _reason(error):
        return "unreachable", reason
    no_answer = next((cause for cause in _causes(error) if isinstance(cause, NoAnswer)), None)
    if no_answer is None:
        return "failing", ""
    if no_answer.__cause__ is None or isinstance(no_answer.__cause__, zlib.error):
        return "nonsense", ""  # an answer came, and the client would not take it
    return "unreachable", "proxy" if type(no_answer.__cause__).__name__ == "ProxyError" else "broken"


def _reason(error: Exception) -> Reason:
    """Why a host was not reached, if the exception came from that."""
    causes = list(_causes(error))
    for kind, reason in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return reason
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it came from, told or not; several attempts to connect come as a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for one in cast("BaseExceptionGroup[BaseException]", error).exceptions:
                yield from _causes(one)
        error = error.__cause__ or error.__context__


def _fix(verdict: Verdict, reason: Reason, error: Exception, connection: Connection, source: Source) -> str:
    """How a person mends it, by the names of the account's settings."""
    provider, title = connection.provider, connection.provider.title
    if isinstance(error, NotConfigured):
        return error.fix
    if connection.mode == "sandbox":
        return "This is the sandbox: `dropship-mcp sandbox reset` makes it forget its faults and its orders."
    address = source.url_label(provider)
    keys = ", ".join(f"{source.label(c)} ({c.where})" for c in provider.credentials if c.required)
    options = "".join(f" and {source.label(c)}" for c in provider.credentials if c.choices)
    wait = math.ceil(getattr(error, "retry_after", None) or 60)
    fixes: dict[Verdict, str] = {
        "wrong_key": f"Check {keys}.",
        "wrong_kind_of_key": f"Get credentials of the right kind: {keys}.",
        "refused": f"Check {address} and {keys}.",
        "busy": f"Wait {wait} s and check again; another program may be using the same key.",
        "nonsense": f"Check {address}{options}: this is not how {title} answers.",
        "failing": f"Wait and check again; if it stays so, ask {title}.",
    }
    reached: dict[Reason, str] = {
        "dns": f"Check {address} and this machine's network and name service.",
        "refused": f"Check {address}, its port, and firewalls.",
        "tls": f"Check {address}, this machine's certificates (SSL_CERT_FILE) and its clock.",
        "timeout": f"Check {address}, this machine's network and firewalls; or {title} is slow: check again later.",
        "proxy": "Check HTTPS_PROXY and NO_PROXY.",
        "broken": f"Check {address}, this machine's network, proxies and firewalls.",
    }
    return reached[reason] if reason else fixes[verdict]


def _source(connection: Connection, environment: Mapping[str, str], tenant: str) -> Source:
    """Where the account's values stand, for their names."""
    known = Environment(environment)
    values = (known.get(c, suffix) for c in connection.provider.credentials for suffix in ("", "_file"))
    if connection.account.name == connection.provider.name and any(values):
        return known
    return Table(connection.account.name, {}, f"tenants.{tenant}." if tenant else "")


# --- the keys that tokens are verified with ------------------------------------------------------------------------


async def check_keys(settings: Settings, look: Callable[[], Awaitable[None]], failure: type[Exception]) -> Check:
    """Try to fetch the keys of the issuer whose tokens are accepted over HTTP.

    Args:
        look: fetches them.
        failure: what it raises, in words that may be shown.
    """
    began = time.monotonic()
    what = ""
    reason: Reason = ""
    try:
        await look()
    except failure as error:
        reason = _reason(error)
        what = _WHY[reason] if reason else str(error)
    return Check(
        check="keys",
        mode=settings.mode,
        verdict="broken" if what else "works",
        place=settings.http.auth.jwks_url,
        milliseconds=round((time.monotonic() - began) * 1000),
        reason=reason,
        what=what,
        fix="Check DROPSHIP_AUTH_JWKS_URL. Without the keys no token of the issuer is accepted." if what else "",
    )


# --- the ledger and the files --------------------------------------------------------------------------------------


async def _check_ledger(ledger: Ledger, settings: Settings) -> Check:
    began = time.monotonic()
    what = ""
    try:
        await ledger.check()
    except LedgerUnavailable as error:
        what = error.what
    return Check(
        check="ledger",
        mode=settings.mode,
        verdict="broken" if what else "works",
        place=ledger.place,
        milliseconds=round((time.monotonic() - began) * 1000),
        what=what,
        fix=_mend(settings) if what else "",
    )


def _mend(settings: Settings) -> str:
    if isinstance(settings.ledger, LedgerDatabase):
        return "Mend the database, or check DROPSHIP_LEDGER and DROPSHIP_LEDGER_KEY. Until then no order is sent."
    return "Mend the file, or name another one with DROPSHIP_LEDGER. Until then no order is sent."


def _check_files(settings: Settings, ledger: Ledger, environment: Mapping[str, str]) -> Check:
    """Whether other users can read keys or change what was promised."""
    problems: list[str] = []
    for label in ("DROPSHIP_CONFIG", "DROPSHIP_LEDGER_FILE", "DROPSHIP_LEDGER_KEY_FILE", *_key_files(PROVIDERS)):
        if path := environment.get(label, "").strip():
            read_private(path, label, problems)
    kept = () if isinstance(settings.ledger, LedgerDatabase) else (Path(ledger.place), Path(f"{ledger.place}.key"))
    problems += [f"{path} is open to other users; restrict it with chmod 600" for path in kept if _is_open(path)]
    return Check(
        check="files",
        mode=settings.mode,
        verdict="broken" if problems else "works",
        what="; ".join(problems),
        fix="Let nobody but the user this server runs as read and write them." if problems else "",
    )


def _is_open(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:  # it is not there, or the ledger's own line tells what is wrong
        return False
    return os.name == "posix" and bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


def _key_files(providers: tuple[Provider, ...]) -> list[str]:
    return [f"{credential.env}_FILE" for provider in providers for credential in provider.credentials]
