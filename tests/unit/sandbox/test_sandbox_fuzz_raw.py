"""Whatever is sent to a sandbox, it answers the way its provider's documentation and our sheet say, and never breaks.

Drawn around the documented requests: methods, paths, queries, headers and bodies, right and wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import anyio
import defusedxml.ElementTree
import pytest
from dirty_equals import IsInt, IsStr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dropship_tools.sandbox.faults import FAULT_KINDS
from dropship_tools.sandbox.service import build_service, in_process_app
from unit.sandbox.drawn_arguments import changed, places
from unit.sandbox.raw_requests import (
    DOCUMENTED,
    JSON_BODIES,
    ODD_BODIES,
    RawAnswer,
    RawRequest,
    auth_headers,
    raw_requests,
    schema_of,
    send,
)
from unit.sandbox.worlds import Clock, world_at

STATUSES: Mapping[str, frozenset[int]] = {
    "dipli": frozenset({200, 400, 401, 404, 405}),
    "rewix": frozenset({200, 401, 404, 405, 406, 412, 415, 429}),
    "dropday": frozenset({200, 302, 401, 404, 405, 422}),
    "duoplane": frozenset({200, 201, 400, 401, 403, 404, 415, 422, 429}),
}


@pytest.mark.parametrize("provider", DOCUMENTED)
def test_any_request_is_answered_as_documented(provider: str) -> None:
    @settings(max_examples=60)
    @given(requests=st.lists(raw_requests(provider), min_size=1, max_size=4), days=st.sampled_from((0, 0.01, 2)))
    def any_requests(requests: list[RawRequest], days: float) -> None:
        async def story() -> None:
            clock = Clock()
            app = in_process_app(world_at(clock), provider)
            for request in requests:
                check(provider, request, await send(app, request))
            clock.move(minutes=1, days=days)  # whatever has been stored is shown, at every stage of its life
            for look in looks(provider):
                clock.move(minutes=5)
                check(provider, look, await send(app, look))

        anyio.run(story)

    any_requests()


def looks(provider: str) -> list[RawRequest]:
    """Every documented look, at ids that may exist by now."""
    known = DOCUMENTED[provider]
    headers = (*auth_headers(provider), (b"accept", b"application/json, application/xml"))
    paths = [path for method, path in known.requests() if method == "GET"]
    targets = {path.replace("{}", number) for path in paths for number in known.ids[:2]}
    return [RawRequest("GET", f"{target}?acceptedlocales=en_US", headers) for target in sorted(targets)]


def check(provider: str, request: RawRequest, answer: RawAnswer) -> None:
    """That the answer is one this provider gives."""
    assert answer.status in STATUSES[provider], (request, answer)
    if request.method != "HEAD":  # servers leave the body out
        SHAPES[provider](answer)


def read_json(answer: RawAnswer) -> Any:
    """Strictly: neither NaN nor halves of characters."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    assert answer.media_type == "application/json", answer
    value = json.loads(answer.body.decode(), parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def keys(value: Any) -> frozenset[str]:
    """Of an object."""
    assert isinstance(value, dict)
    return frozenset(cast("dict[str, Any]", value))


def dipli(answer: RawAnswer) -> None:
    """JSON, and of a refusal nothing but its code (sheet sections 3 to 5)."""
    body = read_json(answer)
    if answer.status != 200:
        assert body == {"code": answer.status, "msg": IsStr}
    elif "code" in body:
        assert body == {"code": 200, "msg": "Success", "public_id": IsStr(regex="A-[0-9]+")}
    elif "result" in body:
        assert keys(body) == {"count", "page", "pageSize", "result"}
    else:
        assert {"public_id", "order_at", "shipping_status", "shipping_address_json", "cart_items"} <= keys(body)


def rewix(answer: RawAnswer) -> None:
    """Text where it refuses, otherwise JSON or XML (sheet sections 3 and 4)."""
    if answer.status != 200:
        assert answer.media_type == "text/plain"
        assert answer.body.decode()
    elif answer.media_type == "application/xml":
        assert defusedxml.ElementTree.fromstring(answer.body).tag in ("root", "collection", "page")
    else:
        body = read_json(answer)
        assert isinstance(body, list) or keys(body) & {"order_id", "orders", "pageItems"}


def dropday(answer: RawAnswer) -> None:
    """Laravel's JSON, and its redirect for those who do not ask for JSON (sheet sections 2 to 8)."""
    if answer.status == 302:
        assert answer.media_type == "text/html"
        assert answer.headers["location"]
        return
    body = read_json(answer)
    if answer.status == 422:
        assert keys(body) == {"message", "errors"}
        assert keys(body["errors"])
        assert all(isinstance(text, str) for texts in body["errors"].values() for text in texts)
    elif answer.status != 200:
        assert body == {"message": IsStr, "error": IsStr}
    elif "message" in body:
        told = IsStr(regex="Order (created|already exists)")
        assert body in ({"message": "OK"}, {"message": told, "reference": IsInt})
    elif "data" in body:
        assert {"current_page", "data"} <= keys(body)
    else:
        assert {"external_id", "reference", "order_lines", "shipping_address", "created_at"} <= keys(body)


def duoplane(answer: RawAnswer) -> None:
    """An envelope in the new API, bare JSON in the old one, and what web applications say elsewhere (sheet 4 to 6)."""
    if answer.media_type != "application/json":
        assert (answer.status, answer.media_type) in ((401, "text/plain"), (404, "text/html"))
        return
    body = read_json(answer)
    if isinstance(body, list) or (answer.status == 200 and "data" not in body):
        assert "duoplane-requests-left" in answer.headers
    elif "data" in body:
        assert keys(body) == {"metadata", "data", "errors"}
        assert (body["data"] is None) == (answer.status >= 400)
        assert bool(body["errors"]) or answer.status < 400
    else:
        assert body == {"status": answer.status, "error": IsStr}


SHAPES: Mapping[str, Callable[[RawAnswer], None]] = {
    "dipli": dipli,
    "rewix": rewix,
    "dropday": dropday,
    "duoplane": duoplane,
}


DEPTHS = (10, 60, 100, *range(150, 1050, 50), 100_000)


@pytest.mark.parametrize("provider", DOCUMENTED)
def test_a_body_of_any_depth_is_answered_as_documented(provider: str) -> None:
    async def story() -> None:
        clock = Clock()
        app = in_process_app(world_at(clock), provider)
        headers = (*auth_headers(provider), (b"content-type", b"application/json"), (b"accept", b"application/json"))
        for depth in DEPTHS:
            clock.move(minutes=1)
            for path, body in bodies_with(provider, '{"a":' * depth + "1" + "}" * depth):
                request = RawRequest("POST", path, headers, body)
                check(provider, request, await send(app, request))
        for look in looks(provider):
            clock.move(minutes=5)
            check(provider, look, await send(app, look))

    anyio.run(story)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_does_not_exist_in_utc_is_refused_by_duoplane_and_nothing_is_stored(moment: str) -> None:
    async def story() -> None:
        world = world_at(Clock())
        headers = (*auth_headers("duoplane"), (b"content-type", b"application/json"))
        body = json.dumps({**JSON_BODIES["duoplane"][0], "ordered_at": moment}).encode()
        answer = await send(in_process_app(world, "duoplane"), RawRequest("POST", "/api/orders", headers, body))
        errors = ["ordered_at must be an ISO 8601 date-time with a time zone"]
        assert (answer.status, read_json(answer)["errors"]) == (422, errors)
        assert world.store.count("duoplane", "order") == 0

    anyio.run(story)


def bodies_with(provider: str, inside: str) -> Iterator[tuple[str, bytes]]:
    """The documented bodies with something in every place, and nothing but it."""
    paths = [path for method, path in DOCUMENTED[provider].requests() if method == "POST"]
    for path, body in zip(paths, JSON_BODIES[provider], strict=True):
        yield path, inside.encode()
        for place in places(schema_of(body)):
            yield path, json.dumps(changed(body, (place.path, "@@"))).replace('"@@"', inside).encode()


FAULTS = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(("dipli", "*", "nobody", "\ud83d", 7, None)),
        "operation": st.sampled_from(("create", "*", "", "\ud83d", "x\x00", [])),
        "kind": st.sampled_from((*FAULT_KINDS, "none", [], None)),
        "times": st.sampled_from((1, 0, 10**30, "1", True, 1.5)),
        "value": st.sampled_from((0, 503, 3600, -1, 10**400, float("nan"), "x", None)),
        "\ud83d": st.none(),
    },
)


@example(body=b"[" * 3000)
@example(body=b'{"provider": "dipli", "kind": "huge", "operation": "\\ud83d"}')
@settings(max_examples=50)
@given(body=FAULTS.map(json.dumps).map(str.encode) | st.sampled_from(ODD_BODIES) | st.binary(max_size=20))
def test_any_wish_for_a_fault_is_granted_or_refused_in_words(body: bytes) -> None:
    async def story() -> None:
        app = build_service(world_at(Clock()))
        asked = await send(app, RawRequest("POST", "/_sandbox/faults", (), body))
        pending = read_json(await send(app, RawRequest("GET", "/_sandbox/faults", ())))
        if asked.status == 201:
            assert pending == [read_json(asked)]
        else:
            assert (asked.status, read_json(asked), pending) == (400, {"error": IsStr(min_length=1)}, [])

    anyio.run(story)
