"""How an agent without the right to agree hands over to a person: by a link to the approvals page, in an error or through
the host, and never by a form that its own side could fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from protocol.bench import Era, text_of
from protocol.persons import YES, Person
from protocol.samples import SAMPLES, Sample
from web.houses import House, agreeing, asked, house
from web.sites import REQUESTS, URL

pytestmark = pytest.mark.anyio

LINK = "http://127.0.0.1:8000/approvals/1"
LINKED = "A person has to decide on this order (approval 1). The page shows it."
ASK = "[tenants.acme]\norders = 'ask'\n[tenants.globex]"
HOSTS: list[dict[str, Any]] = [{"url": {}}, {"url": {}, "form": {}}]
"""Hosts that open links; the second one shows forms too."""


async def approve(served: House, *, agreed: bool = True) -> None:
    """What the page does."""
    branch = served.branches["acme"]
    await branch.ledger.approvals.decide(1, agreed=agreed, how="test", good_for=branch.settings.policy.approval)


def sent(served: House, sample: Sample) -> int:
    """How many orders left."""
    return len(served.branches["acme"].wire.orders(sample))


def text(answered: httpx2.Response) -> str:
    """What a model reads."""
    return str(answered.json()["result"]["content"][0]["text"])


@pytest.mark.parametrize("shows", HOSTS, ids=["links", "links and forms"])
async def test_a_host_that_opens_links_gets_the_page_and_the_order_leaves_after_the_yes(
    tmp_path: Path, sample: Sample, shows: dict[str, Any]
) -> None:
    async with house(tmp_path, ASK) as served, served.http("acme-agent") as http:
        first = asked(await http.post(URL, **agreeing(sample, **shows)))
        await approve(served)
        second = await http.post(URL, **agreeing(sample, first["requestState"], **shows))
        assert sent(served, sample) == 1

    [(_, request)] = first["inputRequests"].items()
    params = request["params"]
    assert (request["method"], params["mode"], params["url"]) == ("elicitation/create", "url", LINK)
    assert params["message"] == LINKED
    assert second.json()["result"]["structuredContent"]["outcome"] == "placed"


@pytest.mark.parametrize("shows", [*HOSTS, {"form": {}}, {}], ids=["links", "links and forms", "forms", "whatever"])
async def test_an_agent_cannot_say_yes_for_the_person(tmp_path: Path, sample: Sample, shows: dict[str, Any]) -> None:
    """Not even with a state that is good: one of its own link, or one that a person's form had."""
    async with house(tmp_path, ASK) as served, served.http("acme-agent") as agent, served.http("acme-both") as person:
        states = [
            asked(await agent.post(URL, **agreeing(sample, url={})))["requestState"],
            asked(await person.post(URL, **agreeing(sample)))["requestState"],
        ]
        answers = [await agent.post(URL, **agreeing(sample, state, **shows)) for state in states]
        assert sent(served, sample) == 0
        [approval] = await served.branches["acme"].ledger.approvals.recent()

    assert approval.state == "waiting"
    for answered in answers:
        assert text(answered).startswith("needs_approval")
        assert f"Ask the person to open {LINK}. Then make exactly the same call again." in text(answered)


async def test_a_no_on_the_page_ends_the_round(tmp_path: Path) -> None:
    sample = SAMPLES["dropday"]
    async with house(tmp_path, ASK) as served, served.http("acme-agent") as http:
        state = asked(await http.post(URL, **agreeing(sample, url={})))["requestState"]
        await approve(served, agreed=False)
        answered = await http.post(URL, **agreeing(sample, state, url={}))

    assert text(answered).startswith("not_allowed: a person declined this order")
    assert sent(served, sample) == 0


async def test_hosts_that_show_nothing_read_the_link_in_the_error(tmp_path: Path, era: Era, sample: Sample) -> None:
    async with house(tmp_path, ASK) as served, served.client("acme-agent", era) as client:
        said = text_of(await client.call_tool(sample.create, sample.order))

    assert said.startswith("needs_approval")
    assert f"Ask the person to open {LINK}." in said
    assert "dropship-mcp approve" not in said


async def test_a_form_is_shown_to_nobody_who_may_not_agree(tmp_path: Path, era: Era, sample: Sample) -> None:
    person = Person(YES)
    async with house(tmp_path, ASK) as served, served.client("acme-agent", era, person) as client:
        said = text_of(await client.call_tool(sample.create, sample.order))

    assert said.startswith("needs_approval")
    assert set(person.questions) <= {LINKED}  # the SDK's client says that it opens links, and agrees to that
    assert sent(served, sample) == 0


async def test_the_status_names_the_page(tmp_path: Path, era: Era) -> None:
    sample = SAMPLES["dropday"]
    call = REQUESTS[era]("tools/call", {"name": sample.create, "arguments": sample.order})
    async with (
        house(tmp_path, ASK) as served,
        served.http("acme-agent") as http,
        served.client("acme-agent", era) as client,
    ):
        await http.post(URL, **call)
        status = str((await client.call_tool("dropship_status", {})).structured_content)

    assert LINK.removesuffix("/1") in status
