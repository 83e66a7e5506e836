"""Messages reach a host whole and in order, however slowly it reads and whoever gives up meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCNotification

from dropship_mcp.stdio import PipeWriter

pytestmark = pytest.mark.anyio

LONG = 300_000
"""More than a pipe holds."""


def message(name: str, size: int = 1) -> SessionMessage:
    return SessionMessage(JSONRPCNotification(jsonrpc="2.0", method=name, params={"text": "x" * size}))


@contextmanager
def pipe() -> Generator[tuple[int, int]]:
    """Both ends, as `serve_stdio` has the one and a host the other."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    try:
        yield reading, writing
    finally:
        os.close(writing)
        os.close(reading)


async def read(descriptor: int, lines: int) -> list[str]:
    """The names of so many messages; each has to be whole."""
    text = b""
    while text.count(b"\n") < lines:
        await anyio.wait_readable(descriptor)
        text += os.read(descriptor, 10_000)
        await anyio.lowlevel.checkpoint()
    return [json.loads(line)["method"] for line in text.splitlines()]


async def test_messages_of_one_moment_are_written_together_where_the_host_takes_them() -> None:
    with pipe() as (reading, writing):
        writer = PipeWriter(writing, lambda: None, "")
        for name in ("one", "two"):
            await writer.send(message(name))
        await writer.sent()
        assert [json.loads(line)["method"] for line in os.read(reading, 1000).splitlines()] == ["one", "two"]


async def test_what_was_said_last_still_reaches_a_host_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dropship_mcp.stdio.LAST_WORDS_SECONDS", 5)
    with pipe() as (reading, writing):
        writer = PipeWriter(writing, lambda: None, "")
        while not writer.is_full:
            await writer.send(message("before", 1000))
            await anyio.lowlevel.checkpoint()
        with anyio.move_on_after(0.01):
            await writer.send(message("last"))
        text = b""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.aclose)
            while not (text.endswith(b"\n") and b'"last"' in text):
                await anyio.wait_readable(reading)
                text += os.read(reading, 10_000)
        assert not writer.is_full


async def test_a_host_that_does_not_read_is_not_waited_for_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dropship_mcp.stdio.LAST_WORDS_SECONDS", 0.01)
    with pipe() as (_, writing), anyio.fail_after(5):
        writer = PipeWriter(writing, lambda: None, "")
        with anyio.move_on_after(0.01):
            await writer.send(message("long", LONG))
        await writer.aclose()
        assert writer.is_full


async def test_a_slow_host_gets_every_message_whole_also_those_whose_sender_gave_up() -> None:
    said: list[str] = []
    with pipe() as (reading, writing):
        writer = PipeWriter(writing, lambda: None, "")

        async def say(name: str, size: int) -> None:
            await writer.send(message(name, size))
            said.append(name)

        with anyio.move_on_after(0.05):
            async with anyio.create_task_group() as tasks:
                for name, size in (("long", LONG), ("short", 1), ("longer", 2 * LONG)):
                    tasks.start_soon(say, name, size)
        assert said == [], "the pipe is full, so they waited, and gave up"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say, "last", 1)
            assert await read(reading, 4) == ["long", "short", "longer", "last"]
        await writer.sent()
    assert said == ["last"]


async def test_when_the_host_has_left_nobody_waits_for_it() -> None:
    left: list[str] = []
    with pipe() as (reading, writing):
        writer = PipeWriter(writing, lambda: left.append("left"), "")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.send, message("long", LONG))
            await anyio.lowlevel.checkpoint()
            spare = os.open(os.devnull, os.O_RDONLY)
            os.dup2(spare, reading)  # the only reading end is gone
            os.close(spare)
        with anyio.fail_after(5):
            await writer.sent()
    assert left == ["left"]
