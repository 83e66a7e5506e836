"""`dropship-mcp http`: MCP over Streamable HTTP."""

from __future__ import annotations

import argparse
import gc
import os
import sys

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
    if problems := http.problems():
        raise SettingsError(problems)
    gc.disable()  # it finds nothing in the heavy imports
    import anyio

    from dropship_mcp.app import build_app
    from dropship_mcp.ledger import make_ledger
    from dropship_mcp.web.serving import listen, serve
    from dropship_mcp.web.site import Site
    from dropship_tools.errors import LedgerUnavailable

    set_up(settings.log_level)
    try:
        listener = listen(http.host, http.port)
    except OSError as error:
        print(f"dropship-mcp: {http.host} port {http.port} cannot be used: {error.strerror}", file=sys.stderr)
        return 1
    ledger = make_ledger(settings.ledger_place())

    async def ledger_answers() -> bool:
        try:
            await ledger.recent(settings.mode, state="unknown", limit=1)
        except LedgerUnavailable:
            return False
        return True

    server = build_app(settings, ledger=ledger)
    port = listener.getsockname()[1]
    site = Site(http, {None: server}, {"ledger": ledger_answers}, port)
    gc.freeze()
    gc.enable()
    print(f"MCP endpoint: {site.url} (listening on {http.netloc(port)})", flush=True)
    anyio.run(serve, site, listener, http.grace)
    return 0
