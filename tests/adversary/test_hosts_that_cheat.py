"""Hosts and models that answer in a person's place: forged, stale, foreign and malformed answers order nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import MCPError

from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.policy import Limits, Policy
from dropship_mcp.settings import Settings
from protocol.bench import EXTRA, Era, bench, text_of
from protocol.persons import NO, PUT_AWAY, YES, Person
from protocol.samples import PERSONAL, SAMPLES, Sample
from protocol.test_approval import approve, asking, first_round, placed, second_round, states

pytestmark = pytest.mark.anyio

DROPDAY = SAMPLES["dropday"]


def answer(**parts: Any) -> types.ElicitResult:
    """What a host says a person said."""
    return types.ElicitResult.model_validate(parts)


NO_YES: Mapping[str, dict[str, Any]] = {
    "the text true": {"action": "accept", "content": {"confirm": "true"}},
    "the number 1": {"action": "accept", "content": {"confirm": 1}},
    "the number 1.0": {"action": "accept", "content": {"confirm": 1.0}},
    "a list": {"action": "accept", "content": {"confirm": ["true"]}},
    "another name": {"action": "accept", "content": {"Confirm": True}},
    "another field beside a no": {"action": "accept", "content": {"confirm": False, "approved": True}},
    "nothing in it": {"action": "accept", "content": {}},
    "no content": {"action": "accept"},
    "a decline that confirms": {"action": "decline", "content": {"confirm": True}},
    "a cancel that confirms": {"action": "cancel", "content": {"confirm": True}},
}
"""Answers that are no agreement."""


@pytest.mark.parametrize("said", NO_YES)
async def test_only_a_ticked_box_is_a_yes(tmp_path: Path, era: Era, said: str) -> None:
    person = Person(lambda: answer(**NO_YES[said]))
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=person) as desk:
        text = await desk.fail(DROPDAY.create, DROPDAY.arguments())
        assert text.partition(":")[0] == ("needs_approval" if "cancel" in said else "not_allowed")
        assert (placed(desk, DROPDAY), len(person.questions)) == (0, 1)
        assert [state for _, state, _ in await states(desk)] == ["waiting" if "cancel" in said else "declined"]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("action", ["Accept", "ACCEPT", "yes", "", "accepted", None])
async def test_an_answer_with_an_unknown_action_orders_nothing(tmp_path: Path, action: str | None) -> None:
    """The SDK's types would not send it, so it travels as a host would write it."""
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        asked = await first_round(desk, DROPDAY)
        parts: dict[str, Any] = {"action": action, "content": {"confirm": True}}
        odd = types.ElicitResult.model_construct(**parts)
        with pytest.raises(MCPError):
            await second_round(desk, DROPDAY, asked.request_state, lambda: odd)
        assert placed(desk, DROPDAY) == 0
        assert [state for _, state, _ in await states(desk)] == ["waiting"]


async def test_an_answer_under_another_key_or_for_another_tool_does_not_count(tmp_path: Path) -> None:
    dipli = SAMPLES["dipli"]
    settings = Settings(orders="ask", policy=Policy(orders="ask"))
    async with bench(tmp_path, "auto", settings=settings, person=Person()) as desk:
        state = (await first_round(desk, DROPDAY)).request_state
        for sample, key in ((DROPDAY, "confirm"), (DROPDAY, "Approval"), (DROPDAY, "approval 1"), (dipli, "approval")):
            result = await desk.client.session.call_tool(
                sample.create,
                sample.arguments(),
                allow_input_required=True,
                input_responses={key: YES()},
                request_state=state,
            )
            assert isinstance(result, types.InputRequiredResult), (sample.provider, key)
        assert (placed(desk, DROPDAY), placed(desk, dipli)) == (0, 0)


async def test_an_answer_to_a_reading_tool_or_a_dry_run_decides_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        state = (await first_round(desk, DROPDAY)).request_state
        calls = {"dropship_status": {}, DROPDAY.create: DROPDAY.arguments(dry_run=True)}
        for tool, arguments in calls.items():
            await desk.client.session.call_tool(
                tool, arguments, allow_input_required=True, input_responses={"approval": YES()}, request_state=state
            )
        assert await states(desk) == [(1, "waiting", "")]
        assert placed(desk, DROPDAY) == 0


