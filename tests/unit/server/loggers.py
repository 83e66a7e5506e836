"""The process's log settings, put back after a test that changes them."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def loggers_restored() -> Generator[None]:
    """Levels and handlers of the root and of our own loggers."""
    loggers = [logging.getLogger(name) for name in ("", "dropship_mcp", "dropship_tools")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    try:
        yield
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers
