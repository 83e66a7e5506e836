"""Signs of life of a call that takes long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Report = Callable[[str], Awaitable[None]]
"""Tells a waiting host that the call is alive."""