SPOILED: dict[str, Callable[[str], str]] = {
    "cut": lambda state: state[:-10],
    "doubled": lambda state: state * 2,
    "padded": lambda state: f"{state}AAAA",
    "very long": lambda state: state + "A" * 1_000_000,
    "in small letters": str.lower,
    "with a NUL": lambda state: f"{state}\x00",
    "not ASCII": lambda state: f"{state}\u00e9",
    "the words": lambda _: "approval 1 approved",
    "empty JSON": lambda _: "{}",
}


@pytest.mark.parametrize("how", SPOILED)
async def test_a_spoiled_state_brings_the_question_back(tmp_path: Path, how: str) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        state = (await first_round(desk, DROPDAY)).request_state or ""
        result = await second_round(desk, DROPDAY, SPOILED[how](state))
        assert isinstance(result, types.InputRequiredResult)
        assert (placed(desk, DROPDAY), await states(desk)) == (0, [(1, "waiting", "")])


async def test_a_state_of_another_ledger_is_nothing_here(tmp_path: Path) -> None:
    """As with a second tenant: the same order, the same number, another key."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    async with bench(tmp_path / "theirs", "auto", settings=asking(DROPDAY), person=Person()) as desk:
        foreign = (await first_round(desk, DROPDAY)).request_state
    async with bench(tmp_path / "ours", "auto", settings=asking(DROPDAY), person=Person()) as desk:
        await first_round(desk, DROPDAY)
        assert isinstance(await second_round(desk, DROPDAY, foreign), types.InputRequiredResult)
        assert placed(desk, DROPDAY) == 0


async def test_an_older_client_cannot_bring_an_answer_to_a_question_it_was_never_asked(
    tmp_path: Path, sample: Sample
) -> None:
    async with bench(tmp_path, "legacy", settings=asking(sample)) as desk:
        for state in (None, "approval 1", "x" * 500):
            result = await desk.client.session.call_tool(
                sample.create, sample.arguments(), input_responses={"approval": YES()}, request_state=state
            )
            assert isinstance(result, types.CallToolResult)
            assert text_of(result).startswith("needs_approval: ")
        assert placed(desk, sample) == 0


async def test_a_yes_does_not_outrun_a_no(tmp_path: Path, era: Era) -> None:
    """The host's dialog is answered after somebody declined elsewhere."""
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=None) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 1, agreed=False)
        for _ in range(3):
            assert "a person declined this order" in await desk.fail(DROPDAY.create, DROPDAY.arguments())
        assert placed(desk, DROPDAY) == 0


async def test_the_first_answer_stands_when_two_arrive(tmp_path: Path) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        state = (await first_round(desk, DROPDAY)).request_state
        refused = await second_round(desk, DROPDAY, state, NO)
        late = await second_round(desk, DROPDAY, state, YES)
        for result in (refused, late):
            assert isinstance(result, types.CallToolResult)
            assert text_of(result).startswith("not_allowed: a person declined this order")
        assert placed(desk, DROPDAY) == 0


async def test_many_calls_at_once_use_an_agreement_once(tmp_path: Path, era: Era, sample: Sample) -> None:
    person = Person()
    async with bench(tmp_path, era, settings=asking(sample), person=person) as desk:
        outcomes: list[str] = []

        async def call() -> None:
            outcomes.append((await desk.call(sample.create, sample.arguments()))["outcome"])

        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(call)
        assert sorted(outcomes) == ["already_placed"] * 7 + ["placed"]
        assert (placed(desk, sample), desk.world.store.count(sample.provider, "order")) == (1, 1)
        assert [state for _, state, _ in await states(desk)] == ["used"]


async def test_a_flood_of_questions_ends_and_the_first_ones_can_still_be_decided(tmp_path: Path) -> None:
    def order(number: int) -> dict[str, Any]:
        return DROPDAY.arguments(external_id=f"FLOOD-{number}")

    async with bench(tmp_path, "legacy", settings=asking(DROPDAY)) as desk:
        for number in range(1, 101):
            assert f"approval number {number}," in await desk.fail(DROPDAY.create, order(number))
        for number in (101, 102):
            text = await desk.fail(DROPDAY.create, order(number))
            assert text.startswith("not_allowed: too many orders wait for a person's approval already")
        await approve(desk, 1)
        assert (await desk.call(DROPDAY.create, order(1)))["outcome"] == "placed"
        assert "approval number 101," in await desk.fail(DROPDAY.create, order(101))
        assert len(await desk.ledger.approvals.recent(limit=1000)) == 101
        assert placed(desk, DROPDAY) == 1


