"""Processes for the tests in this folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from faults.nursery import Children


@pytest.fixture(scope="session")
def children() -> Generator[Children]:
    """Children of one process that has loaded everything."""
    tests = Path(__file__).parent.parent
    command = [sys.executable, "-m", "faults.nursery"]
    with subprocess.Popen(command, cwd=tests, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        asked, answered = nursery.stdin, nursery.stdout

        def do(*orders: dict[str, Any]) -> list[Any]:
            asked.write(json.dumps(orders) + "\n")
            asked.flush()
            return json.loads(answered.readline())

        yield do
        asked.close()
