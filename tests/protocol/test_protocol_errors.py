"""What is no answer: unknown tools, and bugs of ours, whose texts never reach a client of either era."""

from __future__ import annotations

import re
from typing import Any

import pytest
from mcp import MCPError

from dropship_mcp import answers
from dropship_mcp.ledger import SqliteLedger
from protocol.bench import Bench
from protocol.samples import REFERENCE, Sample

pytestmark = pytest.mark.anyio

SECRET = "zebra crossing at 75019"
CRASH = r"the server failed (while placing the order )?\(error [0-9a-f]{8}( in its log)?\)"


def crash(*_: Any, **__: Any) -> Any:
    """A bug whose text must not be seen."""
    raise RuntimeError(SECRET)


@pytest.mark.parametrize("name", ["dipli_cancel_order", "", "x" * 5000])
async def test_an_unknown_tool_is_a_protocol_error(desk: Bench, name: str) -> None:
    with pytest.raises(MCPError) as caught:
        await desk.result(name)
    assert caught.value.error.code == -32602
    assert caught.value.error.message == f"Unknown tool: {name[:64]}"


async def test_a_bug_in_a_look_up_is_told_without_its_text(
    desk: Bench, sample: Sample, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(answers, "envelope", crash)
    await desk.result(sample.create, sample.arguments())
    text = await desk.fail(sample.get, {sample.own_number: REFERENCE})
    assert re.fullmatch(
        rf"provider_unavailable: {CRASH}\nfix: Tell the person who runs this server; calling again may work\.", text
    )
    [number] = re.findall("[0-9a-f]{8}", text)
    assert number in caplog.text
    assert SECRET not in caplog.text


async def test_a_bug_after_an_order_was_placed_leaves_it_recorded_and_repeatable(
    desk: Bench, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(answers, "created", crash)
        text = await desk.fail(sample.create, sample.arguments())
    assert re.fullmatch(
        rf"outcome_unknown: {CRASH}\norder sent: maybe\n"
        r"fix: Make the same call again with the same reference: nothing is ordered twice\.",
        text,
    )
    assert (await desk.call(sample.create, sample.arguments()))["outcome"] == "already_placed"
    assert len(desk.wire.orders(sample)) == 1


async def test_a_bug_while_recording_an_order_never_sends_it_twice(
    desk: Bench, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(SqliteLedger, "placed", crash)
        text = await desk.fail(sample.create, sample.arguments())
    assert re.match(rf"outcome_unknown: {CRASH}\norder sent: maybe\nfix: ", text)
    assert SECRET not in text
    again = await desk.result(sample.create, sample.arguments())
    assert len(desk.wire.orders(sample)) == 1, again


async def test_a_bug_in_a_common_tool_is_told_without_its_text(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteLedger, "recent", crash)
    text = await desk.fail("dropship_status")
    assert re.match(rf"provider_unavailable: {CRASH}\nfix: ", text)
    assert SECRET not in text


async def test_a_ledger_that_cannot_be_written_lets_nothing_leave(desk: Bench, sample: Sample) -> None:
    desk.ledger.path.mkdir()
    text = await desk.fail(sample.create, sample.arguments())
    assert text.startswith("ledger_unavailable: ")
    assert "\norder sent: no\n" in text
    assert desk.wire.orders(sample) == []
    status = await desk.call("dropship_status")
    assert status["next_step"] == "No order can be sent until a person mends the ledger."
