"""Stock, reservation and credit of the one account of the Rewix sandbox (sheet 4.1.1, 4.1.2, 4.5, 4.6).

Everything that can run short is kept in one document and changed inside one transaction of the store, so that several
processes on one file never sell a piece twice.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from dropship_tools.rewix.sandbox_catalogue import LISTED_AT, Catalogue
from dropship_tools.rewix.sandbox_orders import Line, Operation
from dropship_tools.sandbox.world import SandboxWorld

PROVIDER = "rewix"
ACCOUNT = "account"
TO_GIVE_BACK = "to_give_back"

CREDIT_CENTS = 5_000_00
PAYMENT_TIME = timedelta(hours=24)
GROWING_ORDER = 1000
FULL_DOWNLOADS = 4
DOWNLOAD_WINDOW = timedelta(minutes=15)
LISTED_EVERY = timedelta(minutes=15)

Reservation = dict[str, Any]


class UnknownStock(LookupError):
    """A stock id that is not in the catalogue."""

    def __init__(self, stock_id: int) -> None:
        super().__init__(f"stock_id {stock_id} not found")


@dataclass
class Account:
    """The account for the length of one transaction; `open_account` saves it.

    Attributes:
        reserved: pieces locked in the growing order, by stock id.
        sold: pieces that left the stock into orders, by stock id.
        spent_cents: used up of the credit.
        growing_since: when the growing order came into being, ISO 8601; empty before the first reservation.
        moved: when the availability of a model last changed, ISO 8601, by stock id.
        downloads: when the full catalogue was last downloaded, ISO 8601.
        listed_at: when the exported catalogue was last made, ISO 8601; empty before the first time.
        gone_when_listed: pieces reserved or sold at that time, by stock id.
    """

    catalogue: Catalogue
    now: datetime
    reserved: dict[int, int]
    sold: dict[int, int]
    spent_cents: int
    growing_since: str
    moved: dict[int, str]
    downloads: list[str]
    listed_at: str
    gone_when_listed: dict[int, int]
    changed: bool = field(default=False)

    def available(self, stock_id: int) -> int:
        """Pieces anybody could still take."""
        stock = self.catalogue.stock(stock_id)
        if stock is None:
            raise UnknownStock(stock_id)
        return stock - self._gone(stock_id)

    def _gone(self, stock_id: int) -> int:
        return self.sold.get(stock_id, 0) + self.reserved.get(stock_id, 0)

    def lock(self, stock_id: int, quantity: int) -> int:
        """Reserve up to `quantity` more pieces; answers how many it became. Nothing says so but `locked`."""
        granted = min(quantity, self.available(stock_id))
        self._reserve(stock_id, self.reserved.get(stock_id, 0) + granted)
        return granted

    def apply(self, operation: Operation) -> None:
        """Carry out a reserve operation: lock and unlock are relative, set is absolute (sheet 4.5)."""
        for line in operation.lines:
            held = self.reserved.get(line.stock_id, 0)
            reachable = held + self.available(line.stock_id)
            wanted = {"lock": held + line.quantity, "unlock": held - line.quantity, "set": line.quantity}
            self._reserve(line.stock_id, max(0, min(wanted[operation.type], reachable)))

    def hold(self, line: Line) -> None:
        """Have at least the line's quantity reserved, as far as the stock goes."""
        missing = line.quantity - self.reserved.get(line.stock_id, 0)
        if missing > 0:
            self.lock(line.stock_id, missing)

    def take(self, line: Line) -> int:
        """Move pieces into an order, reserved ones first; answers how many there were (sheet 4.1.1)."""
        self.hold(line)
        taken = min(line.quantity, self.reserved.get(line.stock_id, 0))
        self._reserve(line.stock_id, self.reserved.get(line.stock_id, 0) - taken)
        self.sold[line.stock_id] = self.sold.get(line.stock_id, 0) + taken
        self._moved(line.stock_id)
        return taken

    def give_back(self, stock_id: int, quantity: int) -> None:
        """Return the pieces of a cancelled order to the general stock."""
        self.sold[stock_id] = self.sold.get(stock_id, 0) - quantity
        self._moved(stock_id)

    def pay(self, cents: int) -> bool:
        """Pay from the credit; False, and nothing paid, when it does not suffice."""
        if self.spent_cents + cents > CREDIT_CENTS:
            return False
        self.spent_cents += cents
        self.changed = True
        return True

    def download(self) -> bool:
        """Count a full download of the catalogue; False when there were too many of late (sheet 3.3)."""
        recent = [at for at in self.downloads if self.now - datetime.fromisoformat(at) < DOWNLOAD_WINDOW]
        if len(recent) >= FULL_DOWNLOADS:
            return False
        self.downloads = [*recent, self.now.isoformat()]
        self.changed = True
        return True

    def listing(self) -> datetime:
        """When the exported catalogue was made; it is made anew after 15 minutes, and stale until then (sheet 4.8)."""
        if not self.listed_at or self.now - datetime.fromisoformat(self.listed_at) >= LISTED_EVERY:
            self.listed_at = self.now.isoformat()
            self.gone_when_listed = {stock_id: self._gone(stock_id) for stock_id in {*self.sold, *self.reserved}}
            self.changed = True
        return datetime.fromisoformat(self.listed_at)

    def listed(self, stock_id: int) -> int:
        """What the exported catalogue says is available."""
        return (self.catalogue.stock(stock_id) or 0) - self.gone_when_listed.get(stock_id, 0)

    def moved_at(self, stock_id: int) -> datetime:
        """When the availability of a model last changed."""
        moved = self.moved.get(stock_id)
        return LISTED_AT if moved is None else datetime.fromisoformat(moved)

    @property
    def growing_order_id(self) -> int:
        """The id of the virtual order that holds the reservation; 0 before there ever was one."""
        return GROWING_ORDER if self.growing_since else 0

    def reservation(self) -> Reservation:
        """What the account holds. `models` is missing when that is nothing: callers must check (sheet 4.1)."""
        models = [
            {"stock_id": stock_id, "locked": locked, "available": self.available(stock_id)}
            for stock_id, locked in sorted(self.reserved.items())
        ]
        answer: Reservation = {"models": models} if models else {}
        return {**answer, "order_id": self.growing_order_id}

    def _reserve(self, stock_id: int, quantity: int) -> None:
        before = self.reserved.pop(stock_id, 0)
        if quantity:
            self.reserved[stock_id] = quantity
        if quantity != before:
            self._moved(stock_id)
        if not self.growing_since:
            self.growing_since = self.now.isoformat()
            self.changed = True

    def _moved(self, stock_id: int) -> None:
        self.moved[stock_id] = self.now.isoformat()
        self.changed = True


