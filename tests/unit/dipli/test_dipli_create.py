"""Placing an order: what leaves, and what each answer means."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from dropship_tools.dipli.tools import TOOLS, place, plan
from dropship_tools.errors import (
    DropshipError,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from dropship_tools.orders import Certainty, Placed
from dropship_tools.tool import CreateTool, Placement
from unit.dipli.dipli_fakes import ARGUMENTS, ORDERS, FakeDipli, arguments, permission

pytestmark = pytest.mark.anyio

SUCCESS = {"code": 200, "msg": "Success", "public_id": "A-12345"}
ACCEPTED = Placement(
    Placed(
        reference="WEB-10045",
        order_id="A-12345",
        status="received",
        next_step=(
            "Not a confirmed sale yet: Dipli accepts by e-mail after checking its stock. "
            "Follow it with dipli_get_order."
        ),
    )
)


async def answered(dipli: FakeDipli) -> Placement:
    client = dipli.client()
    return await place(client, plan(client, arguments()), permission())


async def failed(status: int, body: Any) -> DropshipError:
    dipli = FakeDipli((status, body))
    with pytest.raises(DropshipError) as failure:
        await answered(dipli)
    assert len(dipli.requests) == 1, "an order is never sent again"
    return failure.value


async def test_an_order_leaves_once_as_documented() -> None:
    """Sheet section 10, row 12: what is answered is receipt, not a sale."""
    dipli = FakeDipli((200, SUCCESS))
    assert await answered(dipli) == ACCEPTED
    [request] = dipli.requests
    assert (
        request.method,
        str(request.url),
        request.headers["apikey"],
        request.headers["content-type"],
        json.loads(request.content),
    ) == ("POST", ORDERS, "k-123", "application/json", ARGUMENTS)


@pytest.mark.parametrize(
    "body",
    [SUCCESS, {"public_id": "A-12345"}, {**SUCCESS, "code": "200"}, {**SUCCESS, "code": None, "other": [1]}],
)
async def test_a_public_id_without_a_contrary_code_is_an_order(body: Any) -> None:
    assert await answered(FakeDipli((201, body))) == ACCEPTED


async def test_a_bad_request_is_a_refusal_that_tells_what_to_check() -> None:
    """Sheet section 10, row 14."""
    error = await failed(400, {"code": 400, "msg": "Bad Request"})
    assert (type(error), error.sent, error.provider_said, error.fix) == (
        ProviderRefused,
        "no",
        "Bad Request",
        "Dipli never says what is wrong. Check that product_id is Dipli's dropship id of a product in stock and that "
        "Dipli delivers to the country, then call again with the same alternative_id.",
    )


@pytest.mark.parametrize("code", [400, "400"], ids=repr)
async def test_a_refusal_in_the_body_of_a_success_is_a_refusal(code: Any) -> None:
    """Sheet section 8: the HTTP status alone says nothing."""
    error = await failed(200, {"code": code, "msg": "Bad Request"})
    assert (type(error), error.sent, error.provider_said) == (ProviderRefused, "no", "Bad Request")


async def test_a_server_error_leaves_the_order_open() -> None:
    error = await failed(500, {"code": 500, "msg": "Internale Server Error"})
    assert (type(error), error.sent, error.provider_said) == (OutcomeUnknown, "maybe", "Internale Server Error")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ProviderAuth), (403, ProviderAuth), (404, ProviderRefused), (422, ProviderRefused), (429, RateLimited)],
)
async def test_undocumented_refusals_are_told_apart(status: int, kind: type[DropshipError]) -> None:
    error = await failed(status, {"message": "No API key found in request"})
    assert (type(error), error.sent, error.provider_said) == (kind, "no", "No API key found in request")


@pytest.mark.parametrize("status", [408, 502, 503, 504])
async def test_a_gateway_that_gives_up_leaves_the_order_open(status: int) -> None:
    error = await failed(status, b"<html><title>Bad gateway</title></html>")
    assert (type(error), error.sent, error.provider_said) == (
        OutcomeUnknown,
        "maybe",
        "<html><title>Bad gateway</title></html>",
    )


@pytest.mark.parametrize(
    "body",
    [
        {"code": 200, "msg": "Success"},
        {**SUCCESS, "public_id": ""},
        {**SUCCESS, "public_id": None},
        {**SUCCESS, "public_id": True},
        {**SUCCESS, "public_id": ["A-12345"]},
        {**SUCCESS, "public_id": ".."},
        {**SUCCESS, "code": 400},
        {**SUCCESS, "code": 500},
        {**SUCCESS, "code": False},
        {**SUCCESS, "code": "ok"},
        {"code": 500, "msg": "Internale Server Error"},
        {"code": 401},
        {},
        [],
        None,
        "A-12345",
        b"",
        b"<!doctype html><p>Welcome",
        b'{"public_id": "A-1',
        b"\xff\xfe\x00",
        b'{"code": NaN, "public_id": "A-12345"}',
        b"[" * 100_000,
        b'{"public_id": ' + b"9" * 5000 + b"}",
    ],
)
async def test_any_other_success_leaves_the_order_open(body: Any) -> None:
    """Sheet section 10, row 11: only a usable `public_id` is an order."""
    error = await failed(200, body)
    assert (type(error), error.sent, error.fix) == (
        OutcomeUnknown,
        "maybe",
        "Do not order again under another reference.",
    )


@pytest.mark.parametrize(
    ("failure", "kind", "sent"),
    [
        (httpx2.ConnectError("refused"), ProviderUnavailable, "no"),
        (httpx2.ReadTimeout("silence"), OutcomeUnknown, "maybe"),
        (httpx2.RemoteProtocolError("broke off"), OutcomeUnknown, "maybe"),
    ],
)
async def test_a_lost_connection_is_never_an_order_sent_again(
    failure: Exception, kind: type[DropshipError], sent: str
) -> None:
    """Sheet section 10, row 1."""
    dipli = FakeDipli(failure)
    with pytest.raises(kind) as lost:
        await answered(dipli)
    assert (lost.value.sent, len(dipli.requests)) == (sent, 1)


async def test_a_permission_sends_one_order_only() -> None:
    dipli, once = FakeDipli((200, SUCCESS)), permission()
    client = dipli.client()
    order = plan(client, arguments())
    await place(client, order, once)
    with pytest.raises(RuntimeError):
        await place(client, order, once)
    assert len(dipli.requests) == 1


async def test_dipli_is_trusted_neither_to_deduplicate_nor_to_deny() -> None:
    create = TOOLS[0]
    assert isinstance(create, CreateTool)
    assert create.certainty == Certainty(conclusive=False, dedupes=False)


async def test_the_answer_kept_in_the_ledger_holds_no_personal_data() -> None:
    """Sheet section 10, row 19."""
    kept = json.dumps((await answered(FakeDipli((200, SUCCESS)))).order.facts())
    private = [ARGUMENTS[name] for name in ("buyer", "street", "postcode", "city", "buyer_phone", "buyer_email")]
    assert [text for text in private if text in kept] == []
