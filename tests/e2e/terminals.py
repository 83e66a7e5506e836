"""A command with a person in front of it: a pseudo-terminal whose keys a test presses."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence

DEADLINE = 30.0


def in_terminal(command: Sequence[str], env: Mapping[str, str], *, waits_for: str, types: str) -> tuple[int, str]:
    """Run `command` in a terminal and type when it shows `waits_for`: exit code and everything on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, env=dict(env), stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    screen, typed, give_up_at = b"", False, time.monotonic() + DEADLINE
    try:
        while time.monotonic() < give_up_at:
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                shown = os.read(ours, 4096)
            except OSError:  # the other side is gone
                break
            if not shown:
                break
            screen += shown
            if not typed and waits_for.encode() in screen:
                os.write(ours, types.encode())
                typed = True
        return process.wait(timeout=DEADLINE), screen.decode().replace("\r\n", "\n")
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()
