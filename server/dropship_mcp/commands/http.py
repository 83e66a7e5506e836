"""`dropship-mcp http`: MCP over Streamable HTTP."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from dropship_mcp import collector

if TYPE_CHECKING:
    from dropship_mcp.settings import Settings

_FLAGS = {"host": "DROPSHIP_HTTP_HOST", "port": "DROPSHIP_HTTP_PORT", "path": "DROPSHIP_HTTP_PATH"}


def add_to(parser: argparse.ArgumentParser) -> None:
    """What is given here stands above the environment; the rest are settings."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1, this machine only)")
    parser.add_argument("--port", help="port to listen on (default 8000; 0 takes any free one)")
    parser.add_argument("--path", help="path of the endpoint (default /mcp)")
    parser.add_argument("--unprotected", action="store_true", help="serve other machines without authorization")


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    from dropship_mcp.logs import set_up
    from dropship_mcp.settings import SettingsError, read_settings

    given = {name: value for flag, name in _FLAGS.items() if (value := getattr(options, flag)) is not None}
    if options.unprotected:
        given["DROPSHIP_HTTP_UNPROTECTED"] = "yes"
    settings = read_settings({**os.environ, **given})
    http = settings.http
    if settings.tenant:
        settings.chosen()  # raises if there is no such tenant
        raise SettingsError(["DROPSHIP_TENANT is not for HTTP, where each caller's token names the tenant"])
    if problems := http.problems():
        raise SettingsError(problems)
    collector.pause()
    import anyio

    from dropship_mcp.app import build_app, open_telemetry
    from dropship_mcp.leaving import Leaving
    from dropship_mcp.ledger import make_ledger
    from dropship_mcp.watching import NobodyWatches
    from dropship_mcp.web.approvals import Office
    from dropship_mcp.web.readiness import Readiness
    from dropship_mcp.web.serving import listen, serve
    from dropship_mcp.web.site import Site

    set_up(settings.log_level)
    try:
        listener = listen(http.host, http.port)
    except OSError as error:
        print(f"dropship-mcp: {http.host} port {http.port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    owners: dict[str | None, Settings] = {**settings.tenants} or {None: settings}
    ledgers = {name: make_ledger(own.ledger_place(), scope=own.tenant) for name, own in owners.items()}
    telemetry = open_telemetry(settings, page=True)
    port = listener.getsockname()[1]
    page = http.approvals_url(port)
    leaving = Leaving()
    servers = {
        name: build_app(own, ledger=ledgers[name], approvals_page=page, telemetry=telemetry, leaving=leaving)
        for name, own in owners.items()
    }
    watch = telemetry.watch if telemetry else NobodyWatches()
    offices = {name: Office(ledgers[name], own.mode, own.policy.approval, watch) for name, own in owners.items()}
    metrics = telemetry.page if telemetry and settings.telemetry.page else None
    checks = {"ledger": Readiness(ledgers.values())}
    site = Site(http, servers, checks, port, metrics=metrics, offices=offices, leaving=leaving)
    collector.resume()
    print(f"MCP endpoint: {site.url} (listening on {http.netloc(port)})", flush=True)
    if page:
        print(f"Approvals: {page}", flush=True)
    elif http.auth.required:
        print("Approvals: none, because the public address is not https (DROPSHIP_HTTP_PUBLIC_URL)", flush=True)
    try:
        anyio.run(serve, site, listener, http.grace)
    finally:
        if telemetry:
            telemetry.close()
    return 0
