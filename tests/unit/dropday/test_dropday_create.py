"""Placing an order: what is asked, what each answer means, and that nothing is ever sent twice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from dropship_tools.dropday import tools
from dropship_tools.dropday.models import DropdayPlaced
from dropship_tools.dropday.tools import EXISTED, NOT_READ, TOOLS, place
from dropship_tools.errors import (
    DropshipError,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
    ReferenceConflict,
    Sent,
)
from dropship_tools.orders import Certainty
from dropship_tools.tool import CreateTool, Placement
from unit.dropday.dropday_fakes import DOCUMENTED, HELD, ORDERS, FakeDropday, changed, page, permission, planned

pytestmark = pytest.mark.anyio

CREATED = (200, {"message": "Order created", "reference": 98})
EXISTS = (200, {"message": "Order already exists", "reference": 98})
BLOCKED = "Dropday has blocked this order and gives no reason; a person must look in the Dropday dashboard."
UNMATCHED = "No supplier is matched yet to the lines in unmatched_lines; if that stays so, nobody will buy them."
NEXT = "Follow it with dropday_get_order."
PLACED = DropdayPlaced(
    reference="L41223D",
    order_id="98",
    status="received",
    provider_status="lines: 1 completed, 1 pending",
    warnings=[UNMATCHED],
    next_step=NEXT,
    unmatched_lines=["2"],
)
UNSEEN = DropdayPlaced(
    reference="L41223D",
    order_id="98",
    status="received",
    provider_status="Order created",
    warnings=[NOT_READ],
    next_step=NEXT,
)
LIST = "GET /orders"
BY_NUMBER = "GET /orders/98"
LISTED = "GET /orders?external_id=L41223D&include_test=true&per_page=100&page=1"


async def placed(dropday: FakeDropday) -> Placement:
    """Place the documented order."""
    return await place(dropday.client(), planned(DOCUMENTED), permission())


async def refusal(dropday: FakeDropday) -> DropshipError:
    """Place the documented order, in vain; it left once at most and nothing was asked afterwards."""
    with pytest.raises(DropshipError) as raised:
        await placed(dropday)
    assert dropday.asked() == ["POST /orders"]
    return raised.value


# --- the order exists -------------------------------------------------------------------------------------------


async def test_a_new_order_is_sent_as_documented_and_read_back() -> None:
    dropday = FakeDropday({"POST /orders": CREATED, BY_NUMBER: (200, HELD)})

    assert await placed(dropday) == Placement(PLACED, existed=False)

    sent, read = dropday.requests
    assert (sent.method, str(sent.url), json.loads(sent.content)) == ("POST", ORDERS, DOCUMENTED)
    assert (read.method, str(read.url), read.content) == ("GET", f"{ORDERS}/98", b"")
    for request in dropday.requests:
        headers = dict(request.headers)
        assert (headers["api-key"], headers["account-id"]) == ("k-123", "101")
        assert (headers["content-type"], headers["accept"]) == ("application/json", "application/json")
        assert "authorization" not in headers


async def test_an_order_that_existed_before_is_not_reported_as_new() -> None:
    dropday = FakeDropday({"POST /orders": EXISTS, BY_NUMBER: (200, HELD)})

    assert await placed(dropday) == Placement(
        PLACED.model_copy(update={"warnings": [EXISTED, UNMATCHED]}), existed=True
    )


@pytest.mark.parametrize("other", [{"source": "The other shop"}, {"test": True}])
async def test_an_order_of_another_shop_or_kind_under_our_number_is_a_conflict(other: dict[str, Any]) -> None:
    """Sheet section 12, row 20: the account's shops share one row of numbers; test orders use them up too."""
    dropday = FakeDropday({"POST /orders": EXISTS, BY_NUMBER: (200, changed(HELD, **other))})

    with pytest.raises(ReferenceConflict) as error:
        await placed(dropday)

    assert error.value.sent == "no"
    assert "so this order was not placed" in error.value.what


@pytest.mark.parametrize(
    "body", [{"message": "Order already exists"}, {"message": "Order already exists", "reference": None}]
)
async def test_an_order_that_existed_is_found_by_its_own_number_when_the_answer_names_none(body: Any) -> None:
    dropday = FakeDropday({"POST /orders": (200, body), LIST: (200, page(changed(HELD, external_id="XL41223D"), HELD))})

    placement = await placed(dropday)

    assert placement.existed
    assert placement.order.order_id == "98"
    assert dropday.asked() == ["POST /orders", LISTED]


