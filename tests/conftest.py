"""What every test shares."""

from __future__ import annotations

import pytest
from hypothesis import settings

# shared machines are slow now and then; pytest-timeout bounds every test
settings.register_profile("dropship", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("dropship")


@pytest.fixture
def anyio_backend() -> str:
    """The server runs on asyncio."""
    return "asyncio"
