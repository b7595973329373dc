"""Turnover: what registered receipts come to by tax letter, by product and by cashier, of each shift and day.

The journal keeps these sums, because it alone has what receipts say. A storno takes its original out of the sums, in
the shift and on the day of the storno; days are those of Kyiv, as printed on the documents. Goods given back stand
beside the goods sold, under the kind of their receipt. Of goods paid in parts each part counts its money; quantity, cost
and discounts count once, with the final settlement, by which they change hands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.clock import kyiv
from domain.documents.receipt import PartPaymentKind, Receipt, ReceiptKind
from domain.register import events
from infra.postgres import Connection
from projections.standing import Standing, shift_of, testing_of
from projections.tables import Table

NO_SHIFT = UUID(int=0)
"""Stands in keys for the shift of adopted receipts whose shift nobody here knows."""

_COUNTED = frozenset({ReceiptKind.SALE, ReceiptKind.RETURN})

_LONGEST_NAME = 256
"""Names are cut to this in keys: documents of other programs may have names longer than an index takes."""


@dataclass(frozen=True, slots=True)
class TurnoverRow:
    """Where the receipts of a sum were registered, and of which kind they are."""

    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    shift_id: UUID
    day: date
    testing: bool
    kind: str


@dataclass(frozen=True, slots=True)
class TaxTurnoverRow(TurnoverRow):
    """Sums of one tax letter."""

    tax_kind: int
    tax_name: str
    letter: str
    rate_basis_points: int
    receipts: int
    turnover_kopecks: int
    discounted_turnover_kopecks: int
    base_kopecks: int
    tax_kopecks: int


@dataclass(frozen=True, slots=True)
class ProductTurnoverRow(TurnoverRow):
    """Sums of one product: what has the same code, name and unit. Empty texts stand for what a line does not tell."""

    code: str
    name: str
    unit_name: str
    lines: int
    quantity_thousandths: int
    cost_kopecks: int
    taken_off_kopecks: int
    total_kopecks: int


@dataclass(frozen=True, slots=True)
class CashierTurnoverRow(TurnoverRow):
    """Sums of one cashier's receipts."""

    cashier_name: str
    receipts: int
    total_kopecks: int
    unrounded_kopecks: int
    rounding_kopecks: int
    taken_off_kopecks: int


_PLACE = ("register_id", "shift_id", "day", "testing", "kind")

TAXES = Table(
    "turnover_taxes",
    TaxTurnoverRow,
    key=(*_PLACE, "tax_kind", "tax_name", "letter", "rate_basis_points"),
    added=(
        "receipts",
        "turnover_kopecks",
        "discounted_turnover_kopecks",
        "base_kopecks",
        "tax_kopecks",
    ),
)
PRODUCTS = Table(
    "turnover_products",
    ProductTurnoverRow,
    key=(*_PLACE, "code", "name", "unit_name"),
    added=(
        "lines",
        "quantity_thousandths",
        "cost_kopecks",
        "taken_off_kopecks",
        "total_kopecks",
    ),
)
CASHIERS = Table(
    "turnover_cashiers",
    CashierTurnoverRow,
    key=(*_PLACE, "cashier_name"),
    added=(
        "receipts",
        "total_kopecks",
        "unrounded_kopecks",
        "rounding_kopecks",
        "taken_off_kopecks",
    ),
)

