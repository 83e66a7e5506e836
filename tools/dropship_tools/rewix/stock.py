"""What the tools that place no order do: list carriers, show and change the reservation, search the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from dropship_tools.errors import FieldProblem, InvalidArguments, ProviderUnavailable
from dropship_tools.rewix import stock_models as models
from dropship_tools.rewix.catalogue_data import Product, Variant
from dropship_tools.rewix.client import Reserved, RewixClient
from dropship_tools.rewix.reservation import pieces_in_words, turn
from dropship_tools.text import clean
from dropship_tools.tool import Records

MOST_CARRIERS = 50
MOST_RESERVED = 50
MOST_FOUND = 20
LONGEST_NAME = 80

HELD = (
    "Held for the whole account until unlocked; it never lapses. rewix_create_order reserves for itself: unlock these "
    "pieces just before ordering them."
)


async def list_carriers(client: RewixClient, args: models.ListCarriers, records: Records) -> models.Carriers:
    """The account's carriers."""
    carriers = await client.carriers()
    shown = [
        models.Carrier(carrierId=carrier.id, name=clean(carrier.name or "", LONGEST_NAME), listed_cost=carrier.cost)
        for carrier in carriers[:MOST_CARRIERS]
    ]
    costs = ["listed_cost: the listed cost, meaning not documented (currency, VAT and what it covers); never a quote."]
    return models.Carriers(
        carriers=shown,
        has_more=len(carriers) > len(shown),
        warnings=costs if any(carrier.listed_cost for carrier in shown) else [],
        next_step="carrierId is a wish: another carrier is used where it has no rate; carrier_name shows it later.",
    )


async def get_reserved(client: RewixClient, args: models.GetReserved, records: Records) -> models.Reserved:
    """What the account holds, over all its carts, agents and plugins."""
    rows = [row for row in await client.reservation() if row.locked]
    rows.sort(key=lambda row: row.stock_id)
    shown = [
        models.ReservedPieces(stock_id=row.stock_id, locked=row.locked, available=row.available)
        for row in rows[:MOST_RESERVED]
    ]
    return models.Reserved(
        reserved=shown,
        has_more=len(rows) > len(shown),
        next_step="Pieces may belong to other processes of the account; free only what is known to be yours."
        if shown
        else "",
    )


async def reserve_stock(client: RewixClient, args: models.ReserveStock, records: Records) -> models.Moved:
    """Lock or unlock, once.

    Raises:
        InvalidArguments: more would be unlocked than is locked; nothing was sent.
        ProviderRefused, ProviderAuth, RateLimited: nothing was changed by Rewix's word.
        ProviderUnavailable: the text says whether anything may have changed.
    """
    wanted = args.quantities()
    async with turn(client):
        before = await client.reserved()
        if args.type == "unlock":
            _check_held(wanted, before)
        try:
            after = await client.reserve(args.type, wanted)
        except ProviderUnavailable as lost:
            held = {stock_id: before.get(stock_id, 0) for stock_id in wanted}
            raise ProviderUnavailable(
                f"{lost.what}. Locked before this call: {pieces_in_words(held)}",
                fix="Call rewix_get_reserved first and compare; a blind repeat may change the reservation twice.",
                provider_said=lost.provider_said,
            ) from lost
    return _moved(args.type == "lock", wanted, before, after)


def _check_held(wanted: Mapping[int, int], before: Reserved) -> None:
    problems = [
        FieldProblem(f"models: stock_id {stock_id}", f"asked {pieces}, locked {before.get(stock_id, 0)}")
        for stock_id, pieces in wanted.items()
        if pieces > before.get(stock_id, 0)
    ]
    if problems:
        raise InvalidArguments(
            "more would be unlocked than the account has locked, so nothing was sent",
            fix="Call rewix_get_reserved and unlock at most what it shows.",
            fields=problems,
        )


def _moved(locking: bool, wanted: Mapping[int, int], before: Reserved, after: Reserved) -> models.Moved:
    rows: list[models.MovedPieces] = []
    for stock_id, asked in wanted.items():
        now = after.get(stock_id, 0)
        growth = now - before.get(stock_id, 0)
        granted = max(0, min(asked, growth if locking else -growth))
        rows.append(models.MovedPieces(stock_id=stock_id, asked=asked, granted=granted, locked=now))
    warnings: list[str] = []
    if any(row.granted < row.asked for row in rows):
        warnings.append(
            "Less was granted than asked: there is no more. What was granted stays locked."
            if locking
            else "Less was freed than asked, or another process locked some meanwhile."
        )
    return models.Moved(
        models=rows, warnings=warnings, next_step=HELD if locking and any(r.granted for r in rows) else ""
    )


async def find_stock(client: RewixClient, args: models.FindStock, records: Records) -> models.FoundStock:
    """From a name, code or barcode to the `stock_id` an order needs."""
    index = await client.catalogue.current()
    minutes = max(0, int(client.catalogue.age(index.copy) // 60))
    rows = list(islice(index.find(args.search, args.options), MOST_FOUND + 1))
    warnings: list[str] = []
    if not client.catalogue.is_fresh(index.copy):
        warnings.append(f"The catalogue could not be refreshed; this copy is {minutes} minutes old.")
    if index.copy.missing:
        warnings.append(f"The shop's catalogue came without {index.copy.missing} of its products.")
    return models.FoundStock(
        variants=[_found(product, variant) for product, variant in rows[:MOST_FOUND]],
        has_more=len(rows) > MOST_FOUND,
        catalogue_age_minutes=minutes,
        warnings=warnings,
        next_step=_next(len(rows)),
    )


def _found(product: Product, variant: Variant) -> models.FoundVariant:
    return models.FoundVariant(
        stock_id=variant.stock_id,
        name=clean(product.name, LONGEST_NAME),
        code=variant.code,
        options=", ".join(variant.options),
        barcode=variant.barcode,
        price=variant.price,
        currency=(variant.currency or "not stated") if variant.price else "",
        indicative_availability=variant.availability,
    )


def _next(found: int) -> str:
    if not found:
        return "Nothing matches: try fewer words, a code or a barcode. Never guess a stock_id."
    if found > MOST_FOUND:
        return "More variants match: add words, or size and colour in options."
    if found > 1:
        return "Sizes may share one code: choose by options, and ask a person if in doubt."
    return "Order it by stock_id; the reservation at ordering decides about availability."
