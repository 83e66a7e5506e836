"""Settings of `dropship-mcp http`: from variables and from the file, mistakes told at once, nothing open by accident."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dropship_mcp.cli import main
from dropship_mcp.http_settings import AuthSettings, HttpSettings, StaticToken, read_http
from dropship_mcp.settings import SettingsError, read_settings
from dropship_mcp.web.tokens import digest

DIGEST = "a" * 64

FULL = HttpSettings(
    host="0.0.0.0",
    port=9000,
    path="/shop/mcp",
    public_url="https://orders.example.com/mcp",
    hosts=("orders.example.com", "10.0.0.1:9000"),
    origins=("https://app.example.com",),
    max_body=4096,
    max_calls=10,
    grace=20,
    unprotected=True,
    auth=AuthSettings(
        issuer="https://login.example.com/",
        jwks_url="https://login.example.com/keys",
        audience="api://orders",
        algorithms=("ES256", "EdDSA"),
        tokens=(StaticToken("alice", DIGEST, frozenset({"orders:read", "orders:write"})),),
    ),
)


def read(env: dict[str, str], tables: dict[str, Any] | None = None) -> HttpSettings:
    problems: list[str] = []
    settings = read_http(env, tables or {}, problems)
    assert problems == []
    return settings


def problems_of(env: dict[str, str], tables: dict[str, Any] | None = None) -> list[str]:
    problems: list[str] = []
    read_http(env, tables or {}, problems)
    return problems


def test_without_settings_only_this_machine_is_served() -> None:
    settings = read({})

    assert settings == HttpSettings()
    assert settings.url() == "http://127.0.0.1:8000/mcp"
    assert settings.problems() == []


def test_all_settings_may_come_from_variables() -> None:
    env = {
        "DROPSHIP_HTTP_HOST": "0.0.0.0",
        "DROPSHIP_HTTP_PORT": "9000",
        "DROPSHIP_HTTP_PATH": "/shop/mcp",
        "DROPSHIP_HTTP_PUBLIC_URL": "https://orders.example.com/mcp/",
        "DROPSHIP_HTTP_HOSTS": "Orders.example.com, 10.0.0.1:9000",
        "DROPSHIP_HTTP_ORIGINS": "https://App.example.com",
        "DROPSHIP_HTTP_MAX_BODY": "4096",
        "DROPSHIP_HTTP_MAX_CALLS": "10",
        "DROPSHIP_HTTP_GRACE": "20",
        "DROPSHIP_HTTP_UNPROTECTED": "yes",
        "DROPSHIP_AUTH_ISSUER": "https://login.example.com/",
        "DROPSHIP_AUTH_JWKS_URL": "https://login.example.com/keys",
        "DROPSHIP_AUTH_AUDIENCE": "api://orders",
        "DROPSHIP_AUTH_ALGORITHMS": "ES256,EdDSA",
        "DROPSHIP_AUTH_TOKENS": f"alice {DIGEST.upper()} orders:read orders:write",
    }

    assert read(env) == FULL
    assert read_settings({**env, "DROPSHIP_SANDBOX": ":memory:"}).http == FULL


def test_all_settings_may_come_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "dropship.toml"
    file.write_text(
        f"""
        [http]
        host = "0.0.0.0"
        port = 9000
        path = "/shop/mcp"
        public_url = "https://orders.example.com/mcp"
        hosts = ["orders.example.com", "10.0.0.1:9000"]
        origins = ["https://app.example.com"]
        max_body = 4096
        max_calls = 10
        grace = 20
        unprotected = "yes"
        [auth]
        issuer = "https://login.example.com/"
        jwks_url = "https://login.example.com/keys"
        audience = "api://orders"
        algorithms = ["ES256", "EdDSA"]
        [auth.tokens.alice]
        sha256 = "{DIGEST}"
        scopes = ["orders:read", "orders:write"]
        """
    )
    file.chmod(0o600)

    assert read_settings({"DROPSHIP_CONFIG": str(file)}).http == FULL


def test_a_variable_stands_above_the_file() -> None:
    assert read({"DROPSHIP_HTTP_PORT": "1"}, {"http": {"port": 2, "path": "/a"}}) == HttpSettings(port=1, path="/a")


WRONG: list[tuple[dict[str, str], dict[str, Any], str]] = [
    ({"DROPSHIP_HTTP_PORT": "70000"}, {}, "DROPSHIP_HTTP_PORT must be a whole number from 0 to 65535"),
    ({"DROPSHIP_HTTP_PORT": "-1"}, {}, "DROPSHIP_HTTP_PORT must be a whole number from 0 to 65535"),
    ({}, {"http": {"port": True}}, "http.port must be text"),
    ({}, {"http": {"prot": 1}}, "http.prot is not known; did you mean port?"),
    ({}, {"auth": {"password": "x"}}, "auth.password is not known"),
    ({}, {"http": 1}, "http must be a table: [http]"),
    ({}, {"http": {"hosts": "a"}}, "http.hosts must be a list of texts"),
    ({"DROPSHIP_HTTP_PATH": "mcp"}, {}, "DROPSHIP_HTTP_PATH must be a path of its own like /mcp"),
    ({"DROPSHIP_HTTP_PATH": "/healthz"}, {}, "DROPSHIP_HTTP_PATH must be a path of its own like /mcp"),
    ({"DROPSHIP_HTTP_PATH": "/{x}"}, {}, "DROPSHIP_HTTP_PATH must be a path of its own like /mcp"),
    (
        {"DROPSHIP_HTTP_PUBLIC_URL": "http://orders.example.com/mcp"},
        {},
        "DROPSHIP_HTTP_PUBLIC_URL must start with https:// (plain http only for this machine)",
    ),
    (
        {"DROPSHIP_HTTP_ORIGINS": "*"},
        {},
        "DROPSHIP_HTTP_ORIGINS must be like https://app.example.com, not *",
    ),
    (
        {"DROPSHIP_HTTP_HOSTS": "https://a.example.com"},
        {},
        "DROPSHIP_HTTP_HOSTS must be like orders.example.com or localhost:8000, not https://a.example.com",
    ),
    (
        {"DROPSHIP_AUTH_ISSUER": "https://a.example.com", "DROPSHIP_AUTH_JWKS_URL": "http://a.example.com/k"},
        {},
        "DROPSHIP_AUTH_JWKS_URL must start with https:// (plain http only for this machine)",
    ),
    ({"DROPSHIP_HTTP_UNPROTECTED": "1"}, {}, "DROPSHIP_HTTP_UNPROTECTED must be one of: no, yes"),
    (
        {"DROPSHIP_AUTH_ISSUER": "https://a.example.com"},
        {},
        "DROPSHIP_AUTH_JWKS_URL is missing: tokens need issuer and jwks_url",
    ),
    (
        {},
        {"auth": {"jwks_url": "https://a.example.com/k"}},
        "DROPSHIP_AUTH_ISSUER is missing: tokens need issuer and jwks_url",
    ),
    (
        {"DROPSHIP_AUTH_ALGORITHMS": "RS256,HS256,none"},
        {},
        "DROPSHIP_AUTH_ALGORITHMS cannot be HS256, none; there are: RS256, RS384, RS512, PS256, PS384, PS512, ES256, "
        "ES384, ES512, EdDSA",
    ),
    (
        {"DROPSHIP_AUTH_TOKENS": "alice secret orders:read"},
        {},
        "DROPSHIP_AUTH_TOKENS of alice must have a SHA-256 of 64 hexadecimal digits; `dropship-mcp token alice` "
        "makes one",
    ),
    (
        {"DROPSHIP_AUTH_TOKENS": f"alice {DIGEST}"},
        {},
        "DROPSHIP_AUTH_TOKENS of alice must have scopes out of: orders:read, orders:write, orders:approve, metrics:read",
    ),
    (
        {},
        {"auth": {"tokens": {"alice": {"sha256": DIGEST, "scopes": ["orders:all"]}}}},
        "auth.tokens of alice must have scopes out of: orders:read, orders:write, orders:approve, metrics:read",
    ),
    (
        {},
        {"auth": {"tokens": {"alice": {"token": "x"}}}},
        "auth.tokens of alice must be a table with sha256 and scopes",
    ),
    ({}, {"auth": {"tokens": ["alice"]}}, "auth.tokens must be tables: [auth.tokens.NAME]"),
    (
        {"DROPSHIP_AUTH_TOKENS": f"a/b {DIGEST} orders:read"},
        {},
        "DROPSHIP_AUTH_TOKENS need a name of letters, digits and . _ @ -, at most 64",
    ),
    (
        {"DROPSHIP_AUTH_TOKENS": f"a {DIGEST} orders:read, b {DIGEST} orders:read"},
        {},
        "DROPSHIP_AUTH_TOKENS hold the same sha256 twice",
    ),
]


@pytest.mark.parametrize(("env", "tables", "problem"), WRONG)
def test_mistakes_are_told_with_their_place(env: dict[str, str], tables: dict[str, Any], problem: str) -> None:
    assert problems_of(env, tables) == [problem]


def test_misspelt_variables_are_noticed() -> None:
    with pytest.raises(SettingsError, match="did you mean DROPSHIP_AUTH_ISSUER"):
        read_settings({"DROPSHIP_AUTH_ISUER": "https://login.example.com"})


EXPOSED = [
    HttpSettings(host="0.0.0.0", hosts=("localhost:8000",)),
    HttpSettings(host="::", public_url="http://localhost:8000/mcp"),
    HttpSettings(host="192.168.1.5"),
    HttpSettings(hosts=("127.0.0.1:8000", "orders.example.com")),
    HttpSettings(hosts=("[",)),
    HttpSettings(origins=("http://localhost:5173", "https://evil.example.com")),
    HttpSettings(host="orders.internal"),
    HttpSettings(public_url="https://orders.example.com/mcp"),
]


@pytest.mark.parametrize("settings", EXPOSED)
def test_other_machines_are_not_served_without_authorization_unless_told_so(settings: HttpSettings) -> None:
    token = StaticToken("alice", DIGEST, frozenset({"orders:read"}))

    assert len(settings.problems()) == 1
    assert settings._replace(unprotected=True).problems() == []
    assert settings._replace(auth=AuthSettings(tokens=(token,))).problems() == []
    assert settings._replace(auth=AuthSettings(issuer="https://a", jwks_url="https://a/k")).problems() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0"])
def test_an_address_that_nobody_can_call_needs_a_name(host: str) -> None:
    bare = HttpSettings(host=host, unprotected=True)
    named = HttpSettings(host=host, unprotected=True, hosts=("orders.internal:8000", "10.0.0.1:8000"))

    assert bare.problems() == [f"nobody can call {host}: set DROPSHIP_HTTP_PUBLIC_URL or DROPSHIP_HTTP_HOSTS"]
    assert named.problems() == []
    assert named.url() == "http://orders.internal:8000/mcp"


def test_pages_and_names_of_this_machine_are_served_without_authorization() -> None:
    own = HttpSettings(hosts=("localhost:8000", "[::1]:8000"), origins=("http://localhost:5173", "http://[::1]:1"))

    assert own.problems() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_this_machine_is_served_without_authorization(host: str) -> None:
    assert HttpSettings(host=host).problems() == []


@pytest.mark.usefixtures("no_environment")
def test_the_command_refuses_to_be_open_to_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http", "--host", "0.0.0.0"]) == 2
    assert capsys.readouterr().err == (
        "dropship-mcp: everybody who reaches 0.0.0.0 could order: set DROPSHIP_AUTH_ISSUER or DROPSHIP_AUTH_TOKENS, "
        "or say --unprotected\n"
    )


@pytest.mark.usefixtures("no_environment")
def test_flags_are_checked_like_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http", "--port", "x", "--path", "/mcp?x"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "dropship-mcp: DROPSHIP_HTTP_PORT must be a whole number from 0 to 65535",
        "dropship-mcp: DROPSHIP_HTTP_PATH must be a path of its own like /mcp",
    ]


def test_a_new_token_fits_the_setting_that_is_printed_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "alice", "--scopes", "orders:read"]) == 0

    printed = capsys.readouterr().out
    token = next(line.strip() for line in printed.splitlines() if line.startswith("    dsm_"))
    setting = next(line.strip() for line in printed.splitlines() if "DROPSHIP_AUTH_TOKENS=" in line)
    entry = setting.removeprefix("DROPSHIP_AUTH_TOKENS='").removesuffix("'")
    alice = StaticToken("alice", digest(token), frozenset({"orders:read"}))

    assert read({"DROPSHIP_AUTH_TOKENS": entry}).auth.tokens == (alice,)


def test_a_token_needs_a_name_that_settings_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "a b"]) == 2
    assert "dsm_" not in capsys.readouterr().out


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own."""
    monkeypatch.setattr("os.environ", {})
