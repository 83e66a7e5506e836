"""Snapshots: what hosts and models read, kept as JSON files in `tests/snapshots`."""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "snapshots"
UPDATE = "UPDATE_SNAPSHOTS"
"""Environment variable: any value writes the files anew instead of comparing."""

REGENERATE = f"{UPDATE}=1 python -m pytest tests/protocol -k snapshots, then read what git says has changed."


def check_snapshot(name: str, value: Any) -> None:
    """Compare with the file; where they differ, fail with the difference and say how to accept it."""
    file = FOLDER / name
    present = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get(UPDATE):
        file.write_text(present, encoding="utf-8")
    kept = file.read_text(encoding="utf-8") if file.exists() else ""
    if kept != present:
        lines = difflib.unified_diff(kept.splitlines(), present.splitlines(), f"kept {name}", "now", lineterm="", n=2)
        raise AssertionError("\n".join([f"{name} has changed", *lines, f"If this is meant: {REGENERATE}"]))
