"""Which account a call is for, where a provider has several: what somebody is told who has to choose.

Standard library only: the tool list that is kept ready says it as well.
"""

from __future__ import annotations

from collections.abc import Iterable

from dropship_tools.provider import Account


def told_apart(accounts: Iterable[Account]) -> str:
    """The accounts of one provider: their names, and their hosts where these differ."""
    hosts = {account.name: account.base_url.partition("://")[2] for account in accounts}
    if len(set(hosts.values())) == 1:
        return ", ".join(hosts)
    return ", ".join(f"{name} ({host})" for name, host in hosts.items())


def about_account(accounts: Iterable[Account]) -> str:
    """The argument `account` of a provider's tools, from the provider's accounts."""
    return f"which account: {told_apart(accounts)}"


def about_settling(accounts: Iterable[Account]) -> str:
    """The argument `account` of `dropship_settle_order`, from all accounts; empty where no provider has several."""
    of: dict[str, list[Account]] = {}
    for account in accounts:
        of.setdefault(account.provider, []).append(account)
    several = [f"{provider}: {told_apart(known)}" for provider, known in of.items() if len(known) > 1]
    return f"which account, where more than one used the number. {'; '.join(several)}" if several else ""
