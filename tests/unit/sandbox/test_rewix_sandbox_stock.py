"""The Rewix sandbox grants the smaller of asked and available, shares one stock, and exports a catalogue."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import defusedxml.ElementTree as SafeTree
import httpx2
import pytest

from dropship_tools.rewix.sandbox import CREDENTIALS, build
from dropship_tools.rewix.sandbox_catalogue import LAST_ONE, LAST_TWO, SOLD_OUT, build_catalogue
from dropship_tools.rewix.sandbox_orders import Line
from dropship_tools.rewix.sandbox_stock import open_account
from dropship_tools.sandbox.store import SandboxStore
from dropship_tools.sandbox.world import SandboxWorld
from unit.sandbox.worlds import NOON, Clock, world_at

pytestmark = pytest.mark.anyio

SOLD = "/restful/ghost/orders/sold"
LOCKED = "/restful/ghost/orders/dropshipping/locked"
PRODUCTS = "/restful/export/api/products.json?acceptedlocales=en_US,it_IT"


@asynccontextmanager
async def open_shop(
    clock: Clock | None = None, world: SandboxWorld | None = None
) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(build(world or world_at(clock or Clock()))),
        base_url="https://supplier.example",
        auth=(CREDENTIALS["api_key"], CREDENTIALS["password"]),
        headers={"Accept": "application/json"},
    ) as client:
        yield client


def step(kind: str, *models: tuple[int, int]) -> dict[str, Any]:
    return {"type": kind, "models": [{"stock_id": stock_id, "quantity": quantity} for stock_id, quantity in models]}


async def reserve(shop: httpx2.AsyncClient, *steps: dict[str, Any]) -> httpx2.Response:
    return await shop.post(SOLD, json={"operations": list(steps)})


async def test_lock_adds_unlock_gives_back_and_set_fixes_the_total_in_one_call() -> None:
    async with open_shop() as shop:
        await reserve(shop, step("lock", (1578, 5), (1567, 5)))
        answer = await reserve(
            shop, step("lock", (1578, 2)), step("unlock", (1567, 4)), step("set", (1589, 3)), {"type": "set"}
        )
        assert answer.json() == {
            "models": [
                {"stock_id": 1567, "locked": 1, "available": 79},
                {"stock_id": 1578, "locked": 7, "available": 113},
                {"stock_id": 1589, "locked": 3, "available": 57},
            ],
            "order_id": 1000,
        }


async def test_the_smaller_of_asked_and_available_is_granted_and_only_locked_says_so() -> None:
    async with open_shop() as shop:
        answer = await reserve(shop, step("lock", (LAST_TWO, 5), (SOLD_OUT, 1)), step("set", (LAST_ONE, 7)))
        # A model of which nothing could be had is missing.
        assert answer.json()["models"] == [
            {"stock_id": LAST_ONE, "locked": 1, "available": 0},
            {"stock_id": LAST_TWO, "locked": 2, "available": 0},
        ]


async def test_giving_back_more_than_is_held_leaves_nothing_and_models_disappear() -> None:
    async with open_shop() as shop:
        await reserve(shop, step("lock", (1578, 1)))
        assert (await reserve(shop, step("unlock", (1578, 9)))).json() == {"order_id": 1000}
        assert (await shop.get(LOCKED)).json() == {"models": None, "order_id": 1000}


async def test_a_reservation_never_lapses_and_a_repeated_lock_doubles_it() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:
        await reserve(shop, step("lock", (1578, 5)))
        clock.move(days=60)
        answer = await reserve(shop, step("lock", (1578, 5)))
        assert answer.json()["models"] == [{"stock_id": 1578, "locked": 10, "available": 110}]


async def test_an_unknown_stock_id_in_a_reserve_call_is_404_and_changes_nothing() -> None:
    async with open_shop() as shop:
        answer = await reserve(shop, step("lock", (1578, 5), (999, 1)))
        assert (answer.status_code, answer.text) == (404, "stock_id 999 not found")
        assert (await shop.get(LOCKED)).json() == {"models": None, "order_id": 0}


WRONG_OPERATIONS: list[Any] = [
    None,
    {},
    ["lock"],
    [{"type": "ensure", "models": []}],
    [{"type": "lock", "models": {}}],
    [{"type": "lock", "models": [{"stock_id": 1578, "quantity": -1}]}],
    [{"type": "lock", "models": [{"stock_id": 1578}]}],
    [{"type": ["lock"]}],
]


@pytest.mark.parametrize("operations", WRONG_OPERATIONS)
async def test_a_wrong_reserve_body_is_429(operations: Any) -> None:
    async with open_shop() as shop:
        answer = await shop.post(SOLD, json={"operations": operations})
        assert answer.status_code == 429


async def test_several_processes_on_one_file_never_sell_a_piece_twice(tmp_path: Path) -> None:
    """Threads with a store of their own each stand for processes: what they share is the file."""
    catalogue = build_catalogue()
    taken: list[int] = []

    def buy() -> None:
        store = SandboxStore(tmp_path / "sandbox.db")
        for _ in range(20):
            with open_account(SandboxWorld(store), catalogue) as account:
                taken.append(account.take(Line(1578, 3)))
        store.close()

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(anyio.to_thread.run_sync, buy)
    assert sum(taken) == 120
    assert len(taken) == 80


async def test_another_process_finds_the_reservation(tmp_path: Path) -> None:
    async with open_shop(world=SandboxWorld(SandboxStore(tmp_path / "s.db"))) as shop:
        await reserve(shop, step("lock", (1578, 5)))
    async with open_shop(world=SandboxWorld(SandboxStore(tmp_path / "s.db"))) as shop:
        assert (await shop.get(LOCKED)).json()["models"] == [{"stock_id": 1578, "locked": 5, "available": 115}]


def test_the_catalogue_is_small_deterministic_and_can_be_made_large() -> None:
    catalogue = build_catalogue()
    assert catalogue == build_catalogue(40, seed=1)
    assert catalogue != build_catalogue(seed=2)
    assert len(catalogue.products) == 40
    assert {len(product.models) for product in catalogue.products} == {3, 4, 5}
    assert len(catalogue.by_stock_id) == sum(len(product.models) for product in catalogue.products)
    for seed in (1, 2):
        stocks = [build_catalogue(seed=seed).stock(stock_id) for stock_id in (1567, 1578, 148148, 148367)]
        assert stocks == [80, 120, 400, 400]
    assert [catalogue.stock(stock_id) for stock_id in (SOLD_OUT, LAST_ONE, LAST_TWO)] == [0, 1, 2]
    large = build_catalogue(2000)
    assert len(large.products) == 2000
    assert len(large.by_stock_id) == sum(len(product.models) for product in large.products)


async def test_the_catalogue_lists_products_whose_sizes_share_one_code() -> None:
    async with open_shop() as shop:
        page = (await shop.get(f"{PRODUCTS}&v=TEAL")).json()
        assert (page["totalItems"], len(page["pageItems"]), page["lastUpdate"]) == (
            40,
            40,
            "2026-03-02T12:00:00.000+00:00",
        )
        first = page["pageItems"][0]
        assert [model["id"] for model in first["models"]] == [1567, 1578, 1589]
        assert {model["code"] for model in first["models"]} == {first["code"]}
        assert first["availability"] == 260
        assert first["images"][0]["url"] == "/prod/stock_prod_50001_1.jpg"
        names = first["productLocalizations"]["productName"]
        assert [name["localecode"] for name in names] == ["en_US", "it_IT"]
        assert "brand" not in first
        assert [(tag["id"], tag["name"]) for tag in first["tags"]] == [
            (1, "brand"),
            (4, "category"),
            (26, "gender"),
            (11, "season"),
        ]
        prices = [model["suggestedPrice"] for item in page["pageItems"] for model in item["models"]]
        assert 0.1 < prices.count(0) / len(prices) < 0.45


async def test_the_catalogue_in_xml_has_its_own_element_names() -> None:
    async with open_shop() as shop:
        answer = await shop.get(PRODUCTS.replace(".json", ".xml"), headers={"Accept": "application/xml"})
        page = SafeTree.fromstring(answer.content)
        assert page.attrib == {
            "currentPage": "1",
            "pageSize": "40",
            "totalNumberOfElements": "40",
            "totalPages": "1",
            "lastUpdate": "2026-03-02T12:00:00.000+00:00",
        }
        item = page.find("items/item")
        assert item is not None
        assert [model.findtext("id") for model in item.findall("models/model")] == ["1567", "1578", "1589"]
        assert item.findtext("models/model/backorder") == "false"
        assert item.findtext("models/model/lastUpdate") == "2026-01-05T06:00:00.000+00:00"
        assert item.findtext("pictures/image/url") == "/prod/stock_prod_50001_1.jpg"
        # Without v the older feed comes, which has a brand of its own.
        assert item.findtext("brand") == item.findtext("tags/tag/value/value")
        names = [text.attrib["localecode"] for text in item.findall("localizations/name/localevalue")]
        assert names == ["en_US", "it_IT"]


async def test_the_path_decides_about_the_format_of_the_catalogue() -> None:
    async with open_shop() as shop:
        assert (await shop.get(PRODUCTS, headers={"Accept": "application/xml"})).status_code == 406
        assert (await shop.get(PRODUCTS, headers={"Accept": "*/*"})).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "query", ["", "?acceptedlocales=", "?acceptedlocales=en_US&v=OLD", "?acceptedlocales=en_US&since=yesterday"]
)
async def test_a_wrong_question_for_the_catalogue_is_412(query: str) -> None:
    async with open_shop() as shop:
        assert (await shop.get(f"/restful/export/api/products.json{query}")).status_code == 412


async def test_tags_filter_the_catalogue() -> None:
    async with open_shop() as shop:
        page = (await shop.get(f"{PRODUCTS}&tag_4=SHOES&tag_11=")).json()
        assert page["totalItems"] == 10
        assert {item["tags"][1]["value"]["value"] for item in page["pageItems"]} == {"shoes"}


async def test_only_what_changed_since_comes_and_an_old_since_is_refused() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:
        last_update = (await shop.get(PRODUCTS)).json()["lastUpdate"]
        clock.move(minutes=20)
        await reserve(shop, step("lock", (1578, 5)))
        page = (await shop.get(PRODUCTS, params={"acceptedlocales": "en_US", "since": last_update})).json()
        (item,) = page["pageItems"]
        moved = {model["id"]: (model["availability"], model["lastUpdate"]) for model in item["models"]}
        assert moved[1578] == (115, int((NOON + timedelta(minutes=20)).timestamp() * 1000))
        # A time without a zone is read as UTC.
        page = (await shop.get(PRODUCTS, params={"acceptedlocales": "en_US", "since": "2026-03-02T12:20:01"})).json()
        assert page["pageItems"] == []
        clock.move(hours=4)
        answer = await shop.get(PRODUCTS, params={"acceptedlocales": "en_US", "since": last_update})
        assert (answer.status_code, answer.text) == (412, "since is too old, download everything")


async def test_the_exported_availability_is_up_to_15_minutes_old_and_a_change_shows_in_the_next_export() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:

        async def exported(**query: str) -> tuple[str, list[int]]:
            page = (await shop.get(PRODUCTS, params={"acceptedlocales": "en_US", **query})).json()
            models = [model for item in page["pageItems"] for model in item["models"]]
            return page["lastUpdate"], [model["availability"] for model in models if model["id"] == 1578]

        first, before = await exported()
        clock.move(minutes=5)
        await reserve(shop, step("lock", (1578, 5)))
        clock.move(minutes=9)
        assert (before, await exported()) == ([120], (first, [120]))
        assert await exported(since=first) == (first, [])
        clock.move(minutes=1)
        assert await exported(since=first) == ("2026-03-02T12:15:00.000+00:00", [115])


async def test_the_fifth_full_download_within_15_minutes_is_429_and_changes_are_not_throttled() -> None:
    clock = Clock()
    async with open_shop(clock) as shop:
        codes: list[int] = []
        for _ in range(5):
            codes.append((await shop.get(PRODUCTS)).status_code)
            clock.move(minutes=3)
        assert codes == [200, 200, 200, 200, 429]
        since = {"acceptedlocales": "en_US", "since": NOON.isoformat()}
        assert (await shop.get(PRODUCTS, params=since)).status_code == 200
        # Now the first one is fifteen minutes old.
        assert (await shop.get(PRODUCTS)).status_code == 200
        assert (await shop.get(PRODUCTS)).status_code == 429


async def test_a_large_catalogue_can_be_served_for_a_benchmark() -> None:
    world = world_at(Clock())
    app = build(world, build_catalogue(300))
    auth = (CREDENTIALS["api_key"], CREDENTIALS["password"])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="https://supplier.example", auth=auth
    ) as shop:
        assert (await shop.get(PRODUCTS)).json()["totalItems"] == 300
