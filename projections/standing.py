"""Where a register stands, as far as a projection must know to place its next event.

Some events name only a document, others belong to "the shift that is open here". Each projection of registers keeps
one such row a register, written with its other rows, so that a page may begin anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import NAMESPACE_OID, UUID, uuid5

from psycopg import sql

from domain.documents.receipt import ReceiptKind, ReceiptState
from domain.documents.shift import DocumentKind, PaymentFormTotal
from domain.errors import IntegrityFault
from domain.money import Money
from domain.register import events
from infra.event_store.feed import FeedEvent
from infra.postgres import Connection
from projections.tables import Rows, Table

Changes = Mapping[type[Any], Callable[[Any, Any], "Standing"]]
"""How events move a standing, by their classes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One register: whose it is, its open shift, what its document on the way registers, why it is parked.

    `elsewhere_shift_id`: the shift that adopted documents belong to when it was never open here. `testing`: the shift
    opened last holds tests. `subject_*` and `parked` stay empty in projections that only ask for the shift.
    """

    register_id: UUID
    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    shift_id: UUID | None = None
    elsewhere_shift_id: UUID | None = None
    subject_id: UUID | None = None
    subject_kind: DocumentKind | None = None
    parked: str | None = None
    testing: bool = False


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event of a page, or the part of it that a projection asks for, with the stream it belongs to."""

    stream_id: UUID
    event: Any


class Standings:
    """The standings of the registers in one page of events; `changes` is what moves them."""

    def __init__(self, rows: Rows[Standing], changes: Changes) -> None:
        self.rows = rows
        self._changes = changes

    def follow(self, page: Iterable[PlacedEvent]) -> Iterator[tuple[Standing, Any]]:
        """Return each event with where its register stood before it, its own first event excepted."""
        for placed in page:
            before = self.rows.get(placed.stream_id)
            after = self._advanced(before, placed.stream_id, placed.event)
            if after is not before:
                self.rows.put(after)
            yield after if before is None else before, placed.event

    def _advanced(self, standing: Standing | None, register_id: UUID, event: Any) -> Standing:
        if isinstance(event, events.Registered):
            return Standing(
                register_id=register_id,
                company_id=event.company_id,
                business_unit_id=event.business_unit_id,
                fiscal_number=event.fiscal_number,
            )
        assert standing is not None, f"register {register_id} begins with {event.TOPIC}"
        change = self._changes.get(type(event))
        return standing if change is None else change(standing, event)


def whole(page: Iterable[FeedEvent]) -> list[PlacedEvent]:
    """Return the events of a page with all they tell."""
    return [PlacedEvent(stored.stream_id, stored.event) for stored in page]


def standings_table(name: str) -> Table[Standing]:
    """Return the table of one projection's standings."""
    return Table(name, Standing, key=("register_id",))


def load_standings(
    connection: Connection,
    schema: str,
    table: Table[Standing],
    page: Sequence[FeedEvent],
    changes: Changes,
) -> Standings:
    """Return the standings of the registers that these events are about."""
    rows = table.load(connection, schema, {stored.stream_id for stored in page})
    return Standings(rows, changes)


@dataclass(frozen=True, slots=True)
class SumsPart:
    """What sums need of a receipt; lines and taxes, most of its bytes, are left alone."""

    receipt_id: UUID
    kind: ReceiptKind
    payments: tuple[PaymentFormTotal, ...]
    unrounded: Money
    rounding: Money
    total: Money


@dataclass(frozen=True, slots=True)
class IssuedPart:
    """What sums need of an issued receipt."""

    TOPIC: ClassVar[str] = events.ReceiptIssued.TOPIC
    shift_id: UUID
    receipt: SumsPart


def for_sums(page: Iterable[FeedEvent]) -> list[PlacedEvent]:
    """Return the events of a page with what sums need of them; receipts are most of the log's bytes."""
    return [
        PlacedEvent(
            stored.stream_id,
            stored.part(IssuedPart) if stored.topic == IssuedPart.TOPIC else stored.event,
        )
        for stored in page
    ]


RECEIPT_STATES: dict[type[events.Event | IssuedPart], ReceiptState] = {
    events.ReceiptIssued: ReceiptState.WAITING,
    IssuedPart: ReceiptState.WAITING,
    events.ReceiptCorrected: ReceiptState.WAITING,
    events.DocumentSigned: ReceiptState.SUBMITTED,
    events.OutcomeUnknown: ReceiptState.UNKNOWN,
    events.DocumentAbsent: ReceiptState.SUBMITTED,
    events.DocumentWithdrawn: ReceiptState.WAITING,
    events.DocumentRegistered: ReceiptState.REGISTERED,
    events.DocumentRefused: ReceiptState.REFUSED,
    events.ReceiptVoided: ReceiptState.VOIDED,
    events.DocumentAdopted: ReceiptState.REGISTERED,
}
"""The state a receipt has after an event that is about it."""

FINAL_STATES = frozenset({ReceiptState.REGISTERED, ReceiptState.VOIDED})
"""States a receipt never leaves."""

STATE_SHOWN = sql.SQL(
    "CASE WHEN s.parked IS NOT NULL AND r.state IN ('waiting', 'submitted')"
    " THEN 'parked' ELSE r.state END"
)
"""The state of a receipt `r` whose register has the standing `s`: while the lane is parked, what would otherwise go
on by itself reads as `parked`. What is unknown stays unknown."""

_RECEIPT_KINDS = frozenset(DocumentKind(kind.value) for kind in ReceiptKind)


