"""The simulators stay apart: nothing that serves live traffic imports them but where the sandbox is opened, and they
import nothing of the clients they help to test.
"""

from __future__ import annotations

import grimp

OPENERS = {"dropship_mcp.accounts"}
"""Opens the sandbox in sandbox mode. `dropship_mcp.commands.sandbox` serves it and counts as part of it."""


PROVIDERS = ("dipli", "rewix", "dropday", "duoplane")


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
    assert {f"dropship_tools.{provider}.sandbox" for provider in PROVIDERS} <= simulators


def test_a_simulator_knows_of_its_client_no_more_than_the_description_of_the_provider() -> None:
    graph = grimp.build_graph("dropship_tools")
    simulators = {
        module for module in graph.modules if is_sandbox(module) and not module.startswith("dropship_tools.sandbox")
    }

    imported = {name for module in simulators for name in graph.find_modules_directly_imported_by(module)}

    assert {name for name in imported if not is_sandbox(name)} == {f"dropship_tools.{name}" for name in PROVIDERS}