@contextmanager
def open_account(world: SandboxWorld, catalogue: Catalogue) -> Generator[Account]:
    """The account, alone among all processes; changes are saved at the end unless an exception leaves the block."""
    store = world.store
    with store.transaction():
        documents = store.all(PROVIDER, ACCOUNT)
        document = documents[0] if documents else None
        body: dict[str, Any] = document.body if document else {}
        account = Account(
            catalogue=catalogue,
            now=world.now(),
            reserved=_by_stock_id(body.get("reserved")),
            sold=_by_stock_id(body.get("sold")),
            spent_cents=body.get("spent_cents", 0),
            growing_since=body.get("growing_since", ""),
            moved=_by_stock_id(body.get("moved")),
            downloads=body.get("downloads", []),
            listed_at=body.get("listed_at", ""),
            gone_when_listed=_by_stock_id(body.get("gone_when_listed")),
        )
        _give_back_cancelled(world, account)
        yield account
        if account.changed:
            kept = {
                "reserved": account.reserved,
                "sold": account.sold,
                "spent_cents": account.spent_cents,
                "growing_since": account.growing_since,
                "moved": account.moved,
                "downloads": account.downloads,
                "listed_at": account.listed_at,
                "gone_when_listed": account.gone_when_listed,
            }
            if document is None:
                store.add(PROVIDER, ACCOUNT, kept)
            else:
                store.put(PROVIDER, ACCOUNT, document.id, kept)


def _by_stock_id(data: Any) -> dict[int, Any]:
    """JSON has made texts of the ids."""
    return {int(stock_id): value for stock_id, value in cast(dict[str, Any], data or {}).items()}


def give_back_at(world: SandboxWorld, until: datetime, lines: list[Line]) -> None:
    """Remember what goes back to the stock when an order is cancelled."""
    body = {
        "until": until.isoformat(),
        "items": [{"stock_id": line.stock_id, "quantity": line.quantity} for line in lines],
    }
    world.store.add(PROVIDER, TO_GIVE_BACK, body)


def _give_back_cancelled(world: SandboxWorld, account: Account) -> None:
    # Whether the pieces return to the reservation or to everybody is not documented (sheet 11.13): to everybody.
    for document in world.store.all(PROVIDER, TO_GIVE_BACK):
        if datetime.fromisoformat(document.body["until"]) <= account.now:
            for item in document.body["items"]:
                account.give_back(item["stock_id"], item["quantity"])
            world.store.delete(PROVIDER, TO_GIVE_BACK, document.id)
