"""What the protocol tests share."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from protocol.bench import ERAS, Bench, Era, bench
from protocol.samples import SAMPLES, Sample


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Both protocol eras."""
    return request.param


@pytest.fixture(params=list(SAMPLES))
def sample(request: pytest.FixtureRequest) -> Sample:
    """Each provider's order."""
    return SAMPLES[request.param]


@pytest.fixture
async def desk(tmp_path: Path, era: Era, anyio_backend: str) -> AsyncGenerator[Bench]:
    """A server with all providers in sandbox mode, in both eras."""
    async with bench(tmp_path, era) as opened:
        yield opened
