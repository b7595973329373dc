"""The journal of receipts: one row a receipt, with what it says; found by numbers, sums, times, people and goods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Any, ClassVar
from uuid import UUID

from domain.documents.receipt import PartPaymentKind, Receipt, ReceiptKind, ReceiptState
from domain.money import Money
from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    RECEIPT_CHANGES,
    RECEIPT_STATES,
    Standing,
    adopted_document_id,
    load_standings,
    mentioned_receipts,
    receipt_of,
    shift_of,
    standings_table,
    testing_of,
    topics_of,
    unknown_receipt,
    whole,
)
from projections.tables import Rows, Table
from projections.turnover import (
    TURNOVER_TABLES,
    Registration,
    add_turnover,
    counted,
    needed,
)
from projections.words import vector


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """One receipt, as far as lists show it.

    `discount` is all that was taken off the receipt and its lines, negative where surcharges outweigh.

    `state` with `reason`: why it waits, is unknown or goes on after a failed attempt; for a refused receipt the tax
    service's code and text stand in `refusal_code` and `refusal_text`. `issued_at` is when the receipt was issued
    first, `corrected_at` when it was last made again; `document_at` is the time printed on it, `server_time` the tax
    service's. `local_number` is None while no document of the receipt is on its way or registered. `learned` tells
    how we know that it is registered: `ticket`, `inquiry` or `adoption`. `adopted`: it was issued elsewhere.
    `testing`: it is a test and no fiscal receipt. `original_*`: the receipt that a return gives goods back of or that a
    storno takes back, or the prepayment that a later payment pays on; only its number is known where a return was made
    elsewhere. `part` and `full`: which part of the price a part payment takes, and the price.
    """

    receipt_id: UUID
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    shift_id: UUID | None
    kind: ReceiptKind
    state: ReceiptState
    reason: str | None
    adopted: bool
    issued_at: datetime
    total: Money
    unrounded: Money
    rounding: Money
    discount: Money
    cashier_id: UUID | None
    cashier_name: str | None
    document_id: UUID | None = None
    local_number: int | None = None
    fiscal_number: str | None = None
    document_at: datetime | None = None
    server_time: datetime | None = None
    learned: str | None = None
    refusal_code: int | None = None
    refusal_text: str | None = None
    corrections: int = 0
    corrected_at: datetime | None = None
    voided_at: datetime | None = None
    void_reason: str | None = None
    testing: bool = False
    original_receipt_id: UUID | None = None
    original_fiscal_number: str | None = None
    part: PartPaymentKind | None = None
    full: Money | None = None


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What a receipt says, and the words to find it by."""

    receipt_id: UUID
    words: str
    receipt: Receipt


STANDINGS = standings_table("receipts_standings")
RECEIPTS = Table("receipts", StoredReceipt, key=("receipt_id",))
CONTENTS = Table("receipts_contents", StoredContent, key=("receipt_id",))