def receipt_of(standing: Standing, event: Any) -> UUID | None:
    """Return the receipt an event is about; None when it is about something else."""
    if isinstance(event, IssuedPart | events.ReceiptIssued | events.ReceiptCorrected):
        return event.receipt.receipt_id
    if isinstance(event, events.ReceiptVoided):
        return event.receipt_id
    if isinstance(event, events.DocumentAdopted):
        if event.kind not in _RECEIPT_KINDS or event.receipt is None:
            return None
        return event.subject_id or event.receipt.receipt_id
    if type(event) not in RECEIPT_STATES:
        return None
    kind = getattr(event, "kind", standing.subject_kind)
    subject_id: UUID | None = getattr(event, "subject_id", standing.subject_id)
    return subject_id if kind in _RECEIPT_KINDS else None


def mentioned_receipts(standings: Standings, page: Iterable[PlacedEvent]) -> set[UUID]:
    """Return the receipts that a page may be about and that earlier pages told of."""
    ids = {standing.subject_id for standing in standings.rows}
    new = set()
    for placed in page:
        event = placed.event
        if isinstance(event, events.ReceiptIssued | IssuedPart):
            new.add(event.receipt.receipt_id)
        elif isinstance(event, events.ReceiptCorrected):
            ids.add(event.receipt.receipt_id)
        else:
            ids.add(getattr(event, "subject_id", None) or getattr(event, "receipt_id", None))
    return {receipt_id for receipt_id in ids if receipt_id is not None} - new


def unknown_receipt(receipt_id: UUID, event: Any) -> IntegrityFault:
    """Return the error of an event about a receipt that no earlier event issued."""
    return IntegrityFault(
        place=f"event {event.originator_version} of register {event.originator_id}",
        what=f"{event.TOPIC} is about receipt {receipt_id}, which was never issued",
    )


def shift_of(standing: Standing, event: Any, before: UUID | None) -> UUID | None:
    """Return the shift a receipt counts in after an event about it.

    A receipt that waits while its shift is closed elsewhere counts in the shift that registers it.
    """
    if isinstance(event, events.ReceiptIssued | IssuedPart):
        return event.shift_id
    if isinstance(event, events.DocumentRegistered):
        return standing.shift_id
    if isinstance(event, events.DocumentAdopted):
        return adopted_shift_id(standing, event)
    return before


def testing_of(standing: Standing, event: Any, *, before: bool) -> bool:
    """Return whether a receipt is a test after an event about it: as the shift is that it counts in."""
    if isinstance(event, events.ReceiptIssued | IssuedPart | events.DocumentRegistered):
        return standing.testing
    if isinstance(event, events.DocumentAdopted):
        return standing.testing if event.in_shift else event.testing
    return before


def adopted_document_id(event: events.DocumentAdopted) -> UUID:
    """Return the id of an adopted document: its UID, or one made from a UID that is no GUID.

    The reader of documents names foreign receipts by the same rule.
    """
    try:
        return UUID(event.uid)
    except ValueError:
        return uuid5(NAMESPACE_OID, event.uid)


def adopted_shift_id(standing: Standing, event: events.DocumentAdopted) -> UUID | None:
    """Return the shift an adopted document belongs to; None when its opening is not known either."""
    if event.shift is not None:
        return event.shift.shift_id
    if event.in_shift:
        return standing.shift_id
    if event.kind is DocumentKind.SHIFT_OPENING:
        return adopted_document_id(event)
    return standing.elsewhere_shift_id


def _shift_opened(standing: Standing, event: events.ShiftOpened) -> Standing:
    return replace(standing, shift_id=event.shift_id, testing=event.testing)


def _shift_closed(standing: Standing, _: events.ShiftClosed) -> Standing:
    return replace(standing, shift_id=None)


def _signed(standing: Standing, event: events.DocumentSigned) -> Standing:
    return replace(standing, subject_id=event.subject_id, subject_kind=event.kind)


def _settled(standing: Standing, _: Any) -> Standing:
    return replace(standing, subject_id=None, subject_kind=None)


def _adopted(standing: Standing, event: events.DocumentAdopted) -> Standing:
    if event.shift is not None:
        return replace(
            standing,
            shift_id=event.shift.shift_id,
            elsewhere_shift_id=None,
            testing=event.shift.testing,
        )
    if event.in_shift:
        return standing
    if event.kind is DocumentKind.SHIFT_CLOSING:
        return replace(standing, elsewhere_shift_id=None)
    return replace(standing, elsewhere_shift_id=adopted_shift_id(standing, event))


def _parked(standing: Standing, event: events.LaneWasParked) -> Standing:
    return replace(standing, parked=event.reason)


def _resumed(standing: Standing, _: events.LaneResumed) -> Standing:
    return replace(standing, parked=None)


SHIFT_CHANGES: Changes = {
    events.ShiftOpened: _shift_opened,
    events.ShiftClosed: _shift_closed,
    events.DocumentAdopted: _adopted,
}
"""What a projection follows that asks only which shift is open."""

RECEIPT_CHANGES: Changes = {
    **SHIFT_CHANGES,
    events.DocumentSigned: _signed,
    events.DocumentRegistered: _settled,
    events.DocumentRefused: _settled,
    events.DocumentWithdrawn: _settled,
    events.LaneWasParked: _parked,
    events.LaneResumed: _resumed,
}
"""What a projection follows that asks which receipt an event is about, and whether it is stopped."""


def topics_of(changes: Changes) -> frozenset[str]:
    """Return the topics that a projection must see to follow these changes."""
    return frozenset({events.Registered.TOPIC} | {event.TOPIC for event in changes})
