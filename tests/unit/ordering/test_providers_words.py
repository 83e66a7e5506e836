"""What ordering makes of a provider's words: which errors mean that no order exists, and which findings prove it.

With a provider that says what a test wants, so that also what no present provider says is covered.
"""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.providers import row_of
from contract.rigs import Rig, open_rig
from dropship_mcp.placing import Outcome
from dropship_tools.errors import (
    DropshipError,
    NotFound,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    ReferenceConflict,
)
from dropship_tools.orders import Certainty, Finding, Placed, Plan, Sought
from dropship_tools.tool import Placement
from dropship_tools.wire import SendOnce

pytestmark = pytest.mark.anyio

ROW = row_of("dipli")
NOT_FOUND = Finding(why="Nothing was found.")


@dataclasses.dataclass
class Words:
    """A provider that says what a test wants.

    Attributes:
        error: what placing ends in; None for an order.
        status: of the answer to the order, if there is one.
        sends: whether the order leaves.
        nothing_left: the connection was never made.
        finding: what a look-up finds.
    """

    error: DropshipError | None = None
    status: int | None = None
    sends: int = 1
    nothing_left: bool = False
    finding: Finding | DropshipError = NOT_FOUND
    certainty: Certainty = dataclasses.field(default_factory=lambda: Certainty(conclusive=False))
    existed: bool = False
    left: int = 0

    async def place(self, _: Any, plan: Plan, once: SendOnce) -> Placement:
        """Answer an order."""
        for _ in range(self.sends):
            await once.use()
            self.left += 1
        once.status, once.nothing_left = self.status, self.nothing_left
        if self.error is not None:
            raise self.error
        return Placement(Placed(reference=plan.reference, order_id="A-1", status="received"), existed=self.existed)

    async def find(self, _: Any, sought: Sought) -> Finding:
        """Answer a look-up."""
        if isinstance(self.finding, DropshipError):
            raise self.finding
        return self.finding


async def ordered(rig: Rig, words: Words) -> Outcome:
    """A create call at a provider that speaks these words."""
    tool = dataclasses.replace(ROW.create_tool(), place=words.place, find=words.find, certainty=words.certainty)
    return await rig.create(ROW, ROW.arguments("R-1"), tool=tool)


ERRORS: list[tuple[type[DropshipError], int | None, str]] = [
    (ProviderRefused, 422, "refused"),
    (ProviderRefused, 200, "refused"),
    (ReferenceConflict, 200, "refused"),
    (ProviderAuth, 401, "refused"),
    (RateLimited, 429, "refused"),
    (NotFound, 404, "refused"),
    (RateLimited, 408, "unknown"),
    (ProviderAuth, 500, "unknown"),
    (ProviderAuth, 200, "unknown"),
    (RateLimited, 200, "unknown"),
    (NotFound, 200, "unknown"),
    (ProviderUnavailable, 200, "unknown"),
    (ProviderUnavailable, 302, "unknown"),
    (ProviderUnavailable, 503, "unknown"),
    (ProviderUnavailable, None, "unknown"),
    (OutcomeUnknown, 400, "unknown"),
    (OutcomeUnknown, None, "unknown"),
]
"""What was raised after the order had left, the status of the provider's answer to it, and the state afterwards."""


@pytest.mark.parametrize(("error", "status", "expected"), ERRORS)
async def test_after_sending_only_a_refusal_means_that_no_order_exists(
    error: type[DropshipError], status: int | None, expected: str, tmp_path: Path
) -> None:
    words = Words(error("what", fix="fix"), status)
    async with open_rig(tmp_path) as rig:
        with pytest.raises(DropshipError) as caught:
            await ordered(rig, words)
        assert await rig.state(ROW, "R-1") == expected
        assert caught.value.code == (error.code if expected == "refused" else "outcome_unknown")
        assert caught.value.sent == ("no" if expected == "refused" else "maybe")


@pytest.mark.parametrize("error", [ProviderUnavailable, ProviderAuth, RateLimited, ProviderRefused, NotFound])
@pytest.mark.parametrize("words", [Words(sends=0), Words(nothing_left=True)], ids=["not sent", "never connected"])
async def test_when_nothing_has_left_any_error_means_that_no_order_exists(
    error: type[DropshipError], words: Words, tmp_path: Path
) -> None:
    words = dataclasses.replace(words, error=error("what", fix="fix"))
    async with open_rig(tmp_path) as rig:
        with pytest.raises(error) as caught:
            await ordered(rig, words)
        assert (caught.value.sent, await rig.state(ROW, "R-1")) == ("no", "refused")


async def test_a_permission_to_send_serves_once(tmp_path: Path) -> None:
    words = Words(sends=2)
    async with open_rig(tmp_path) as rig:
        with pytest.raises(OutcomeUnknown):
            await ordered(rig, words)
        assert (words.left, await rig.state(ROW, "R-1")) == (1, "unknown")


async def test_an_order_that_was_there_before_is_not_called_placed_by_this_call(tmp_path: Path) -> None:
    words = Words(sends=0, existed=True)
    async with open_rig(tmp_path) as rig:
        assert ((await ordered(rig, words)).outcome, await rig.state(ROW, "R-1")) == ("already_placed", "placed")


SURE = Certainty(conclusive=True, after=timedelta(minutes=5))
DEDUPES = Certainty(conclusive=True, after=timedelta(minutes=5), dedupes=True)
UNSURE = Certainty(conclusive=False)
NEVER = 10**6

PROOFS: list[tuple[Certainty, bool, float, str]] = [
    (SURE, True, 4.9, "outcome_unknown"),
    (SURE, True, 5, "placed"),
    (SURE, False, NEVER, "outcome_unknown"),
    (DEDUPES, True, 0, "placed"),
    (DEDUPES, False, NEVER, "outcome_unknown"),
    (UNSURE, True, NEVER, "outcome_unknown"),
    (UNSURE, False, NEVER, "outcome_unknown"),
]
"""What the provider can tell, whether the look-up says that its silence counts, the minutes since, and the repeat's end."""


@pytest.mark.parametrize(("certainty", "absent", "minutes", "end"), PROOFS)
async def test_an_order_that_is_not_found_is_sent_again_only_if_that_proves_something(
    certainty: Certainty, absent: bool, minutes: float, end: str, tmp_path: Path
) -> None:
    lost = Words(OutcomeUnknown("lost", fix=""), finding=Finding(absent=absent, why="No."), certainty=certainty)
    async with open_rig(tmp_path) as rig:
        with pytest.raises(OutcomeUnknown):
            await ordered(rig, lost)
        rig.clock.move(minutes=minutes)
        again = dataclasses.replace(lost, error=None, left=0)
        if end == "placed":
            assert (await ordered(rig, again)).outcome == "placed"
        else:
            with pytest.raises(OutcomeUnknown):
                await ordered(rig, again)
        assert again.left == (end == "placed")


async def test_an_order_that_cannot_be_looked_for_stays_unknown_and_says_why(tmp_path: Path) -> None:
    words = Words(OutcomeUnknown("lost", fix=""), certainty=DEDUPES, finding=RateLimited("slow down", fix="Wait."))
    async with open_rig(tmp_path) as rig:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                await ordered(rig, words)
        row = await rig.row(ROW, "R-1")
        assert row is not None
        assert row.reason == "it could not be looked for: rate_limited, slow down"
        assert words.left == 1
