"""What the end-to-end tests share."""

from __future__ import annotations

import pytest

from protocol.samples import SAMPLES, Sample


@pytest.fixture(params=list(SAMPLES))
def sample(request: pytest.FixtureRequest) -> Sample:
    """Each provider's order."""
    return SAMPLES[request.param]
