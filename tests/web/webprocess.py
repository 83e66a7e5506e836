"""The installed server as an operator runs it: `dropship-mcp http` on a real port."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.processes import COMMAND, DEADLINE, environment


@dataclass
class WebProcess:
    """A running server.

    Attributes:
        url: its endpoint, as clients know it.
        address: host and port it listens on.
    """

    process: subprocess.Popen[str]
    url: str
    address: str

    @property
    def base(self) -> str:
        """Its address without the path."""
        return f"http://{self.address}"

    def resident(self) -> int:
        """Bytes of memory in use."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * 4096

    def stop(self) -> None:
        """As an operator does."""
        self.process.send_signal(signal.SIGTERM)

    def finish(self) -> tuple[int, str]:
        """Exit code and stderr, once it has ended by itself."""
        _, errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, errors


@contextmanager
def web_process(state: Path, **settings: str) -> Generator[WebProcess]:
    """A server on a free port, killed if a test leaves it behind."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [COMMAND, "http", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        text=True,
        env=environment(state, **settings),
        cwd=state,
    ) as process:
        try:
            assert process.stdout
            line = re.fullmatch(r"MCP endpoint: (\S+) \(listening on (\S+)\)\n", process.stdout.readline())
            assert line, process.communicate()[1]
            yield WebProcess(process, line[1], line[2])
        finally:
            process.kill()
