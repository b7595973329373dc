"""Money in the drawer and in every payment form, per register and shift, by the state of the receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from psycopg import sql

from domain.documents.receipt import Receipt, ReceiptKind, ReceiptState
from domain.documents.shift import PaymentFormTotal
from domain.drawer import DIRECTIONS, cash_moved
from domain.money import ZERO, Money
from domain.payments import CASH
from infra.event_store.feed import Cursor, FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    FINAL_STATES,
    RECEIPT_CHANGES,
    RECEIPT_STATES,
    STATE_SHOWN,
    Standing,
    SumsPart,
    for_sums,
    load_standings,
    mentioned_receipts,
    receipt_of,
    shift_of,
    standings_table,
    testing_of,
    topics_of,
    unknown_receipt,
)
from projections.tables import Rows, Table
from projections.view import View, Where

_NO_SHIFT = UUID(int=0)
"""Stands in keys for the shift of adopted receipts whose shift nobody here knows."""


# --- what is read ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PaymentBalance:
    """Money of one payment form in receipts of one kind and state; `payments` counts them.

    Money of returns was paid out. Money of stornos is below zero where sales or deposits were taken back.
    """

    kind: ReceiptKind
    state: ReceiptState
    form_code: int
    form_name: str
    payments: int
    amount: Money


@dataclass(frozen=True, slots=True)
class ReceiptBalance:
    """Receipts of one kind and state: how many, what they come to. `total` = `unrounded` − `rounding`."""

    kind: ReceiptKind
    state: ReceiptState
    receipts: int
    total: Money
    unrounded: Money
    rounding: Money


@dataclass(frozen=True, slots=True)
class Balances:
    """Balances of one register: of one shift, or of all its shifts together when `shift_id` is None.

    `testing`: they are sums of tests, which no other balances hold.
    """

    register_id: UUID
    shift_id: UUID | None
    testing: bool
    payments: tuple[PaymentBalance, ...]
    receipts: tuple[ReceiptBalance, ...]
    cursor: Cursor

    @property
    def cash_in_drawer(self) -> Money:
        """Cash that came in less cash that went out by receipts, whatever the tax service says of them.

        Voided receipts are left out. What a count of the drawer found more or less is not in it: the drawer's movements
        have that. Sums of stornos have their sign already.
        """
        return Money.total(
            _cash(row) for row in self.payments if row.state is not ReceiptState.VOIDED
        )


def _cash(row: PaymentBalance) -> Money:
    """Return by how much a balance changed the drawer; sums of stornos have their sign already."""
    if row.kind is ReceiptKind.STORNO:
        return row.amount if row.form_code == CASH[0] else ZERO
    return cash_moved(row.kind, (row,))


class BalancesView(View):
    """Reads balances. A register or shift without receipts has empty ones."""

    PROJECTION: ClassVar[str] = "balances"

    def of_shift(self, *, register_id: UUID, shift_id: UUID) -> Balances:
        """Return the balances of one shift, whether it holds tests or not."""
        where = Where()
        where.equal("register_id", register_id)
        where.equal("shift_id", shift_id)
        cursor, found = self._read(where, by_shift=True)
        for testing in (False, True):
            if (register_id, shift_id, testing) in found:
                payments, receipts = found[register_id, shift_id, testing]
                return Balances(register_id, shift_id, testing, payments, receipts, cursor)
        return Balances(register_id, shift_id, False, (), (), cursor)

    def of_register(self, register_id: UUID, *, testing: bool = False) -> Balances:
        """Return the balances of all shifts of a register together: of the fiscal ones, or of the tests."""
        where = Where()
        where.equal("register_id", register_id)
        where.equal("testing", testing)
        cursor, found = self._read(where, by_shift=False)
        payments, receipts = found.get((register_id, None, testing), ((), ()))
        return Balances(register_id, None, testing, payments, receipts, cursor)

    def of_open_shifts(
        self, *, business_unit_id: UUID | None = None, testing: bool = False
    ) -> tuple[Balances, ...]:
        """Return the balances of the open shifts that have receipts, of one business unit or of all.

        Test shifts are left out, or, where `testing` is asked for, are all there is.
        """
        where = Where()
        where.equal("business_unit_id", business_unit_id)
        where.equal("testing", testing)
        where.add("shift_id = open_shift_id")
        cursor, found = self._read(where, by_shift=True)
        return tuple(
            Balances(register_id, shift_id, testing, payments, receipts, cursor)
            for (register_id, shift_id, _), (payments, receipts) in found.items()
        )

    def _read(
        self, where: Where, *, by_shift: bool
    ) -> tuple[
        Cursor,
        dict[
            tuple[UUID, UUID | None, bool],
            tuple[tuple[PaymentBalance, ...], tuple[ReceiptBalance, ...]],
        ],
    ]:
        cursor = self.cursor()
        query = sql.SQL(_READ).format(
            shift=sql.SQL("shift_id" if by_shift else "NULL::uuid"),
            state=STATE_SHOWN,
            where=where.clause,
        )
        payments = defaultdict(list)
        receipts = defaultdict(list)
        with self._rows() as rows:
            for row in rows.execute(query, where.values):
                key = (row["register_id"], row["shift_id"], row["testing"])
                if row["form_code"] is None:
                    receipts[key].append(_receipt_balance(row))
                else:
                    payments[key].append(_payment_balance(row))
        # Whatever has a payment has a receipt.
        return cursor, {key: (tuple(payments[key]), tuple(receipts[key])) for key in receipts}


_READ = """
WITH balances AS (
    SELECT register_id, shift_id, testing, kind, state, form_code, form_name, payments AS number,
           amount_kopecks AS total, 0 AS unrounded, 0 AS rounding
      FROM projections.balances_payments
     UNION ALL
    SELECT register_id, shift_id, testing, kind, state, NULL, NULL, receipts,
           total_kopecks, unrounded_kopecks, rounding_kopecks
      FROM projections.balances_receipts
), shown AS (
    SELECT r.*, s.business_unit_id, s.shift_id AS open_shift_id, {state} AS state_shown
      FROM balances r JOIN projections.balances_standings s USING (register_id)
     WHERE r.number <> 0
)
SELECT register_id, {shift} AS shift_id, testing, kind, state_shown AS state, form_code, form_name,
       sum(number)::bigint AS number, sum(total)::bigint AS total,
       sum(unrounded)::bigint AS unrounded, sum(rounding)::bigint AS rounding
  FROM shown{where}
 GROUP BY 1, 2, 3, 4, 5, 6, 7
 ORDER BY 1, 2, 3, 4, 6, 7, 5
