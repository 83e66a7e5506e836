"""The log: one JSON object a line on stderr; exceptions by type and place, never by text."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from dropship_mcp.logs import log_crash, set_up, where

SECRET = "zebra crossing"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What stands on stderr; stdout belongs to MCP."""
    output = capsys.readouterr()
    assert output.out == ""
    return [json.loads(line) for line in output.err.splitlines()]


def fail() -> None:
    """An exception with another one behind it."""
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        raise RuntimeError(SECRET) from error


def test_a_record_is_one_line_of_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("warning")
    logging.getLogger("dropship_mcp.x").warning("two\nlines and %s", "\u202e")
    [line] = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "warning", "logger": "dropship_mcp.x", "message": "two\nlines and \u202e"}


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_for_our_own_words(capsys: pytest.CaptureFixture[str], level: str, heard: int) -> None:
    set_up(level)
    for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger("dropship_tools.http").log(number, "told")
    assert len(lines(capsys)) == heard


def test_libraries_are_heard_from_warnings_up_even_when_we_debug(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("debug")
    logging.getLogger("httpx2").info("GET https://shop.example/orders/WEB-1001")
    logging.getLogger("httpcore2.http11").debug("authorization: Basic …")
    assert lines(capsys) == []


def test_an_exception_is_told_by_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("warning")
    try:
        fail()
    except RuntimeError:
        logging.getLogger("mcp").exception("handler raised")
    output = capsys.readouterr().err
    assert SECRET not in output
    assert json.loads(output)["error"].startswith("RuntimeError at test_logs.py:")


def test_where_names_the_causes_and_ends() -> None:
    with pytest.raises(RuntimeError) as caught:
        fail()
    assert where(caught.value).count("; from KeyError at test_logs.py:") == 1
    link: BaseException = caught.value
    for _ in range(20):
        link.__cause__ = RuntimeError(SECRET)
        link = link.__cause__
    assert where(caught.value).count("RuntimeError at") == 5


def test_a_crash_is_logged_under_the_number_that_the_caller_was_told(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("error")
    with pytest.raises(RuntimeError) as caught:
        fail()
    number = log_crash(caught.value)
    [line] = lines(capsys)
    assert line["message"].startswith(f"unexpected error {number}: RuntimeError at test_logs.py:")
    assert SECRET not in json.dumps(line)
