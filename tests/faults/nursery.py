"""A process that has loaded everything and forks children to do one job each, so that hundreds of them are cheap.

Run as `python -m faults.nursery` in the tests' folder: each line on stdin is a JSON list of jobs that begin together,
`{"job": name, "arguments": {…}, "kill_after": seconds}`, and is answered with a line that lists their results; null for
those that died or were killed. Seconds count from the moment at which the job calls its argument `ready`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio

from faults.jobs import JOBS

Children = Callable[..., list[Any]]
"""Does jobs in processes of their own, all at once; their results, None for the dead. The fixture `children`."""

READY = b"."

PATIENCE = 30.0
"""Seconds after which a child is stuck."""


def begin(order: dict[str, Any]) -> tuple[int, int]:
    """Fork a child; its process id and where its result can be read."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    status = 1
    try:
        os.close(reader)
        ready = {"ready": lambda: os.write(writer, READY)} if "kill_after" in order else {}
        result = anyio.run(partial(JOBS[order["job"]], **order["arguments"], **ready))
        os.write(writer, json.dumps(result).encode())
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)  # without the parent's cleaning up


def end(child: int, reader: int, kill_after: float | None) -> Any:
    """The child's result; it is dead afterwards."""
    if kill_after is not None:
        os.read(reader, len(READY))
    if not select.select([reader], [], [], PATIENCE if kill_after is None else kill_after)[0]:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        result = pipe.read()
    return json.loads(result) if result else None


def main() -> None:
    """Serve until stdin is closed."""
    for line in sys.stdin:
        orders = json.loads(line)
        children = [begin(order) for order in orders]
        results = [end(*child, order.get("kill_after")) for child, order in zip(children, orders, strict=True)]
        sys.stdout.write(json.dumps(results) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
