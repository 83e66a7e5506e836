"""The real client against Dipli's sandbox: the documented behaviour, in process."""

from __future__ import annotations

from typing import Any

from dropship_tools.dipli.client import DipliClient, auth_headers, connect
from dropship_tools.dipli.models import CreateOrder
from dropship_tools.dipli.tools import place, plan
from dropship_tools.http import ProviderHttp, Timing
from dropship_tools.provider import Account
from dropship_tools.sandbox.service import in_process_app
from dropship_tools.sandbox.transport import SandboxTransport
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.secret import Secret
from dropship_tools.tool import Placement
from unit.dipli.dipli_fakes import permission

KEY = "sandbox-key"

BUYER: dict[str, str] = {
    "buyer": "Zenobia Quastel",
    "street": "17 Xylophone Lane",
    "additional_street": "Staircase Umbra",
    "postcode": "75019",
    "city": "Belleville",
    "buyer_phone": "0612340987",
    "buyer_email": "zenobia@quastel.example",
}
"""Every value appears nowhere else."""


def order(reference: str, **changes: Any) -> CreateOrder:
    """An order the sandbox takes."""
    return CreateOrder.model_validate(
        {"alternative_id": reference, "product_id": 11700103, **BUYER, "country": "FR", **changes}
    )


def client_in(world: SandboxWorld) -> DipliClient:
    """A client of the sandbox in this world."""
    account = Account("dipli", "test", "https://dipli.sandbox.invalid", {"api_key": Secret(KEY)})
    http = ProviderHttp(
        "Dipli",
        account.base_url,
        auth_headers(account),
        timing=Timing(pause=0),
        transport=lambda: SandboxTransport(in_process_app(world, "dipli")),
    )
    return connect(account, http)


async def ordered(client: DipliClient, args: CreateOrder) -> Placement:
    """Place an order; whatever goes wrong is raised."""
    return await place(client, plan(client, args), permission())