async def test_an_order_that_existed_and_cannot_be_seen_has_an_unknown_status() -> None:
    dropday = FakeDropday({"POST /orders": (200, {"message": "Order already exists"}), LIST: (503, {})})

    assert await placed(dropday) == Placement(
        DropdayPlaced(
            reference="L41223D",
            status="unknown",
            provider_status="Order already exists",
            warnings=[EXISTED, NOT_READ],
            next_step=NEXT,
        ),
        existed=True,
    )


@pytest.mark.parametrize(
    "message", ["Order created", "order created", " Order created. ", "Order created successfully"]
)
@pytest.mark.parametrize("reference", [98, "98"], ids=repr)
async def test_small_differences_in_the_answer_do_not_matter(message: str, reference: Any) -> None:
    body = {"message": message, "reference": reference, "more": {"a": 1}}
    dropday = FakeDropday({"POST /orders": (201, body), BY_NUMBER: (200, HELD)})

    assert await placed(dropday) == Placement(PLACED)


async def test_the_number_of_an_order_is_text() -> None:
    held = changed(HELD, reference="DD-98541")
    dropday = FakeDropday(
        {"POST /orders": (200, {**CREATED[1], "reference": "DD-98541"}), "GET /orders/DD-98541": (200, held)}
    )

    assert (await placed(dropday)).order.order_id == "DD-98541"


@pytest.mark.parametrize(
    "unseen",
    [
        (404, {"message": "Not Found", "error": "no order 98"}),
        (401, {"message": "Unauthorized", "error": "no"}),
        (500, {"message": "Server Error"}),
        (200, b"<html>"),
        (200, {}),
        (200, changed(HELD, external_id="ANOTHER")),
        (200, changed(HELD, external_id=None)),
        httpx2.ReadError("reset"),
    ],
    ids=["404", "401", "500", "html", "empty", "other", "nobody", "reset"],
)
async def test_an_order_that_cannot_be_read_by_number_is_looked_for_and_exists_all_the_same(unseen: Any) -> None:
    found = FakeDropday({"POST /orders": CREATED, BY_NUMBER: unseen, LIST: (200, page(HELD))})
    lost = FakeDropday({"POST /orders": CREATED, BY_NUMBER: unseen, LIST: (200, page())})
    silent = FakeDropday({"POST /orders": CREATED, BY_NUMBER: unseen, LIST: unseen})

    assert await placed(found) == Placement(PLACED)
    assert await placed(lost) == Placement(UNSEEN)
    assert await placed(silent) == Placement(UNSEEN)


@pytest.mark.parametrize("reference", [".", "..", "", "\ud800", "a/../b"])
async def test_a_number_that_fits_into_no_address_does_not_matter(reference: str) -> None:
    body = json.dumps({"message": "Order created", "reference": reference}).encode()
    dropday = FakeDropday(
        {"POST /orders": (200, body), "GET /orders/a%2F..%2Fb": (404, {}), LIST: (200, page(HELD))},
    )

    assert await placed(dropday) == Placement(PLACED)


async def test_reading_back_takes_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "READ_BACK_SECONDS", 0.01)

    assert await placed(FakeDropday({"POST /orders": CREATED, BY_NUMBER: None})) == Placement(UNSEEN)
    assert await placed(FakeDropday({"POST /orders": CREATED, BY_NUMBER: (404, {}), LIST: None})) == Placement(UNSEEN)


def test_sending_and_reading_back_fit_into_a_call() -> None:
    assert tools.READ_BACK_SECONDS <= 10


async def test_a_blocked_order_says_so_first() -> None:
    dropday = FakeDropday({"POST /orders": CREATED, BY_NUMBER: (200, changed(HELD, blocked=True))})

    order = (await placed(dropday)).order

    assert order == PLACED.model_copy(
        update={
            "status": "problem",
            "provider_status": "blocked; lines: 1 completed, 1 pending",
            "blocked": True,
            "warnings": [BLOCKED, UNMATCHED],
        }
    )


async def test_a_test_order_has_no_suppliers_and_that_is_no_worry() -> None:
    dropday = FakeDropday({"POST /orders": CREATED, BY_NUMBER: (200, changed(HELD, test=True))})

    order = (await placed(dropday)).order

    assert order == PLACED.model_copy(update={"test": True, "warnings": [], "unmatched_lines": []})


@pytest.mark.parametrize("nobody", [None, [], {}, {"id": None, "name": None}, {"name": ""}])
async def test_lines_without_a_supplier_are_named(nobody: Any) -> None:
    held = changed(HELD, order_lines__0__matched_supplier=nobody, order_lines__1__external_id=None)
    dropday = FakeDropday({"POST /orders": CREATED, BY_NUMBER: (200, held)})

    order = (await placed(dropday)).order

    assert isinstance(order, DropdayPlaced)
    assert order.unmatched_lines == ["1", "Coca Cola"]


