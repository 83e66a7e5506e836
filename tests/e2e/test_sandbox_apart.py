"""The simulators stay out of live traffic: no product code imports a sandbox module but where the sandbox is opened."""

from __future__ import annotations

import grimp

OPENERS = {"dropship_mcp.accounts"}
"""Opens the sandbox in sandbox mode. `dropship_mcp.commands.sandbox` serves it and counts as part of it."""


def is_sandbox(module: str) -> bool:
    return any(part.startswith("sandbox") for part in module.split("."))


def test_only_the_servers_accounts_open_a_sandbox() -> None:
    graph = grimp.build_graph("dropship_mcp", "dropship_tools")
    simulators = {module for module in graph.modules if is_sandbox(module)}

    importers = {
        importer
        for module in simulators
        for importer in graph.find_modules_that_directly_import(module)
        if not is_sandbox(importer)
    }

    assert importers == OPENERS
    assert {
        f"dropship_tools.{provider}.sandbox" for provider in ("dipli", "rewix", "dropday", "duoplane")
    } <= simulators
