"""A server as a child process, spoken to in bare lines: nothing of the SDK's client is in the measured time."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

Era = Literal["legacy", "modern"]
ERAS: tuple[Era, ...] = ("legacy", "modern")

VERSIONS: dict[Era, str] = {"legacy": "2025-11-25", "modern": "2026-07-28"}
CLIENT = {"name": "bench", "version": "1"}


class Pipe:
    """One connection. Requests are answered one after the other."""

    def __init__(self, process: subprocess.Popen[bytes], era: Era) -> None:
        self._to = cast("IO[bytes]", process.stdin)
        self._from = cast("IO[bytes]", process.stdout)
        self._era = era
        self._ids = itertools.count(1)

    def open(self) -> None:
        """What a host says first."""
        if self._era == "legacy":
            self.ask("initialize", {"protocolVersion": VERSIONS["legacy"], "capabilities": {}, "clientInfo": CLIENT})
            self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        else:
            self.ask("server/discover")

    def tools(self) -> list[dict[str, Any]]:
        """The tool list."""
        return cast("list[dict[str, Any]]", self.ask("tools/list")["tools"])

    def call(self, tool: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a call that ends well."""
        result = self.ask("tools/call", {"name": tool, "arguments": dict(arguments)})
        if result.get("isError"):
            raise RuntimeError(result["content"][0]["text"])
        return cast("dict[str, Any]", result["structuredContent"])

    def ask(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The result of one request."""
        sent = dict(params or {})
        if self._era == "modern":
            sent["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": VERSIONS["modern"],
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": CLIENT,
            }
        number = next(self._ids)
        self._write({"jsonrpc": "2.0", "id": number, "method": method, "params": sent})
        while line := self._from.readline():
            answer = json.loads(line)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return cast("dict[str, Any]", answer["result"])
        raise RuntimeError(f"the server left without answering {method}")

    def _write(self, message: Mapping[str, Any]) -> None:
        self._to.write(json.dumps(message).encode() + b"\n")
        self._to.flush()


def environment(folder: Path) -> dict[str, str]:
    """Settings of its own for the server, and byte-code as an installed program has it."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith("DROPSHIP_") and n != "PYTHONDONTWRITEBYTECODE"}
    return {
        **kept,
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }


@contextmanager
def served(command: Sequence[str], era: Era, env: Mapping[str, str]) -> Generator[Pipe]:
    """Start `command`, speak to it, and let it leave."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        yield Pipe(process, era)
        cast("IO[bytes]", process.stdin).close()
        process.wait(10)
