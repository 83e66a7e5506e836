"""An order that a person has to agree to: every way the person, the host and the model may behave, in both eras."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import MCPError

from dropship_mcp.ledger import SqliteLedger
from dropship_mcp.policy import Policy
from dropship_mcp.settings import Settings
from protocol.bench import ERAS, Bench, Era, bench, text_of
from protocol.persons import NO, PUT_AWAY, UNTICKED, YES, Answer, Person
from protocol.samples import REFERENCE, SAMPLES, Sample

pytestmark = pytest.mark.anyio

ASK = Settings(orders="ask", policy=Policy(orders="ask"))
DROPDAY = SAMPLES["dropday"]


def asking(sample: Sample) -> Settings:
    """A person is asked for each order of one provider."""
    return ASK._replace(providers=(sample.provider,))


async def approve(desk: Bench, number: int, *, agreed: bool = True) -> None:
    """What `dropship-mcp approve` does, in a process of its own."""
    other = SqliteLedger(desk.ledger.path, now=desk.clock)
    try:
        await other.approvals.decide(number, agreed=agreed, how="elsewhere", good_for=timedelta(minutes=30))
    finally:
        await other.close()


async def states(desk: Bench) -> list[tuple[int, str, str]]:
    """Every approval: number, state, how."""
    return [(a.number, a.state, a.how) for a in reversed(await desk.ledger.approvals.recent())]


def placed(desk: Bench, sample: Sample) -> int:
    """How many orders left."""
    return len(desk.wire.orders(sample))


# --- the host can ask --------------------------------------------------------------------------------------------


async def test_an_order_leaves_when_the_person_says_yes(tmp_path: Path, era: Era, sample: Sample) -> None:
    person = Person()
    async with bench(tmp_path, era, settings=asking(sample), person=person) as desk:
        answer = await desk.call(sample.create, sample.arguments())
        assert (answer["outcome"], len(person.questions), placed(desk, sample)) == ("placed", 1, 1)
        assert await states(desk) == [(1, "used", "asked by the host")]
        again = await desk.call(sample.create, sample.arguments())
        assert (again["outcome"], len(person.questions), placed(desk, sample)) == ("already_placed", 1, 1)


async def test_the_ledger_tells_how_the_agreement_was_given(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=Person()) as desk:
        await desk.call(DROPDAY.create, DROPDAY.arguments())
        [row] = await desk.ledger.recent()
        first, *_ = await desk.ledger.changes(row)
        assert first.reason == "approved by a person: asked by the host (approval 1)"


@pytest.mark.parametrize("answer", [UNTICKED, NO], ids=["unticked", "declined"])
async def test_a_no_is_recorded_and_not_asked_again_within_the_hour(tmp_path: Path, era: Era, answer: Answer) -> None:
    person = Person(answer)
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=person) as desk:
        for _ in range(2):
            text = await desk.fail(DROPDAY.create, DROPDAY.arguments())
            assert text.startswith("not_allowed: a person declined this order at 12:00 UTC (approval 1); it is not")
            assert "order sent: no" in text
        desk.clock.move(minutes=59)
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        assert (len(person.questions), placed(desk, DROPDAY)) == (1, 0)
        assert await states(desk) == [(1, "declined", "asked by the host")]
        desk.clock.move(minutes=2)
        person.answer = YES
        assert (await desk.call(DROPDAY.create, DROPDAY.arguments()))["outcome"] == "placed"
        assert len(person.questions) == 2


async def test_a_question_that_is_put_away_still_waits(tmp_path: Path, era: Era) -> None:
    person = Person(PUT_AWAY)
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=person) as desk:
        text = await desk.fail(DROPDAY.create, DROPDAY.arguments())
        assert text.startswith("needs_approval: a person has to approve this order first; it is approval number 1")
        person.answer = YES
        assert (await desk.call(DROPDAY.create, DROPDAY.arguments()))["outcome"] == "placed"
        assert await states(desk) == [(1, "used", "asked by the host")]


async def test_a_refused_order_needs_a_new_agreement(tmp_path: Path, era: Era) -> None:
    """One agreement is good for one attempt."""
    sample, person = SAMPLES["dipli"], Person()
    async with bench(tmp_path, era, settings=asking(sample), person=person) as desk:
        for attempt in (1, 2):
            text = await desk.fail(sample.create, sample.arguments(product_id=404))
            assert text.startswith("provider_refused")
            assert (len(person.questions), placed(desk, sample)) == (attempt, attempt)


async def test_changed_arguments_are_another_question(tmp_path: Path, era: Era, sample: Sample) -> None:
    person = Person(PUT_AWAY)
    async with bench(tmp_path, era, settings=asking(sample), person=person) as desk:
        await desk.fail(sample.create, sample.arguments())
        await approve(desk, 1)
        text = await desk.fail(sample.create, sample.elsewhere())
        assert "approval number 2" in text
        assert placed(desk, sample) == 0


# --- the host cannot ask -----------------------------------------------------------------------------------------


async def test_without_a_host_that_asks_a_person_approves_elsewhere(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with bench(tmp_path, era, settings=asking(sample)) as desk:
        for _ in range(2):  # asking twice does not make two questions
            assert await desk.fail(sample.create, sample.arguments()) == (
                "needs_approval: a person has to approve this order first; it is approval number 1, waiting until "
                "12:30 UTC\n"
                "order sent: no\n"
                "fix: Ask the person to run `dropship-mcp approve 1` in a terminal. Then make exactly the same call "
                "again."
            )
        await approve(desk, 1)
        assert (await desk.call(sample.create, sample.arguments()))["outcome"] == "placed"
        assert await states(desk) == [(1, "used", "elsewhere")]


async def test_a_no_given_elsewhere_holds(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 1, agreed=False)
        assert "a person declined this order" in await desk.fail(DROPDAY.create, DROPDAY.arguments())


async def test_a_declined_order_is_not_asked_again_under_another_reference(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 1, agreed=False)
        renamed = DROPDAY.arguments(**{DROPDAY.reference: f"{REFERENCE}-B"})
        assert "a person declined this order" in await desk.fail(DROPDAY.create, renamed)


async def test_a_declined_parcel_is_not_asked_again_with_another_note(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 1, agreed=False)
        noted = DROPDAY.arguments(email="somebody.else@example.org", shipping_cost=1)
        assert "a person declined this order" in await desk.fail(DROPDAY.create, noted)


async def test_a_no_taken_back_is_asked_anew(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 1, agreed=False)
        await desk.ledger.approvals.reopen(1)
        assert "approval number 2" in await desk.fail(DROPDAY.create, DROPDAY.arguments())


async def test_a_question_expires_and_so_does_an_agreement(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        desk.clock.move(minutes=30)
        assert "approval number 2" in await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await approve(desk, 2)
        desk.clock.move(minutes=30)
        assert "approval number 3" in await desk.fail(DROPDAY.create, DROPDAY.arguments())
        assert [state for _, state, _ in await states(desk)] == ["expired", "expired", "waiting"]
        assert placed(desk, DROPDAY) == 0


async def test_an_agreement_survives_a_restart(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with bench(tmp_path, era, settings=asking(sample)) as desk:
        await desk.fail(sample.create, sample.arguments())
    async with bench(tmp_path, era, settings=asking(sample), world=desk.world, clock=desk.clock) as later:
        await approve(later, 1)
    async with bench(tmp_path, era, settings=asking(sample), world=desk.world, clock=desk.clock) as last:
        assert (await last.call(sample.create, sample.arguments()))["outcome"] == "placed"
        assert (await last.call(sample.create, sample.arguments()))["outcome"] == "already_placed"


async def test_the_status_names_what_waits_and_how_a_person_decides(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        status = await desk.call("dropship_status")
        assert status["ordering"] == "ask"
        assert status["approvals_waiting"] == [
            {
                "number": 1,
                "provider": "dropday",
                "account": "sandbox",
                "reference": REFERENCE,
                "until": "2026-03-02T12:30:00Z",
            }
        ]
        assert "dropship-mcp approve NUMBER" in status["next_step"]


async def test_a_dry_run_shows_the_question_and_asks_nobody(tmp_path: Path, era: Era, sample: Sample) -> None:
    person = Person()
    async with bench(tmp_path, era, settings=asking(sample), person=person) as desk:
        preview = await desk.call(sample.create, sample.arguments(dry_run=True))
        assert preview["policy"] == {"decision": "ask", "reasons": ["orders is ask, this order: any order"]}
        assert (person.questions, await desk.ledger.approvals.recent(), await desk.ledger.recent()) == ([], [], [])
        await desk.call(sample.create, sample.arguments())
        assert person.questions == [preview["question"]]


# --- what travels back with a call (2026-07-28) ------------------------------------------------------------------


async def first_round(desk: Bench, sample: Sample) -> types.InputRequiredResult:
    """The question, as a host gets it."""
    asked = await desk.client.session.call_tool(sample.create, sample.arguments(), allow_input_required=True)
    assert isinstance(asked, types.InputRequiredResult)
    return asked


async def second_round(
    desk: Bench, sample: Sample, state: str | None, answer: Answer = YES, **changes: Any
) -> types.CallToolResult | types.InputRequiredResult:
    """The same call with an answer."""
    return await desk.client.session.call_tool(
        sample.create,
        sample.arguments(**changes),
        allow_input_required=True,
        input_responses={"approval": answer()},
        request_state=state,
    )


async def test_an_answer_with_its_state_places_the_order_and_a_replay_places_none(
    tmp_path: Path, sample: Sample
) -> None:
    async with bench(tmp_path, "auto", settings=asking(sample), person=Person()) as desk:
        asked = await first_round(desk, sample)
        for outcome in ("placed", "already_placed"):
            result = await second_round(desk, sample, asked.request_state)
            assert isinstance(result, types.CallToolResult)
            assert (result.structured_content or {})["outcome"] == outcome
        assert placed(desk, sample) == 1


@pytest.mark.parametrize("spoil", ["nothing", "none", "one letter", "another order's", "made up", "after a no"])
async def test_an_answer_counts_only_with_the_state_of_its_question(tmp_path: Path, spoil: str) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        other = DROPDAY.arguments(**{DROPDAY.reference: "OTHER-1", "email": "somebody@example.org"})
        others = await desk.client.session.call_tool(DROPDAY.create, other, allow_input_required=True)
        state = (await first_round(desk, DROPDAY)).request_state or ""
        assert isinstance(others, types.InputRequiredResult)
        spoiled = {
            "nothing": "",
            "none": None,
            "one letter": state[:40] + ("A" if state[40] != "A" else "B") + state[41:],
            "another order's": others.request_state,
            "made up": "approval 2",
            "after a no": state,
        }[spoil]
        if spoil == "after a no":
            await second_round(desk, DROPDAY, state, NO)
            result = await second_round(desk, DROPDAY, spoiled)
            assert isinstance(result, types.CallToolResult)
            assert "a person declined" in text_of(result)
        else:
            assert isinstance(await second_round(desk, DROPDAY, spoiled), types.InputRequiredResult)
        assert placed(desk, DROPDAY) == 0


async def test_a_state_does_not_carry_over_to_changed_arguments(tmp_path: Path, sample: Sample) -> None:
    async with bench(tmp_path, "auto", settings=asking(sample), person=Person()) as desk:
        asked = await first_round(desk, sample)
        result = await desk.client.session.call_tool(
            sample.create,
            sample.elsewhere(),
            allow_input_required=True,
            input_responses={"approval": YES()},
            request_state=asked.request_state,
        )
        assert isinstance(result, types.InputRequiredResult)
        assert placed(desk, sample) == 0


async def test_a_state_is_good_in_another_process_and_after_a_restart(tmp_path: Path) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        asked = await first_round(desk, DROPDAY)
    async with bench(
        tmp_path, "auto", settings=asking(DROPDAY), person=Person(), world=desk.world, clock=desk.clock
    ) as later:
        result = await second_round(later, DROPDAY, asked.request_state)
        assert isinstance(result, types.CallToolResult)
        assert (result.structured_content or {})["outcome"] == "placed"


async def test_a_state_expires_with_its_question(tmp_path: Path) -> None:
    async with bench(tmp_path, "auto", settings=asking(DROPDAY), person=Person()) as desk:
        asked = await first_round(desk, DROPDAY)
        desk.clock.move(minutes=31)
        assert isinstance(await second_round(desk, DROPDAY, asked.request_state), types.InputRequiredResult)
        assert placed(desk, DROPDAY) == 0


async def test_nothing_of_the_question_can_be_read_off_the_state(tmp_path: Path, sample: Sample) -> None:
    async with bench(tmp_path, "auto", settings=asking(sample), person=Person()) as desk:
        state = (await first_round(desk, sample)).request_state or ""
        assert REFERENCE not in state
        assert "approval" not in state


# --- how the question reads --------------------------------------------------------------------------------------


async def test_both_eras_show_the_same_question(tmp_path: Path, sample: Sample) -> None:
    shown: list[str] = []
    for era in ERAS:
        person = Person(PUT_AWAY)
        folder = tmp_path / era
        folder.mkdir()
        async with bench(folder, era, settings=asking(sample), person=person) as desk:
            await desk.fail(sample.create, sample.arguments())
        shown += [line for line in person.questions[0].splitlines() if not line.startswith("Fingerprint")]
    assert shown[: len(shown) // 2] == shown[len(shown) // 2 :]


async def test_only_the_create_tools_can_end_in_a_question(tmp_path: Path) -> None:
    async with bench(tmp_path, "auto", settings=ASK, person=Person()) as desk:
        with pytest.raises(MCPError):
            await desk.client.session.call_tool(
                "no_such_tool", {}, input_responses={"approval": YES()}, request_state="x"
            )
        assert (await desk.call("dropship_status"))["ordering"] == "ask"


async def test_the_question_shows_where_the_parcel_goes_but_not_the_street(tmp_path: Path, sample: Sample) -> None:
    person = Person(PUT_AWAY)
    async with bench(tmp_path, "legacy", settings=asking(sample), person=person) as desk:
        await desk.fail(sample.create, sample.arguments())
    [line] = [line for line in person.questions[0].splitlines() if line.startswith("Recipient")]
    assert line == 'Recipient: "Zenobia Quastel", "75019 Belleville", country "FR"'
    assert "Xylophone" not in person.questions[0]


async def test_a_yes_to_one_of_two_alike_stands_beside_a_no_to_the_other(tmp_path: Path, era: Era) -> None:
    async with bench(tmp_path, era, settings=asking(DROPDAY)) as desk:
        other = DROPDAY.arguments(**{DROPDAY.reference: f"{REFERENCE}-B"})
        await desk.fail(DROPDAY.create, DROPDAY.arguments())
        await desk.fail(DROPDAY.create, other)
        await approve(desk, 1)
        await approve(desk, 2, agreed=False)
        assert "a person declined this order" in await desk.fail(DROPDAY.create, other)
        assert (await desk.call(DROPDAY.create, DROPDAY.arguments()))["outcome"] == "placed"


async def test_a_costly_line_cannot_hide_behind_cheap_ones_or_a_small_total(tmp_path: Path) -> None:
    cheap = [{"external_id": f"L-{n}", "name": "Sticker", "quantity": 1, "price": "0.01"} for n in range(25)]
    costly = {"external_id": "L-X", "name": "Watch", "quantity": 50, "price": "9999.00"}
    person = Person(PUT_AWAY)
    async with bench(tmp_path, "legacy", settings=asking(DROPDAY), person=person) as desk:
        await desk.fail(DROPDAY.create, DROPDAY.arguments(products=[*cheap, costly], total="0.01"))
    lines = person.questions[0].splitlines()
    assert lines[3:5] == ["Items: 26 lines, 75 pieces", '- 50 x "L-X" "Watch", 9999.00 each']
    assert "- and more: 6 lines, 6 pieces" in lines
    assert "WARNING: the lines alone add up to 499950.25." in lines


async def test_a_dry_run_of_a_known_reference_says_that_it_is_known(tmp_path: Path, era: Era) -> None:
    person = Person()
    async with bench(tmp_path, era, settings=asking(DROPDAY), person=person) as desk:
        await desk.call(DROPDAY.create, DROPDAY.arguments())
        same = await desk.call(DROPDAY.create, DROPDAY.arguments(dry_run=True))
        other = await desk.call(DROPDAY.create, {**DROPDAY.elsewhere(), "dry_run": True})
        assert "This order was sent before" in same["next_step"]
        assert "The reference belongs to another order" in other["next_step"]
        assert "question" not in same | other
        assert len(person.questions) == 1
