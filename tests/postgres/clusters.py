"""A private PostgreSQL server in a folder of its own, for tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_tools.secret import Secret
from e2e.ports import free_port

KEY = "0123456789abcdef" * 4
PASSWORD = "pass/word"

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "150",
    "deadlock_timeout": "200ms",
}

ENTRY = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Cluster:
    """A running server.

    Attributes:
        folder: its data and its socket.
        port: on 127.0.0.1, where users need their passwords; the socket lets everybody in.
    """

    folder: Path
    port: int
    programs: Path

    def url(self, database: str = "postgres") -> str:
        """Through the socket."""
        return f"postgresql://postgres@/{database}?host={self.folder}&port={self.port}"

    def place(self, url: str = "", key: str = KEY) -> LedgerDatabase:
        """What the settings say of it."""
        return LedgerDatabase(Secret(url or self.url()), Secret(key))

    def sql(self, *statements: str) -> str:
        """Run statements as the superuser; what they print."""
        commands = [word for statement in statements for word in ("-c", statement)]
        where = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port))
        return run(self.programs / "psql", *where, "-U", "postgres", "-d", "postgres", *commands).strip()

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        self._control("start", "-l", str(self.folder / "log"), "-o", f"-p {self.port} -k {self.folder} {options}")

    def stop(self, mode: str = "immediate") -> None:
        """`immediate` is a crash, `fast` an orderly end."""
        self._control("stop", "-m", mode)

    @contextmanager
    def stopped(self, mode: str) -> Generator[None]:
        """It is down for a while."""
        self.stop(mode)
        try:
            yield
        finally:
            self.start()

    def _control(self, action: str, *options: str) -> None:
        run(self.programs / "pg_ctl", action, "-w", "-D", str(self.folder / "data"), *options)


@contextmanager
def new_cluster() -> Generator[Cluster]:
    """A new server, gone afterwards."""
    programs = found_programs()
    folder = Path(tempfile.mkdtemp(prefix="dropship-pg-"))
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
    cluster = Cluster(folder, free_port(), programs)
    data = folder / "data"
    try:
        run(programs / "initdb", "-D", str(data), "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        (data / "pg_hba.conf").write_text(ENTRY)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder)


def found_programs() -> Path:
    """The folder of the newest server's programs."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not folders and (initdb := shutil.which("initdb")):
        folders = [Path(initdb).parent]
    if not folders:
        raise RuntimeError("these tests start a PostgreSQL server; install one: apt-get install postgresql")
    return max(
        folders, key=lambda folder: [int(digits) for digits in folder.parent.name.split(".") if digits.isdigit()]
    )


def run(program: Path, *arguments: str) -> str:
    """What a program of the server prints. Raises with what it complained of."""
    user = "postgres" if os.getuid() == 0 else None
    # files and not pipes: the server that pg_ctl leaves behind would keep a pipe open
    with tempfile.TemporaryFile("w+") as output:
        status = subprocess.call([program, *arguments], stdout=output, stderr=output, cwd="/", user=user, group=user)
        output.seek(0)
        text = output.read()
    if status:
        raise RuntimeError(f"{program.name}: {text}")
    return text
