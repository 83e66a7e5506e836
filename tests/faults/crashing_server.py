"""The real server over stdio, which dies in the middle of an order; for tests only.

`python -m faults.crashing_server FOLDER WHEN [REFERENCE]`, in the tests' folder: WHEN is a point of an order's life
(`contract.rigs.Point`), or how many seconds after the call for REFERENCE has arrived.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from contract.rigs import Trace
from dropship_mcp.stdio import serve_stdio
from faults.jobs import dying, shared_rig


def main(folder: str, when: str, reference: str = "") -> None:
    """Serve until death."""
    timed = when.replace(".", "").isdigit()
    server = shared_rig(Path(folder), Trace(at=dying("" if timed else when))).server()

    async def end_in_time(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method == "tools/call" and reference in str(ctx.params):
            threading.Timer(float(when), partial(os.kill, os.getpid(), signal.SIGKILL)).start()
        return await call_next(ctx)

    if timed:
        server.middleware.append(end_in_time)
    anyio.run(serve_stdio, server)


if __name__ == "__main__":
    main(*sys.argv[1:])
