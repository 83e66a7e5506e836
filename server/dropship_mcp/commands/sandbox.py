"""`dropship-mcp sandbox`: the simulator for any HTTP client, and what it keeps."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropship_mcp.ledger import Ledger


def add_to(parser: argparse.ArgumentParser) -> None:
    """Serving is the default; `reset` and `fault` work on the same file while servers run."""
    parser.add_argument("--port", type=int, default=8099, help="0 takes any free port (default 8099)")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("reset", help="forget the sandbox's orders, and what the ledger says of them")
    fault = actions.add_parser("fault", help="let the next matching request fail")
    fault.add_argument("provider", help="dipli, rewix, dropday, duoplane or *")
    fault.add_argument("kind", help="latency, status, reset_before, reset_after, hang_after, malformed, …")
    fault.add_argument("--operation", default="*", help="create, get, list, … (default any)")
    fault.add_argument("--times", type=int, default=1)
    fault.add_argument("--value", type=float, default=0, help="seconds, HTTP status or megabytes, by kind")


def run(options: argparse.Namespace) -> int:
    """Serve until stopped, or do the one thing asked for."""
    from dropship_mcp.settings import read_settings

    settings = read_settings().chosen(options.tenant)
    from dropship_mcp.accounts import open_world, usable
    from dropship_tools.errors import NotConfigured

    try:
        world = usable(open_world(settings))
    except NotConfigured as error:
        print(f"dropship-mcp: the sandbox's file cannot be opened. {error.fix}", file=sys.stderr)
        return 1
    if options.action == "reset":
        import anyio

        from dropship_mcp.ledger import make_ledger

        world.store.reset()
        anyio.run(_forget, make_ledger(settings.ledger_place(), scope=settings.tenant))
        print("The sandbox has forgotten its orders.")
        return 0
    if options.action == "fault":
        from dropship_tools.sandbox.faults import FAULT_KINDS, Fault, add_fault
        from dropship_tools.sandbox.service import PROVIDERS

        for value, known in ((options.kind, FAULT_KINDS), (options.provider, (*PROVIDERS, "*"))):
            if value not in known:
                print(f"dropship-mcp: {value} is not one of: {', '.join(known)}", file=sys.stderr)
                return 2
        try:
            add_fault(
                world.store,
                Fault(options.provider, options.operation, options.kind, options.times, options.value),
            )
        except ValueError as error:
            print(f"dropship-mcp: {error}", file=sys.stderr)
            return 2
        print(f"Asked for: {options.provider} {options.operation} {options.kind} x {options.times}")
        return 0

    import anyio

    from dropship_tools.sandbox.service import PROVIDERS, serve

    def ready(port: int) -> None:
        base = f"http://127.0.0.1:{port}"
        print(f"Sandbox on {base} (Ctrl-C stops it)")
        for provider in PROVIDERS:
            print(f"  {provider:<9} {base}/{provider}")
        print(f"  credentials, order counts: {base}/_sandbox", flush=True)

    try:
        anyio.run(serve, world, options.port, "127.0.0.1", ready)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "there is no such port"
        print(f"dropship-mcp: port {options.port} cannot be used: {reason}", file=sys.stderr)
        return 1
    return 0


async def _forget(ledger: Ledger) -> None:
    await ledger.forget_sandbox()
    await ledger.close()
