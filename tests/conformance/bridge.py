"""Lets the suite, which speaks HTTP only, talk to a server on stdin and stdout: each message is one line.

A conversation of the older versions is a session with a process of its own; those of the newest share one process.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import uvicorn
from anyio.abc import Process, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from dropship_mcp.web.serving import WebServer, listen
from web.sites import modern

Json = dict[str, Any]
Answers = asyncio.Queue[Json | None]
"""What a process says to one request; None is the end."""

Start = Callable[[], Awaitable[Process]]

MODERN = "2026-07-28"
LONGEST = 1 << 22
DISCOVER: Json = modern("server/discover")["json"]


@dataclass
class Conversation:
    """One process, and the requests that wait for its answers."""

    process: Process
    _waiting: dict[int, tuple[Any, Answers]] = field(default_factory=dict[int, tuple[Any, "Answers"]])
    _last: int = 0

    async def ask(self, request: Json) -> Answers:
        """What comes until the request is answered. Its number is replaced, for clients all begin with the same."""
        answers = Answers()
        self._last += 1
        self._waiting[self._last] = (request["id"], answers)
        await self.tell({**request, "id": self._last})
        return answers

    async def tell(self, message: Json) -> None:
        """A message without an answer."""
        assert self.process.stdin
        await self.process.stdin.send(json.dumps(message).encode() + b"\n")

    async def listen(self) -> None:
        """Hand out what the server says, until it ends."""
        assert self.process.stdout
        lines = BufferedByteReceiveStream(self.process.stdout)
        while True:
            message: Json = json.loads(await lines.receive_until(b"\n", LONGEST))
            if "method" in message:  # belongs to the request under way, which pipes cannot say
                _, answers = self._waiting[max(self._waiting)]
                answers.put_nowait(message)
            else:
                number, answers = self._waiting.pop(message["id"])
                answers.put_nowait({**message, "id": number})
                answers.put_nowait(None)


class Bridge:
    """The web page of all conversations."""

    def __init__(self, start: Start, tasks: TaskGroup, stack: AsyncExitStack) -> None:
        self._start = start
        self._tasks = tasks
        self._stack = stack
        self._conversations: dict[str, Conversation] = {}
        self.app = Starlette(routes=[Route("/mcp", self._post, methods=["POST"])])

    async def _post(self, request: Request) -> Response:
        message: Json = await request.json()
        newest = request.headers.get("mcp-protocol-version") == MODERN
        session = MODERN if newest else request.headers.get("mcp-session-id", "")
        if session not in self._conversations:
            session = session or f"session-{len(self._conversations)}"
            self._conversations[session] = await self._begin()
            if newest:  # the first request decides which versions a process speaks, and the suite begins with a bad one
                await (await self._conversations[session].ask(DISCOVER)).get()
        conversation = self._conversations[session]
        if "id" not in message or "method" not in message:
            await conversation.tell(message)
            return Response(status_code=202)
        answers = await conversation.ask(message)
        headers = {} if newest else {"mcp-session-id": session}
        return StreamingResponse(_events(answers), media_type="text/event-stream", headers=headers)

    async def _begin(self) -> Conversation:
        conversation = Conversation(await self._stack.enter_async_context(await self._start()))
        self._stack.callback(conversation.process.kill)
        self._tasks.start_soon(conversation.listen)
        return conversation


async def _events(answers: Answers) -> AsyncGenerator[str]:
    while (message := await answers.get()) is not None:
        yield f"event: message\ndata: {json.dumps(message)}\n\n"


@asynccontextmanager
async def bridge(command: list[str], env: dict[str, str], cwd: str) -> AsyncGenerator[str]:
    """The address at which `command` can be spoken to."""

    async def start() -> Process:
        pipe = subprocess.PIPE
        return await anyio.open_process(command, stdin=pipe, stdout=pipe, stderr=None, env=env, cwd=cwd)

    listener = listen("127.0.0.1", 0)
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        app = Bridge(start, tasks, stack).app
        server = WebServer(uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1))
        served = anyio.Event()

        async def serve() -> None:
            await server.serve(sockets=[listener])
            served.set()

        tasks.start_soon(serve)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        server.stop()
        await served.wait()
        tasks.cancel_scope.cancel()
