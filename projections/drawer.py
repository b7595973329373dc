"""Movements of cash in drawers: one row for each event that changes what a drawer holds, with the balance after it.

The balance is the register's own figure, followed event by event: receipts in cash, corrections and voids of refused
ones, documents adopted from other devices, counts by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import orjson
from psycopg import sql

from domain.documents.receipt import CashPurpose, Receipt, ReceiptKind
from domain.documents.shift import PaymentFormTotal
from domain.drawer import cash_moved
from domain.money import ZERO, Money
from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.projection import Projection
from projections.standing import (
    SHIFT_CHANGES,
    PlacedEvent,
    Standing,
    adopted_document_id,
    adopted_shift_id,
    load_standings,
    standings_table,
    topics_of,
    unknown_receipt,
)
from projections.tables import Rows, Table


class MovementCause(StrEnum):
    """What changed the cash in a drawer."""

    ISSUED = "issued"
    CORRECTED = "corrected"
    VOIDED = "voided"
    ADOPTED = "adopted"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One change of the cash in a drawer: `amount` is signed, `balance` is what the drawer holds after it.

    `at` is when it was recorded. A count has neither kind nor receipt, its `amount` is the difference found. The
    document and its numbers are there once the receipt is registered. `testing`: it is a test, in books of its own.
    """

    movement_id: UUID
    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    shift_id: UUID | None
    at: datetime
    cause: MovementCause
    kind: ReceiptKind | None
    purpose: CashPurpose | None
    reason: str | None
    amount: Money
    balance: Money
    receipt_id: UUID | None
    cashier_name: str | None
    document_id: UUID | None = None
    local_number: int | None = None
    fiscal_number: str | None = None
    testing: bool = False


@dataclass(frozen=True, slots=True)
class _ReceiptPart:
    """What a movement needs of a receipt; lines and taxes, most of its bytes, are left alone."""

    receipt_id: UUID
    kind: ReceiptKind
    payments: tuple[PaymentFormTotal, ...]
    cashier_name: str | None = None
    comment: str | None = None
    purpose: CashPurpose | None = None


@dataclass(frozen=True, slots=True)
class _IssuedPart:
    """What a movement needs of an issued receipt."""

    TOPIC: ClassVar[str] = events.ReceiptIssued.TOPIC
    timestamp: datetime
    shift_id: UUID
    receipt: _ReceiptPart


@dataclass(frozen=True, slots=True)
class _Open:
    """A receipt that may still be corrected or voided, with the cash it moved."""

    receipt_id: UUID
    kind: ReceiptKind
    purpose: CashPurpose | None
    cashier_name: str | None
    moved: Money
    testing: bool


@dataclass(frozen=True, slots=True)
class _Balance:
    """What a drawer holds, and what the tests of its register pretend."""

    register_id: UUID
    balance: Money = ZERO
    tests: Money = ZERO


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What a registered receipt's movements get."""

    receipt_id: UUID
    document_id: UUID
    local_number: int
    fiscal_number: str


_STANDINGS = standings_table("drawer_standings")
_BALANCES = Table("drawer_balances", _Balance, key=("register_id",))
_OPEN = Table("drawer_open", _Open, key=("receipt_id",))
MOVEMENTS = Table("drawer_movements", MovementRow, key=("movement_id",))


