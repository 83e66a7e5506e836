"""Where the ledger is: a file, or a PostgreSQL database that several servers share.

Standard library only, like all settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from dropship_mcp.account_settings import value_or_file
from dropship_tools.secret import Secret

LEDGER_SETTINGS: dict[str, str] = {
    "DROPSHIP_LEDGER": "path of the ledger, or postgresql://…; default a file in the user's state folder",
    "DROPSHIP_LEDGER_FILE": "path of a file that holds DROPSHIP_LEDGER: a database's address may hold a password",
    "DROPSHIP_LEDGER_KEY": "for a database, 64 hexadecimal digits, the same for every server (openssl rand -hex 32)",
    "DROPSHIP_LEDGER_KEY_FILE": "path of a file that holds DROPSHIP_LEDGER_KEY",
}

MAKE_A_KEY = "make one with: openssl rand -hex 32"

_KEY = re.compile(r"([0-9a-fA-F]{2}){32,}")
_SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class LedgerDatabase:
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
        parts = urlsplit(self.url.reveal())
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return f"postgresql://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def read_ledger(env: Mapping[str, str], problems: list[str]) -> Path | LedgerDatabase | None:
    """What the environment says; None for the default. Adds to `problems`."""
    where = _value("DROPSHIP_LEDGER", env, problems)
    key = _value("DROPSHIP_LEDGER_KEY", env, problems)
    if where.lower().startswith(_SCHEMES):
        return _database(where, key, problems)
    if key:
        problems.append("DROPSHIP_LEDGER_KEY belongs to a postgresql:// ledger; a file has its key beside it")
    path = Path(where).expanduser() if where else None
    # hosts start servers in different folders, and each would have a ledger of its own
    if path and not path.is_absolute():
        problems.append("DROPSHIP_LEDGER must be an absolute path")
    return path


def _database(url: str, key: str, problems: list[str]) -> LedgerDatabase:
    try:
        parts = urlsplit(url)
        whole = "#" not in url and "@" not in parts.path + parts.query and parts.netloc.count("@") <= 1
        named = not whole or (parts.port != 0 and not re.search(r"[\s\x00-\x1f]", url))
    except ValueError:
        whole, named = True, False
    if not whole:  # a mark ended the password early, and its rest would be shown as host, database or option
        problems.append("DROPSHIP_LEDGER: write / @ # ? in a password as %2F %40 %23 %3F")
    if not named:
        problems.append("DROPSHIP_LEDGER is not an address: postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    if not key:
        problems.append(f"DROPSHIP_LEDGER_KEY is not set; {MAKE_A_KEY}, and give every server the same")
    elif not _KEY.fullmatch(key):
        problems.append(f"DROPSHIP_LEDGER_KEY must be at least 64 hexadecimal digits; {MAKE_A_KEY}")
    if find_spec("asyncpg") is None:
        problems.append("DROPSHIP_LEDGER needs an extra for postgresql://: pip install 'dropship-mcp[postgres]'")
    return LedgerDatabase(Secret(url), Secret(key.lower()))


def _value(name: str, env: Mapping[str, str], problems: list[str]) -> str:
    """A setting, or what stands in the file that is named instead."""
    label = f"{name}_FILE"
    return value_or_file(env.get(name, "").strip(), env.get(label, "").strip(), name, label, problems)
