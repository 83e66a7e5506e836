"""Servers that are measured over HTTP: dropship-mcp as an operator runs it, and what others make."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.contenders import BRIDGE_PACKAGE, HERE, NODE, PEERS_PYTHON, Contender
from bench.web_load import Speech, speech
from dropship_mcp.web.tokens import new_token
from e2e.processes import COMMAND, environment
from protocol.bench import VERSIONS

TOKEN, SHA256 = new_token()
SETTINGS = {"DROPSHIP_AUTH_TOKENS": f"load {SHA256} orders:read"}
"""Callers bring a token; peers look at none."""

_PORT = re.compile(r"[0-9]+(?=\)?\n)")


@dataclass(frozen=True)
class WebContender(Contender):
    """A server and the protocol it is spoken to in.

    Attributes:
        streams: whether it answers on a stream of the session instead of in the POST.
    """

    streams: bool = False


OURS = (COMMAND, "http", "--port", "0")
PEERS = (
    WebContender("TypeScript SDK, by hand", (NODE, str(HERE / "peers/http.mjs")), "legacy"),
    WebContender("Python SDK, by hand", (sys.executable, "-m", "bench.by_hand", "http"), "auto"),
    WebContender("FastMCP, from_openapi", (PEERS_PYTHON, str(HERE / "peers/from_openapi.py"), "http"), "legacy"),
    WebContender(f"{BRIDGE_PACKAGE} (Node)", (NODE, str(HERE / "peers/bridge.mjs")), "legacy", streams=True),
)
CONTENDERS = (*PEERS, WebContender("dropship-mcp", OURS, "legacy"), WebContender("dropship-mcp", OURS, "auto"))


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    contender: WebContender
    process: subprocess.Popen[str]
    port: int
    said: Speech

    def processor_seconds(self) -> float:
        """What it has used so far, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def most_memory(self) -> float:
        """The most it ever held, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


@contextmanager
def running(contender: WebContender, state: Path, env: Mapping[str, str], **settings: str) -> Generator[Running]:
    """A new process."""
    given = environment(state, **{**env, **SETTINGS, **settings})
    with (state / "errors.log").open("a") as errors, listening(contender.command, given, errors) as (process, port):
        yield Running(contender, process, port, looking_up(port, contender))


@contextmanager
def upstream(recording: str, seconds: float = 0) -> Generator[int]:
    """The provider, in a process of its own; its port."""
    command = (sys.executable, "-m", "bench.web_upstream", str(seconds))
    env = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with listening(command, env, None, recording) as (_, port):
        yield port


@contextmanager
def listening(
    command: Sequence[str], env: Mapping[str, str], errors: IO[str] | None, given: str = ""
) -> Generator[tuple[subprocess.Popen[str], int]]:
    """A process that prints its port, and is killed at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, env=env, text=True) as process:
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(given)
            process.stdin.close()
            process.stdin = None
            port = _PORT.search(process.stdout.readline())
            assert port, f"{command} did not start"
            yield process, int(port[0])
        finally:
            process.kill()


def looking_up(port: int, contender: Contender) -> Speech:
    """`dipli_get_order` in the contender's version of the protocol."""
    tool, version = contender.tool("dipli_get_order"), VERSIONS[contender.era]
    params: dict[str, Any] = {"name": tool, "arguments": {"public_id": "{number}"}}
    headers = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {TOKEN}",
        "MCP-Protocol-Version": version,
    }
    if contender.era == "auto":
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return speech(port, headers, {"jsonrpc": "2.0", "id": "{id}", "method": "tools/call", "params": params})