class DrawerProjection(Projection):
    """Keeps movements and balances of drawers."""

    NAME: ClassVar[str] = "drawer"
    TOPICS: ClassVar[frozenset[str]] = topics_of(SHIFT_CHANGES) | {
        event.TOPIC
        for event in (
            events.ReceiptIssued,
            events.ReceiptCorrected,
            events.ReceiptVoided,
            events.DocumentRegistered,
            events.DrawerCounted,
        )
    }
    TABLES: ClassVar[dict[str, str]] = {
        "drawer_standings": "",
        "drawer_balances": "",
        "drawer_open": "",
        "drawer_movements": "",
    }

    def write(self, connection: Connection, page: Sequence[FeedEvent]) -> None:
        """Add the movements of a page of events."""
        standings = load_standings(connection, self.schema, _STANDINGS, page, SHIFT_CHANGES)
        placed = [
            PlacedEvent(
                stored.stream_id,
                stored.part(_IssuedPart) if stored.topic == _IssuedPart.TOPIC else stored.event,
            )
            for stored in page
        ]
        turn = _Turn(
            balances=_BALANCES.load(connection, self.schema, {it.stream_id for it in page}),
            receipts=_OPEN.load(connection, self.schema, _mentioned(placed)),
        )
        for (standing, event), stored in zip(standings.follow(placed), page, strict=True):
            turn.take(event, standing, version=stored.version)
        _STANDINGS.save(connection, self.schema, standings.rows)
        _BALANCES.save(connection, self.schema, turn.balances)
        _OPEN.save(connection, self.schema, turn.receipts)
        MOVEMENTS.upsert(connection, self.schema, turn.numbered())
        self._number(connection, turn.registered)

    def _number(self, connection: Connection, registered: dict[UUID, _Numbers]) -> None:
        """Give the movements of earlier pages the numbers of the documents that registered them."""
        if registered:
            connection.execute(
                sql.SQL(
                    "UPDATE {} m SET document_id = n.document_id, local_number = n.local_number,"
                    " fiscal_number = n.fiscal_number FROM json_to_recordset(%s) AS"
                    " n(receipt_id uuid, document_id uuid, local_number bigint, fiscal_number text)"
                    " WHERE m.receipt_id = n.receipt_id"
                ).format(sql.Identifier(self.schema, MOVEMENTS.name)),
                [orjson.dumps(list(registered.values())).decode()],
            )


