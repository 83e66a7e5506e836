"""The providers: typed async clients, tool definitions and sandboxes. Knows nothing of MCP.

`PROVIDERS` is the table of contents; importing this package loads no provider's code.
"""

from __future__ import annotations

from dropship_tools.dipli import DIPLI
from dropship_tools.dropday import DROPDAY
from dropship_tools.duoplane import DUOPLANE
from dropship_tools.provider import Provider
from dropship_tools.rewix import REWIX

PROVIDERS: tuple[Provider, ...] = (DIPLI, REWIX, DROPDAY, DUOPLANE)

__all__ = ["PROVIDERS", "Provider"]
