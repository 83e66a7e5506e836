"""One row of facts for each provider: what the suites that walk over all providers need to know.

The facts are said here once more and in plain values, so that a provider whose own description changes is noticed.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from dropship_tools import PROVIDERS, Provider
from dropship_tools.http import ProviderHttp
from dropship_tools.provider import Account
from dropship_tools.sandbox.world import SandboxWorld
from dropship_tools.tool import CreateTool

Json = dict[str, Any]

Silence = Literal["resend", "in time", "never"]
"""What not finding an order proves. resend: the provider turns repeats away, so the order may be sent again at once.
in time: that there is none, once `settled_after` has passed. never: nothing; a person decides."""


@dataclass(frozen=True)
class Row:
    """One provider.

    Attributes:
        provider: its description.
        create: the name of the tool that orders.
        get: the name of the tool that looks one order up.
        example: valid create arguments for the sandbox's catalogue, without the reference.
        reference: the argument that holds the caller's own order number.
        street: path of the argument that holds the buyer's street; changing it makes another order.
        order_id: the argument of `get` that takes the provider's own number.
        silence: what settling can conclude when the order is not found.
        settled_after: how long an order may still turn up.
        client: a client that does not pause between look-ups.
    """

    provider: Provider
    create: str
    get: str
    example: Json
    reference: str
    street: tuple[str, ...]
    order_id: str
    silence: Silence
    settled_after: timedelta
    client: Callable[[Account, ProviderHttp], Any]

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def street_name(self) -> str:
        """The street as conflicts name it."""
        return ".".join(self.street)

    def arguments(self, reference: str) -> Json:
        """Valid create arguments; those of two references are two buyers' orders."""
        return self.changed({self.reference: reference, **self.example}, f"{reference} Harbour Road 7")

    def changed(self, arguments: Json, street: str) -> Json:
        """The same reference for another parcel."""
        other = copy.deepcopy(arguments)
        part = other
        for name in self.street[:-1]:
            part = part[name]
        part[self.street[-1]] = street
        return other

    def create_tool(self) -> CreateTool[Any, Any]:
        """The tool that orders."""
        return next(tool for tool in self.provider.tools() if isinstance(tool, CreateTool))

    def orders(self, world: SandboxWorld, reference: str) -> int:
        """How many orders with this reference the sandbox has: 0 or 1, or a buyer gets two parcels."""
        return len(world.store.find(self.name, "order", reference))


async def _at_once(_: float) -> None:
    pass


# Providers' code is imported when it is used, so that a broken one fails its own rows only.


def _rewix(account: Account, http: ProviderHttp) -> Any:
    from dropship_tools.rewix.client import RewixClient
    from dropship_tools.rewix.formats import FORMATS

    return RewixClient(http, FORMATS["json"], sleep=_at_once, turn=account.turn)


def _duoplane(account: Account, http: ProviderHttp) -> Any:
    from dropship_tools.duoplane.budget import RequestBudget
    from dropship_tools.duoplane.client import DuoplaneClient

    minutes = itertools.count(step=60.0)  # the bucket is empty again at each request
    budget = RequestBudget(clock=lambda: next(minutes), sleep=_at_once)
    return DuoplaneClient(http, default_store_id=account.value("store_id"), budget=budget)


def _connected(provider: Provider) -> Callable[[Account, ProviderHttp], Any]:
    return lambda account, http: provider.connect(account, http)


_KNOWN = {provider.name: provider for provider in PROVIDERS}

ROWS: tuple[Row, ...] = (
    Row(
        provider=_KNOWN["dipli"],
        create="dipli_create_order",
        get="dipli_get_order",
        example={
            "product_id": 11700101,
            "buyer": "Jane Doe",
            "street": "",
            "postcode": "69002",
            "city": "Lyon",
            "country": "FR",
            "buyer_phone": "+33612345678",
            "buyer_email": "jane@example.org",
        },
        reference="alternative_id",
        street=("street",),
        order_id="public_id",
        silence="never",
        settled_after=timedelta(0),
        client=_connected(_KNOWN["dipli"]),
    ),
    Row(
        provider=_KNOWN["rewix"],
        create="rewix_create_order",
        get="rewix_get_order",
        example={
            "recipient_details": {
                "recipient": "Jane Doe",
                "address": {
                    "street_name": "",
                    "zip": "10121",
                    "city": "Torino",
                    "province": "TO",
                    "countrycode": "IT",
                },
                "phone": {"prefix": "+39", "number": "0111234567"},
            },
            "item_list": [{"stock_id": 148148, "quantity": 1}],
        },
        reference="key",
        street=("recipient_details", "address", "street_name"),
        order_id="rewix_order_id",
        silence="in time",
        settled_after=timedelta(minutes=15),
        client=_rewix,
    ),
    Row(
        provider=_KNOWN["dropday"],
        create="dropday_create_order",
        get="dropday_get_order",
        example={
            "source": "Lampshop",
            "total": 41.98,
            "shipping_cost": 4.98,
            "shipping_address": {
                "first_name": "Jane",
                "last_name": "Doe",
                "address1": "",
                "postcode": "1012 AB",
                "city": "Amsterdam",
                "country": "NL",
            },
            "products": [
                {
                    "external_id": "P-1",
                    "name": "Desk lamp Fjord, oak",
                    "quantity": 2,
                    "price": 18.5,
                    "ean13": "8712345000018",
                }
            ],
        },
        reference="external_id",
        street=("shipping_address", "address1"),
        order_id="reference",
        silence="resend",
        settled_after=timedelta(minutes=5),
        client=_connected(_KNOWN["dropday"]),
    ),
    Row(
        provider=_KNOWN["duoplane"],
        create="duoplane_create_order",
        get="duoplane_get_order",
        example={
            "shipping_address": {
                "first_name": "Jane",
                "last_name": "Doe",
                "address_1": "",
                "city": "Portland",
                "post_code": "04101",
                "province_code": "ME",
                "country_iso2": "US",
            },
            "order_items": [{"name": "Enamel Kettle", "quantity": 2, "price": 24.5, "retailer_sku": "HP-KETTLE"}],
        },
        reference="external_id",
        street=("shipping_address", "address_1"),
        order_id="order_id",
        silence="never",
        settled_after=timedelta(0),
        client=_duoplane,
    ),
)

NAMES = [row.name for row in ROWS]


def row_of(name: str) -> Row:
    """The row of one provider."""
    return next(row for row in ROWS if row.name == name)