class _Turn:
    """One page being written: the rows it touches and the movements it makes."""

    def __init__(self, *, balances: Rows[_Balance], receipts: Rows[_Open]) -> None:
        self.balances = balances
        self.receipts = receipts
        self.movements: list[MovementRow] = []
        self.registered: dict[UUID, _Numbers] = {}

    def take(self, event: Any, standing: Standing, *, version: int) -> None:
        """Follow one event of a register."""
        match event:
            case _IssuedPart():
                self._said(
                    event.receipt,
                    event.receipt.receipt_id,
                    MovementCause.ISSUED,
                    event,
                    standing,
                    shift_id=event.shift_id,
                    version=version,
                )
            case events.ReceiptCorrected():
                self._said(
                    event.receipt,
                    event.receipt.receipt_id,
                    MovementCause.CORRECTED,
                    event,
                    standing,
                    shift_id=standing.shift_id,
                    version=version,
                )
            case events.ReceiptVoided():
                self._voided(event, standing, version=version)
            case events.DocumentAdopted() if event.receipt is not None:
                receipt_id = event.subject_id or event.receipt.receipt_id
                self._said(
                    event.receipt,
                    receipt_id,
                    MovementCause.ADOPTED,
                    event,
                    standing,
                    shift_id=adopted_shift_id(standing, event),
                    version=version,
                )
                self._settled(
                    _Numbers(
                        receipt_id,
                        adopted_document_id(event),
                        event.local_number,
                        event.fiscal_number,
                    )
                )
            case events.DocumentRegistered():
                self._settled(
                    _Numbers(
                        event.subject_id,
                        event.document_id,
                        event.local_number,
                        event.fiscal_number,
                    )
                )
            case events.DrawerCounted():
                self._move(
                    event,
                    standing,
                    version=version,
                    shift_id=event.shift_id,
                    cause=MovementCause.COUNTED,
                    amount=event.difference,
                    testing=standing.testing,
                )

    def numbered(self) -> list[MovementRow]:
        """Return the page's movements, those of receipts registered in it with their numbers."""
        rows = []
        for row in self.movements:
            numbers = None if row.receipt_id is None else self.registered.get(row.receipt_id)
            rows.append(
                row
                if numbers is None
                else replace(
                    row,
                    document_id=numbers.document_id,
                    local_number=numbers.local_number,
                    fiscal_number=numbers.fiscal_number,
                )
            )
        return rows

    def _said(
        self,
        receipt: Receipt | _ReceiptPart,
        receipt_id: UUID,
        cause: MovementCause,
        event: Any,
        standing: Standing,
        *,
        shift_id: UUID | None,
        version: int,
    ) -> None:
        """Follow an event that tells what a receipt moves now; before, it may have moved something else."""
        before = self.receipts.get(receipt_id)
        moves = cash_moved(receipt.kind, receipt.payments)
        amount = moves if before is None else moves - before.moved
        testing = standing.testing if before is None else before.testing
        if before is None and isinstance(event, events.DocumentAdopted):
            testing = event.testing
        now = _Open(receipt_id, receipt.kind, receipt.purpose, receipt.cashier_name, moves, testing)
        self.receipts.put(now)
        if amount:
            self._move(
                event,
                standing,
                version=version,
                shift_id=shift_id,
                cause=cause,
                amount=amount,
                testing=testing,
                receipt=now,
                reason=receipt.comment,
            )

    def _voided(self, event: events.ReceiptVoided, standing: Standing, *, version: int) -> None:
        before = self.receipts.get(event.receipt_id)
        if before is None:
            raise unknown_receipt(event.receipt_id, event)
        self.receipts.drop(event.receipt_id)
        if before.moved:
            self._move(
                event,
                standing,
                version=version,
                shift_id=standing.shift_id,
                cause=MovementCause.VOIDED,
                amount=-before.moved,
                testing=before.testing,
                receipt=before,
                reason=event.reason,
            )

    def _settled(self, numbers: _Numbers) -> None:
        if self.receipts.get(numbers.receipt_id) is not None:
            self.receipts.drop(numbers.receipt_id)
            self.registered[numbers.receipt_id] = numbers

    def _move(
        self,
        event: Any,
        standing: Standing,
        *,
        version: int,
        shift_id: UUID | None,
        cause: MovementCause,
        amount: Money,
        testing: bool,
        receipt: _Open | None = None,
        reason: str | None = None,
    ) -> None:
        held = self.balances.get(standing.register_id) or _Balance(standing.register_id)
        balance = (held.tests if testing else held.balance) + amount
        self.balances.put(
            replace(held, tests=balance) if testing else replace(held, balance=balance)
        )
        self.movements.append(
            MovementRow(
                movement_id=movement_id(standing.register_id, version),
                register_id=standing.register_id,
                company_id=standing.company_id,
                business_unit_id=standing.business_unit_id,
                shift_id=shift_id,
                at=event.timestamp,
                cause=cause,
                kind=None if receipt is None else receipt.kind,
                purpose=None if receipt is None else receipt.purpose,
                reason=reason,
                amount=amount,
                balance=balance,
                receipt_id=None if receipt is None else receipt.receipt_id,
                cashier_name=None if receipt is None else receipt.cashier_name,
                testing=testing,
            )
        )


def movement_id(register_id: UUID, version: int) -> UUID:
    """Return the id of the movement that a register's event makes; later ones of a register are greater."""
    return UUID(int=register_id.int >> 64 << 64 | version)


def _mentioned(page: Sequence[PlacedEvent]) -> set[UUID]:
    """Return the receipts that a page may be about."""
    ids: set[UUID] = set()
    for placed in page:
        event = placed.event
        receipt = getattr(event, "receipt", None)
        for receipt_id in (
            None if receipt is None else receipt.receipt_id,
            getattr(event, "subject_id", None),
            getattr(event, "receipt_id", None),
        ):
            if receipt_id is not None:
                ids.add(receipt_id)
    return ids