"""


def _payment_balance(row: dict[str, Any]) -> PaymentBalance:
    return PaymentBalance(
        kind=ReceiptKind(row["kind"]),
        state=ReceiptState(row["state"]),
        form_code=row["form_code"],
        form_name=row["form_name"],
        payments=row["number"],
        amount=Money(row["total"]),
    )


def _receipt_balance(row: dict[str, Any]) -> ReceiptBalance:
    return ReceiptBalance(
        kind=ReceiptKind(row["kind"]),
        state=ReceiptState(row["state"]),
        receipts=row["number"],
        total=Money(row["total"]),
        unrounded=Money(row["unrounded"]),
        rounding=Money(row["rounding"]),
    )


# --- what is written ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Open:
    """A receipt whose state may still change, with what it adds to the balances of its state."""

    receipt_id: UUID
    register_id: UUID
    shift_id: UUID | None
    testing: bool
    kind: ReceiptKind
    state: ReceiptState
    total: Money
    unrounded: Money
    rounding: Money
    payments: tuple[PaymentFormTotal, ...]


@dataclass(frozen=True, slots=True)
class _PaymentsRow:
    register_id: UUID
    shift_id: UUID
    testing: bool
    kind: str
    state: str
    form_code: int
    form_name: str
    payments: int
    amount_kopecks: int


@dataclass(frozen=True, slots=True)
class _ReceiptsRow:
    register_id: UUID
    shift_id: UUID
    testing: bool
    kind: str
    state: str
    receipts: int
    total_kopecks: int
    unrounded_kopecks: int
    rounding_kopecks: int


_STANDINGS = standings_table("balances_standings")
_OPEN = Table("balances_open", _Open, key=("receipt_id",))
_PAYMENTS = Table(
    "balances_payments",
    _PaymentsRow,
    key=("register_id", "shift_id", "testing", "kind", "state", "form_code", "form_name"),
    added=("payments", "amount_kopecks"),
)
_RECEIPTS = Table(
    "balances_receipts",
    _ReceiptsRow,
    key=("register_id", "shift_id", "testing", "kind", "state"),
    added=("receipts", "total_kopecks", "unrounded_kopecks", "rounding_kopecks"),
)


class BalancesProjection(Projection):
    """Keeps balances: each page becomes sums, added to the stored ones."""

    NAME: ClassVar[str] = "balances"
    TOPICS: ClassVar[frozenset[str]] = topics_of(RECEIPT_CHANGES) | {
        event.TOPIC for event in RECEIPT_STATES
    }
    TABLES: ClassVar[dict[str, str]] = {
        "balances_standings": "",
        "balances_open": "",
        "balances_payments": "payments <> 0",
        "balances_receipts": "receipts <> 0",
    }

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Add what a page of events changes."""
        placed = for_sums(page)
        standings = load_standings(connection, self.schema, _STANDINGS, page, RECEIPT_CHANGES)
        receipts = _OPEN.load(connection, self.schema, mentioned_receipts(standings, placed))
        for standing, event in standings.follow(placed):
            receipt_id = receipt_of(standing, event)
            if receipt_id is not None:
                before = receipts.get(receipt_id)
                receipts.put(_after(before, receipt_id, standing, event))
        payments, totals = _sums(receipts)
        for row in list(receipts):
            if row.state in FINAL_STATES:
                receipts.drop(row.receipt_id)
        _STANDINGS.save(connection, self.schema, standings.rows)
        _OPEN.save(connection, self.schema, receipts)
        _PAYMENTS.upsert(connection, self.schema, payments)
        _RECEIPTS.upsert(connection, self.schema, totals)