TURNOVER_TABLES = {
    TAXES.name: "receipts <> 0",
    PRODUCTS.name: "lines <> 0",
    CASHIERS.name: "receipts <> 0",
}
"""The tables, each with what tells the rows that still say something: what stornos emptied is as if it never was."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A receipt became known as registered: where it counts. `receipt_id` is the one the event is about."""

    receipt_id: UUID
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    shift_id: UUID
    day: date
    testing: bool

    @staticmethod
    def by(event: Any, receipt_id: UUID, standing: Standing) -> Registration | None:
        """Return the registration an event tells of; None when it tells of none."""
        if not isinstance(event, events.DocumentRegistered | events.DocumentAdopted):
            return None
        return Registration(
            receipt_id=receipt_id,
            register_id=standing.register_id,
            company_id=standing.company_id,
            business_unit_id=standing.business_unit_id,
            shift_id=shift_of(standing, event, None) or NO_SHIFT,
            day=kyiv(event.at).date(),
            testing=testing_of(standing, event, before=standing.testing),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """A receipt that counts by a registration; `sign` is -1 where a storno takes it out again."""

    registration: Registration
    receipt: Receipt
    sign: int


def needed(
    registrations: Iterable[Registration], said: dict[UUID, Receipt], originals: dict[UUID, UUID]
) -> set[UUID]:
    """Return the receipts whose content a page does not tell but its sums need.

    `said` are the contents of the page, `originals` the receipts that stornos take back.
    """
    ids = {each.receipt_id for each in registrations}
    ids |= {originals[receipt_id] for receipt_id in ids if receipt_id in originals}
    return ids - said.keys()


def counted(
    registrations: Iterable[Registration], said: dict[UUID, Receipt], originals: dict[UUID, UUID]
) -> Iterator[Counted]:
    """Return what counts: sales and returns, and those that stornos take back.

    A storno made elsewhere may name a receipt that nobody here knows; then nothing counts.
    """
    for each in registrations:
        receipt = said[each.receipt_id]
        sign = 1
        if receipt.kind is ReceiptKind.STORNO:
            original = originals.get(each.receipt_id)
            if original is None or original not in said:
                continue
            receipt, sign = said[original], -1
        if receipt.kind in _COUNTED:
            yield Counted(each, receipt, sign)


def add_turnover(connection: Connection, schema: str, receipts: Iterable[Counted]) -> None:
    """Add to the stored sums what receipts come to."""
    sums = _Sums()
    for each in receipts:
        sums.add(each)
    TAXES.upsert(connection, schema, [TaxTurnoverRow(*key, *row) for key, row in sums.taxes()])
    PRODUCTS.upsert(
        connection, schema, [ProductTurnoverRow(*key, *row) for key, row in sums.products()]
    )
    CASHIERS.upsert(
        connection, schema, [CashierTurnoverRow(*key, *row) for key, row in sums.cashiers()]
    )


Key = tuple[Any, ...]
Sums = dict[Key, list[int]]


class _Sums:
    """The sums of one page."""

    def __init__(self) -> None:
        self._taxes: Sums = defaultdict(lambda: [0] * 5)
        self._products: Sums = defaultdict(lambda: [0] * 5)
        self._cashiers: Sums = defaultdict(lambda: [0] * 5)

    def add(self, each: Counted) -> None:
        """Count a receipt."""
        at, receipt, sign = each.registration, each.receipt, each.sign
        place = (
            at.register_id,
            at.company_id,
            at.business_unit_id,
            at.shift_id,
            at.day,
            at.testing,
            receipt.kind.value,
        )
        for tax in receipt.taxes:
            _add(
                self._taxes[*place, tax.kind, tax.name, tax.letter, tax.rate.basis_points],
                sign,
                1,
                tax.turnover.kopecks,
                tax.discounted_turnover.kopecks,
                tax.base.kopecks,
                tax.tax.kopecks,
            )
        handed_over = receipt.part is None or receipt.part.kind is PartPaymentKind.FINAL
        taken_off = 0
        for line in receipt.lines:
            goods = (line.quantity.thousandths, line.cost.kopecks, line.taken_off.kopecks)
            quantity, cost, off = goods if handed_over else (0, 0, 0)
            taken_off += off
            _add(
                self._products[*place, *_named(line.code, line.name, line.unit_name)],
                sign,
                1,
                quantity,
                cost,
                off,
                line.due.kopecks,
            )
        _add(
            self._cashiers[*place, *_named(receipt.cashier_name)],
            sign,
            1,
            receipt.total.kopecks,
            receipt.unrounded.kopecks,
            receipt.rounding.kopecks,
            taken_off,
        )

    def taxes(self) -> list[tuple[Key, list[int]]]:
        """Return the sums by letter, in the order of keys."""
        return _in_order(self._taxes)

    def products(self) -> list[tuple[Key, list[int]]]:
        """Return the sums by product, in the order of keys."""
        return _in_order(self._products)

    def cashiers(self) -> list[tuple[Key, list[int]]]:
        """Return the sums by cashier, in the order of keys."""
        return _in_order(self._cashiers)


def _named(*names: str | None) -> tuple[str, ...]:
    return tuple((name or "")[:_LONGEST_NAME] for name in names)


def _add(sums: list[int], sign: int, *amounts: int) -> None:
    for number, amount in enumerate(amounts):
        sums[number] += sign * amount


def _in_order(sums: Sums) -> list[tuple[Key, list[int]]]:
    return sorted(item for item in sums.items() if any(item[1]))
