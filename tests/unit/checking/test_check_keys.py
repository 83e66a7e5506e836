"""`dropship-mcp check` fetches the keys of the issuer whose tokens are accepted, and tells why that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from dirty_equals import IsInt

from dropship_mcp.cli import main
from unit.checking.odd_hosts import host, page
from web.sites import ec_key, jwk

pytestmark = pytest.mark.anyio

BROKEN = "Check DROPSHIP_AUTH_JWKS_URL. Without the keys no token of the issuer is accepted."


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's state, in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def jwks(*keys: dict[str, Any]) -> bytes:
    """An issuer's answer."""
    return page("200 OK", json.dumps({"keys": keys}))


async def keys_checked(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any]]:
    """Exit code, and what is found out about the keys at this address."""
    monkeypatch.setenv("DROPSHIP_AUTH_ISSUER", "https://login.example.com")
    monkeypatch.setenv("DROPSHIP_AUTH_JWKS_URL", url)
    code = await anyio.to_thread.run_sync(main, ["check", "--json"])
    [found] = [check for check in json.loads(capsys.readouterr().out) if check["check"] == "keys"]
    return code, found


async def test_keys_that_can_be_fetched_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with host(lambda _: jwks(jwk(ec_key(), "one"))) as port:
        url = f"http://127.0.0.1:{port}/jwks.json"
        code, found = await keys_checked(url, monkeypatch, capsys)
    assert (code, found) == (
        0,
        {
            **dict.fromkeys(found, ""),
            "check": "keys",
            "mode": "sandbox",
            "verdict": "works",
            "place": url,
            "milliseconds": IsInt(ge=0),
        },
    )


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (page("404 Not Found"), "the answer was status 404"),
        (page("200 OK"), "what was answered is no set of keys (JWKS)"),
        (jwks(), "there is no key for DROPSHIP_AUTH_ALGORITHMS"),
        (jwks(jwk(ec_key(), "one", use="enc")), "there is no key for DROPSHIP_AUTH_ALGORITHMS"),
        (b"", "no answer came (RemoteProtocolError)"),
    ],
)
async def test_what_is_no_good_is_told(
    answer: bytes, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with host(lambda _: answer) as port:
        code, found = await keys_checked(f"http://127.0.0.1:{port}/jwks.json", monkeypatch, capsys)
    assert code == 1
    assert (found["verdict"], found["reason"], found["what"], found["fix"]) == ("broken", "", what, BROKEN)


async def test_an_issuer_that_cannot_be_reached_is_told_like_any_host(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with host(lambda _: b"") as port:
        pass
    code, found = await keys_checked(f"http://127.0.0.1:{port}/jwks.json", monkeypatch, capsys)
    assert code == 1
    assert (found["verdict"], found["reason"]) == ("broken", "refused")
    assert found["what"] == "it cannot be reached: nothing listens at this address"
