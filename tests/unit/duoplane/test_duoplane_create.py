"""Placing an order: what leaves, and what each answer means."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import httpx2
import pytest

from dropship_tools.duoplane import DUOPLANE
from dropship_tools.duoplane.models import DuoplanePlaced
from dropship_tools.duoplane.results import ACCEPTED, COMPLAINED
from dropship_tools.duoplane.tools import TOOLS, place, plan
from dropship_tools.errors import (
    DropshipError,
    OutcomeUnknown,
    ProviderAuth,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from dropship_tools.http import ProviderHttp
from dropship_tools.orders import Certainty
from dropship_tools.tool import CreateTool, Placement
from unit.duoplane.duoplane_fakes import (
    ARGUMENTS,
    FakeDuoplane,
    Reply,
    accepting,
    arguments,
    envelope,
    order,
    permission,
)

pytestmark = pytest.mark.anyio

POST = "POST /api/orders"
PLACED = DuoplanePlaced(
    reference="WEB-10045",
    order_id="51661073",
    status="received",
    provider_status="accepted",
    next_step=ACCEPTED,
    app_url="https://app.duoplane.com/orders/51661073",
)

# The documented 201 (https://developers.duoplane.com, Create an order), placeholders as printed.
PRINTED: dict[str, Any] = {
    "metadata": {"requests_remaining": 0, "retry_after_seconds": 0, "total_count": 0},
    "data": {
        "id": 0,
        "type": "order",
        "attributes": {
            "created_at": "2019-08-24T14:15:22Z",
            "updated_at": "2019-08-24T14:15:22Z",
            "store_id": 0,
            "store_source_name": "string",
            "internal_id": "string",
            "external_id": "string",
            "ordered_at": "2019-08-24T14:15:22Z",
            "tag_names": ["string"],
            "customer_note": "string",
            "order_notes": [{"title": "string", "body": "string"}],
        },
        "relationships": {
            "order_items": [
                {
                    "id": "string",
                    "type": "order_item",
                    "attributes": {
                        "name": "string",
                        "quantity": 0,
                        "price": 0,
                        "cost": 0,
                        "retailer_product_id": 0,
                        "retailer_sku": "string",
                        "internal_id": "string",
                        "vendor_sku": "string",
                        "upc": "string",
                        "mpn": "string",
                        "other_barcode": "string",
                        "order_item_notes": [{"title": "string", "body": "string"}],
                    },
                    "relationships": [{}],
                }
            ],
            "shipping_address": {"id": "string", "type": "address", "attributes": {"first_name": "string"}},
            "billing_address": {"id": "string", "type": "address", "attributes": {"first_name": "string"}},
        },
    },
    "errors": ["string"],
}


async def answered(duoplane: FakeDuoplane) -> Placement:
    return await place(duoplane.client, plan(duoplane.client, arguments()), permission())


async def failed(response: Reply | Exception) -> DropshipError:
    duoplane = accepting(response)
    with pytest.raises(DropshipError) as failure:
        await answered(duoplane)
    assert len(duoplane.sent()) == 1, "an order is never sent again"
    return failure.value


def facts(error: DropshipError) -> tuple[type[DropshipError], str, str]:
    return type(error), error.sent, error.provider_said


async def test_an_order_leaves_once_as_documented() -> None:
    """Rows 1 and 4: flat, and an accepted order is not called a vendor's."""
    duoplane = accepting(Reply(201, envelope(order())))
    assert await answered(duoplane) == Placement(PLACED)
    [request] = duoplane.sent()
    scheme, pair = request.headers["authorization"].split()
    assert (request.method, str(request.url)) == ("POST", "https://app.duoplane.com/api/orders")
    assert (scheme, b64decode(pair)) == ("Basic", b"key-1:pass:word")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == ARGUMENTS


