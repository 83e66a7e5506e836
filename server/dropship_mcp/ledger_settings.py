"""Where the ledger is: a file, or a PostgreSQL database that several servers share.

Standard library only, like all settings.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from dropship_mcp.account_settings import value_or_file
from dropship_tools.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path
    from urllib.parse import SplitResult

LEDGER_SETTINGS: dict[str, str] = {
    "DROPSHIP_LEDGER": "path of the ledger, or postgresql://…; default a file in the user's state folder",
    "DROPSHIP_LEDGER_FILE": "path of a file that holds DROPSHIP_LEDGER: a database's address may hold a password",
    "DROPSHIP_LEDGER_KEY": "for a database, 64 hexadecimal digits, the same for every server (openssl rand -hex 32)",
    "DROPSHIP_LEDGER_KEY_FILE": "path of a file that holds DROPSHIP_LEDGER_KEY",
}

MAKE_A_KEY = "make one with: openssl rand -hex 32"

_KEY = r"([0-9a-fA-F]{2}){32,}"
_SCHEMES = ("postgresql://", "postgres://")


class LedgerDatabase(NamedTuple):
    """A PostgreSQL database.

    Attributes:
        url: its address; may hold a password.
        key: what contents are hashed and sealed with, in hexadecimal.
    """

    url: Secret
    key: Secret

    @property
    def shown(self) -> str:
        """The address without user, password and options."""
        from urllib.parse import urlsplit

        parts = urlsplit(self.url.reveal())
        named = [(f"[{host}]" if ":" in host else host) + (f":{port}" if port else "") for host, port in _hosts(parts)]
        return f"postgresql://{','.join(named)}{parts.path}"


def read_ledger(env: Mapping[str, str], problems: list[str]) -> Path | LedgerDatabase | None:
    """What the environment says; None for the default. Adds to `problems`."""
    where = _value("DROPSHIP_LEDGER", env, problems)
    key = _value("DROPSHIP_LEDGER_KEY", env, problems)
    if where.lower().startswith(_SCHEMES):
        return _database(where, key, problems)
    if key:
        problems.append("DROPSHIP_LEDGER_KEY belongs to a postgresql:// ledger; a file has its key beside it")
    if not where:
        return None
    from pathlib import Path

    path = Path(os.path.expanduser(where))
    # hosts start servers in different folders, and each would have a ledger of its own
    if not path.is_absolute():
        problems.append("DROPSHIP_LEDGER must be an absolute path")
    return path


def _database(url: str, key: str, problems: list[str]) -> LedgerDatabase:
    from importlib.util import find_spec

    problems += filter(None, [_wrong_with(url)])
    if not key:
        problems.append(f"DROPSHIP_LEDGER_KEY is not set; {MAKE_A_KEY}, and give every server the same")
    elif not re.fullmatch(_KEY, key):
        problems.append(f"DROPSHIP_LEDGER_KEY must be at least 64 hexadecimal digits; {MAKE_A_KEY}")
    if find_spec("asyncpg") is None:
        problems.append("DROPSHIP_LEDGER needs an extra for postgresql://: pip install 'dropship-mcp[postgres]'")
    return LedgerDatabase(Secret(url), Secret(key.lower()))


def _wrong_with(url: str) -> str:
    """What is wrong with an address, if anything."""
    from urllib.parse import parse_qs, urlsplit

    hosts: list[tuple[str, int | None]] = []
    options: dict[str, list[str]] = {}
    try:
        parts = urlsplit(url)
        # a mark ended the password early, and its rest would be shown as host, database or option
        if "#" in url or "@" in parts.path + parts.query or parts.netloc.count("@") > 1:
            return "DROPSHIP_LEDGER: write / @ # ? in a password as %2F %40 %23 %3F"
        hosts, options = _hosts(parts), parse_qs(parts.query)
    except ValueError:
        pass
    good = hosts and all(port != 0 and (host or len(hosts) == 1) for host, port in hosts)
    if not good or re.search(r"[\s\x00-\x1f]", url):
        return "DROPSHIP_LEDGER is not an address: postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    several = len(hosts) > 1 or "," in options.get("host", [""])[-1]
    if several and options.get("target_session_attrs", [""])[-1] not in ("read-write", "primary"):
        # only where orders are written it can be told which processes live
        return "DROPSHIP_LEDGER names several hosts: add target_session_attrs=read-write"
    return ""


def _hosts(parts: SplitResult) -> list[tuple[str, int | None]]:
    """Hosts and ports; libpq takes several. Raises ValueError for a port that is none."""
    from urllib.parse import urlsplit

    found = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    return [(host.hostname or "", host.port) for host in found]


def _value(name: str, env: Mapping[str, str], problems: list[str]) -> str:
    """A setting, or what stands in the file that is named instead."""
    label = f"{name}_FILE"
    return value_or_file(env.get(name, "").strip(), env.get(label, "").strip(), name, label, problems)