async def test_switched_off_tools_cannot_be_called_whatever_comes_with_the_call(tmp_path: Path, era: Era) -> None:
    settings = Settings(orders="off")
    async with bench(tmp_path, era, settings=settings, person=Person()) as desk:
        gone = {s.create: s.arguments() for s in SAMPLES.values()}
        gone["rewix_reserve_stock"] = SAMPLES["rewix"].others["rewix_reserve_stock"]
        gone |= {tool: SAMPLES["duoplane"].others[tool] for tool in EXTRA}
        for tool, arguments in gone.items():
            assert tool not in desk.tools
            forged = await desk.client.session.call_tool(
                tool, arguments, input_responses={"approval": YES()}, request_state="x"
            )
            assert text_of(forged).startswith(f"not_allowed: {tool} is switched off: ")
            for name in (f" {tool}", tool.upper()):
                with pytest.raises(MCPError, match="Unknown tool") as error:
                    await desk.client.session.call_tool(
                        name, arguments, input_responses={"approval": YES()}, request_state="x"
                    )
                assert error.value.error.code == types.INVALID_PARAMS
        assert desk.wire.requests == []


async def test_a_tool_that_is_off_by_default_stays_off_in_every_order_setting(tmp_path: Path, era: Era) -> None:
    for orders in ("ask", "allow"):
        folder = tmp_path / orders
        folder.mkdir()
        async with bench(folder, era, settings=Settings(orders=orders, providers=("duoplane",))) as desk:
            for tool in EXTRA:
                result = await desk.client.session.call_tool(tool, SAMPLES["duoplane"].others[tool])
                assert text_of(result).startswith(f"not_allowed: {tool} is switched off: it is off by default")
            assert desk.wire.requests == []


async def test_a_question_that_came_up_anew_is_not_answered_by_the_old_answer(tmp_path: Path) -> None:
    """The person agreed before the day's limit for asking was reached; the question has to tell."""
    policy = Policy(orders="ask", ask=Limits(orders_per_day=1))
    far = replace(DROPDAY, order=DROPDAY.elsewhere() | {"external_id": "FAR-1"})
    async with bench(tmp_path, "auto", settings=asking(DROPDAY)._replace(policy=policy), person=Person()) as desk:
        first, second = await first_round(desk, DROPDAY), await first_round(desk, far)
        assert isinstance(await second_round(desk, DROPDAY, first.request_state), types.CallToolResult)
        anew = await second_round(desk, far, second.request_state)
        assert isinstance(anew, types.InputRequiredResult)
        [question] = (anew.input_requests or {}).values()
        assert isinstance(question, types.ElicitRequest)
        assert "Asked because: orders_per_day is 1, this order: number 2 in 24 hours" in question.params.message
        done = await second_round(desk, far, anew.request_state)
        assert isinstance(done, types.CallToolResult)
        assert (done.structured_content or {})["outcome"] == "placed"
        assert [state for _, state, _ in await states(desk)] == ["used", "expired", "used"]


async def test_what_waits_expired_or_was_declined_names_no_buyer_to_the_model(
    tmp_path: Path, era: Era, sample: Sample
) -> None:
    async with bench(tmp_path, era, settings=asking(sample), person=Person(PUT_AWAY)) as desk:
        told = [await desk.fail(sample.create, sample.arguments())]
        told.append(str(await desk.call("dropship_status")))
        desk.clock.move(minutes=31)
        told.append(await desk.fail(sample.create, sample.arguments()))
        await approve(desk, 2, agreed=False)
        told.append(await desk.fail(sample.create, sample.arguments()))
    assert [value for value in PERSONAL for text in told if value.casefold() in text.casefold()] == []


async def test_a_question_in_a_ledger_that_somebody_wrote_to_cannot_be_read_or_agreed_to(tmp_path: Path) -> None:
    """Without the key nobody writes a question, so a changed one is none."""
    async with bench(tmp_path, "legacy", settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        with sqlite3.connect(desk.ledger.path) as db:
            db.execute("UPDATE approvals SET question = 'Place this order? It is free.'")
        db.close()
        other = SqliteLedger(desk.ledger.path, now=desk.clock)
        found = await other.approvals.get(1)
        await other.close()
        assert found is not None
        assert found.question == ""
