"""`dropship-mcp check`: a harmless read with each account, before an agent finds out what does not work."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropship_mcp.checking import Check
    from dropship_mcp.settings import Settings


def add_to(parser: argparse.ArgumentParser) -> None:
    """For people, or for programs."""
    parser.add_argument("--json", action="store_true", help="one JSON array, an object for each thing that was tried")


def run(options: argparse.Namespace) -> int:
    """0 when everything works, 1 when something does not.

    Raises:
        SettingsError: there is nothing to try.
    """
    from dropship_mcp.settings import SettingsError

    try:
        settings, several = _settings(options)
    except SettingsError as error:
        if options.json:
            from dropship_mcp.checking import Check

            _print_json([Check("settings", "", "broken", what=problem) for problem in error.problems])
        raise
    import anyio

    from dropship_mcp.checking import check_everything
    from dropship_mcp.logs import set_up

    set_up(settings.log_level)

    async def act() -> int:
        checks = [check for one in several for check in await check_everything(one, os.environ)]
        if settings.http.auth.issuer:
            checks.append(await _check_keys(settings))
        # told before the loop ends: that waits for name look-ups, which nobody can cut short
        _print_json(checks) if options.json else _print(checks)
        return 0 if all(check.verdict == "works" for check in checks) else 1

    return anyio.run(act)


async def _check_keys(settings: Settings) -> Check:
    from functools import partial

    from dropship_mcp.checking import check_keys
    from dropship_mcp.web.keys import KeySet, NoKeys

    auth = settings.http.auth
    return await check_keys(settings, partial(KeySet(auth.jwks_url).look, auth.algorithms), NoKeys)


def _settings(options: argparse.Namespace) -> tuple[Settings, list[Settings]]:
    """The operator's settings, and those to try: of each tenant, or the same ones."""
    from dropship_mcp.settings import SettingsError, read_settings
    from dropship_tools import PROVIDERS

    settings = read_settings()
    everybody = settings.tenants and not (options.tenant or settings.tenant)
    several = list(settings.tenants.values()) if everybody else [settings.chosen(options.tenant)]
    if settings.mode == "live" and not any(one.accounts for one in several):
        titles = {provider.name: provider.title for provider in PROVIDERS}
        raise SettingsError(
            [
                f"{titles[name]} is not configured: {', '.join(unset)} not set"
                for one in several
                for name, unset in one.missing.items()
            ]
        )
    return settings, several


def _print_json(checks: list[Check]) -> None:
    from dataclasses import asdict

    print(json.dumps([asdict(check) for check in checks], indent=2, ensure_ascii=False), flush=True)


def _print(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    if checks[0].mode == "sandbox":
        console.print("Mode is sandbox: the simulator is tried, and no real account.")
    for check in checks:
        good = check.verdict == "works"
        name = "/".join(dict.fromkeys(filter(None, (check.provider, check.account)))) or check.check
        name = f"{check.tenant}: {name}" if check.tenant else name
        took = f"{check.milliseconds} ms" if check.milliseconds else ""
        verdict = Text(check.verdict.replace("_", " "), style="green" if good else "bold red")
        head = (Text(name, "bold"), verdict, Text(took), Text(check.place))
        console.print(Text("  ").join(filter(None, head)), soft_wrap=True)
        fix = f"fix: {check.fix}" if check.fix else ""
        said = f'provider said (untrusted): "{check.provider_said}"' if check.provider_said else ""
        for line in (check.what, fix, said):
            if line:
                console.print(Padding(Text(line), (0, 0, 0, 4), expand=False))
    bad = sum(check.verdict != "works" for check in checks)
    console.print(f"{bad} of {len(checks)} do not work." if bad else "Everything works.")
