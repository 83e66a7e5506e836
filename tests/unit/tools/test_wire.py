"""One request and one answer: paths that cannot be led astray, numbers that keep their digits, odd bodies."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropship_tools.wire import MAX_DEPTH, Answer, SendOnce, Unreadable, WireRequest, dump_json, get, path, post_json


def answer(body: bytes, **headers: str) -> Answer:
    """An answer with this body."""
    return Answer(200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


# --- paths and requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (("api", "v1", "orders"), "/api/v1/orders"),
        (("orders", 98), "/orders/98"),
        (("orders", "DD-98541"), "/orders/DD-98541"),
        (("orders", "a/b"), "/orders/a%2Fb"),
        (("orders", "../admin"), "/orders/..%2Fadmin"),
        (("orders", "..\\admin"), "/orders/..%5Cadmin"),
        (("orders", "%2e%2e"), "/orders/%252e%252e"),
        (("orders", "a?x=1#y"), "/orders/a%3Fx%3D1%23y"),
        (("orders", "a b;c@d:e"), "/orders/a%20b%3Bc%40d%3Ae"),
        (("orders", "a\r\nX-Key: 1\x00"), "/orders/a%0D%0AX-Key%3A%201%00"),
        (("orders", "..."), "/orders/..."),
        (("orders", "é☃"), "/orders/%C3%A9%E2%98%83"),
    ],
)
def test_every_segment_stays_one_segment(segments: tuple[str | int, ...], expected: str) -> None:
    assert path(*segments) == expected


@pytest.mark.parametrize("segment", ["", ".", "..", "\ud800"])
def test_segments_that_would_change_the_path_or_cannot_be_written_are_refused(segment: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        path("orders", segment)


@settings(deadline=None)
@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_no_segment_can_leave_its_place(segment: str) -> None:
    try:
        encoded = path("api", segment, "end")
    except UnicodeEncodeError:
        return  # half a surrogate pair is no character

    url = httpx2.URL("https://shop.example" + encoded)

    assert (url.host, url.query, url.fragment) == ("shop.example", b"", "")
    assert url.raw_path == encoded.encode()
    assert [unquote(part) for part in encoded.split("/")] == ["", "api", segment, "end"]


@pytest.mark.parametrize("target", ["", "orders", "@evil.example/orders", ".evil.example", ":8443/orders", "\\orders"])
def test_a_path_without_a_slash_could_name_another_host_and_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="a path starts with a slash"):
        WireRequest("GET", target)


def test_query_values_are_written_as_providers_read_them() -> None:
    request = get("/orders", {"test": True, "blocked": False, "page": 2, "none": None, "q": "a&b=c d/é", "empty": ""})

    assert request == WireRequest(
        "GET",
        "/orders",
        (("test", "true"), ("blocked", "false"), ("page", "2"), ("q", "a&b=c d/é"), ("empty", "")),
        {"Accept": "application/json"},
    )
    assert request.target() == "/orders?test=true&blocked=false&page=2&q=a%26b%3Dc%20d%2F%C3%A9&empty="


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"))))
def test_no_query_value_can_leave_the_query(query: dict[str, str]) -> None:
    target = get("/orders", query).target()

    parts = urlsplit("https://shop.example" + target)
    assert (parts.path, parts.fragment) == ("/orders", "")
    assert dict(httpx2.QueryParams(parts.query)) == query


def test_a_json_post_says_what_it_is_and_may_add_headers() -> None:
    assert post_json("/orders", {"a": [1, None, "é"]}, {"X-Store": "7"}) == WireRequest(
        "POST",
        "/orders",
        (),
        {"Content-Type": "application/json", "Accept": "application/json", "X-Store": "7"},
        '{"a":[1,null,"é"]}'.encode(),
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("10.99"), b"10.99"),
        (Decimal("2.50"), b"2.5"),
        (Decimal("5.00"), b"5"),
        (Decimal("0.00"), b"0"),
        (Decimal("0.01"), b"0.01"),
        (Decimal("999999999.99"), b"999999999.99"),
        (Decimal("1E+8"), b"100000000"),
    ],
)
def test_amounts_are_written_as_plain_numbers(value: Decimal, written: bytes) -> None:
    assert dump_json(value) == written


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2))
def test_no_amount_changes_on_its_way(amount: Decimal) -> None:
    written = dump_json(amount)

    assert b"e" not in written.lower()
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == amount


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), "\ud800"])
def test_what_json_cannot_say_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        dump_json({"value": value})


def test_unknown_types_are_not_written() -> None:
    with pytest.raises(TypeError, match="cannot write bytes as JSON"):
        dump_json({"value": b"x"})


# --- answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "ok"), [(199, False), (200, True), (201, True), (299, True), (300, False)])
def test_2xx_is_ok(status: int, ok: bool) -> None:
    assert Answer(status, {}, b"").ok is ok


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0),
        ("30", 30),
        (" 30 ", 30),
        ("9" * 5000, 86400),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("²", None),
        ("٣", None),
        ("Fri, 31 Dec 2027 23:59:59 GMT", None),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_nothing(said: str, seconds: float | None) -> None:
    assert answer(b"", retry_after=said).retry_after == seconds


def test_no_wait_is_named_without_the_header() -> None:
    assert answer(b"").retry_after is None


def test_text_is_read_whatever_the_bytes_are() -> None:
    assert answer(b"caf\xc3\xa9 \xff").text() == "café \ufffd"


def test_numbers_keep_their_digits() -> None:
    assert answer(b'\xef\xbb\xbf{"a":10.10,"b":98,"c":0.30000000000000004}').json() == {
        "a": Decimal("10.10"),
        "b": 98,
        "c": Decimal("0.30000000000000004"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"<html></html>",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'"\xff"',
        b"\xff\xfe{\x00}\x00",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1e309}',
        b'{"a": -1e999999}',
        b'{"a": 1e-999999}',
        b'{"a": 1e9999999999999999999}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
    ],
)
def test_what_is_not_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"^the answer is (not valid JSON|nested too deeply)$"):
        answer(body).json()


def test_nesting_up_to_the_limit_is_read() -> None:
    assert answer(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH).json()
    assert answer(b'{"a":' * (MAX_DEPTH - 1) + b"1" + b"}" * (MAX_DEPTH - 1)).json()


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"text"', b"true"])
def test_only_an_object_is_an_object(body: bytes) -> None:
    assert answer(b'{"a":1}').json_object() == {"a": 1}
    with pytest.raises(Unreadable, match="the answer is not a JSON object"):
        answer(body).json_object()


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_bring_another_error(body: bytes) -> None:
    with suppress(Unreadable):
        answer(body).json()


# --- permission -------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_permission_is_good_for_one_order() -> None:
    recorded: list[bool] = []

    async def record() -> None:
        recorded.append(once.used)

    once = SendOnce(record)
    assert not once.used

    await once.use()

    assert (once.used, recorded) == (True, [False])
    with pytest.raises(RuntimeError, match="an order is sent once"):
        await once.use()
    assert recorded == [False]
