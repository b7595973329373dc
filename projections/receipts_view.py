"""Reading the journal of receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, LiteralString
from uuid import UUID

from psycopg import sql

from domain.documents.receipt import Receipt, ReceiptKind, ReceiptState
from domain.errors import InvalidField, NotFound
from domain.money import ZERO, Money
from domain.qr import qr_text
from infra.event_store.converter import converter
from infra.event_store.feed import Cursor
from projections.receipts import RECEIPTS, StoredReceipt
from projections.standing import STATE_SHOWN
from projections.tables import Table
from projections.view import RowPage, View, Where
from projections.words import Field, query


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow(StoredReceipt):
    """A receipt of the journal. While the register is parked, what waits there has the state `parked`."""

    register_fiscal_number: str

    def qr(self, *, with_seconds: bool = False) -> str | None:
        """Return the text of the QR code; None before the receipt has a fiscal number."""
        if self.fiscal_number is None or self.document_at is None:
            return None
        return qr_text(
            fiscal_number=self.fiscal_number,
            register_fiscal_number=self.register_fiscal_number,
            at=self.document_at,
            total=ZERO if self.kind is ReceiptKind.STORNO else self.full or self.total,
            with_seconds=with_seconds,
        )


@dataclass(frozen=True, slots=True)
class ReceiptDetails:
    """A receipt with all it says, as it was last made."""

    row: ReceiptRow
    receipt: Receipt
    cursor: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptQuery:
    """What to look for; whatever is None does not matter.

    `product` and `cashier` find words that begin with theirs; `product` looks into names, codes, barcodes, УКТЗЕД, ДКПП and
    excise stamps.
    `card_tail` is the last four digits of a card. `issued_from` is included, `issued_before` is not.
    """

    fiscal_number: str | None = None
    local_number: int | None = None
    total_from: Money | None = None
    total_to: Money | None = None
    issued_from: datetime | None = None
    issued_before: datetime | None = None
    cashier_id: UUID | None = None
    cashier: str | None = None
    product: str | None = None
    card_tail: str | None = None
    kind: ReceiptKind | None = None
    state: ReceiptState | None = None
    register_id: UUID | None = None
    business_unit_id: UUID | None = None
    company_id: UUID | None = None
    shift_id: UUID | None = None
    testing: bool | None = None


class ReceiptsView(View):
    """Reads the journal, newest receipts first."""

    PROJECTION: ClassVar[str] = "receipts"

    def get(self, receipt_id: UUID) -> ReceiptDetails:
        """Return one receipt with all it says. Raises: NotFound."""
        cursor = self.cursor()
        where = Where()
        where.equal("r.receipt_id", receipt_id)
        with self._rows() as rows:
            found = rows.execute(
                _query(where, more=", c.receipt", join=_CONTENTS), [*where.values, 1]
            ).fetchone()
        if found is None:
            raise NotFound(what="receipt", id=str(receipt_id))
        return ReceiptDetails(
            row=_SHOWN.row(found),
            receipt=converter.structure(found["receipt"], Receipt),
            cursor=cursor,
        )

    def chain(self, receipt_id: UUID) -> tuple[ReceiptRow, ...]:
        """Return what belongs together with a receipt, itself included, oldest first: the sale, its returns, stornos;
        the prepayment, what was paid on it, what came back of either.

        Empty for a receipt that is not known.
        """
        with self._rows() as rows:
            found = rows.execute(_CHAIN, {"receipt_id": receipt_id})
            return tuple(_SHOWN.row(row) for row in found)

    def search(
        self, wanted: ReceiptQuery, *, limit: int = 50, after: str | None = None
    ) -> RowPage[ReceiptRow]:
        """Return a page of what was looked for; `after` is the `next` of the page before. Raises: InvalidField."""
        return self._page(
            self._select,
            _conditions(wanted),
            order=("r.issued_at", "r.receipt_id"),
            limit=limit,
            after=after,
        )

    def _select(self, where: Where, limit: int) -> list[ReceiptRow]:
        with self._rows() as rows:
            found = rows.execute(_query(where), [*where.values, limit])
            return [_SHOWN.row(row) for row in found]


_SHOWN = Table("receipts", ReceiptRow, key=("receipt_id",))
_CONTENTS = "JOIN projections.receipts_contents c ON c.receipt_id = r.receipt_id"


_SAME = (
    "(c.original_receipt_id = r.receipt_id"
    " OR (c.original_receipt_id IS NULL AND c.original_fiscal_number = r.fiscal_number))"
)
"""The receipt `r` is the original of `c`, or its prepayment; of what was made elsewhere only the number is known."""

_CHAIN = sql.SQL(
    "WITH RECURSIVE up AS ("
    " SELECT c.receipt_id, c.original_receipt_id, c.original_fiscal_number"
    " FROM projections.receipts c WHERE c.receipt_id = %(receipt_id)s"
    " UNION SELECT r.receipt_id, r.original_receipt_id, r.original_fiscal_number"
    " FROM up c JOIN projections.receipts r ON {same}"
    "), down AS ("
    " SELECT r.receipt_id, r.fiscal_number FROM projections.receipts r JOIN up USING (receipt_id)"
    " UNION SELECT c.receipt_id, c.fiscal_number FROM down r JOIN projections.receipts c ON {same}"
    ") SELECT {columns}, {state} AS state,"
    " CASE WHEN {state} = 'parked' THEN s.parked ELSE r.reason END AS reason,"
    " s.fiscal_number AS register_fiscal_number"
    " FROM projections.receipts r JOIN down USING (receipt_id)"
    " JOIN projections.receipts_standings s ON s.register_id = r.register_id"
    " ORDER BY r.issued_at, r.receipt_id"
).format(same=sql.SQL(_SAME), columns=RECEIPTS.columns("r"), state=STATE_SHOWN)


def _query(where: Where, *, more: LiteralString = "", join: LiteralString = "") -> sql.Composed:
    """Return the query; of two columns of one name the later one counts: the state shown, not the stored one."""
    return sql.SQL(
        "SELECT {columns}, {state} AS state,"
        " CASE WHEN {state} = 'parked' THEN s.parked ELSE r.reason END AS reason,"
        " s.fiscal_number AS register_fiscal_number{more}"
        " FROM projections.receipts r"
        " JOIN projections.receipts_standings s ON s.register_id = r.register_id {join}{where}"
        " ORDER BY r.issued_at DESC, r.receipt_id DESC LIMIT %s"
    ).format(
        columns=RECEIPTS.columns("r"),
        state=STATE_SHOWN,
        more=sql.SQL(more),
        join=sql.SQL(join),
        where=where.clause,
    )


def _conditions(wanted: ReceiptQuery) -> Where:
    where = Where()
    for column in (
        "fiscal_number",
        "local_number",
        "cashier_id",
        "kind",
        "register_id",
        "business_unit_id",
        "company_id",
        "shift_id",
        "testing",
    ):
        where.equal(f"r.{column}", getattr(wanted, column))
    if wanted.total_from is not None:
        where.add("r.total_kopecks >= %s", wanted.total_from.kopecks)
    if wanted.total_to is not None:
        where.add("r.total_kopecks <= %s", wanted.total_to.kopecks)
    if wanted.issued_from is not None:
        where.add("r.issued_at >= %s", wanted.issued_from)
    if wanted.issued_before is not None:
        where.add("r.issued_at < %s", wanted.issued_before)
    _state(where, wanted.state)
    _words(where, wanted)
    return where


def _state(where: Where, state: ReceiptState | None) -> None:
    """Let the shown state be this one; written so that the index on the stored state serves."""
    if state is ReceiptState.PARKED:
        where.add("r.state IN ('waiting', 'submitted') AND s.parked IS NOT NULL")
    elif state in (ReceiptState.WAITING, ReceiptState.SUBMITTED):
        where.add("r.state = %s AND s.parked IS NULL", state)
    elif state is not None:
        where.add("r.state = %s", state)


def _words(where: Where, wanted: ReceiptQuery) -> None:
    parts = []
    for name, field, text in (
        ("product", Field.PRODUCT, wanted.product),
        ("cashier", Field.CASHIER, wanted.cashier),
        ("card_tail", Field.CARD_TAIL, wanted.card_tail),
    ):
        if text is None:
            continue
        part = query(field, text)
        if part is None:
            raise InvalidField(field=name, expected="letters or digits to look for")
        parts.append(part)
    if parts:
        where.add(
            "r.receipt_id IN (SELECT receipt_id FROM projections.receipts_contents"
            " WHERE words @@ %s::tsquery)",
            " & ".join(parts),
        )
