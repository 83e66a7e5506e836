"""One recorded order under any number, played back over HTTP at once or after some seconds.

Run as a module with the recording on stdin and the seconds as its argument, it serves on a port of this machine, which
it prints. The answer to `…/A-512345` is the recording with that number in place of its own.
"""

from __future__ import annotations

import asyncio
import sys

from bench.recorded import Player, http_answer

RECORDED = "412001"
"""The digits of the recorded order's number."""


class NumberedPlayer(Player):
    """One connection.

    Args:
        answer: to `RECORDED`.
        seconds: until an answer.
    """

    def __init__(self, answer: bytes, seconds: float) -> None:
        super().__init__({})
        self._answer = answer
        self._seconds = seconds

    def play(self, path: bytes) -> None:
        """The order that was asked for."""
        answer = self._answer.replace(RECORDED.encode(), path[-len(RECORDED) :])
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def play(body: str, seconds: float) -> None:
    """Serve until killed."""
    answer = http_answer(body)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: NumberedPlayer(answer, seconds), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(play(sys.stdin.read(), float(sys.argv[1])))
