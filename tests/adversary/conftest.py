"""What the adversarial tests share."""

from __future__ import annotations

import pytest

from protocol.bench import ERAS, Era
from protocol.samples import SAMPLES, Sample


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> Era:
    """Both protocol eras."""
    return request.param


@pytest.fixture(params=list(SAMPLES))
def sample(request: pytest.FixtureRequest) -> Sample:
    """Each provider's order."""
    return SAMPLES[request.param]
