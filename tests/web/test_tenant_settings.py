"""Settings of tenants: what each tenant has of its own, and every way in which two could get at the same thing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dropship_mcp.cli import main
from dropship_mcp.ledger import make_ledger
from dropship_mcp.ledger.postgres_database import Database
from dropship_mcp.ledger_settings import LedgerDatabase
from dropship_mcp.settings import SettingsError, read_settings
from dropship_mcp.web.keys import KeySet
from dropship_tools.secret import Secret
from web.houses import settings_file

DIPLI = 'provider = "dipli"\napi_key = "k-{}"\n'
DUOPLANE = 'provider = "duoplane"\napi_key = "d-{}"\npassword = "p"\n'

TWO = f"""
[tenants.acme]
claim = ["org_1", "org_1b"]
orders = "allow"
providers = ["dipli"]
[tenants.acme.accounts.shop]
{DIPLI.format(1)}
[tenants.acme.policy.deny]
orders_per_day = 5
[tenants.globex]
[tenants.globex.accounts.shop]
{DIPLI.format(2)}
[tenants.globex.accounts.main]
{DUOPLANE.format(2)}
[tenants.globex.policy.accounts]
main = "deny"
"""
LIVE = {"DROPSHIP_MODE": "live"}


def environment(folder: Path, tenants: str, **env: str) -> dict[str, str]:
    """A configuration file with these tables."""
    path = folder / "config.toml"
    path.write_text(tenants, encoding="utf-8")
    path.chmod(0o600)
    return {"DROPSHIP_CONFIG": str(path), "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"), **env}


def problems(folder: Path, tenants: str, **env: str) -> list[str]:
    """What is wrong with them."""
    with pytest.raises(SettingsError) as caught:
        read_settings(environment(folder, tenants, **env))
    return caught.value.problems


def test_each_tenant_has_its_own_accounts_policy_and_places(tmp_path: Path) -> None:
    settings = read_settings(environment(tmp_path, TWO, DROPSHIP_MODE="live", DROPSHIP_MAX_QUANTITY="9"))
    acme, globex = settings.tenants["acme"], settings.tenants["globex"]

    assert settings.accounts == ()
    assert settings.http.auth.tenants == {"org_1": "acme", "org_1b": "acme", "globex": "globex"}
    assert [(a.provider, a.name, a.value("api_key")) for a in acme.accounts] == [("dipli", "shop", "k-1")]
    assert [(a.provider, a.name, a.value("api_key")) for a in globex.accounts] == [
        ("dipli", "shop", "k-2"),
        ("duoplane", "main", "d-2"),
    ]
    assert (acme.tenant, acme.orders, acme.providers) == ("acme", "allow", ("dipli",))
    assert (globex.orders, globex.policy.accounts) == ("ask", {"main": "deny"})
    assert acme.policy.deny == globex.policy.deny._replace(orders_per_day=5)
    assert globex.policy.deny.quantity_per_line == 9
    assert globex.missing == dict.fromkeys(("rewix", "dropday"), ("tenants.globex.accounts.NAME",))
    places = {(own.cache_folder(), own.sandbox_path(), own.approve_command()) for own in (acme, globex, settings)}
    assert len({cache for cache, _, _ in places}) == len({path for _, path, _ in places}) == 3
    assert acme.approve_command().endswith("dropship-mcp approve --tenant acme")
    ledgers = {make_ledger(own.ledger_place(), scope=own.tenant).place for own in (acme, globex, settings)}
    assert len(ledgers) == 3
    assert {Path(place).parent for place in ledgers} == {tmp_path}


def test_the_operators_caps_hold_for_every_tenant(tmp_path: Path) -> None:
    caps = {"DROPSHIP_MAX_ORDER_TOTAL": "50", "DROPSHIP_COUNTRIES": "NL"}
    settings = read_settings(environment(tmp_path, TWO, **LIVE, **caps))

    denied = [own.policy.deny for own in settings.tenants.values()]
    assert [(deny.total_per_order, deny.countries) for deny in denied] == [(Decimal(50), {"NL"})] * 2


@pytest.mark.parametrize(
    ("mode", "operator", "tenant", "holds"),
    [
        ("live", "", "allow", "allow"),
        ("live", "", "", "ask"),
        ("sandbox", "", "ask", "ask"),
        ("live", "ask", "allow", "ask"),
        ("live", "off", "allow", "off"),
        ("live", "allow", "off", "off"),
        ("live", "allow", "", "allow"),
    ],
)
def test_of_operator_and_tenant_the_stricter_one_holds(
    tmp_path: Path, mode: str, operator: str, tenant: str, holds: str
) -> None:
    own = f'orders = "{tenant}"' if tenant else ""
    text = f"[tenants.acme]\n{own}\n[tenants.acme.accounts.shop]\n{DIPLI.format(1)}"
    env = {"DROPSHIP_MODE": mode, "DROPSHIP_ORDERS": operator}

    acme = read_settings(environment(tmp_path, text, **env)).tenants["acme"]

    assert (acme.orders, acme.policy.orders) == (holds, "ask" if holds == "ask" else "allow")


WRONG: list[tuple[str, dict[str, str], list[str]]] = [
    (
        f"[accounts.shop]\n{DIPLI.format(1)}[policy]\nsame_parcel = 'ask'\n[tenants.acme]",
        {},
        [
            "[accounts] belongs to nobody: with tenants it is [tenants.NAME.accounts]",
            "[policy] belongs to nobody: with tenants it is [tenants.NAME.policy]",
        ],
    ),
    (
        "[tenants.acme]",
        {"DIPLI_API_KEY": "k", "DUOPLANE_PASSWORD_FILE": "/x"},
        [
            "DIPLI_API_KEY belongs to nobody: with tenants, accounts stand in [tenants.NAME.accounts.NAME]",
            "DUOPLANE_PASSWORD_FILE belongs to nobody: with tenants, accounts stand in [tenants.NAME.accounts.NAME]",
        ],
    ),
    (
        f"[tenants.acme.accounts.a]\n{DIPLI.format(1)}[tenants.globex.accounts.b]\n{DIPLI.format(1)}",
        LIVE,
        ["tenants acme and globex have an account with the same login; each ledger would order with it"],
    ),
    (
        "[tenants.acme]\nclaim = 'org'\n[tenants.globex]\nclaim = ['x', 'org']",
        {},
        ["tenants acme and globex have the same claim 'org'; a caller is of one tenant"],
    ),
    (
        "[tenants.acme]\nclaim = 'globex'\n[tenants.globex]",
        {},
        ["tenants acme and globex have the same claim 'globex'; a caller is of one tenant"],
    ),
    (
        "[tenants.acme]\nclaims = 'x'\norders = 'maybe'\nproviders = ['dipi']",
        {},
        [
            "tenants.acme.claims is not known; did you mean claim?",
            "tenants.acme.orders must be one of: off, ask, allow",
            "tenants.acme.providers names unknown providers: dipi; known: dipli, rewix, dropday, duoplane",
        ],
    ),
    (
        "[tenants.acme]\nproviders = ['dipli', 'rewix']",
        {"DROPSHIP_PROVIDERS": "dipli"},
        ["tenants.acme.providers: DROPSHIP_PROVIDERS leaves out rewix"],
    ),
    (
        "[tenants.acme.accounts.shop]\nprovider = 'dipli'\napi_kee = 'x'\n[tenants.acme.policy]\nsame_parcle = 'ask'",
        LIVE,
        [
            "tenants.acme.accounts.shop is incomplete: accounts.shop.api_key not set",
            "tenants.acme.accounts.shop.api_kee is not known; did you mean api_key?",
            "tenants.acme.policy.same_parcle is not known; did you mean same_parcel?",
        ],
    ),
    ("tenants = 'acme'", {}, ["tenants must be tables: [tenants.NAME]"]),
    ("[tenants]\nacme = 1", {}, ["tenants.acme must be a table: [tenants.acme]"]),
    (
        "[tenants.acme]\naccounts = 'x'",
        {},
        ["tenants.acme.accounts must be tables: [tenants.acme.accounts.NAME]"],
    ),
    (
        f"[tenants.acme]\n[auth.tokens.ann]\nsha256 = '{'a' * 64}'\nscopes = ['orders:read']",
        {},
        ["auth.tokens of ann: tenant must be one of: acme"],
    ),
    (
        f"[tenants.acme]\n[auth.tokens.ann]\nsha256 = '{'a' * 64}'\nscopes = ['orders:read']\ntenant = 'org'",
        {},
        ["auth.tokens of ann: tenant must be one of: acme"],
    ),
    (
        f"[auth.tokens.ann]\nsha256 = '{'a' * 64}'\nscopes = ['orders:read']\ntenant = 'acme'",
        {},
        ["auth.tokens of ann: a tenant needs its [tenants.NAME]"],
    ),
    (
        "[tenants.acme]",
        {"DROPSHIP_AUTH_TOKENS": f"ann {'a' * 64} orders:read"},
        ["auth.tokens of ann: tenant must be one of: acme"],
    ),
]


@pytest.mark.parametrize(("tenants", "env", "expected"), WRONG)
def test_what_would_let_tenants_meet_is_told(
    tmp_path: Path, tenants: str, env: dict[str, str], expected: list[str]
) -> None:
    assert problems(tmp_path, tenants, **env) == expected


@pytest.mark.parametrize("claim", ["''", "' '", "1", "true", "[]", "['a', '']", "['a', 1]", f"'{'x' * 257}'"])
def test_a_claim_says_something(tmp_path: Path, claim: str) -> None:
    wrong = problems(tmp_path, f"[tenants.acme]\nclaim = {claim}")

    assert wrong == ["tenants.acme.claim must be a text or a list of texts"]


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "ä", "", "a.b", "-a", "a" * 33, 'a"; drop', "a b", ".."])
def test_names_of_tenants_are_safe_as_names_of_files_and_schemas(tmp_path: Path, name: str) -> None:
    wrong = problems(tmp_path, f"[tenants.{name!r}]")

    assert wrong[0] == f"tenants.{name}: a name holds small letters, digits, - and _, at most 32"


def test_servers_of_two_tenants_read_nothing_that_the_other_sealed() -> None:
    """They share a database and its key."""
    place = LedgerDatabase(Secret("postgresql://db.example/x"), Secret("ab" * 32))
    acme, again, globex, alone = (Database(place, scope) for scope in ("acme", "acme", "globex", ""))

    sealed = acme.hasher.seal("question")

    assert again.hasher.unseal(sealed) == "question"
    assert (globex.hasher.unseal(sealed), alone.hasher.unseal(sealed)) == (None, None)
    assert len({database.schema for database in (acme, globex, alone)}) == 3


# --- choosing one --------------------------------------------------------------------------------------------------


def test_a_command_for_one_tenant_is_told_which(tmp_path: Path) -> None:
    env = settings_file(tmp_path)
    settings = read_settings(env)

    assert settings.chosen("acme") == settings.tenants["acme"]
    assert read_settings({**env, "DROPSHIP_TENANT": "globex"}).chosen() == settings.tenants["globex"]
    assert read_settings({}).chosen() == read_settings({})


@pytest.mark.parametrize(
    ("tenants", "named", "expected"),
    [
        (True, "", "say whose accounts are meant, with --tenant or DROPSHIP_TENANT; there are: acme, globex"),
        (True, "org_1", "org_1 is no tenant; there are: acme, globex"),
        (False, "acme", "acme is no tenant; DROPSHIP_CONFIG has no [tenants.NAME]"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [["serve"], ["orders"], ["approve"], ["tools"], ["call", "dropship_status"], ["sandbox", "reset"]],
    ids=lambda command: command[0],
)
def test_no_command_guesses_whose_accounts_are_meant(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    tenants: bool,
    named: str,
    expected: str,
) -> None:
    for name, value in (settings_file(tmp_path) if tenants else {}).items():
        monkeypatch.setenv(name, value)

    code = main([command[0], *(["--tenant", named] if named else []), *command[1:]])

    assert (code, capsys.readouterr().err) == (2, f"dropship-mcp: {expected}\n")


def test_check_tries_every_tenant_or_the_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**settings_file(tmp_path), "DROPSHIP_PROVIDERS": "dipli"}.items():
        monkeypatch.setenv(name, value)
    fetched: list[KeySet] = []

    async def fetch(keys: KeySet, _: object) -> None:
        fetched.append(keys)

    monkeypatch.setattr(KeySet, "look", fetch)

    codes = [main(["check"]), main(["check", "--tenant", "globex"])]

    everybody, one = capsys.readouterr().out.split("Everything works.\n", 1)
    assert codes == [0, 0]
    assert ("acme: dipli/sandbox  works" in everybody, "globex: dipli/sandbox  works" in everybody) == (True, True)
    assert ("acme" in one, "globex: dipli/sandbox  works" in one) == (False, True)
    assert len(fetched) == 2  # they are everybody's


def test_http_serves_all_tenants_and_only_with_authorization(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(tmp_path, "[tenants.acme]").items():
        monkeypatch.setenv(name, value)

    open_house = main(["http", "--port", "0"])
    monkeypatch.setenv("DROPSHIP_TENANT", "acme")
    for_one = main(["http", "--port", "0"])

    assert (open_house, for_one) == (2, 2)
    assert capsys.readouterr().err == (
        "dropship-mcp: nobody could say whose tenant they are: set DROPSHIP_AUTH_ISSUER, or tokens\n"
        "dropship-mcp: DROPSHIP_TENANT is not for HTTP, where each caller's token names the tenant\n"
    )


def test_a_new_token_says_whose_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "ann", "--tenant", "acme", "--scopes", "orders:approve"]) == 0

    said = capsys.readouterr().out
    assert said.endswith('    scopes = ["orders:approve"]\n    tenant = "acme"\n')
    assert "DROPSHIP_AUTH_TOKENS" not in said