async def test_the_printed_answer_is_an_order_with_a_complaint() -> None:
    duoplane = accepting(Reply(201, PRINTED))
    assert await answered(duoplane) == Placement(
        DuoplanePlaced(
            reference="WEB-10045",
            order_id="0",
            status="problem",
            provider_status="accepted with errors",
            warnings=["string"],
            next_step=COMPLAINED,
            app_url="https://app.duoplane.com/orders/0",
        )
    )


async def test_every_complaint_on_success_is_shown_without_mark_up() -> None:
    """Row 8."""
    errors = ["<b>SKU</b> TRAY-W\u202e is unknown", {"phone": ["is missing", "is needed"]}, "", None]
    duoplane = accepting(Reply(201, envelope(order(), errors)))
    placed = (await answered(duoplane)).order
    assert placed.status == "problem"
    assert placed.warnings == ["SKU TRAY-W is unknown", "phone: is missing; is needed"]


async def test_complaints_without_end_are_counted() -> None:
    duoplane = accepting(Reply(201, envelope(order(), ["no"] * 5000)))
    assert (await answered(duoplane)).order.warnings == ["no"] * 20 + ["and 4980 more"]


async def test_a_line_without_a_vendor_sku_is_warned_of() -> None:
    data = order()
    data["relationships"]["order_items"][0]["attributes"]["vendor_sku"] = None
    duoplane = accepting(Reply(201, envelope(data)))
    placed = (await answered(duoplane)).order
    assert placed.status == "received"
    assert placed.warnings == ["Duoplane shows no vendor SKU for: TRAY-W; such lines may reach no vendor."]


@pytest.mark.parametrize("given", [51661073, "51661073", "51661073.0", 51661073.0], ids=repr)
async def test_an_id_becomes_digits_whatever_it_came_as(given: Any) -> None:
    """Row 13."""
    assert (await answered(accepting(Reply(200, {"data": {"id": given}})))).order == PLACED


async def test_an_order_with_an_id_exists_however_odd_the_rest_is() -> None:
    data = {"id": 51661073, "attributes": "?", "relationships": [[1]]}
    assert (await answered(accepting(Reply(201, {"data": data, "errors": None})))).order == PLACED


async def test_nothing_personal_stays_in_the_result() -> None:
    placed = (await answered(accepting(Reply(201, envelope(order()))))).order
    assert not any(word in str(placed.facts()) for word in ("Ada", "Byrne", "Terry", "94158", "example.org"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Created</html>",
        b"\xff\xfe\x00",
        b'{"data": {"id": 1}',
        b"[" * 5000,
        {"data": None, "errors": []},
        {"data": [], "errors": []},
        {"data": {"id": None}},
        {"data": {"id": ""}},
        {"data": {"id": ".."}},
        {"data": {"id": True}},
        {"data": {"id": {"$oid": 1}}},
        {"data": {"id": "9" * 500}},
        {"id": 51661073},
        None,
    ],
)
async def test_success_without_an_id_is_an_unknown_outcome(body: Any) -> None:
    error = await failed(Reply(201, body))
    assert (type(error), error.sent) == (OutcomeUnknown, "maybe")


async def test_success_without_an_id_still_tells_the_complaints() -> None:
    error = await failed(Reply(200, {"data": None, "errors": ["Store is unknown"]}))
    assert facts(error) == (OutcomeUnknown, "maybe", "Store is unknown")


async def test_bad_credentials_are_for_a_person() -> None:
    error = await failed(Reply(401, "HTTP Basic: Access denied."))
    assert facts(error) == (ProviderAuth, "no", "HTTP Basic: Access denied.")


