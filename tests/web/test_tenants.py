"""Tenants: the token decides whose accounts, ledger and approvals a caller gets, and nobody reaches another tenant's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as types
import pytest
from mcp import Client

from protocol.bench import Era, listed, text_of
from protocol.persons import YES, Person
from protocol.samples import REFERENCE, SAMPLES, Sample
from web.houses import House, agreeing, asked, house
from web.sites import REQUESTS, URL, legacy, token

pytestmark = pytest.mark.anyio

ASK = """
[tenants.acme]
orders = "ask"
[tenants.globex]
orders = "ask"
"""

APART = """
[tenants.acme]
providers = ["dipli", "rewix"]
[tenants.globex]
providers = ["dropday"]
orders = "off"
"""


def sent(served: House, sample: Sample) -> dict[str, int]:
    """How many orders left for each tenant."""
    return {name: len(branch.wire.orders(sample)) for name, branch in served.branches.items()}


async def answer(client: Client, tool: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """The structured answer of a call that ends well."""
    result = await client.call_tool(tool, arguments or {})
    assert not result.is_error, text_of(result)
    return dict(result.structured_content or {})


async def failure(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """The text of a call that ends in an error."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


# --- orders --------------------------------------------------------------------------------------------------------


async def test_the_same_order_of_two_tenants_is_two_orders(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with (
        house(tmp_path) as served,
        served.client("acme-agent", era) as acme,
        served.client("globex-agent", era) as globex,
    ):
        outcomes = [(await answer(c, sample.create, sample.order))["outcome"] for c in (acme, globex, acme, globex)]
        other = await answer(globex, sample.create, sample.arguments(**{sample.reference: "WEB-2"}))

        assert outcomes == ["placed", "placed", "already_placed", "already_placed"]
        assert other["outcome"] == "placed"
        assert sent(served, sample) == {"acme": 1, "globex": 2}


async def test_nothing_tells_of_another_tenants_order(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with (
        house(tmp_path) as served,
        served.client("acme-agent", era) as acme,
        served.client("globex-agent", era) as globex,
    ):
        placed = await answer(acme, sample.create, sample.order)
        found = await answer(acme, "dropship_find_order", {"reference": REFERENCE})
        other = await answer(globex, "dropship_find_order", {"reference": REFERENCE})
        answers = [
            await failure(globex, sample.get, {sample.own_number: REFERENCE}),
            await failure(globex, "dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE}),
            str(await answer(globex, "dropship_status")).replace(str(tmp_path), ""),  # its name holds numbers too
        ]
        lists = [name for name in served.branches["globex"].settings.providers if name != "rewix"]
        answers += [str(await answer(globex, f"{name}_list_orders")) for name in lists]

        assert [v["verdict"] for v in found["verdicts"] if v["provider"] == sample.provider] == ["placed"]
        assert not any(v["verdict"] == "placed" for v in other["verdicts"])
        assert [text.startswith("not_found") for text in answers[:2]] == [True, True]
        assert not [text for text in answers[2:] if REFERENCE in text or str(placed["order_id"]) in text]
        assert await served.branches["globex"].ledger.recent() == []


async def test_an_unknown_outcome_is_settled_and_counted_by_its_tenant_alone(tmp_path: Path, era: Era) -> None:
    sample = SAMPLES["dropday"]
    async with (
        house(tmp_path) as served,
        served.client("acme-agent", era) as acme,
        served.client("globex-agent", era) as globex,
    ):
        served.branches["acme"].wire.instead = lambda _: httpx2.ReadError("gone")
        assert (await failure(acme, sample.create, sample.order)).startswith("outcome_unknown")
        served.branches["acme"].wire.instead = lambda _: None
        where = {"provider": sample.provider, "reference": REFERENCE}
        told = [REFERENCE in str(await answer(client, "dropship_status")) for client in (acme, globex)]
        assert (await failure(globex, "dropship_settle_order", where)).startswith("not_found")
        [row] = await served.branches["acme"].ledger.recent()

        assert told == [True, False]
        assert row.state == "unknown"


# --- lists ---------------------------------------------------------------------------------------------------------


async def test_lists_follow_the_tenants_accounts(tmp_path: Path, era: Era) -> None:
    seen: dict[str, list[set[str]]] = {}
    async with house(tmp_path, APART) as served:
        for name in ("acme", "globex"):
            async with served.client(f"{name}-agent", era) as client:
                prompt = types.PromptReference(type="ref/prompt", name="place_order")
                completed = await client.complete(prompt, {"name": "provider", "value": ""})
                status = await answer(client, "dropship_status")
                seen[name] = [
                    {tool["name"].partition("_")[0] for tool in await listed(client)} - {"dropship"},
                    {str(r.uri).rpartition("/")[2] for r in (await client.list_resources()).resources},
                    set(completed.completion.values),
                    {a["provider"] for a in status["accounts"] if a["state"] == "ready"},
                ]
            ordering = [tool["name"] for tool in await listed_tools(served, name, era) if "_create_" in tool["name"]]
            assert bool(ordering) == (name == "acme")

    assert seen == {"acme": [{"dipli", "rewix"}] * 4, "globex": [{"dropday"}] * 4}


@pytest.mark.parametrize(
    ("env", "ordering", "providers"),
    [
        ({}, "tenants.globex.orders", dict.fromkeys(("dipli", "rewix", "duoplane"), "tenants.globex.providers")),
        (
            {"DROPSHIP_ORDERS": "off", "DROPSHIP_PROVIDERS": "dipli,rewix,dropday"},
            "DROPSHIP_ORDERS",
            {**dict.fromkeys(("dipli", "rewix"), "tenants.globex.providers"), "duoplane": "DROPSHIP_PROVIDERS"},
        ),
    ],
)
async def test_what_is_switched_off_is_named_as_whoever_switched_it_off_knows_it(
    tmp_path: Path, env: dict[str, str], ordering: str, providers: dict[str, str]
) -> None:
    async with (
        house(tmp_path, APART, issuer=None, watch=None, **env) as served,
        served.client("globex-agent") as client,
    ):
        status = await answer(client, "dropship_status")
        told = (client.instructions or "", await failure(client, SAMPLES["dropday"].create, {}))

    assert {a["provider"]: a["set"] for a in status["accounts"] if a["state"] == "switched off"} == {
        name: [label] for name, label in providers.items()
    }
    assert status["switched_off"] == [
        f"the tools that order or change something; a person sets {ordering}=ask or allow"
    ]
    assert status["next_step"] == f"Ordering is switched off. A person switches it on with {ordering}=ask or allow."
    assert f"Ordering is switched off ({ordering}=off)" in told[0]
    assert f"ordering is switched off; a person sets {ordering}=ask or allow" in told[1]


async def listed_tools(served: House, name: str, era: Era) -> list[dict[str, Any]]:
    async with served.client(f"{name}-agent", era) as client:
        return await listed(client)


async def test_a_tool_of_another_tenant_does_not_exist(tmp_path: Path, era: Era) -> None:
    sample = SAMPLES["dipli"]
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    async with house(tmp_path, APART) as served, served.http("globex-agent") as http:
        refused = await http.post(URL, **call)

    assert "Unknown tool" in refused.text
    assert sent(served, sample) == {"acme": 0, "globex": 0}


@pytest.mark.parametrize(
    "method", ["tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover"]
)
async def test_no_list_may_be_shown_to_another_tenant(tmp_path: Path, method: str) -> None:
    async with house(tmp_path) as served, served.http("acme-agent") as http:
        result = (await http.post(URL, **REQUESTS["auto"](method))).json()["result"]

    assert result["cacheScope"] == "private"


# --- approvals -----------------------------------------------------------------------------------------------------


async def test_a_state_sealed_for_one_tenant_is_nothing_to_the_other(tmp_path: Path, sample: Sample) -> None:
    async with house(tmp_path, ASK) as served, served.http("acme-both") as acme, served.http("globex-both") as globex:
        mine = asked(await acme.post(URL, **agreeing(sample)))
        theirs = asked(await globex.post(URL, **agreeing(sample)))
        swapped = asked(await globex.post(URL, **agreeing(sample, mine["requestState"])))
        assert sent(served, sample) == {"acme": 0, "globex": 0}
        placed = await globex.post(URL, **agreeing(sample, theirs["requestState"]))

    assert swapped["requestState"] != mine["requestState"]
    assert placed.json()["result"]["structuredContent"]["outcome"] == "placed"
    assert sent(served, sample) == {"acme": 0, "globex": 1}


async def test_an_approval_of_one_tenant_is_not_one_of_the_other(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with house(tmp_path, ASK) as served:
        for name in ("acme", "globex"):
            async with served.client(f"{name}-agent", era) as client:
                assert "approval number 1" in await failure(client, sample.create, sample.order)
        branch = served.branches["acme"]
        await branch.ledger.approvals.decide(1, agreed=True, how="test", good_for=branch.settings.policy.approval)
        async with served.client("globex-agent", era) as client:
            assert (await failure(client, sample.create, sample.order)).startswith("needs_approval")
        async with served.client("acme-agent", era) as client:
            assert (await answer(client, sample.create, sample.order))["outcome"] == "placed"

        assert sent(served, sample) == {"acme": 1, "globex": 0}


async def test_a_person_of_one_tenant_is_asked_about_its_own_order_only(tmp_path: Path) -> None:
    sample, person = SAMPLES["dipli"], Person(YES)
    async with house(tmp_path, ASK) as served, served.client("acme-both", person=person) as client:
        assert (await answer(client, sample.create, sample.order))["outcome"] == "placed"

    assert (len(person.questions), sent(served, sample)) == (1, {"acme": 1, "globex": 0})


# --- who is whose --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("claim", "tenant"), [("org_1", "acme"), ("org_1b", "acme"), ("org_2", "globex")])
async def test_the_claim_of_an_access_token_names_the_tenant(tmp_path: Path, era: Era, claim: str, tenant: str) -> None:
    sample = SAMPLES["dipli"]
    async with house(tmp_path) as served, served.client("", era, token=token(org_id=claim)) as client:
        assert (await answer(client, sample.create, sample.order))["outcome"] == "placed"

    assert {name for name, count in sent(served, sample).items() if count} == {tenant}


CLAIMS: list[dict[str, Any]] = [
    {},
    {"org_id": ""},
    {"org_id": "acme"},
    {"org_id": "globex"},
    {"org_id": "org_3"},
    {"org_id": "ORG_1"},
    {"org_id": " org_1"},
    {"org_id": ["org_1"]},
    {"org_id": ["org_1", "org_2"]},
    {"org_id": {"org_1": True}},
    {"org_id": {}},
    {"org_id": 1},
    {"org_id": True},
    {"org_id": 0.5},
    {"org_id": "org_1\0"},
    {"org_id": "x" * 4000},
    {"tenant": "acme"},
    {"sub": "acme"},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=lambda claims: json.dumps(claims)[:40])
async def test_a_token_that_names_no_tenant_gets_nothing(tmp_path: Path, claims: dict[str, Any]) -> None:
    sample = SAMPLES["dipli"]
    async with house(tmp_path) as served, served.http(token=token(**claims)) as http:
        refused = [
            await http.post(URL, **legacy("tools/list")),
            await http.post(URL, **REQUESTS["auto"]("tools/call", {"name": sample.create, "arguments": sample.order})),
        ]

    expected = {"error": "unknown_tenant", "error_description": "nothing is set up for this caller"}
    assert [(answered.status_code, answered.json()) for answered in refused] == [(403, expected)] * 2
    assert sent(served, sample) == {"acme": 0, "globex": 0}


async def test_no_header_or_argument_names_another_tenant(tmp_path: Path, era: Era) -> None:
    sample = SAMPLES["dipli"]
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    for name in ("x-tenant", "tenant", "org_id", "x-org-id"):
        call["headers"][name] = "org_2"
    call["json"]["params"].setdefault("_meta", {})["tenant"] = "globex"
    async with house(tmp_path) as served, served.http("acme-agent") as http:
        await http.post(f"{URL}?tenant=globex&org_id=org_2", **call)

    assert sent(served, sample) == {"acme": 1, "globex": 0}
