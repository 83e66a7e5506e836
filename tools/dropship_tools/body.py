"""Reading an answer's body within limits."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable


class NoAnswer(Exception):
    """A request brought no usable answer.

    Attributes:
        why: our own words.
        left: whether anything may have reached the provider.
    """

    def __init__(self, why: str, *, left: bool) -> None:
        super().__init__(why)
        self.why = why
        self.left = left


async def read_body(pieces: AsyncIterable[bytes], encoding: str, limit: int) -> bytes:
    """The decoded body. Inflates step by step, so that a small compressed body cannot fill the memory.

    Args:
        pieces: as they came over the wire.
        encoding: the `Content-Encoding` of the answer.
        limit: the largest body, decompressed, in bytes.

    Raises:
        NoAnswer: it is too large, damaged, or has an encoding that was not asked for.
    """
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise NoAnswer("the answer has an encoding that was not asked for", left=True)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
    body = bytearray()
    empty = True
    async for piece in pieces:
        empty = empty and not piece
        room = limit - len(body) + 1
        try:
            body += inflate.decompress(piece, room) if inflate else piece
        except zlib.error as error:
            raise NoAnswer("the compressed answer is damaged", left=True) from error
        if len(body) > limit:
            raise NoAnswer(f"the answer is larger than {limit // 1024**2} MB", left=True)
    if inflate and not empty and (not inflate.eof or inflate.unused_data):
        raise NoAnswer("the compressed answer is damaged", left=True)
    return bytes(body)
