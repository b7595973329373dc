"""Returns and later payments that are not settled yet: what was reserved, what was undone, what was made elsewhere.

Housekeeping asks it which ones to look at; what becomes of them is decided by their own streams. Events of one return
lie on two shards and may be read in any order, so each only fills its part of the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any, ClassVar, LiteralString
from uuid import UUID

from domain.documents.receipt import Receipt, ReceiptKind
from domain.ledger import OpenReturn, RegisteredSale
from domain.register import events
from domain.return_outcome import UNDONE, Return
from domain.returns import SoldReceipt
from infra.event_store.converter import converter
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.tables import Table
from projections.view import View

_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AdoptedReturn:
    """A return made elsewhere that its sale does not know of, and the sale it names; or a payment and its prepayment."""

    register_id: UUID
    returned: Receipt
    sale: RegisteredSale


class OpenReturnsView(View):
    """Reads what is to be settled."""

    PROJECTION: ClassVar[str] = "returns"

    def open(self, *, limit: int = 200, after: OpenReturn | None = None) -> list[OpenReturn]:
        """Return reservations without an outcome, and those undone since, oldest first, behind `after`."""
        place = (_BEFORE_ALL, UUID(int=0))
        if after is not None:
            place = (after.reserved_at, after.return_id)
        with self._rows() as rows:
            return [OpenReturn(**row) for row in rows.execute(_OPEN, [*place, limit])]

    def adopted(self, *, limit: int = 200) -> list[AdoptedReturn]:
        """Return what was made elsewhere and whose sale or prepayment is in the journal and does not know of it yet."""
        with self._rows() as rows:
            return [
                AdoptedReturn(
                    register_id=row["register_id"],
                    returned=converter.structure(row["returned"], Receipt),
                    sale=RegisteredSale(
                        register_id=row["sold_register_id"],
                        receipt=converter.structure(row["sold"], Receipt),
                        fiscal_number=row["fiscal_number"],
                        document_at=row["document_at"],
                        testing=row["testing"],
                    ),
                )
                for row in rows.execute(_ADOPTED, [limit])
            ]


_OPEN: LiteralString = """
SELECT return_id, register_id, sold_register_id, sold_receipt_id, reserved_at
  FROM projections.returns
 WHERE (NOT confirmed OR stornoed) AND NOT released AND reserved_at IS NOT NULL
   AND (reserved_at, return_id) > (%s, %s)
 ORDER BY reserved_at, return_id LIMIT %s
"""

_ADOPTED: LiteralString = """
SELECT t.register_id, back.receipt AS returned, r.register_id AS sold_register_id, sold.receipt AS sold,
       r.fiscal_number, r.document_at, r.testing
  FROM projections.returns t
  JOIN projections.receipts_contents back ON back.receipt_id = t.return_id
  JOIN projections.receipts r ON r.fiscal_number = t.original_fiscal_number
  JOIN projections.receipts_standings s ON s.register_id = r.register_id
  JOIN projections.receipts_contents sold ON sold.receipt_id = r.receipt_id
 WHERE t.original_fiscal_number IS NOT NULL AND t.reserved_at IS NULL
   AND r.kind = 'sale' AND r.state = 'registered' AND r.document_at IS NOT NULL
   AND CASE WHEN t.pays THEN r.part = 'prepayment'
            WHEN t.original_register IS NULL THEN r.register_id = t.register_id
            ELSE s.fiscal_number = t.original_register END
 ORDER BY t.return_id LIMIT %s
"""


# --- what is written ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """One return or later payment. `original_*`: what one made elsewhere names, the register only where another sold.

    `stornoed`: it was undone after its registration, by a storno or, a payment (`pays`), by a return. A payment's
    document names no register, for fiscal numbers are the tax service's and unlike for all registers.
    """

    return_id: UUID
    register_id: UUID | None = None
    sold_register_id: UUID | None = None
    sold_receipt_id: UUID | None = None
    reserved_at: datetime | None = None
    confirmed: bool = False
    released: bool = False
    stornoed: bool = False
    original_fiscal_number: str | None = None
    original_register: str | None = None
    pays: bool = False


_RETURNS = Table("returns", ReturnRow, key=("return_id",))


class ReturnsProjection(Projection):
    """Keeps one row a return or later payment."""

    NAME: ClassVar[str] = "returns"
    TOPICS: ClassVar[frozenset[str]] = frozenset(
        {
            SoldReceipt.Reserved.TOPIC,
            SoldReceipt.Confirmed.TOPIC,
            SoldReceipt.Released.TOPIC,
            Return.OutcomeRecorded.TOPIC,
            events.DocumentAdopted.TOPIC,
        }
    )
    TABLES: ClassVar[dict[str, str]] = {"returns": ""}

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Bring the returns that a page of events is about up to date."""
        told = [(stored.stream_id, stored.event) for stored in page]
        ids = {return_id for _, event in told if (return_id := _return_of(event)) is not None}
        rows = _RETURNS.load(connection, self.schema, ids)
        for stream_id, event in told:
            return_id = _return_of(event)
            if return_id is not None:
                before = rows.get(return_id) or ReturnRow(return_id)
                rows.put(_after(event, before, stream_id))
        _RETURNS.save(connection, self.schema, rows)


def _return_of(event: Any) -> UUID | None:
    """Return the return an event is about; None when it changes no row."""
    if isinstance(event, SoldReceipt.Reserved | SoldReceipt.Confirmed | SoldReceipt.Released):
        return event.return_id
    if isinstance(event, Return.OutcomeRecorded):
        return event.receipt_id if event.state in UNDONE else None
    receipt: Receipt | None = event.receipt
    if receipt is None or event.subject_id is not None:
        return None
    follows = receipt.kind is ReceiptKind.RETURN or receipt.pays_on
    return receipt.receipt_id if follows else None


@singledispatch
def _after(event: object, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    """Return the row with what an event tells."""
    raise TypeError(f"{type(event).__name__} tells nothing of returns")


@_after.register
def _(event: SoldReceipt.Reserved, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    return replace(
        row,
        register_id=event.register_id,
        sold_register_id=event.sold_register_id,
        sold_receipt_id=event.sold_receipt_id,
        reserved_at=event.at,
    )


@_after.register
def _(event: SoldReceipt.Confirmed, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    return replace(row, confirmed=True)


@_after.register
def _(event: SoldReceipt.Released, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    return replace(row, released=True)


@_after.register
def _(event: Return.OutcomeRecorded, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    return replace(row, stornoed=True)


@_after.register
def _(event: events.DocumentAdopted, row: ReturnRow, stream_id: UUID) -> ReturnRow:
    receipt = event.receipt
    assert receipt is not None
    if receipt.pays_on:
        assert receipt.part is not None
        number = receipt.part.prepayment_fiscal_number
        return replace(row, register_id=stream_id, original_fiscal_number=number, pays=True)
    original = receipt.original
    return replace(
        row,
        register_id=stream_id,
        original_fiscal_number=None if original is None else original.fiscal_number,
        original_register=None if original is None else original.register_fiscal_number,
    )
