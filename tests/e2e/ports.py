"""Ports for servers that cannot be told to take any free one, such as those that must keep theirs over a restart."""

from __future__ import annotations

import random
import socket

_SERVERS = range(20_000, 32_000)
"""Below the ports that systems take for outgoing connections: one of those may be in use the next moment."""

_given = set[int]()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no other caller in this process gets."""
    for port in random.sample(_SERVERS, 1000):
        if port in _given:
            continue
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free port was found")
