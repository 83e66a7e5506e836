"""The tool list of the usual settings, kept ready: a host has it before any provider's code is loaded.

Loading the providers and describing their tools would double what this server adds to the start of the SDK. So the list
lies beside this module, as `tests/protocol/test_ready_list.py` wrote it and holds it to what the tools say.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dropship_mcp.settings import Settings
from dropship_tools import PROVIDERS

READY_LIST = Path(__file__).with_name("tools.json")


def ready_list(settings: Settings) -> list[dict[str, Any]] | None:
    """The tools as they stand on the wire; None where the settings leave some out, add some or change arguments."""
    everyone = [provider.name for provider in PROVIDERS]
    served = [a.provider for a in settings.accounts] if settings.mode == "live" else settings.providers
    if not settings.ordering or settings.extra_tools or sorted(served) != sorted(everyone):
        return None
    return json.loads(READY_LIST.read_text(encoding="utf-8"))
