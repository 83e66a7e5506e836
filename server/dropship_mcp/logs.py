"""Logs: one JSON object a line on stderr, without secrets and personal data.

Messages are constants of ours; what varies is listed by hand where it is logged. Exceptions are logged by type and
place, never by text, because texts quote arguments and answers. Lines that belong to a request carry its ids.
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from dropship_mcp.watching import CALL

log = logging.getLogger(__name__)

LONGEST = 2000
"""Characters of a message: libraries quote what they were sent."""


class JsonLines(logging.Formatter):
    """One log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
        }
        line |= getattr(record, "facts", {})
        if call := CALL.get():
            line |= call.ids()
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = where(record.exc_info[1])
        return json.dumps(line)


def where(error: BaseException) -> str:
    """Type and places of an exception and its causes, without their texts."""
    parts: list[str] = []
    present: BaseException | None = error
    while present is not None and len(parts) < 5:
        frames = traceback.extract_tb(present.__traceback__)[-4:]
        places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
        parts.append(f"{type(present).__name__} at {places}")
        present = present.__cause__ or present.__context__
    return "; from ".join(parts)


def log_crash(error: BaseException) -> str:
    """Log an unexpected exception; the id ties the log line to what the caller was told."""
    crash = secrets.token_hex(4)
    log.error("unexpected error %s: %s", crash, where(error))
    return crash


def set_up(level: str) -> None:
    """Send our log to stderr. Other libraries are heard from warnings up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("dropship_mcp", "dropship_tools"):
        logging.getLogger(name).setLevel(level.upper())
