"""The opening of a conversation: the handshake and the tool list, answered while the SDK is still being imported.

A host shows a server's tools after two answers, and both are known before the first heavy import. A small loop gives
them: what was said so far before the imports begin, the rest in a thread beside them. It ends when the SDK is ready,
which hears

* the line that opened the conversation, as if nobody had answered it, so that its state is that of a session which it
  opened itself; its own answer to that line is dropped (`Heard.answered`);
* every line that was not answered here. What is not plain (`plain_requests`) waits for the SDK; if it comes first, so
  does all that follows.

Standard library only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple

from dropship_mcp.plain_requests import plain_message, version_asked

Answers = Callable[[str, str], str | None]
"""The result of a method in a version of the protocol, as JSON; None where the SDK has to tell."""

MOST_KEPT = 1024 * 1024
"""Bytes kept for the SDK; beyond them the host waits."""

_PIECE = 64 * 1024


class Heard(NamedTuple):
    """What the SDK has to know of the opening.

    Attributes:
        lines: what it reads before it reads on from the pipe.
        answered: the answer to the first of these lines, which was sent; empty if none was.
        version: of the protocol, if that answer was given.
    """

    lines: bytes = b""
    answered: str = ""
    version: str = ""


def on_pipes() -> bool:
    """Whether stdin and stdout are what a host connects: pipes or sockets, which can be waited for."""
    try:
        modes = [os.fstat(descriptor).st_mode for descriptor in (0, 1)]
    except OSError:
        raise SystemExit("dropship-mcp: stdin or stdout is closed; the host has to connect both") from None
    return sys.platform != "win32" and all(stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) for mode in modes)


class Opening:
    """Answers what opens a conversation.

    Args:
        answers: knows the results.
        incoming: the descriptor to read.
        outgoing: the descriptor to write.
    """

    def __init__(self, answers: Answers, incoming: int = 0, outgoing: int = 1) -> None:
        self._answers = answers
        self._incoming = incoming
        self._outgoing = outgoing
        self._version: str | None = None
        self._answered = ""
        self._kept = bytearray()
        self._rest = b""
        self._waits = False
        self._thread: threading.Thread | None = None
        self._wake, self._call = os.pipe()
        self.stopping = False
        """A signal came while requests waited: they are still answered, but nothing more is read."""

    def begin(self) -> None:
        """Answer what was said so far; then let a thread listen and return."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if self._listen(patience=0):
            self._thread = threading.Thread(target=self._listen, daemon=True)
            self._thread.start()

    def hand_over(self) -> Heard:
        """Read no more; what the SDK has to know."""
        os.close(self._call)
        if self._thread:
            self._thread.join()
        os.close(self._wake)
        return Heard(bytes(self._kept) + self._rest, self._answered, self._version or "")

    def _stop(self, _: int, __: FrameType | None) -> None:
        if self.stopping or not self._waits:
            os._exit(0)  # nothing is open yet
        self.stopping = True

    def _listen(self, patience: float | None = None) -> bool:
        """Hear and answer until nothing is said for `patience` seconds (True), or until nothing can be heard here."""
        while len(self._kept) + len(self._rest) < MOST_KEPT:
            ready, _, _ = select.select([self._incoming, self._wake], [], [], patience)
            if self._incoming not in ready:
                return True
            piece = os.read(self._incoming, _PIECE)
            if not piece:
                if not (self._waits or self._rest):
                    os._exit(0)  # the host has left, and nothing is open yet
                return False
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                self._hear(line + b"\n")
        return False

    def _hear(self, line: bytes) -> None:
        message = plain_message(line)
        first = not self._kept
        if message is not None and (first or self._version):
            version = version_asked(message, self._version)
            result = self._answers(message["method"], version) if version else None
            if result is not None:
                answer = f'{{"jsonrpc":"2.0","id":{json.dumps(message["id"], ensure_ascii=False)},"result":{result}}}\n'
                if first:
                    self._version, self._answered = version, answer
                    self._kept += line
                self._say(answer.encode())
                return
        self._kept += line
        self._waits = self._waits or message is None or "id" in message

    def _say(self, answer: bytes) -> None:
        rest = memoryview(answer)
        while rest:
            try:
                rest = rest[os.write(self._outgoing, rest) :]
            except BlockingIOError:
                select.select([], [self._outgoing], [])
            except (BrokenPipeError, ConnectionResetError):
                os._exit(0)  # nobody reads any more