class ReceiptsProjection(Projection):
    """Keeps the journal."""

    NAME: ClassVar[str] = "receipts"
    TOPICS: ClassVar[frozenset[str]] = (
        topics_of(RECEIPT_CHANGES)
        | {event.TOPIC for event in RECEIPT_STATES}
        | {events.AttemptEnded.TOPIC}
    )
    TABLES: ClassVar[dict[str, str]] = {
        "receipts_standings": "",
        "receipts": "",
        "receipts_contents": "",
        **TURNOVER_TABLES,
    }

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Bring the receipts that a page of events is about up to date."""
        placed = whole(page)
        standings = load_standings(connection, self.schema, STANDINGS, page, RECEIPT_CHANGES)
        receipts = RECEIPTS.load(connection, self.schema, mentioned_receipts(standings, placed))
        contents: dict[UUID, StoredContent] = {}
        registrations: list[Registration] = []
        for standing, event in standings.follow(placed):
            receipt_id = receipt_of(standing, event)
            if receipt_id is None:
                continue
            receipts.put(_after(event, receipt_id, standing, receipts))
            said: Receipt | None = getattr(event, "receipt", None)
            if said is not None:
                contents[receipt_id] = StoredContent(receipt_id, vector(said), said)
            registration = Registration.by(event, receipt_id, standing)
            if registration is not None:
                registrations.append(registration)
        STANDINGS.save(connection, self.schema, standings.rows)
        RECEIPTS.save(connection, self.schema, receipts)
        CONTENTS.upsert(connection, self.schema, [contents[key] for key in sorted(contents)])
        self._add_turnover(connection, registrations, receipts, contents)

    def _add_turnover(
        self,
        connection: Connection,
        registrations: Sequence[Registration],
        receipts: Rows[StoredReceipt],
        contents: dict[UUID, StoredContent],
    ) -> None:
        """Count what a page registers; contents of earlier pages are read again."""
        said = {receipt_id: content.receipt for receipt_id, content in contents.items()}
        originals = {
            row.receipt_id: row.original_receipt_id
            for row in receipts
            if row.kind is ReceiptKind.STORNO and row.original_receipt_id is not None
        }
        earlier = needed(registrations, said, originals)
        for content in CONTENTS.load(connection, self.schema, earlier):
            said[content.receipt_id] = content.receipt
        add_turnover(connection, self.schema, counted(registrations, said, originals))


def _after(
    event: Any, receipt_id: UUID, standing: Standing, receipts: Rows[StoredReceipt]
) -> StoredReceipt:
    """Return a receipt after an event about it."""
    before = receipts.get(receipt_id)
    if before is None:
        if not isinstance(event, events.ReceiptIssued | events.DocumentAdopted):
            raise unknown_receipt(receipt_id, event)
        before = _new(event, receipt_id, standing)
    return replace(
        _changed(event, before),
        state=RECEIPT_STATES.get(type(event), before.state),
        shift_id=shift_of(standing, event, before.shift_id),
        testing=testing_of(standing, event, before=before.testing),
    )


def _new(
    event: events.ReceiptIssued | events.DocumentAdopted, receipt_id: UUID, standing: Standing
) -> StoredReceipt:
    receipt = event.receipt
    assert receipt is not None
    original_id, original_number = _original(receipt)
    part = receipt.part
    return StoredReceipt(
        receipt_id=receipt_id,
        register_id=standing.register_id,
        company_id=standing.company_id,
        business_unit_id=standing.business_unit_id,
        shift_id=None,
        kind=receipt.kind,
        state=ReceiptState.WAITING,
        reason=None,
        adopted=isinstance(event, events.DocumentAdopted),
        issued_at=receipt.issued_at,
        total=receipt.total,
        unrounded=receipt.unrounded,
        rounding=receipt.rounding,
        discount=receipt.taken_off,
        cashier_id=receipt.cashier_id,
        cashier_name=receipt.cashier_name,
        original_receipt_id=original_id,
        original_fiscal_number=original_number,
        part=None if part is None else part.kind,
        full=None if part is None else part.full,
    )


def _original(receipt: Receipt) -> tuple[UUID | None, str | None]:
    """Return id and number of the receipt that another one follows; of a return it is what it gives back of."""
    if receipt.original is not None:
        return receipt.original.receipt_id, receipt.original.fiscal_number
    if receipt.part is not None:
        return receipt.part.prepayment_receipt_id, receipt.part.prepayment_fiscal_number
    return None, None


@singledispatch
def _changed(event: object, row: StoredReceipt) -> StoredReceipt:
    """Return the row with what an event tells besides the state."""
    return row


@_changed.register
def _(event: events.ReceiptCorrected, row: StoredReceipt) -> StoredReceipt:
    return replace(
        row,
        total=event.receipt.total,
        unrounded=event.receipt.unrounded,
        rounding=event.receipt.rounding,
        discount=event.receipt.taken_off,
        corrections=row.corrections + 1,
        corrected_at=event.receipt.issued_at,
        reason=None,
        refusal_code=None,
        refusal_text=None,
    )


@_changed.register
def _(event: events.ReceiptVoided, row: StoredReceipt) -> StoredReceipt:
    return replace(row, voided_at=event.voided_at, void_reason=event.reason)


@_changed.register
def _(event: events.DocumentSigned, row: StoredReceipt) -> StoredReceipt:
    return replace(
        row,
        document_id=event.document_id,
        local_number=event.local_number,
        document_at=event.at,
        reason=None,
    )


@_changed.register
def _(event: events.AttemptEnded | events.OutcomeUnknown, row: StoredReceipt) -> StoredReceipt:
    return replace(row, reason=event.reason)


@_changed.register
def _(event: events.DocumentAbsent, row: StoredReceipt) -> StoredReceipt:
    return replace(row, reason=None)


@_changed.register
def _(event: events.DocumentWithdrawn, row: StoredReceipt) -> StoredReceipt:
    return replace(row, document_id=None, local_number=None, document_at=None, reason=event.reason)


@_changed.register
def _(event: events.DocumentRefused, row: StoredReceipt) -> StoredReceipt:
    # The number is free again: another document gets it.
    return replace(
        row,
        local_number=None,
        document_at=None,
        reason=None,
        refusal_code=event.server_code,
        refusal_text=event.text,
    )


@_changed.register
def _(event: events.DocumentRegistered, row: StoredReceipt) -> StoredReceipt:
    return replace(
        row,
        document_id=event.document_id,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        document_at=event.at,
        server_time=event.server_time,
        learned=event.learned,
        reason=None,
    )


@_changed.register
def _(event: events.DocumentAdopted, row: StoredReceipt) -> StoredReceipt:
    return replace(
        row,
        document_id=adopted_document_id(event),
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        document_at=event.at,
        learned="adoption",
        reason=None,
        refusal_code=None,
        refusal_text=None,
    )
