"""`dropship-mcp check` tells apart why an account does not work, with each provider and by what a host really does."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from contract.providers import NAMES
from dropship_mcp import checking
from dropship_mcp.checking import Check, Reason, check_everything
from dropship_mcp.settings import read_settings
from dropship_tools import PROVIDERS
from dropship_tools.duoplane.sandbox import VENDOR_CREDENTIALS
from dropship_tools.http import Timing
from e2e.test_live_mode import live, service
from unit.checking.odd_hosts import account, account_checked, checked, host, page
from unit.sandbox.worlds import Clock

pytestmark = pytest.mark.anyio

TITLES = {provider.name: provider.title for provider in PROVIDERS}
ADDRESS = {provider.name: provider.url_env for provider in PROVIDERS}

KEYS = {
    "dipli": "DIPLI_API_KEY (issued by Dipli to dropship partners)",
    "rewix": "REWIX_API_KEY (the supplier's shop, subscription page), "
    "REWIX_PASSWORD (the password of the supplier's shop login)",
    "dropday": "DROPDAY_API_KEY (Dropday dashboard, account settings), "
    "DROPDAY_ACCOUNT_ID (Dropday dashboard, account settings)",
    "duoplane": "DUOPLANE_API_KEY (Duoplane, Settings > Staff Members > Manage API users), "
    "DUOPLANE_PASSWORD (shown once when the API user is made)",
}


async def test_live_accounts_that_work_are_read_and_nothing_is_written(tmp_path: Path) -> None:
    async with service(Clock()) as port:
        found = await checked(live(port, *NAMES), tmp_path)
    assert [replace(check, milliseconds=0) for check in found] == [
        *(Check("account", "live", "works", name, name, f"http://127.0.0.1:{port}/{name}") for name in NAMES),
        Check("ledger", "live", "works", place=str(tmp_path / "ledger.sqlite3")),
        Check("files", "live", "works"),
    ]


@pytest.mark.parametrize("name", NAMES)
async def test_every_check_is_one_get_request(name: str, tmp_path: Path) -> None:
    heads: list[bytes] = []

    def answer(head: bytes) -> bytes:
        heads.append(head)
        return page("500 Oops")

    async with host(answer) as port:
        found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    assert (found.verdict, found.what) == ("failing", f"{TITLES[name]} answered with HTTP 500")
    assert found.fix == f"Wait and check again; if it stays so, ask {TITLES[name]}."
    assert [head.partition(b" ")[0] for head in heads] == [b"GET"]


@pytest.mark.parametrize(
    ("name", "credential"), [(p.name, c.env) for p in PROVIDERS for c in p.credentials if c.required]
)
async def test_a_wrong_key_is_called_so_and_named_by_its_setting(name: str, credential: str, tmp_path: Path) -> None:
    async with service(Clock()) as port:
        found = await checked({**live(port, name), credential: "wrong-4711"}, tmp_path)
    assert (found[0].verdict, found[0].fix) == ("wrong_key", f"Check {KEYS[name]}.")
    assert found[0].what == f"{TITLES[name]} does not accept the credentials (HTTP 401)"
    assert "wrong-4711" not in repr(found)


async def test_a_vendors_key_is_not_taken_for_a_wrong_one(tmp_path: Path) -> None:
    vendor = {"DUOPLANE_API_KEY": VENDOR_CREDENTIALS["api_key"], "DUOPLANE_PASSWORD": VENDOR_CREDENTIALS["password"]}
    async with service(Clock()) as port:
        found = (await checked({**live(port, "duoplane"), **vendor}, tmp_path))[0]
    assert (found.verdict, found.fix) == (
        "wrong_kind_of_key",
        f"Get credentials of the right kind: {KEYS['duoplane']}.",
    )
    assert found.what == "Duoplane shows this key purchase orders but no sales orders: it looks like a vendor's key"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "answer",
    [
        page("404 Not Found"),
        page("200 OK", "<title>Parked</title>"),
        page("200 OK", "[]"),
        page("301 Moved", "", "Location: https://elsewhere.example/"),
        page("200 OK", "{}", "Content-Encoding: br"),
        page("200 OK", "{}", "Content-Encoding: gzip"),
    ],
    ids=["404", "html", "a list", "redirect", "odd encoding", "damaged gzip"],
)
async def test_a_host_that_is_not_the_providers_answers_nonsense(name: str, answer: bytes, tmp_path: Path) -> None:
    if b"\r\n\r\n[]" in answer and name in ("rewix", "duoplane"):
        answer = answer.replace(b"[]", b"42")  # an empty list is an answer of theirs
    async with host(lambda _: answer) as port:
        found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    assert found.verdict == "nonsense"
    assert found.fix.startswith(f"Check {ADDRESS[name]}")
    assert ("REWIX_FORMAT" in found.fix) == (name == "rewix")


@pytest.mark.parametrize("name", NAMES)
async def test_a_provider_that_asks_to_slow_down_is_busy(name: str, tmp_path: Path) -> None:
    async with host(lambda _: page("429 Too Many Requests", "", "Retry-After: 7")) as port:
        found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    assert (found.verdict, found.what) == ("busy", f"{TITLES[name]} asks to slow down")
    assert found.fix in [f"Wait {s} s and check again; another program may be using the same key." for s in (7, 8)]


@pytest.mark.parametrize("name", NAMES)
async def test_a_port_nobody_listens_on_is_refused(name: str, tmp_path: Path) -> None:
    async with host(lambda _: None) as port:
        pass
    found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    check_unreachable(found, "refused", name)


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_nobody_knows_is_said_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    check_unreachable(await account_checked(name, "https://shop.invalid", tmp_path), "dns", name)


@pytest.mark.parametrize("name", NAMES)
async def test_a_host_that_does_not_speak_tls_is_said_so(name: str, tmp_path: Path) -> None:
    async with host(lambda _: page("400 Bad Request")) as port:
        found = await account_checked(name, f"https://127.0.0.1:{port}", tmp_path)
    check_unreachable(found, "tls", name)


@pytest.mark.parametrize("name", NAMES)
async def test_a_host_that_says_nothing_is_not_waited_for_longer_than_a_check_may_take(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with host(lambda _: None) as port:
        slow = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path, Timing(read=0.05, attempts=1))
        monkeypatch.setattr(checking, "LONGEST", 0.05)
        cut = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    for found in (slow, cut):
        check_unreachable(found, "timeout", name)
        assert 40 <= found.milliseconds < 4000


@pytest.mark.parametrize("name", NAMES)
async def test_a_connection_that_breaks_off_is_said_so(name: str, tmp_path: Path) -> None:
    async with host(lambda _: b"HTTP/1.1 200 OK\r\nContent-Le") as port:
        found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    check_unreachable(found, "broken", name)


def check_unreachable(found: Check, reason: Reason, name: str) -> None:
    """No more is said than what the network did, and which setting names the address."""
    assert (found.verdict, found.reason, found.provider_said) == ("unreachable", reason, "")
    assert found.what
    assert found.fix.startswith(f"Check {ADDRESS[name]}")


async def test_all_accounts_are_asked_at_once(tmp_path: Path) -> None:
    waiting = 0
    everybody = anyio.Event()

    class Slow:
        async def check(self) -> None:
            nonlocal waiting
            waiting += 1
            if waiting == len(NAMES):
                everybody.set()
            await everybody.wait()

    env = {key: value for name in NAMES for key, value in account(name, "https://shop.example").items()}
    env["DROPSHIP_LEDGER"] = str(tmp_path / "ledger.sqlite3")
    settings = read_settings(env)
    accounts = checking.Accounts(settings)
    for connection in accounts.connections():
        object.__setattr__(connection, "client", Slow())
    with anyio.fail_after(5):
        found = await check_everything(settings, env, accounts)
    assert [check.verdict for check in found] == ["works"] * 6


@pytest.mark.parametrize(("name", "verdict"), [("dipli", "refused"), ("dropday", "refused"), ("rewix", "nonsense")])
async def test_a_look_that_is_refused_may_be_the_key_or_the_address(name: str, verdict: str, tmp_path: Path) -> None:
    async with host(lambda _: page("400 Bad Request", '{"msg": "Bad Request", "message": "Bad Request"}')) as port:
        found = await account_checked(name, f"http://127.0.0.1:{port}", tmp_path)
    assert (found.verdict, "Bad Request" in found.provider_said) == (verdict, True)
    assert found.fix.startswith(f"Check {ADDRESS[name]}")


async def test_an_account_of_the_configuration_file_is_told_by_its_own_settings(tmp_path: Path) -> None:
    table = '[accounts.griffati]\nprovider = "rewix"\nurl = "{}"\napi_key = "k"\npassword = "p"\n'
    async with host(lambda _: page("401 Unauthorized")) as wrong_key, host(lambda _: page("404 Gone")) as wrong_host:
        fixes: list[str] = []
        for port in (wrong_key, wrong_host):
            config = tmp_path / "dropship.toml"
            config.write_text(table.format(f"http://127.0.0.1:{port}"))
            config.chmod(0o600)
            found = await checked({"DROPSHIP_MODE": "live", "DROPSHIP_CONFIG": str(config)}, tmp_path)
            fixes.append(found[0].fix)
    assert fixes == [
        "Check accounts.griffati.api_key (the supplier's shop, subscription page), "
        "accounts.griffati.password (the password of the supplier's shop login).",
        "Check accounts.griffati.url and accounts.griffati.format: this is not how Rewix answers.",
    ]
