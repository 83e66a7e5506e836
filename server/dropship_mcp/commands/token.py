"""`dropship-mcp token`: a token for one person or program, for teams without an issuer."""

from __future__ import annotations

import argparse

from dropship_mcp.caller import READ, SCOPES, WRITE


def add_to(parser: argparse.ArgumentParser) -> None:
    """Nothing is stored: whoever runs the server puts the line into its settings."""
    parser.add_argument("name", help="who uses it")
    parser.add_argument(
        "--scopes", nargs="+", choices=SCOPES, default=[READ, WRITE], help=f"what it allows (default {READ} {WRITE})"
    )
    parser.add_argument("--tenant", help="whose accounts it uses, where DROPSHIP_CONFIG has tenants")


def run(options: argparse.Namespace) -> int:
    """Print the token, once, and its hash."""
    from dropship_mcp.http_settings import read_http
    from dropship_mcp.settings import SettingsError
    from dropship_mcp.web.tokens import new_token

    token, sha256 = new_token()
    entry = " ".join((options.name, sha256, *options.scopes))
    problems: list[str] = []
    read_http({"DROPSHIP_AUTH_TOKENS": entry}, {}, problems)
    if problems:
        raise SettingsError(problems)
    print(f"Token, shown once; the host sends it as `Authorization: Bearer …`:\n\n    {token}\n")
    print("Setting of the server, which cannot be turned back into the token:\n")
    if not options.tenant:
        print(f"    DROPSHIP_AUTH_TOKENS={entry!r}\n\nOr in its configuration file:\n")
    scopes = ", ".join(f'"{scope}"' for scope in options.scopes)
    print(f'    [auth.tokens."{options.name}"]\n    sha256 = "{sha256}"')
    print(f"    scopes = [{scopes}]")
    if options.tenant:
        print(f'    tenant = "{options.tenant}"')
    return 0
