"""What a network and a provider can do to one request, in place of the sandbox: nothing of it was ever stored."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from dropship_tools.http import Timing
from unit.tools.http_fakes import Chunks, reply

Happening = Callable[[], httpx2.Response | Exception]

BRIEF = Timing(connect=0.2, read=0.05, order=0.05, pause=0.001, longest_pause=0.002)
"""Patience that is over before a test is slow."""

PAGE = b"<html><body><h1>Welcome</h1></body></html>"


def _status(status: int, **headers: str) -> Happening:
    return lambda: reply(status, b'{"message":"no"}', content_type="application/json", **headers)


WEATHER: dict[str, Happening] = {
    **{str(status): _status(status) for status in (400, 401, 403, 404, 422, 500, 503)},
    "429": _status(429, retry_after="7"),
    "no JSON": lambda: reply(200, PAGE, content_type="text/html"),
    "a list": lambda: reply(200, b"[7]", content_type="application/json"),
    "cut off": lambda: reply(200, Chunks(b'{"public_', breaks=httpx2.RemoteProtocolError("ended early"))),
    "10 MB": lambda: reply(200, Chunks(*[b" " * 100_000] * 100)),
    "redirect": lambda: reply(302, b"", location="https://elsewhere.example/orders"),
    "no connection": lambda: httpx2.ConnectError("refused"),
    "reset": lambda: httpx2.ReadError("reset by peer"),
    "silence": lambda: reply(200, Chunks(hangs=True)),
}
