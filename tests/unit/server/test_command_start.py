"""The command line before anything heavy is loaded: help, version and wrong settings cost no SDK and no pydantic."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(60)

HEAVY = {"mcp", "mcp_types", "pydantic", "anyio", "httpx2", "starlette", "uvicorn", "rich", "jsonschema", "sqlite3"}


def run(folder: Path, *arguments: str, **env: str) -> tuple[int, str, list[str], set[str]]:
    """Exit code, stdout, lines on stderr, and the top-level modules that were imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dropship_mcp", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_STATE_HOME": str(folder), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    imports = re.findall(r"^import time: +\d+ \| +\d+ \| *(\w+)", done.stderr, re.MULTILINE)
    said = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    return done.returncode, done.stdout, said, set(imports)


@pytest.mark.parametrize(
    ("argument", "shown"),
    [("--help", r"usage: dropship-mcp .*serve.*sandbox.*README\.md"), ("--version", r"dropship-mcp \d+\.\d+\.\d+\n")],
)
def test_help_and_version_load_nothing_heavy(tmp_path: Path, argument: str, shown: str) -> None:
    code, output, said, imported = run(tmp_path, argument)
    assert (code, said) == (0, [])
    assert re.match(shown, output, re.DOTALL)
    assert imported & HEAVY == set()


def test_wrong_settings_are_clear_lines_and_exit_code_2_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    code, output, said, imported = run(tmp_path, DROPSHIP_MODE="production", DROPSHIP_LEDGERS="x")
    assert (code, output) == (2, "")
    assert said == [
        "dropship-mcp: DROPSHIP_LEDGERS is not a setting; did you mean DROPSHIP_LEDGER?",
        "dropship-mcp: DROPSHIP_MODE must be one of: sandbox, live",
    ]
    assert imported & HEAVY == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "check", "tools", "call dropship_status", "orders", "sandbox"])
def test_every_command_reports_wrong_settings_alike(tmp_path: Path, command: str) -> None:
    code, output, said, imported = run(tmp_path, *command.split(), DROPSHIP_ORDERS="maybe")
    assert (code, output, said) == (2, "", ["dropship-mcp: DROPSHIP_ORDERS must be one of: allow, ask, off"])
    assert imported & HEAVY == set()


def test_wrong_credentials_are_reported_without_being_shown(tmp_path: Path) -> None:
    code, output, said, _ = run(tmp_path, DROPSHIP_MODE="live", DUOPLANE_API_KEY="hush\u2011hush")
    assert (code, output) == (2, "")
    assert said == [
        "dropship-mcp: DUOPLANE_API_KEY holds characters that cannot be sent in a header",
        "dropship-mcp: Duoplane is only half configured: DUOPLANE_PASSWORD not set",
    ]