async def test_what_the_ledger_keeps_holds_nothing_about_the_buyer() -> None:
    dropday = FakeDropday({"POST /orders": EXISTS, BY_NUMBER: (200, HELD)})

    kept = json.dumps((await placed(dropday)).order.facts())

    for personal in ("John", "Doe", "Jeff", "Jumpstreet", "4500", "222", "info@example.org", "onions"):
        assert personal not in kept


# --- no order ---------------------------------------------------------------------------------------------------

DOCUMENTED_REFUSAL = {
    "message": "Errors",
    "errors": {
        "external_id": ["The external id field is required."],
        "shipping_address.firstname": ["The shipping address.firstname field is required."],
        "products.0.external_id": ["The products.0.external_id field is required."],
    },
}
DOCUMENTED_REFUSAL_SAID = (
    "external_id: The external id field is required. | "
    "shipping_address.first_name: The shipping address.firstname field is required. | "
    "products.0.external_id: The products.0.external_id field is required."
)


@pytest.mark.parametrize(
    ("status", "body", "error", "sent", "said"),
    [
        (422, DOCUMENTED_REFUSAL, ProviderRefused, "no", DOCUMENTED_REFUSAL_SAID),
        (
            422,
            {"message": "Errors", "errors": {"total": ["a", "b"], "x": "c"}},
            ProviderRefused,
            "no",
            "total: a; b | x: c",
        ),
        (422, {"message": "Errors", "errors": {}}, ProviderRefused, "no", "Errors"),
        (422, {"message": "Errors", "errors": [1]}, ProviderRefused, "no", "Errors"),
        (401, {"message": "Unauthorized", "error": "bad key"}, ProviderAuth, "no", "Unauthorized - bad key"),
        (403, {"message": "Forbidden"}, ProviderAuth, "no", "Forbidden"),
        (404, {"message": "Not Found", "error": ""}, ProviderRefused, "no", "Not Found - "),
        (405, b"<html>no</html>", ProviderRefused, "no", "<html>no</html>"),
        (429, {"message": "Too Many Attempts."}, RateLimited, "no", "Too Many Attempts."),
        (500, {"message": "Server Error", "error": "?"}, OutcomeUnknown, "maybe", "Server Error - ?"),
        (503, b"", OutcomeUnknown, "maybe", ""),
        (408, b"", OutcomeUnknown, "maybe", ""),
    ],
)
async def test_every_refusal_says_whether_an_order_may_exist(
    status: int, body: Any, error: type[DropshipError], sent: Sent, said: str
) -> None:
    raised = await refusal(FakeDropday({"POST /orders": (status, body)}))

    assert (type(raised), raised.sent, raised.provider_said) == (error, sent, said)


async def test_a_refused_order_may_be_corrected_under_the_same_number() -> None:
    raised = await refusal(FakeDropday({"POST /orders": (422, DOCUMENTED_REFUSAL)}))

    assert raised.fix == ("Correct the fields Dropday names, then call dropday_create_order with the same external_id.")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"\xff\xfe",
        [],
        None,
        {},
        {"reference": 98},
        {"message": None, "reference": 98},
        {"message": ["Order created"]},
        {"message": "Errors", "errors": {"total": ["wrong"]}},
        {"message": "Order could not be created"},
        {"message": "Order is being processed", "reference": 98},
        {"message": "Order created", "reference": {"id": 98}},
        {"message": "Order created", "reference": True},
        b'{"message": "Order created", "reference": 1e999}',
        b'{"message": "Order created"',
    ],
)
async def test_an_answer_that_says_neither_created_nor_existing_leaves_the_order_open(body: Any) -> None:
    raised = await refusal(FakeDropday({"POST /orders": (200, body)}))

    assert (type(raised), raised.sent) == (OutcomeUnknown, "maybe")
    assert raised.what.startswith("Dropday took the order, but the answer ")


@pytest.mark.parametrize(
    ("failure", "error", "sent"),
    [
        (httpx2.ConnectError("refused"), ProviderUnavailable, "no"),
        (httpx2.ReadTimeout("slow"), OutcomeUnknown, "maybe"),
        (httpx2.RemoteProtocolError("gone"), OutcomeUnknown, "maybe"),
    ],
)
async def test_an_order_is_never_sent_again_by_itself(
    failure: Exception, error: type[DropshipError], sent: Sent
) -> None:
    raised = await refusal(FakeDropday({"POST /orders": failure}))

    assert (type(raised), raised.sent) == (error, sent)


def test_dropday_turns_repeats_away_and_its_silence_counts_after_a_while() -> None:
    create = TOOLS[0]

    assert isinstance(create, CreateTool)
    assert create.certainty == Certainty(conclusive=True, after=timedelta(minutes=5), dedupes=True)
