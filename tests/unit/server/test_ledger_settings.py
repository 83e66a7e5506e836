"""Where the ledger is by the settings: a file or a database, whose address and key are secrets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dropship_mcp.checking import check_everything
from dropship_mcp.ledger import make_ledger
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_mcp.settings import Settings, SettingsError, read_settings, state_folder
from dropship_tools.secret import Secret

URL = "postgresql://ann:hush-hush@db.example:5432/orders?sslmode=require&sslpassword=psst"
KEY = "5eC4e7" * 11
DATABASE = {"DROPSHIP_LEDGER": URL, "DROPSHIP_LEDGER_KEY": KEY}
SECRETS = ("ann", "hush-hush", "psst", KEY, KEY.lower())


def problems(env: dict[str, str]) -> list[str]:
    """What is wrong with these settings."""
    with pytest.raises(SettingsError) as caught:
        read_settings(env)
    assert [secret for secret in SECRETS if secret in str(caught.value)] == []
    return caught.value.problems


def private(path: Path, text: str, mode: int = 0o600) -> str:
    """A file with a secret."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_a_database_is_its_address_and_a_key() -> None:
    settings = read_settings(DATABASE)
    assert settings.ledger == LedgerDatabase(Secret(URL), Secret(KEY.lower()))
    assert settings.ledger_place() == settings.ledger
    assert read_settings({**DATABASE, "DROPSHIP_LEDGER": "postgres://db/orders"}).ledger is not None


def test_nothing_that_is_shown_of_a_database_holds_a_secret() -> None:
    settings = read_settings(DATABASE)
    assert isinstance(settings.ledger, LedgerDatabase)
    assert settings.ledger.shown == make_ledger(settings.ledger).place == "postgresql://db.example:5432/orders"
    assert settings.approve_command() == "dropship-mcp approve"
    shown = f"{settings!r} {settings} {settings.ledger!r} {make_ledger(settings.ledger)!r}"
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("db.example", "postgresql://db.example/orders"),
        ("DB.example:7", "postgresql://db.example:7/orders"),
        ("[::1]:7", "postgresql://[::1]:7/orders"),
        ("", "postgresql:///orders"),
        ("one.example,two.example", "postgresql://one.example,two.example/orders"),
        ("one.example:5432,Two.example:7,[::1]:8", "postgresql://one.example:5432,two.example:7,[::1]:8/orders"),
    ],
)
def test_host_port_and_database_are_shown(host: str, shown: str) -> None:
    url = f"postgresql://ann:hush%2Fhush@{host}/orders?x=psst&target_session_attrs=read-write"
    settings = read_settings({**DATABASE, "DROPSHIP_LEDGER": url})
    assert isinstance(settings.ledger, LedgerDatabase)
    assert settings.ledger.shown == shown