def _after(before: _Open | None, receipt_id: UUID, standing: Standing, event: Any) -> _Open:
    """Return a receipt after an event about it."""
    state = RECEIPT_STATES[type(event)]
    shift_id = shift_of(standing, event, None if before is None else before.shift_id)
    testing = testing_of(standing, event, before=before is not None and before.testing)
    receipt: Receipt | SumsPart | None = getattr(event, "receipt", None)
    if receipt is not None:
        sign = _sign(receipt)
        return _Open(
            receipt_id=receipt_id,
            register_id=standing.register_id,
            shift_id=shift_id,
            testing=testing,
            kind=receipt.kind,
            state=state,
            total=Money(sign * receipt.total.kopecks),
            unrounded=Money(sign * receipt.unrounded.kopecks),
            rounding=Money(sign * receipt.rounding.kopecks),
            payments=tuple(
                PaymentFormTotal(
                    payment.form_code, payment.form_name, Money(sign * payment.amount.kopecks)
                )
                for payment in receipt.payments
            ),
        )
    if before is None:
        raise unknown_receipt(receipt_id, event)
    if (before.state, before.shift_id, before.testing) == (state, shift_id, testing):
        return before
    return replace(before, state=state, shift_id=shift_id, testing=testing)


def _sign(receipt: Receipt | SumsPart) -> int:
    """Return -1 for a storno of what brought money in: its money goes out again."""
    original = receipt.original
    if receipt.kind is not ReceiptKind.STORNO or original is None or original.kind is None:
        return 1
    return -DIRECTIONS[original.kind]


def _sums(receipts: Rows[_Open]) -> tuple[list[_PaymentsRow], list[_ReceiptsRow]]:
    """Return what the page takes from and gives to each balance, in the order of keys."""
    payments: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    totals: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for before, after in receipts.moves():
        for row, sign in ((before, -1), (after, 1)):
            if row is None:
                continue
            key = (
                row.register_id,
                row.shift_id or _NO_SHIFT,
                row.testing,
                str(row.kind),
                str(row.state),
            )
            for paid in row.payments:
                sums = payments[*key, paid.form_code, paid.form_name]
                _add(sums, sign, 1, paid.amount.kopecks)
            _add(
                totals[key],
                sign,
                1,
                row.total.kopecks,
                row.unrounded.kopecks,
                row.rounding.kopecks,
            )
    return (
        [_PaymentsRow(*key, *sums) for key, sums in sorted(payments.items()) if any(sums)],
        [_ReceiptsRow(*key, *sums) for key, sums in sorted(totals.items()) if any(sums)],
    )


def _add(sums: list[int], sign: int, *amounts: int) -> None:
    for number, amount in enumerate(amounts):
        sums[number] += sign * amount
