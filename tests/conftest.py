"""What every test shares."""

from __future__ import annotations

import logging
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from postgres.clusters import Cluster, new_cluster

# shared machines are slow now and then; pytest-timeout bounds every test
settings.register_profile(
    "dropship",
    deadline=None,
    max_examples=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of a test
)
settings.load_profile("dropship")


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _log_restored() -> Generator[None]:
    """Commands set up the process's log; every test finds it as it was."""
    loggers = [logging.getLogger(name) for name in ("", "dropship_mcp", "dropship_tools")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def cluster() -> Generator[Cluster]:
    """A PostgreSQL server that tests share; each has a scope of its own there."""
    with new_cluster() as running:
        yield running
