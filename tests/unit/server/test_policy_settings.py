"""The policy from the environment and the configuration file: what it becomes, and every mistake in one line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dropship_mcp.policy import Limits, Policy
from dropship_mcp.settings import Settings, SettingsError, read_settings

WHOLE = """
[accounts.griffati]
provider = "rewix"
url = "https://griffati.example"
api_key = "k"
password = "p"

[policy]
same_parcel = "deny"
pay_at_once = "ask"
real_orders = "deny"
approval_minutes = 90

[policy.deny]
orders_per_hour = 10
orders_per_day = 50
total_per_order = 500
total_per_day = "2000.50"
quantity_per_line = 20
countries = ["nl", "BE"]

[policy.ask]
total_per_order = 99.95

[policy.providers]
rewix = "ask"
[policy.accounts]
griffati = "deny"
"""


def configured(folder: Path, text: str, **env: str) -> dict[str, str]:
    """An environment with a configuration file."""
    path = folder / "dropship.toml"
    path.write_text(text)
    path.chmod(0o600)
    return {"DROPSHIP_CONFIG": str(path), **env}


def problems(env: dict[str, str]) -> list[str]:
    """What is wrong with an environment."""
    with pytest.raises(SettingsError) as error:
        read_settings(env)
    return error.value.problems


def test_without_settings_nothing_is_forbidden_in_the_sandbox_and_a_person_is_asked_in_live_mode() -> None:
    assert (read_settings({}).orders, read_settings({}).policy) == ("allow", Policy())
    live = read_settings({"DROPSHIP_MODE": "live"})
    assert (live.orders, live.policy) == ("ask", Policy(orders="ask", same_parcel="ask"))


def test_live_orders_can_be_allowed_and_the_same_parcel_twice_is_still_asked() -> None:
    live = read_settings({"DROPSHIP_MODE": "live", "DROPSHIP_ORDERS": "allow"})
    assert (live.orders, live.policy) == ("allow", Policy(same_parcel="ask"))


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_off_removes_ordering_in_every_mode(mode: str) -> None:
    settings = read_settings({"DROPSHIP_MODE": mode, "DROPSHIP_ORDERS": "off"})
    assert (settings.orders, settings.ordering) == ("off", False)


def test_the_caps_of_the_environment_deny() -> None:
    caps = {
        "DROPSHIP_MAX_ORDERS_PER_DAY": " 0 ",
        "DROPSHIP_MAX_ORDER_TOTAL": "99.50",
        "DROPSHIP_MAX_QUANTITY": "3",
        "DROPSHIP_COUNTRIES": "nl, BE ,",
    }
    assert read_settings(caps).policy.deny == Limits(
        orders_per_day=0, total_per_order=Decimal("99.50"), quantity_per_line=3, countries=frozenset({"NL", "BE"})
    )


def test_the_configuration_file_holds_all_of_it(tmp_path: Path) -> None:
    assert read_settings(configured(tmp_path, WHOLE)).policy == Policy(
        deny=Limits(
            orders_per_hour=10,
            orders_per_day=50,
            total_per_order=Decimal(500),
            total_per_day=Decimal("2000.50"),
            quantity_per_line=20,
            countries=frozenset({"NL", "BE"}),
        ),
        ask=Limits(total_per_order=Decimal("99.95")),
        same_parcel="deny",
        pay_at_once="ask",
        real_orders="deny",
        providers={"rewix": "ask"},
        accounts={"griffati": "deny"},
        approval_minutes=90,
    )


def test_a_live_operator_may_allow_the_same_parcel_twice(tmp_path: Path) -> None:
    env = configured(tmp_path, '[policy]\nsame_parcel = "allow"', DROPSHIP_MODE="live")
    assert read_settings(env).policy == Policy(orders="ask")


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("policy = 3", ["policy must be a table: [policy]"]),
        ("[policy]\nsame_parcels = 'ask'", ["policy.same_parcels is not known; did you mean same_parcel?"]),
        ("[policy]\nsame_parcel = 'never'", ["policy.same_parcel must be one of: allow, ask, deny"]),
        ("[policy]\npay_at_once = true", ["policy.pay_at_once must be one of: allow, ask, deny"]),
        ("[policy]\napproval_minutes = 0", ["policy.approval_minutes must be between 1 and 1440"]),
        ("[policy]\napproval_minutes = 'long'", ["policy.approval_minutes must be between 1 and 1440"]),
        ("[policy]\ndeny = 5", ["policy.deny must be a table: [policy.deny]"]),
        (
            "[policy.deny]\norders_per_week = 1",
            ["policy.deny.orders_per_week is not known; did you mean orders_per_day?"],
        ),
        ("[policy.deny]\norders_per_day = -1", ["policy.deny.orders_per_day must be a whole number, 0 or more"]),
        ("[policy.deny]\norders_per_day = 1.5", ["policy.deny.orders_per_day must be a whole number, 0 or more"]),
        ("[policy.deny]\norders_per_day = true", ["policy.deny.orders_per_day must be a whole number, 0 or more"]),
        ("[policy.deny]\norders_per_day = []", ["policy.deny.orders_per_day must be a whole number, 0 or more"]),
        ("[policy.ask]\ntotal_per_order = nan", ["policy.ask.total_per_order must be an amount like 100 or 99.50"]),
        ("[policy.ask]\ntotal_per_order = 'inf'", ["policy.ask.total_per_order must be an amount like 100 or 99.50"]),
        ("[policy.ask]\ntotal_per_order = '5 EUR'", ["policy.ask.total_per_order must be an amount like 100 or 99.50"]),
        ("[policy.deny]\ncountries = []", ["policy.deny.countries must be country codes of two letters, like NL"]),
        ("[policy.deny]\ncountries = 'NL'", ["policy.deny.countries must be country codes of two letters, like NL"]),
        ("[policy.deny]\ncountries = ['NLD']", ["policy.deny.countries must be country codes of two letters, like NL"]),
        (
            "[policy.providers]\nrewicks = 'deny'",
            ["policy.providers.rewicks is not known; did you mean rewix?"],
        ),
        (
            "[policy.accounts]\nshop = 'deny'",
            ["policy.accounts.shop is not known; there are: dipli, rewix, dropday, duoplane"],
        ),
    ],
)
def test_a_rule_that_cannot_be_understood_is_an_error_and_never_a_missing_rule(
    tmp_path: Path, toml: str, expected: list[str]
) -> None:
    assert problems(configured(tmp_path, toml)) == expected


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"DROPSHIP_MAX_ORDERS_PER_DAY": "ten"}, ["DROPSHIP_MAX_ORDERS_PER_DAY must be a whole number, 0 or more"]),
        ({"DROPSHIP_MAX_ORDER_TOTAL": "-1"}, ["DROPSHIP_MAX_ORDER_TOTAL must be an amount like 100 or 99.50"]),
        ({"DROPSHIP_MAX_QUANTITY": "1e9999"}, ["DROPSHIP_MAX_QUANTITY must be a whole number, 0 or more"]),
        ({"DROPSHIP_COUNTRIES": "Holland"}, ["DROPSHIP_COUNTRIES must be country codes of two letters, like NL"]),
        (
            {"DROPSHIP_COUNTRIES": "NL,UK,XX"},
            ["DROPSHIP_COUNTRIES: there is no country UK, XX in ISO 3166-1; the United Kingdom is GB"],
        ),
        ({"DROPSHIP_COUNTRIES": ","}, ["DROPSHIP_COUNTRIES must be country codes of two letters, like NL"]),
        (
            {"DROPSHIP_MAX_ORDERS": "5"},
            ["DROPSHIP_MAX_ORDERS is not a setting; did you mean DROPSHIP_ORDERS?"],
        ),
    ],
)
def test_a_cap_that_cannot_be_understood_is_an_error(env: dict[str, str], expected: list[str]) -> None:
    assert problems(env) == expected


def test_one_limit_stands_in_one_place(tmp_path: Path) -> None:
    env = configured(tmp_path, "[policy.deny]\norders_per_day = 0", DROPSHIP_MAX_ORDERS_PER_DAY="5")
    assert problems(env) == ["DROPSHIP_MAX_ORDERS_PER_DAY and policy.deny.orders_per_day are both set; keep one"]


def test_a_person_approves_with_the_ledger_that_is_in_force() -> None:
    assert Settings().approve_command() == "dropship-mcp approve"
    assert Settings(ledger=Path("/srv/my shop/l.db")).approve_command() == (
        "DROPSHIP_LEDGER='/srv/my shop/l.db' dropship-mcp approve"
    )