@pytest.mark.parametrize(("status", "kind"), [(403, ProviderAuth), (404, ProviderRefused)])
async def test_a_vendors_key_is_named_as_the_likely_cause(status: int, kind: type[DropshipError]) -> None:
    """Row 19."""
    error = await failed(Reply(status, {"errors": ["Not allowed"]}))
    assert facts(error) == (kind, "no", "Not allowed")
    assert "looks like a vendor's key" in error.fix


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_tells_duoplanes_words_and_our_names(status: int) -> None:
    error = await failed(Reply(status, envelope(None, ["Unknown SKU TRAY-W", "Country is invalid"])))
    assert facts(error) == (ProviderRefused, "no", "Unknown SKU TRAY-W | Country is invalid")
    assert error.fix == (
        "Correct order_items retailer_sku, shipping_address.country_iso2 and call again with the same external_id."
    )


async def test_a_refusal_outside_the_envelope_is_told_too() -> None:
    error = await failed(Reply(400, {"status": 400, "error": "Bad Request"}))
    assert facts(error) == (ProviderRefused, "no", "Bad Request")
    assert error.fix == "Correct what the provider names and call again with the same reference."


@pytest.mark.parametrize("status", [408, 500, 502, 503])
async def test_trouble_at_duoplane_leaves_the_outcome_open(status: int) -> None:
    error = await failed(Reply(status, "<html>We're sorry</html>"))
    assert (type(error), error.sent) == (OutcomeUnknown, "maybe")


async def test_a_connection_that_breaks_leaves_the_outcome_open() -> None:
    """Row 6."""
    assert (await failed(httpx2.ReadError("reset"))).sent == "maybe"


async def test_a_connection_never_made_sent_nothing() -> None:
    error = await failed(httpx2.ConnectError("refused"))
    assert (type(error), error.sent) == (ProviderUnavailable, "no")


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"metadata": {"retry_after_seconds": 12}, "errors": ["Slow down"]}, {}, 12.5),
        ({"meta": {"retry_after_seconds": 12}}, {}, 12.5),
        ("", {"Duoplane-Retry-After-Seconds": "7"}, 7.5),
        ("<html>", {"Retry-After": "30"}, 30.5),
        ("", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 20.5),
        ({"metadata": {"retry_after_seconds": "soon"}}, {}, 20.5),
        ({"metadata": {"retry_after_seconds": 10**8}}, {}, 3600),
    ],
)
async def test_a_429_names_the_wait_and_stops_everything_until_then(
    body: Any, headers: dict[str, str], seconds: float
) -> None:
    """Row 9."""
    duoplane = accepting(Reply(429, body, headers))
    with pytest.raises(RateLimited) as first:
        await answered(duoplane)
    assert (first.value.retry_after, first.value.sent) == (seconds, "no")
    duoplane.pages[POST] = Reply(201, envelope(order()))
    duoplane.now += seconds - 5.5
    with pytest.raises(RateLimited) as second:
        await answered(duoplane)
    assert (second.value.retry_after, second.value.sent, len(duoplane.requests)) == (pytest.approx(5.5), "no", 3)
    duoplane.now += 1
    assert (await answered(duoplane)).order == PLACED
    assert duoplane.waits == [pytest.approx(4.5), 0.5, 0.5]


async def test_a_wait_that_is_too_long_leaves_the_permission_unused() -> None:
    duoplane = FakeDuoplane({"GET /api/orders/1": Reply(429, {"metadata": {"retry_after_seconds": 60}})})
    with pytest.raises(RateLimited):
        await duoplane.client.get_order("1")
    once = permission()
    with pytest.raises(RateLimited):
        await place(duoplane.client, plan(duoplane.client, arguments()), once)
    assert not once.used


def test_not_finding_an_order_never_proves_its_absence() -> None:
    [create] = [tool for tool in TOOLS if isinstance(tool, CreateTool)]
    assert create.certainty == Certainty(conclusive=False)


async def test_a_connected_client_knows_the_accounts_store() -> None:
    account = DUOPLANE.sandbox_account()
    http = ProviderHttp("Duoplane", account.base_url, DUOPLANE.auth_headers(account))
    client = DUOPLANE.connect(account, http)
    assert client.default_store_id == account.value("store_id")
    await client.aclose()
