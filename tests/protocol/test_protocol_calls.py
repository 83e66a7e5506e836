"""Every tool through a real client, in both protocol eras: listing, ordering, repeating, previewing, looking up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.bench import VERSIONS, Bench, Era, bench
from protocol.samples import REFERENCE, SAMPLES, Sample

pytestmark = pytest.mark.anyio

WHERE = {"account": "sandbox", "mode": "sandbox"}
RECORDED = "Recorded 2026-03-02T12:00:00+00:00; nothing was sent now and the status may have moved."


def own_number(sample: Sample) -> dict[str, str]:
    """The arguments that look the sample up by the caller's number."""
    return {sample.own_number: REFERENCE}


async def test_the_client_speaks_the_version_of_its_era(desk: Bench, era: Era) -> None:
    assert desk.client.protocol_version == VERSIONS[era]


async def test_tools_are_listed_provider_by_provider_and_the_common_ones_last(desk: Bench) -> None:
    assert list(dict.fromkeys(name.partition("_")[0] for name in desk.tools)) == [*SAMPLES, "dropship"]
    assert {name for sample in SAMPLES.values() for name in (sample.create, sample.get)} <= set(desk.tools)
    assert list(desk.tools)[-3:] == ["dropship_status", "dropship_find_order", "dropship_settle_order"]


async def test_an_order_is_placed_with_one_request(desk: Bench, sample: Sample) -> None:
    answer = await desk.call(sample.create, sample.arguments())
    assert {name: answer[name] for name in ("provider", "account", "mode", "outcome", "reference")} == {
        "provider": sample.provider,
        **WHERE,
        "outcome": "placed",
        "reference": REFERENCE,
    }
    assert answer["order_id"]
    assert len(desk.wire.orders(sample)) == 1


async def test_the_same_call_again_brings_the_same_order_and_sends_nothing(desk: Bench, sample: Sample) -> None:
    first = await desk.call(sample.create, sample.arguments())
    sent = len(desk.wire.requests)
    second = await desk.call(sample.create, sample.arguments())
    assert sorted(second.pop("warnings")) == sorted([*first.pop("warnings", []), RECORDED])
    assert second == {**first, "outcome": "already_placed"}
    assert len(desk.wire.requests) == sent


async def test_another_order_under_the_same_reference_is_refused_before_anything_is_sent(
    desk: Bench, sample: Sample
) -> None:
    await desk.call(sample.create, sample.arguments())
    sent = len(desk.wire.requests)
    text = await desk.fail(sample.create, sample.elsewhere())
    assert text.startswith(f"reference_conflict: reference {REFERENCE} belongs to another order at {sample.provider}; ")
    assert "\norder sent: no\nfix: For the same parcel repeat the first call unchanged." in text
    assert "Elsewhere" not in text
    assert len(desk.wire.requests) == sent


async def test_a_dry_run_shows_the_request_and_neither_sends_nor_records_anything(desk: Bench, sample: Sample) -> None:
    answer = await desk.call(sample.create, sample.arguments(dry_run=True))
    assert (answer["outcome"], answer["reference"]) == ("preview", REFERENCE)
    assert answer["request"]["method"] == "POST"
    assert answer["request"]["url"] == f"https://{sample.provider}.sandbox.invalid{sample.create_path}"
    assert answer["next_step"] == "Nothing was sent. Call again without dry_run to order."
    assert desk.wire.requests == []
    assert not desk.ledger.path.exists()


async def test_a_dry_run_shows_byte_for_byte_what_is_sent_afterwards(desk: Bench, sample: Sample) -> None:
    preview = await desk.call(sample.create, sample.arguments(dry_run=True))
    await desk.call(sample.create, sample.arguments())
    [sent] = desk.wire.orders(sample)
    assert sent.content.decode() == preview["request"]["body"]
    shown = dict(line.split(": ", 1) for line in preview["request"]["headers"])
    masked = {name for name, value in shown.items() if value == "***"}
    assert masked == set(desk.accounts.of(provider_of(desk, sample))[0].provider.auth_headers(account_of(desk, sample)))
    assert {n: sent.headers[n] for n in shown.keys() - masked} == {n: shown[n] for n in shown.keys() - masked}


