"""Reading what a client sends: never more than is wanted, and not for ever."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive

from dropship_mcp.leaving import Leaving
from dropship_mcp.web.challenges import refusal, try_later

BODY_SECONDS = 30.0
"""So long a client may take to send a request."""


async def read_body(headers: Headers, receive: Receive, most: int, leaving: Leaving) -> bytes | Response:
    """The body of a request, or the refusal of one that is longer than `most` bytes, too slow or too late.

    Raises:
        ClientDisconnect: nobody is left to answer.
    """
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:19]) > most:
        return _too_large(most)
    pieces: list[bytes] = []
    size = 0
    with leaving.work(BODY_SECONDS):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > most:
                return _too_large(most)
            if not message.get("more_body", False):
                return b"".join(pieces)
    if leaving.left:
        return try_later("the server is being stopped")
    return refusal(408, "too_slow", f"no whole request within {BODY_SECONDS:g} s", connection="close")


def _too_large(most: int) -> Response:
    return refusal(413, "too_large", f"at most {most} bytes", connection="close")