@pytest.mark.parametrize(
    "hosts", ["one:5432,two:x", "one,,two", "one,two:0", ",two", "one:5432,two:5432:5432", "one,two:70000"]
)
def test_each_of_several_hosts_has_to_be_one(hosts: str) -> None:
    url = f"postgresql://ann:hush-hush@{hosts}/orders?target_session_attrs=read-write"
    assert problems({**DATABASE, "DROPSHIP_LEDGER": url}) == [
        "DROPSHIP_LEDGER is not an address: postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    ]


@pytest.mark.parametrize("where", ["one,two/orders", "one:1,two:2/orders?target_session_attrs=any", "/o?host=one,two"])
def test_of_several_hosts_the_one_that_writes_has_to_be_asked_for(where: str) -> None:
    assert problems({**DATABASE, "DROPSHIP_LEDGER": f"postgresql://ann:hush-hush@{where}"}) == [
        "DROPSHIP_LEDGER names several hosts: add target_session_attrs=read-write"
    ]


@pytest.mark.parametrize(
    "password", ["1234/hush-hush", "/hush-hush", "hush-/hush-hush", "99#hush-hush", "99?hush-hush", "hush-hush@12"]
)
def test_a_password_with_a_mark_that_would_end_it_is_refused_and_not_told(password: str) -> None:
    env = {**DATABASE, "DROPSHIP_LEDGER": f"postgresql://ann:{password}@db.example:5432/orders"}
    assert problems(env) == ["DROPSHIP_LEDGER: write / @ # ? in a password as %2F %40 %23 %3F"]


def test_downloads_are_kept_in_the_state_folder_then() -> None:
    assert read_settings(DATABASE).cache_folder() == state_folder() / "cache" / "sandbox"


def test_the_address_and_the_key_may_stand_in_files(tmp_path: Path) -> None:
    env = {
        "DROPSHIP_LEDGER_FILE": private(tmp_path / "url", f"{URL}\n"),
        "DROPSHIP_LEDGER_KEY_FILE": private(tmp_path / "key", f"{KEY}\n"),
    }
    assert read_settings(env) == read_settings(DATABASE)
    path = {"DROPSHIP_LEDGER_FILE": private(tmp_path / "path", "/srv/orders.sqlite3")}
    assert read_settings(path).ledger == Path("/srv/orders.sqlite3")


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    env = {"DROPSHIP_LEDGER_FILE": private(tmp_path / "url", URL, 0o644), "DROPSHIP_LEDGER_KEY": KEY}
    assert problems(env) == ["DROPSHIP_LEDGER_FILE is open to other users; restrict it with chmod 600"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"DROPSHIP_LEDGER_KEY": ""},
            ["DROPSHIP_LEDGER_KEY is not set; make one with: openssl rand -hex 32, and give every server the same"],
        ),
        (
            {"DROPSHIP_LEDGER_KEY": "short"},
            ["DROPSHIP_LEDGER_KEY must be at least 64 hexadecimal digits; make one with: openssl rand -hex 32"],
        ),
        (
            {"DROPSHIP_LEDGER_KEY": "x" * 64},
            ["DROPSHIP_LEDGER_KEY must be at least 64 hexadecimal digits; make one with: openssl rand -hex 32"],
        ),
        (
            {"DROPSHIP_LEDGER": "postgresql://ann:hush-hush@db.example:orders"},
            ["DROPSHIP_LEDGER is not an address: postgresql://USER:PASSWORD@HOST:5432/DATABASE"],
        ),
        (
            {"DROPSHIP_LEDGER": "postgresql://ann:hush-hush@db.example/or ders"},
            ["DROPSHIP_LEDGER is not an address: postgresql://USER:PASSWORD@HOST:5432/DATABASE"],
        ),
        (
            {"DROPSHIP_LEDGER": "/srv/orders.sqlite3"},
            ["DROPSHIP_LEDGER_KEY belongs to a postgresql:// ledger; a file has its key beside it"],
        ),
        (
            {"DROPSHIP_LEDGER_FILE": "/srv/url"},
            [
                "DROPSHIP_LEDGER and DROPSHIP_LEDGER_FILE are both set; keep one",
                "DROPSHIP_LEDGER_KEY belongs to a postgresql:// ledger; a file has its key beside it",
            ],
        ),
        (
            {"DROPSHIP_LEDGER": "mysql://ann:hush-hush@db/orders", "DROPSHIP_LEDGER_KEY": ""},
            ["DROPSHIP_LEDGER must be an absolute path"],
        ),
    ],
)
def test_each_mistake_is_said_in_one_line_without_a_secret(changes: dict[str, str], expected: list[str]) -> None:
    assert problems({**DATABASE, **changes}) == expected


def test_an_empty_file_is_said(tmp_path: Path) -> None:
    env = {**DATABASE, "DROPSHIP_LEDGER_KEY": "", "DROPSHIP_LEDGER_KEY_FILE": private(tmp_path / "key", "\n")}
    assert problems(env)[0] == "DROPSHIP_LEDGER_KEY_FILE is empty"


def test_a_missing_extra_is_said_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    assert problems(DATABASE) == [
        "DROPSHIP_LEDGER needs an extra for postgresql://: pip install 'dropship-mcp[postgres]'"
    ]


@pytest.mark.anyio
async def test_check_says_what_is_wrong_with_a_database_and_nothing_of_its_address() -> None:
    env = {**DATABASE, "DROPSHIP_LEDGER": "postgresql://ann:hush-hush@127.0.0.1:1/orders"}
    settings = read_settings(env)
    *_, ledger, files = await check_everything(settings, env)
    assert (ledger.verdict, ledger.place, ledger.what) == (
        "broken",
        "postgresql://127.0.0.1:1/orders",
        "the ledger cannot be used: its database cannot be reached",
    )
    assert (
        ledger.fix
        == "Mend the database, or check DROPSHIP_LEDGER and DROPSHIP_LEDGER_KEY. Until then no order is sent."
    )
    assert files.verdict == "works"


def test_a_file_of_another_scope_is_another_file() -> None:
    place = Settings(ledger=Path("/srv/orders.sqlite3")).ledger_place()
    places = [make_ledger(place, scope=scope).place for scope in ("", "ann", "Ann", "../ann", "a" * 300)]
    assert len({name.lower() for name in places}) == 5
    assert {Path(name).parent for name in places} == {Path("/srv")}
    assert max(len(Path(name).name) for name in places) < 120
