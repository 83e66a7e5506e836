"""The installed server as a host starts it: a process with a near-empty environment and three pipes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from protocol.bench import VERSIONS, Era

COMMAND = str(Path(sys.executable).with_name("dropship-mcp"))
"""The console script beside this interpreter."""

DEADLINE = 30.0
"""Seconds after which a process that should have answered counts as hanging."""

CLIENT = {"name": "test", "version": "1"}


def environment(state: Path, **more: str) -> dict[str, str]:
    """What a host passes on; state is kept in a folder of the test's own."""
    return {"PATH": os.environ["PATH"], "HOME": str(state), "XDG_STATE_HOME": str(state), **more}


class ServerProcess:
    """A running server, spoken to in JSON-RPC lines of one era."""

    def __init__(self, process: subprocess.Popen[bytes], era: Era) -> None:
        self.process = process
        self._era = era
        self._unread = b""
        self._last_id = 0

    def request(self, method: str, params: dict[str, Any] | None = None) -> bytes:
        """A request as one line; sending it is up to the caller."""
        self._last_id += 1
        params = dict(params or {})
        if self._era == "auto":
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": VERSIONS["auto"],
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": CLIENT,
            }
        return line({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})

    def call(self, tool: str, arguments: dict[str, Any] | None = None) -> bytes:
        """A tool call as one line."""
        return self.request("tools/call", {"name": tool, "arguments": arguments or {}})

    def hello(self) -> bytes:
        """What a client of the older era says first; nothing in the newer one."""
        if self._era == "auto":
            return b""
        params = {"protocolVersion": VERSIONS["legacy"], "capabilities": {}, "clientInfo": CLIENT}
        return self.request("initialize", params) + line({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, *lines: bytes) -> None:
        """Write to the server's stdin."""
        assert self.process.stdin
        self.process.stdin.write(b"".join(lines))
        self.process.stdin.flush()

    def close(self) -> None:
        """The host leaves."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.stdin = None  # communicate() would flush it

    def read(self) -> dict[str, Any]:
        """The next message from the server."""
        assert self.process.stdout
        until = time.monotonic() + DEADLINE
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65_536) if ready else b""
            if not piece:
                raise AssertionError(f"no answer; stderr: {self.finish()[1]}")
            self._unread += piece
        message, _, self._unread = self._unread.partition(b"\n")
        return cast("dict[str, Any]", json.loads(message))

    def answer(self) -> dict[str, Any]:
        """The structured content of the next message, which answers a tool call."""
        return self.read()["result"]["structuredContent"]

    def finish(self) -> tuple[int, str]:
        """Exit code and stderr, once the process has ended by itself."""
        _, errors = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, (errors or b"").decode()


def line(message: dict[str, Any]) -> bytes:
    """A message as it travels."""
    return json.dumps(message).encode() + b"\n"


@contextmanager
def started(
    state: Path,
    era: Era = "legacy",
    command: Sequence[str] = (COMMAND,),
    errors: IO[bytes] | None = None,
    **settings: str,
) -> Generator[ServerProcess]:
    """A server process that is killed if a test leaves it behind. `errors`: where stderr goes instead of a pipe.

    `settings` are further variables of its environment.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=errors or pipe, env=environment(state, **settings), cwd=state
    ) as process:
        try:
            yield ServerProcess(process, era)
        finally:
            process.kill()
