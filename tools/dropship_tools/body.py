"""Reading an answer's body within limits."""

from __future__ import annotations

import zlib


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


class Body:
    """A body that comes in pieces. Inflates step by step, so that a small compressed one cannot fill the memory.

    Args:
        encoding: the `Content-Encoding` of the answer.
        limit: the largest body, decompressed, in bytes.

    Raises:
        NoAnswer: it has an encoding that was not asked for.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip"):
            raise NoAnswer("the answer has an encoding that was not asked for", left=True)
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
        self._limit = limit
        self._read = bytearray()
        self._empty = True

    def feed(self, piece: bytes) -> None:
        """Read on.

        Raises:
            NoAnswer: it is too large or damaged.
        """
        self._empty = self._empty and not piece
        room = self._limit - len(self._read) + 1
        try:
            self._read += self._inflate.decompress(piece, room) if self._inflate else piece
        except zlib.error as error:
            raise NoAnswer("the compressed answer is damaged", left=True) from error
        if self._inflate and self._inflate.unused_data:  # zlib would keep whatever follows
            raise NoAnswer("the compressed answer is damaged", left=True)
        if len(self._read) > self._limit:
            raise NoAnswer(f"the answer is larger than {self._limit // 1024**2} MB", left=True)

    def whole(self) -> bytes:
        """The decoded body, once its last piece was read.

        Raises:
            NoAnswer: it is damaged.
        """
        if self._inflate and not self._empty and not self._inflate.eof:
            raise NoAnswer("the compressed answer is damaged", left=True)
        return bytes(self._read)
