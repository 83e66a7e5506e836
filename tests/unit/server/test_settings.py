"""Settings: what each means, and every way of getting one wrong, said in one line without any secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropship_mcp.settings import Settings, SettingsError, read_settings, state_folder
from dropship_tools import PROVIDERS
from dropship_tools.provider import Account
from dropship_tools.secret import Secret
from dropship_tools.urls import check_base_url

DIPLI = {"DIPLI_API_KEY": "k-1"}
REWIX = {"REWIX_URL": "https://shop.example/", "REWIX_API_KEY": "k-2", "REWIX_PASSWORD": "p-2"}
DROPDAY = {"DROPDAY_API_KEY": "k-3", "DROPDAY_ACCOUNT_ID": "1001"}
DUOPLANE = {"DUOPLANE_API_KEY": "k-4", "DUOPLANE_PASSWORD": "p-4"}
EVERYTHING = {**DIPLI, **REWIX, **DROPDAY, **DUOPLANE}
LIVE = {"DROPSHIP_MODE": "live"}


def problems(env: dict[str, str]) -> list[str]:
    """What is wrong with these settings."""
    with pytest.raises(SettingsError) as caught:
        read_settings(env)
    assert all("\n" not in problem for problem in caught.value.problems)
    return caught.value.problems


def key_file(folder: Path, text: str = "k-from-file\n", mode: int = 0o600) -> str:
    """A file with a credential."""
    path = folder / "key"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_nothing_set_means_the_sandbox_of_all_providers_with_ordering() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.mode, settings.ordering, settings.log_level) == ("sandbox", True, "warning")
    assert settings.providers == ("dipli", "rewix", "dropday", "duoplane")


def test_other_programs_variables_are_none_of_our_business() -> None:
    assert read_settings({"PATH": "/bin", "DIPLI_SOMETHING": "x", "dropship_mode": "live"}) == Settings()


def test_credentials_alone_never_make_it_live() -> None:
    assert read_settings(EVERYTHING) == Settings()


def test_words_are_taken_in_any_case_and_with_blanks_around() -> None:
    settings = read_settings(
        {"DROPSHIP_MODE": " Live ", "DROPSHIP_ORDERS": "OFF", "DROPSHIP_PROVIDERS": " Dropday , dipli "}
    )
    assert (settings.mode, settings.ordering, settings.providers) == ("live", False, ("dipli", "dropday"))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"DROPSHIP_MOD": "live"}, ["DROPSHIP_MOD is not a setting; did you mean DROPSHIP_MODE?"]),
        ({"DROPSHIP_XYZZY": "1"}, ["DROPSHIP_XYZZY is not a setting"]),
        ({"DROPSHIP_MODE": "production"}, ["DROPSHIP_MODE must be one of: sandbox, live"]),
        ({"DROPSHIP_ORDERS": "yes"}, ["DROPSHIP_ORDERS must be one of: allow, ask, off"]),
        ({"DROPSHIP_LOG_LEVEL": "loud"}, ["DROPSHIP_LOG_LEVEL must be one of: warning, debug, info, error"]),
        (
            {"DROPSHIP_PROVIDERS": "dipli,amazon"},
            ["DROPSHIP_PROVIDERS names unknown providers: amazon; known: dipli, rewix, dropday, duoplane"],
        ),
        (
            {"DROPSHIP_PROVIDERS": " , "},
            ["DROPSHIP_PROVIDERS names no provider; known: dipli, rewix, dropday, duoplane"],
        ),
        (
            {**LIVE, **DUOPLANE, "DUOPLANE_PASSWORD": ""},
            ["Duoplane is only half configured: DUOPLANE_PASSWORD not set"],
        ),
        (
            {**LIVE, "REWIX_API_KEY": "k"},
            ["Rewix is only half configured: REWIX_URL, REWIX_PASSWORD not set"],
        ),
        ({**LIVE, **REWIX, "REWIX_FORMAT": "yaml"}, ["REWIX_FORMAT must be one of: json, xml"]),
        (
            {**LIVE, "DIPLI_API_KEY": "k\u2011non-ascii"},
            ["DIPLI_API_KEY holds characters that cannot be sent in a header"],
        ),
        ({**LIVE, "DIPLI_API_KEY": "k\nX-Evil: 1"}, ["DIPLI_API_KEY holds characters that cannot be sent in a header"]),
        (
            {**LIVE, **DIPLI, "DIPLI_API_KEY_FILE": "/k"},
            ["DIPLI_API_KEY and DIPLI_API_KEY_FILE are both set; keep one"],
        ),
        ({**LIVE, "DIPLI_API_KEY_FILE": "/nowhere/key"}, ["DIPLI_API_KEY_FILE cannot be read: there is no such file"]),
        ({**LIVE, "DIPLI_API_KEY_FILE": "/"}, ["DIPLI_API_KEY_FILE cannot be read: it is a folder"]),
        (
            {**LIVE, **DIPLI, "DIPLI_URL": "http://dipli.example"},
            ["DIPLI_URL must start with https:// (plain http only for this machine)"],
        ),
        ({**LIVE, **DIPLI, "DIPLI_URL": "dipli.example"}, ["DIPLI_URL must be a full https:// address"]),
        (
            {**LIVE, **DIPLI, "DIPLI_URL": "https://user:pw@dipli.example"},
            ["DIPLI_URL must be a plain address without credentials, query or fragment"],
        ),
        (
            {"DROPSHIP_MODE": "Live!", "DROPSHIP_LEDGERS": "x", "DROPSHIP_ORDERS": "on"},
            [
                "DROPSHIP_LEDGERS is not a setting; did you mean DROPSHIP_LEDGER?",
                "DROPSHIP_MODE must be one of: sandbox, live",
                "DROPSHIP_ORDERS must be one of: ask, allow, off",
            ],
        ),
    ],
)
def test_each_mistake_is_said_in_one_line(env: dict[str, str], expected: list[str]) -> None:
    assert problems(env) == expected


def test_complete_credentials_make_live_accounts() -> None:
    settings = read_settings({**LIVE, **EVERYTHING, "REWIX_FORMAT": "XML", "DUOPLANE_STORE_ID": "3101"})
    assert settings.missing == {}
    assert settings.accounts == (
        Account("dipli", "dipli", "https://bi.agora.place", {"api_key": Secret("k-1")}),
        Account(
            "rewix",
            "rewix",
            "https://shop.example",
            {"api_key": Secret("k-2"), "password": Secret("p-2"), "format": "xml"},
        ),
        Account("dropday", "dropday", "https://dropday.io", {"api_key": Secret("k-3"), "account_id": "1001"}),
        Account(
            "duoplane",
            "duoplane",
            "https://app.duoplane.com",
            {"api_key": Secret("k-4"), "password": Secret("p-4"), "store_id": "3101"},
        ),
    )


def test_live_without_credentials_names_what_each_provider_needs() -> None:
    settings = read_settings({**LIVE, "DROPSHIP_PROVIDERS": "rewix,dropday"})
    assert settings.accounts == ()
    assert settings.missing == {
        "rewix": ("REWIX_URL", "REWIX_API_KEY", "REWIX_PASSWORD"),
        "dropday": ("DROPDAY_API_KEY", "DROPDAY_ACCOUNT_ID"),
    }


def test_a_provider_that_is_not_served_needs_no_complete_account() -> None:
    settings = read_settings({**LIVE, **DIPLI, "DUOPLANE_API_KEY": "half", "DROPSHIP_PROVIDERS": "dipli"})
    assert [account.provider for account in settings.accounts] == ["dipli"]


def test_a_credential_may_come_from_a_file_of_ones_own(tmp_path: Path) -> None:
    settings = read_settings({**LIVE, "DIPLI_API_KEY_FILE": key_file(tmp_path)})
    assert settings.accounts[0].value("api_key") == "k-from-file"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o602])
def test_a_credential_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    env = {**LIVE, "DIPLI_API_KEY_FILE": key_file(tmp_path, mode=mode)}
    assert problems(env) == ["DIPLI_API_KEY_FILE is open to other users; restrict it with chmod 600"]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_credential_file_for_its_owner_and_group_is_accepted(tmp_path: Path, mode: int) -> None:
    assert read_settings({**LIVE, "DIPLI_API_KEY_FILE": key_file(tmp_path, mode=mode)}).accounts


def test_a_secret_that_a_container_mounts_may_be_readable_for_everyone_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = key_file(tmp_path, mode=0o644)
    monkeypatch.setattr("dropship_mcp.account_settings.CONTAINER_SECRETS", f"{tmp_path}/")
    assert read_settings({**LIVE, "DIPLI_API_KEY_FILE": path}).accounts


def test_a_file_of_a_user_that_does_not_exist_is_said_to_be_missing() -> None:
    env = {**LIVE, "DIPLI_API_KEY_FILE": "~nobody-of-this-name/key", "DROPSHIP_LEDGER": "~nobody-of-this-name/ledger"}
    assert problems(env) == [
        "DIPLI_API_KEY_FILE cannot be read: there is no such file",
        "DROPSHIP_LEDGER must be an absolute path",
    ]


def test_documented_addresses_are_such_as_would_be_accepted_unchanged() -> None:
    documented = [provider.base_url for provider in PROVIDERS if provider.base_url]
    assert documented
    assert [check_base_url(address) for address in documented] == documented


def test_an_empty_credential_file_is_no_credential(tmp_path: Path) -> None:
    env = {**LIVE, "DIPLI_API_KEY_FILE": key_file(tmp_path, " \n")}
    assert problems(env) == ["DIPLI_API_KEY_FILE is empty"]


def test_a_credential_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    env = {**LIVE, "DIPLI_API_KEY_FILE": str(tmp_path / "key")}
    assert problems(env) == ["DIPLI_API_KEY_FILE cannot be read: it is not UTF-8 text"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "this user may not read it"),
        (NotADirectoryError(20, "Not a directory"), "its folder is a file"),
        (OSError(40, "Too many levels of symbolic links"), "too many levels of symbolic links"),
        (OSError(), "the system refuses it"),
    ],
)
def test_why_a_file_cannot_be_read_is_said_in_words(
    error: OSError, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("builtins.open", refuse)
        found = problems({**LIVE, "DIPLI_API_KEY_FILE": "/k"})
    assert found == [f"DIPLI_API_KEY_FILE cannot be read: {words}"]


def test_a_credential_file_of_several_lines_is_refused_without_being_shown(tmp_path: Path) -> None:
    env = {**LIVE, "DIPLI_API_KEY_FILE": key_file(tmp_path, "k-1\nk-2\n")}
    assert problems(env) == ["DIPLI_API_KEY holds characters that cannot be sent in a header"]


def test_no_problem_and_no_setting_shows_a_secret(tmp_path: Path) -> None:
    env = {
        **LIVE,
        "DIPLI_API_KEY": "hush-1\u2011",
        "DUOPLANE_API_KEY": "hush-2",
        "DROPDAY_API_KEY": "hush-3",
        "DROPDAY_API_KEY_FILE": key_file(tmp_path, "hush-4"),
    }
    with pytest.raises(SettingsError) as caught:
        read_settings(env)
    assert "hush" not in f"{caught.value!r} {caught.value} {caught.value.problems}"
    assert "k-1" not in repr(read_settings({**LIVE, **DIPLI}))


def test_state_is_kept_in_the_folder_the_system_has_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = read_settings({})
    assert state_folder() == tmp_path / "dropship-mcp"
    assert settings.ledger_place() == tmp_path / "dropship-mcp" / "ledger.sqlite3"
    assert settings.sandbox_path() == tmp_path / "dropship-mcp" / "sandbox.sqlite3"
    assert list(tmp_path.iterdir()) == []


def test_without_any_other_word_state_belongs_into_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    assert state_folder() == Path("/home/ann/.local/state/dropship-mcp")


def test_paths_may_start_in_the_home_folder_and_the_sandbox_may_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    settings = read_settings({"DROPSHIP_LEDGER": "~/orders.db", "DROPSHIP_SANDBOX": "~/sandbox.db"})
    assert settings.ledger_place() == Path("/home/ann/orders.db")
    assert settings.sandbox_path() == Path("/home/ann/sandbox.db")
    assert read_settings({"DROPSHIP_SANDBOX": ":memory:"}).sandbox_path() is None


# --- the configuration file ----------------------------------------------------------------------------------------


def configured(folder: Path, toml: str, env: dict[str, str] | None = None, mode: int = 0o600) -> dict[str, str]:
    """Live, with this configuration file."""
    path = folder / "dropship.toml"
    path.write_text(toml, encoding="utf-8")
    path.chmod(mode)
    return {**LIVE, "DROPSHIP_CONFIG": str(path), **(env or {})}


def test_a_configuration_file_adds_named_accounts(tmp_path: Path) -> None:
    toml = f"""
        [accounts.griffati]
        provider = "rewix"
        url = "https://griffati.example"
        api_key = "k-9"
        password_file = "{key_file(tmp_path)}"
        format = "xml"

        [accounts.lamps]
        provider = "dropday"
        api_key = "k-8"
        account_id = 1002
    """
    settings = read_settings(configured(tmp_path, toml, DROPDAY))
    assert [(a.provider, a.name, a.base_url) for a in settings.accounts] == [
        ("rewix", "griffati", "https://griffati.example"),
        ("dropday", "dropday", "https://dropday.io"),
        ("dropday", "lamps", "https://dropday.io"),
    ]
    assert settings.accounts[0].value("password") == "k-from-file"
    assert settings.accounts[2].value("account_id") == "1002"
    assert set(settings.missing) == {"dipli", "duoplane"}


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[accounts", ["DROPSHIP_CONFIG is not valid TOML: at end of document"]),
        ("accounts = 5", ["DROPSHIP_CONFIG: accounts must be tables: [accounts.NAME]"]),
        ("[limits]", ["DROPSHIP_CONFIG: [limits] is not known; there are: accounts, policy, tenants, http, auth"]),
        ("[accounts]\nlamps = 1", ["accounts.lamps must be a table"]),
        ("[accounts.lamps]", ["accounts.lamps.provider must be one of: dipli, rewix, dropday, duoplane"]),
        (
            '[accounts.lamps]\nprovider = "dropday"\napi_key = "k"',
            ["accounts.lamps is incomplete: accounts.lamps.account_id not set"],
        ),
        (
            '[accounts.lamps]\nprovider = "dipli"\napikey = "k"',
            [
                "accounts.lamps is incomplete: accounts.lamps.api_key not set",
                "accounts.lamps.apikey is not known; did you mean api_key?",
            ],
        ),
        (
            '[accounts.Lamps]\nprovider = "dipli"\napi_key = "k"',
            ["accounts.Lamps: a name holds small letters, digits, - and _, at most 32"],
        ),
        ('[accounts.lamps]\nprovider = "dipli"\napi_key = ["k"]', ["accounts.lamps.api_key must be text"]),
        (
            '[accounts.lamps]\nprovider = "dipli"\napi_key = "k"\nurl = "ftp://x"',
            ["accounts.lamps.url must be a full https:// address"],
        ),
    ],
)
def test_each_mistake_in_the_configuration_file_is_said_in_one_line(
    tmp_path: Path, toml: str, expected: list[str]
) -> None:
    assert problems(configured(tmp_path, toml)) == expected


def test_one_login_under_two_names_is_refused(tmp_path: Path) -> None:
    """The ledger would take them for two accounts, and the same order could leave under each."""
    table = '[accounts.{}]\nprovider = "dipli"\napi_key = "k-9"\n'
    twice = ["accounts one and two are the same login; keep one"]
    assert problems(configured(tmp_path, table.format("one") + table.format("two"))) == twice


@pytest.mark.parametrize("name", ["DROPSHIP_LEDGER", "DROPSHIP_SANDBOX"])
def test_state_does_not_depend_on_the_folder_a_host_starts_in(name: str) -> None:
    assert problems({name: "state/orders.sqlite3"}) == [f"{name} must be an absolute path"]


def test_two_accounts_of_one_name_are_refused(tmp_path: Path) -> None:
    toml = '[accounts.dipli]\nprovider = "dipli"\napi_key = "k-9"'
    assert problems(configured(tmp_path, toml, DIPLI)) == ["accounts need different names; used twice: dipli"]


def test_a_configuration_file_open_to_others_is_refused(tmp_path: Path) -> None:
    assert problems(configured(tmp_path, "", mode=0o644)) == [
        "DROPSHIP_CONFIG is open to other users; restrict it with chmod 600"
    ]


def test_a_configuration_file_that_is_missing_is_said(tmp_path: Path) -> None:
    assert problems({"DROPSHIP_CONFIG": str(tmp_path / "none.toml")}) == [
        "DROPSHIP_CONFIG cannot be read: there is no such file"
    ]


def test_a_broken_configuration_file_is_not_quoted(tmp_path: Path) -> None:
    [problem] = problems(configured(tmp_path, 'api_key = "hush hush'))
    assert "hush" not in problem
