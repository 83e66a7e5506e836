"""Tenants, from the configuration file: whose accounts, policy and ledger a caller over HTTP uses.

    [auth]
    tenant_claim = "org_id"              # the claim of access tokens that names the tenant; default "tenant"

    [tenants.acme]
    claim = "org_123"                    # what it says; a list for several; default the name, acme
    orders = "ask"                       # off, ask or allow; of this and DROPSHIP_ORDERS the stricter one holds
    providers = ["dipli"]                # default those of DROPSHIP_PROVIDERS

    [tenants.acme.accounts.shop]         # as [accounts.NAME] without tenants
    provider = "dipli"
    api_key_file = "/path/only/you/can/read"

    [tenants.acme.policy.deny]           # as [policy] without tenants
    orders_per_day = 50

Standard library only, like all settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from dropship_mcp.near_names import did_you_mean

KEYS = ("claim", "orders", "providers", "accounts", "policy")

_NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
"""Part of the names of files and schemas."""

_LONGEST_CLAIM = 256


class TenantTable(NamedTuple):
    """One `[tenants.NAME]`, read but for what its accounts and its policy hold.

    Attributes:
        claims: values of the claim that mean this tenant.
        orders: as written; empty if it is not.
        providers: as `DROPSHIP_PROVIDERS` has them; empty if there are none.
        accounts: the tables `[tenants.NAME.accounts.NAME]`.
        policy: `[tenants.NAME.policy]`, whatever it is.
    """

    name: str
    claims: tuple[str, ...]
    orders: str
    providers: str
    accounts: Mapping[str, Any]
    policy: Any

    def located(self, problems: list[str]) -> list[str]:
        """Problems with its accounts and its policy, with the place where they stand."""
        return [f"tenants.{self.name}.{p}" if p.startswith(("accounts", "policy")) else p for p in problems]


def read_tenants(tables: Mapping[str, Any], problems: list[str]) -> list[TenantTable]:
    """The tenants; adds to `problems`. `tables` is the whole configuration file."""
    found: Any = tables.get("tenants", {})
    if not isinstance(found, Mapping):
        problems.append("tenants must be tables: [tenants.NAME]")
        return []
    tenants = [_tenant(n, table, problems) for n, table in cast("Mapping[str, Any]", found).items()]
    if not tenants:
        return []
    problems += [
        f"[{table}] belongs to nobody: with tenants it is [tenants.NAME.{table}]"
        for table in ("accounts", "policy")
        if table in tables
    ]
    owners: dict[str, str] = {}
    problems += [
        f"tenants {first} and {tenant.name} have the same claim {claim!r}; a caller is of one tenant"
        for tenant in tenants
        for claim in tenant.claims
        if (first := owners.setdefault(claim, tenant.name)) != tenant.name
    ]
    return tenants


def _tenant(name: str, table: Any, problems: list[str]) -> TenantTable:
    where = f"tenants.{name}"
    if not re.fullmatch(_NAME, name):
        problems.append(f"{where}: a name holds small letters, digits, - and _, at most 32")
    if not isinstance(table, Mapping):
        problems.append(f"{where} must be a table: [{where}]")
        table = {}
    values = cast("Mapping[str, Any]", table)
    problems += [f"{where}.{k} is not known{did_you_mean(k, KEYS)}" for k in values if k not in KEYS]
    accounts: Any = values.get("accounts", {})
    if not isinstance(accounts, Mapping):
        problems.append(f"{where}.accounts must be tables: [{where}.accounts.NAME]")
        accounts = {}
    orders: Any = values.get("orders", "")
    if "orders" in values and orders not in ("off", "ask", "allow"):
        problems.append(f"{where}.orders must be one of: off, ask, allow")
        orders = ""
    return TenantTable(
        name=name,
        claims=_texts(values.get("claim", name), f"{where}.claim", problems),
        orders=orders,
        providers=",".join(_texts(values.get("providers", []), f"{where}.providers", problems, least=0)),
        accounts=cast("Mapping[str, Any]", accounts),
        policy=values.get("policy", {}),
    )


def _texts(value: Any, where: str, problems: list[str], least: int = 1) -> tuple[str, ...]:
    """A text, or a list of them. An empty claim would be met by tokens that say nothing."""
    found = cast("list[object]", value) if isinstance(value, list) else [value]
    texts = tuple(text for text in found if isinstance(text, str) and 0 < len(text.strip()) <= _LONGEST_CLAIM)
    if len(texts) != len(found) or len(texts) < least:
        problems.append(f"{where} must be a text or a list of texts")
    return texts