def provider_of(desk: Bench, sample: Sample) -> Any:
    """The provider's description."""
    return next(p for p in desk.accounts.providers() if p.name == sample.provider)


def account_of(desk: Bench, sample: Sample) -> Any:
    """The provider's account."""
    return desk.accounts.of(provider_of(desk, sample))[0].account


async def test_an_order_is_looked_up_by_either_number(desk: Bench, sample: Sample) -> None:
    placed = await desk.call(sample.create, sample.arguments())
    by_reference = await desk.call(sample.get, own_number(sample))
    by_number = await desk.call(sample.get, {sample.their_number: placed["order_id"]})
    assert by_reference["order_id"] == by_number["order_id"] == placed["order_id"]
    assert by_reference | WHERE == by_reference
    assert by_number | WHERE == by_number
    assert by_reference["provider"] == by_number["provider"] == sample.provider


async def test_looking_up_an_order_that_nobody_placed_is_not_found(desk: Bench, sample: Sample) -> None:
    for arguments in ({sample.own_number: "NOBODY-1"}, {sample.their_number: sample.unknown_number}):
        text = await desk.fail(sample.get, arguments)
        assert text.startswith("not_found: ")
        assert "order sent" not in text


async def test_nulls_strings_and_json_texts_are_taken_for_what_they_mean(desk: Bench, sample: Sample) -> None:
    plain = await desk.call(sample.create, sample.arguments())
    clumsy = as_clumsy_hosts_send(sample.arguments(), desk.tools[sample.create]["inputSchema"])
    again = await desk.call(sample.create, clumsy)
    assert (again["outcome"], again["order_id"]) == ("already_placed", plain["order_id"])


def as_clumsy_hosts_send(order: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The same order with numbers as strings, objects and lists as JSON texts, and null for all that is left out."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in order.items()}
    return {**dict.fromkeys(schema["properties"]), **texts}


async def test_the_common_tools_tell_about_an_order_of_each_provider(desk: Bench, sample: Sample) -> None:
    placed = await desk.call(sample.create, sample.arguments())
    found = await desk.call("dropship_find_order", {"reference": REFERENCE})
    settled = await desk.call("dropship_settle_order", {"provider": sample.provider, "reference": REFERENCE})
    verdicts = {verdict["provider"]: verdict for verdict in found["verdicts"]}
    assert list(verdicts) == list(SAMPLES)
    mine = verdicts[sample.provider]
    assert (mine["verdict"], mine["account"], mine["order_id"]) == ("placed", "sandbox", placed["order_id"])
    assert {name: settled[name] for name in ("provider", "account", "mode", "outcome", "order_id")} == {
        "provider": sample.provider,
        **WHERE,
        "outcome": "placed",
        "order_id": placed["order_id"],
    }


async def test_the_status_names_every_account_and_asks_nobody(desk: Bench) -> None:
    answer = await desk.call("dropship_status")
    assert answer == {
        "mode": "sandbox",
        "ordering": "allow",
        "accounts": [
            {"provider": name, "account": "sandbox", "state": "ready", "host": f"https://{name}.sandbox.invalid"}
            for name in SAMPLES
        ],
        "ledger": str(desk.ledger.path),
        "next_step": "Orders go to the sandbox and cost nothing. A person goes live with DROPSHIP_MODE=live.",
    }
    assert desk.wire.requests == []


async def test_tools_that_are_marked_as_reading_only_ever_get(tmp_path: Path, sample: Sample) -> None:
    async with bench(tmp_path, only=sample) as desk:
        placed = await desk.call(sample.create, sample.arguments())
        desk.wire.requests.clear()
        calls = {**sample.others, sample.get: {sample.their_number: placed["order_id"]}}
        reading = [tool for tool in calls if tool in desk.tools and desk.tools[tool]["annotations"]["readOnlyHint"]]
        for tool in reading:
            answer = await desk.call(tool, calls[tool])
            assert (answer["provider"], answer["account"], answer["mode"]) == (sample.provider, "sandbox", "sandbox")
    assert len(reading) >= 2
    assert {request.method for request in desk.wire.requests} == {"GET"}
