"""The Inspector finds nothing to complain about in the tool list, in either era of the protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropship_tools import PROVIDERS
from node.inspector import ERAS, Era, Inspector

pytestmark = [pytest.mark.node, pytest.mark.timeout(60)]


@pytest.mark.parametrize("era", ERAS)
def test_the_strict_check_of_the_tool_list_finds_nothing(era: Era, tmp_path: Path) -> None:
    run = Inspector(tmp_path, era).run("--method", "tools/list", "--strict")

    assert (run.code, run.said) == (0, "")
    names = {tool["name"] for tool in run.result["tools"]}
    assert {f"{provider.name}_create_order" for provider in PROVIDERS} | {"dropship_status"} <= names
