"""Dipli's sandbox against the documentation and the sheet (providers/dipli.md)."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from dirty_equals import IsStr

from dropship_tools.dipli.sandbox import operation
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import Clock, client_for, world_at

pytestmark = pytest.mark.anyio

ORDERS = "/api-drop/v2/orders"
ORDER: dict[str, Any] = {
    "alternative_id": "WEB-10045",
    "product_id": 11700101,
    "buyer": "Zoë van der Berg",
    "street": "1/2 rue Haute",
    "additional_street": "3e étage",
    "postcode": "01000",
    "city": "Bourg-en-Bresse",
    "country": "FR",
    "buyer_phone": "+33 6 12 34 56 78",
    "buyer_email": "zoe@example.org",
    "extra": "gift",
}
SUCCESS = {"code": 200, "msg": "Success", "public_id": "A-412001"}
BAD_REQUEST = {"code": 400, "msg": "Bad Request"}
NOT_FOUND = {"code": 404, "msg": "Not Found"}


async def post(world: SandboxWorld, body: Any) -> httpx2.Response:
    async with client_for(world, "dipli") as client:
        return await client.post(ORDERS, content=body if isinstance(body, bytes) else json.dumps(body))


async def get(world: SandboxWorld, path: str, **query: str) -> httpx2.Response:
    async with client_for(world, "dipli") as client:
        return await client.get(path, params=query)


async def listed(world: SandboxWorld, **query: str) -> list[str]:
    answer = (await get(world, ORDERS, **query)).json()
    return [order["public_id"] for order in answer["result"]]


async def test_an_order_is_answered_with_its_public_id() -> None:
    answer = await post(world_at(Clock()), ORDER)
    assert (answer.status_code, answer.json()) == (200, SUCCESS)


async def test_the_same_alternative_id_again_is_a_second_order() -> None:
    world = world_at(Clock())
    answers = [(await post(world, ORDER)).json()["public_id"] for _ in range(2)]
    assert (answers, await listed(world)) == (["A-412001", "A-412002"], ["A-412002", "A-412001"])


async def test_optional_and_undocumented_fields_do_not_matter() -> None:
    body = {name: value for name, value in ORDER.items() if name not in ("additional_street", "extra")}
    assert (await post(world_at(Clock()), {**body, "quantity": 3})).json() == SUCCESS


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: ""} for name in ORDER if name not in ("additional_street", "extra")),
        *({name: None} for name in ORDER),
        {"alternative_id": 10045},
        {"buyer": "  "},
        {"postcode": 1000},
        {"product_id": "11700101"},
        {"product_id": 11700101.0},
        {"product_id": True},
        {"product_id": 25101},
        {"product_id": 707101},
        {"product_id": 42},
        {"product_id": 11700111},
        {"country": "fr"},
        {"country": "France"},
        {"country": "US"},
        {"buyer_phone": "call me"},
        {"buyer_email": "zoe"},
    ],
    ids=str,
)
async def test_whatever_is_wrong_the_answer_is_a_bare_bad_request(wrong: dict[str, Any]) -> None:
    world = world_at(Clock())
    answer = await post(world, {**ORDER, **wrong})
    assert (answer.status_code, answer.json(), world.store.count("dipli", "order")) == (400, BAD_REQUEST, 0)


@pytest.mark.parametrize("name", [name for name in ORDER if name not in ("additional_street", "extra")])
async def test_a_missing_field_is_a_bad_request(name: str) -> None:
    body = {key: value for key, value in ORDER.items() if key != name}
    assert (await post(world_at(Clock()), body)).json() == BAD_REQUEST


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b'{"a":NaN}', b"\xff", b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_a_bad_request(body: bytes) -> None:
    assert (await post(world_at(Clock()), body)).json() == BAD_REQUEST


async def test_half_a_surrogate_pair_is_a_bad_request() -> None:
    assert (await post(world_at(Clock()), {**ORDER, "buyer": "\ud800"})).json() == BAD_REQUEST


@pytest.mark.parametrize("headers", [{}, {"apikey": "wrong"}, {"api-key": "sandbox-key"}])
async def test_a_key_in_no_or_another_header_is_unauthorised(headers: dict[str, str]) -> None:
    async with client_for(world_at(Clock()), "dipli", headers) as client:
        answers = [
            await client.post(ORDERS, json=ORDER),
            await client.get(ORDERS),
            await client.get(f"{ORDERS}/A-1"),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].json() == {"code": 401, "msg": "Unauthorized"}


async def test_an_order_is_read_in_other_words_than_it_was_written() -> None:
    world = world_at(Clock())
    await post(world, ORDER)
    order = (await get(world, f"{ORDERS}/A-412001")).json()
    assert order == {
        "id": 412001,
        "public_id": "A-412001",
        "by_agora": True,
        "to_ship": True,
        "order_at": "2026-03-02T13:00:00+01:00",
        "delivered_at": None,
        "bordereau_url": IsStr(regex="[0-9a-f]{32}"),
        "payment_status": "payment_received",
        "shipping_status": "pending_confirmation",
        "billing_address_json": IsStr(),
        "shipping_address_json": IsStr(),
        "anonymous_email": IsStr(regex=r"\d{9}_412001@orders\.agora\.place"),
        "tracking_courier": None,
        "tracking_number": None,
        "total_ttc": 20280,
        "total_ht": 16900,
        "shipping_h_t": 1000,
        "shipping_t_t_c": 1200,
        "canceled_at": None,
        "cart_items": [
            {
                "tax_class": "TVA Classique",
                "product_sku": "APPLE_IPHONE_11_64_SKU",
                "product_name": "Apple iPhone 11 64",
                "product_quantity": 1,
                "product_extra_infos": IsStr(regex=r".*O3_MWLT2ZD\\/A.*"),
            }
        ],
    }
    assert "WEB-10045" not in json.dumps(order)
    assert json.loads(order["shipping_address_json"]) == {
        "street": "1/2 rue Haute",
        "additionnal": "3e étage",
        "postcode": "01000",
        "city": "Bourg-en-Bresse",
        "country": "FR",
        "firstname": "Zoë",
        "lastname": "van der Berg",
        "company": None,
        "type": "shipping",
        "email": "zoe@example.org",
        "telephone": "+33 6 12 34 56 78",
        "deliveryinfos": None,
        "ref": None,
    }
    assert json.loads(order["billing_address_json"])["type"] == "billing"
    assert json.loads(order["cart_items"][0]["product_extra_infos"]) == {
        "extended_images": [IsStr(regex=r"[0-9a-f]{20}\.jpg")],
        "grouped_id": 707101,
        "id": 11700101,
        "product_id": 25101,
        "price": 15900,
        "position": "1er",
        "name": "Apple iPhone 11 64",
        "grade": "Grade A",
        "tax_class": "Tva classique",
        "color": "Noir",
        "packaging": "Chargeur et cable",
        "sku": "O3_MWLT2ZD/A",
        "stock": 14,
    }


async def test_an_order_under_the_margin_scheme_shows_no_vat_on_the_goods() -> None:
    world = world_at(Clock())
    await post(world, {**ORDER, "product_id": 11700105})
    order = (await get(world, f"{ORDERS}/A-412001")).json()
    assert (order["total_ht"], order["total_ttc"]) == (37900, 38100)


async def facts(world: SandboxWorld) -> tuple[Any, ...]:
    order = (await get(world, f"{ORDERS}/A-412001")).json()
    return (
        order["shipping_status"],
        order["to_ship"],
        order["tracking_number"] is not None,
        order["delivered_at"],
        order["canceled_at"],
    )


async def test_an_order_moves_with_time_and_shipped_means_delivered() -> None:
    clock = Clock()
    world = world_at(clock)
    await post(world, ORDER)
    seen = [await facts(world)]
    for minutes in (1, 9):
        clock.move(minutes=minutes)
        seen.append(await facts(world))
    assert seen == [
        ("pending_confirmation", True, False, None, None),
        ("ongoing_shipping", False, True, None, None),
        ("shipped", False, True, "2026-03-02T13:10:00+01:00", None),
    ]


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("cancelled", ("cancelled", False, False, None, "2026-03-02T13:01:00+01:00")),
        ("error_shipping", ("error_shipping", False, True, None, None)),
    ],
)
async def test_extra_can_ask_for_an_unhappy_ending(ending: str, expected: tuple[Any, ...]) -> None:
    clock = Clock()
    world = world_at(clock)
    await post(world, {**ORDER, "extra": f"sandbox:{ending}"})
    clock.move(hours=1)
    assert await facts(world) == expected


@pytest.mark.parametrize(
    ("extra", "status", "answer", "stored"),
    [
        ("sandbox:server_error", 500, {"code": 500, "msg": "Internale Server Error"}, 1),
        ("sandbox:no_public_id", 200, {"code": 200, "msg": "Success"}, 1),
        ("sandbox:refused_in_200", 200, BAD_REQUEST, 0),
    ],
)
async def test_extra_can_ask_for_an_answer_that_proves_nothing(
    extra: str, status: int, answer: dict[str, Any], stored: int
) -> None:
    world = world_at(Clock())
    given = await post(world, {**ORDER, "extra": extra})
    assert (given.status_code, given.json(), world.store.count("dipli", "order")) == (status, answer, stored)


async def test_names_of_other_apis_for_paging_are_ignored() -> None:
    world = world_at(Clock())
    for _ in range(3):
        await post(world, ORDER)
    answer = (await get(world, ORDERS, limit="1", offset="2", created_at="2030-01-01", page_size="1")).json()
    assert (answer["count"], answer["pageSize"], len(answer["result"])) == (3, 50, 3)


async def test_what_looks_random_comes_from_the_seed_alone() -> None:
    async def order_of_seed(seed: int) -> str:
        world = world_at(Clock(), seed)
        await post(world, ORDER)
        return (await get(world, f"{ORDERS}/A-412001")).text

    assert await order_of_seed(1) == await order_of_seed(1) != await order_of_seed(2)


@pytest.mark.parametrize("key", ["A-412002", "A-1", "412001", "WEB-10045", "a-412001", "A-0412001", "A-" + "9" * 40])
async def test_an_order_is_found_by_its_public_id_only(key: str) -> None:
    world = world_at(Clock())
    await post(world, ORDER)
    answer = await get(world, f"{ORDERS}/{key}")
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


async def test_the_list_counts_all_orders_and_shows_one_page_of_them() -> None:
    world = world_at(Clock())
    for _ in range(5):
        await post(world, ORDER)
    answer = (await get(world, ORDERS, page="2", pageSize="2")).json()
    assert {**answer, "result": [order["public_id"] for order in answer["result"]]} == {
        "count": 5,
        "page": 2,
        "pageSize": 2,
        "result": ["A-412003", "A-412002"],
    }


async def test_the_list_has_fifty_orders_a_page_unless_asked_and_never_more_than_a_hundred() -> None:
    world = world_at(Clock())
    assert (await get(world, ORDERS)).json() == {"count": 0, "page": 1, "pageSize": 50, "result": []}
    assert (await get(world, ORDERS, pageSize="1000")).json()["pageSize"] == 100


async def test_the_list_can_be_narrowed() -> None:
    clock = Clock()
    world = world_at(clock)
    await post(world, ORDER)
    # 23:59:30 in the offset of the answers: created on one day, confirmed on the next.
    clock.move(hours=10, minutes=59, seconds=30)
    await post(world, ORDER)
    clock.move(minutes=1)
    await post(world, ORDER)
    first, second, third = "A-412001", "A-412002", "A-412003"
    assert await listed(world, new="true") == [third]
    assert await listed(world, new="false") == [third, second, first]
    assert await listed(world, status="shipped") == [first]
    assert await listed(world, status="ongoing_shipping") == [second]
    assert await listed(world, createdAt="2026-03-03") == [third]
    assert await listed(world, createdAt="2026-03-02") == [third, second, first]
    assert await listed(world, updatedAt="2026-03-03") == [third, second]


@pytest.mark.parametrize(
    "query",
    [
        {"new": "yes"},
        {"status": "delivered"},
        {"createdAt": "2026-03-02T00:00:00"},
        {"createdAt": "2026-02-30"},
        {"updatedAt": "02-03-2026"},
        {"page": "0"},
        {"page": "one"},
        {"pageSize": "-1"},
    ],
    ids=str,
)
async def test_a_query_that_is_wrong_is_a_bad_request(query: dict[str, str]) -> None:
    answer = await get(world_at(Clock()), ORDERS, **query)
    assert (answer.status_code, answer.json()) == (400, BAD_REQUEST)


async def test_nothing_but_three_operations_exists() -> None:
    async with client_for(world_at(Clock()), "dipli") as client:
        answers = [
            await client.delete(f"{ORDERS}/A-1"),
            await client.get(f"{ORDERS}/"),
            await client.post("/api-drop/v1/orders", json=ORDER),
        ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(405, 405), (404, 404), (404, 404)]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", ORDERS, "create"),
        ("GET", ORDERS, "list"),
        ("GET", f"{ORDERS}/A-1", "get"),
        ("DELETE", ORDERS, "other"),
        ("GET", "/", "other"),
    ],
)
def test_operations_have_names(method: str, path: str, name: str) -> None:
    assert operation(method, path) == name
