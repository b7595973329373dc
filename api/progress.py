"""How far a receipt is on its way to the tax service, moved on by events of its register.

The same words everywhere (design §3): waiting, submitted, unknown, registered, offline, refused, voided, parked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.documents.receipt import Receipt, ReceiptState
from domain.register import events
from domain.register.aggregate import Register
from domain.register.state import RefusedReceipt
from projections.receipts_view import ReceiptDetails

DECIDED = frozenset(
    {
        ReceiptState.REGISTERED,
        ReceiptState.OFFLINE,
        ReceiptState.REFUSED,
        ReceiptState.VOIDED,
    }
)
"""States with an outcome; a receipt leaves them by a command only."""

_STOPPED_BY_PARKING = (ReceiptState.WAITING, ReceiptState.SUBMITTED)
"""What is unknown stays unknown when the lane is parked: it may have been registered."""


class WaitingReason(StrEnum):
    """Why a receipt is not registered yet."""

    SHIFT_OPENING = "shift-opening-not-registered"
    SERVER_STATE = "server-state-not-read"
    EARLIER_DOCUMENT = "earlier-document-open"
    BEING_SENT = "being-sent"
    OUTCOME_UNKNOWN = "outcome-unknown"
    LANE_PARKED = "lane-parked"


REASON_TEXTS = {
    WaitingReason.SHIFT_OPENING: "The opening of the shift is not registered yet; receipts follow it.",
    WaitingReason.SERVER_STATE: "The register's state is being read from the tax service first.",
    WaitingReason.EARLIER_DOCUMENT: "An earlier document of this register is still on its way.",
    WaitingReason.BEING_SENT: "The document is signed and is being sent.",
    WaitingReason.OUTCOME_UNKNOWN: "The document was sent without an answer; the tax service is being asked.",
    WaitingReason.LANE_PARKED: "The register's documents are stopped until a person acts.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """The tax service's code and its own words."""

    server_code: int
    text: str


@dataclass(frozen=True, slots=True)
class ReceiptProgress:
    """A receipt and its standing. `document_at` is the time its document carries; `parked` says why it stopped.

    `testing`: it is a test and no fiscal receipt.
    """

    register_id: UUID
    receipt: Receipt
    state: ReceiptState
    testing: bool
    document_id: UUID | None = None
    document_at: datetime | None = None
    local_number: int | None = None
    fiscal_number: str | None = None
    server_time: datetime | None = None
    refusal: Refusal | None = None
    parked: str | None = None
    reason: WaitingReason | None = None

    @property
    def settled(self) -> bool:
        """Whether a waiting call ends here: the outcome is known, or a person has to act first."""
        return self.state in DECIDED or self.parked is not None

    def after(self, event: Any) -> ReceiptProgress:
        """Return the standing after an event of the receipt's register; others than its own change nothing."""
        change = _CHANGES.get(type(event))
        return self if change is None else change(self, event)

    def _is_subject(self, event: Any) -> bool:
        return bool(event.subject_id == self.receipt.receipt_id)


def waiting(register_id: UUID, receipt: Receipt, *, testing: bool) -> ReceiptProgress:
    """Return the standing of a receipt just issued, unsigned."""
    return ReceiptProgress(
        register_id=register_id,
        receipt=receipt,
        state=ReceiptState.WAITING,
        testing=testing,
        reason=WaitingReason.EARLIER_DOCUMENT,
    )


def signed(standing: ReceiptProgress, local_number: int) -> ReceiptProgress:
    """Return the standing of a receipt that was signed in the commit that issued it."""
    return replace(
        standing,
        state=ReceiptState.SUBMITTED,
        local_number=local_number,
        reason=WaitingReason.BEING_SENT,
    )


def decided(details: ReceiptDetails) -> ReceiptProgress:
    """Return the standing of a receipt as the journal has it."""
    row = details.row
    refusal = None
    if row.state is ReceiptState.REFUSED and row.refusal_code is not None:
        refusal = Refusal(row.refusal_code, row.refusal_text or "")
    return ReceiptProgress(
        register_id=row.register_id,
        receipt=details.receipt,
        state=row.state,
        testing=row.testing,
        document_id=row.document_id,
        document_at=row.document_at,
        local_number=row.local_number,
        fiscal_number=row.fiscal_number,
        server_time=row.server_time,
        refusal=refusal,
    )


def undecided(register: Register, receipt_id: UUID) -> ReceiptProgress | None:
    """Return the standing of a receipt that the register still has to do with.

    None when it is decided (registered, voided) or foreign: then the journal knows.
    """
    testing = register.shift is not None and register.shift.testing
    refused = register.refused.get(receipt_id)
    if refused is not None:
        return _refused(register.id, refused, testing=testing)
    outstanding = register.outstanding
    if outstanding is not None and outstanding.item.subject_id == receipt_id:
        assert outstanding.item.receipt is not None
        asked = outstanding.unknown
        standing = ReceiptProgress(
            register_id=register.id,
            receipt=outstanding.item.receipt,
            state=ReceiptState.UNKNOWN if asked else ReceiptState.SUBMITTED,
            testing=testing,
            document_id=outstanding.document_id,
            document_at=outstanding.at,
            local_number=outstanding.local_number,
            reason=WaitingReason.OUTCOME_UNKNOWN if asked else WaitingReason.BEING_SENT,
        )
        return _with_parked(standing, register)
    for item in register.waiting:
        if item.subject_id == receipt_id:
            assert item.receipt is not None
            standing = waiting(register.id, item.receipt, testing=testing)
            return _with_parked(replace(standing, reason=_why_waiting(register)), register)
    return None


def _why_waiting(register: Register) -> WaitingReason:
    if register.outstanding is None and register.state_needed:
        return WaitingReason.SERVER_STATE
    shift = register.shift
    if shift is not None and shift.opening_fiscal_number is None:
        return WaitingReason.SHIFT_OPENING
    return WaitingReason.EARLIER_DOCUMENT


def _refused(register_id: UUID, row: RefusedReceipt, *, testing: bool) -> ReceiptProgress:
    return ReceiptProgress(
        register_id=register_id,
        receipt=row.receipt,
        state=ReceiptState.REFUSED,
        testing=testing,
        refusal=Refusal(row.server_code, row.text),
    )


def _with_parked(standing: ReceiptProgress, register: Register) -> ReceiptProgress:
    if register.parked is None:
        return standing
    return _stopped(standing, register.parked.reason)


def _stopped(standing: ReceiptProgress, reason: str) -> ReceiptProgress:
    stops = standing.state in _STOPPED_BY_PARKING
    return replace(
        standing,
        state=ReceiptState.PARKED if stops else standing.state,
        parked=reason,
        reason=WaitingReason.LANE_PARKED if stops else standing.reason,
    )


# --- events ------------------------------------------------------------------------------------------------


def _document_signed(standing: ReceiptProgress, event: events.DocumentSigned) -> ReceiptProgress:
    if not standing._is_subject(event):
        return standing
    return replace(
        standing,
        state=ReceiptState.SUBMITTED,
        document_id=event.document_id,
        document_at=event.at,
        local_number=event.local_number,
        reason=WaitingReason.BEING_SENT,
    )


def _unknown(standing: ReceiptProgress, event: events.OutcomeUnknown) -> ReceiptProgress:
    if event.document_id != standing.document_id:
        return standing
    return replace(standing, state=ReceiptState.UNKNOWN, reason=WaitingReason.OUTCOME_UNKNOWN)


def _absent(standing: ReceiptProgress, event: events.DocumentAbsent) -> ReceiptProgress:
    if event.document_id != standing.document_id:
        return standing
    return replace(standing, state=ReceiptState.SUBMITTED, reason=WaitingReason.BEING_SENT)


def _withdrawn(standing: ReceiptProgress, event: events.DocumentWithdrawn) -> ReceiptProgress:
    if not standing._is_subject(event):
        return standing
    return waiting(standing.register_id, standing.receipt, testing=standing.testing)


def _registered(standing: ReceiptProgress, event: events.DocumentRegistered) -> ReceiptProgress:
    if not standing._is_subject(event):
        return standing
    return replace(
        standing,
        state=ReceiptState.REGISTERED,
        document_id=event.document_id,
        document_at=event.at,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        server_time=event.server_time,
        refusal=None,
        reason=None,
    )


def _adopted(standing: ReceiptProgress, event: events.DocumentAdopted) -> ReceiptProgress:
    if not standing._is_subject(event):
        return standing
    return replace(
        standing,
        state=ReceiptState.REGISTERED,
        document_id=UUID(event.uid),
        document_at=event.at,
        local_number=event.local_number,
        fiscal_number=event.fiscal_number,
        refusal=None,
        reason=None,
    )


def _refusal(standing: ReceiptProgress, event: events.DocumentRefused) -> ReceiptProgress:
    if not standing._is_subject(event):
        return standing
    return replace(
        standing,
        state=ReceiptState.REFUSED,
        local_number=None,
        refusal=Refusal(event.server_code, event.text),
        reason=None,
    )


def _corrected(standing: ReceiptProgress, event: events.ReceiptCorrected) -> ReceiptProgress:
    if event.receipt.receipt_id != standing.receipt.receipt_id:
        return standing
    return waiting(standing.register_id, event.receipt, testing=standing.testing)


def _voided(standing: ReceiptProgress, event: events.ReceiptVoided) -> ReceiptProgress:
    if event.receipt_id != standing.receipt.receipt_id:
        return standing
    return replace(standing, state=ReceiptState.VOIDED, refusal=None, reason=None)


def _parked(standing: ReceiptProgress, event: events.LaneWasParked) -> ReceiptProgress:
    return standing if standing.settled else _stopped(standing, event.reason)


_CHANGES: dict[type, Any] = {
    events.DocumentSigned: _document_signed,
    events.OutcomeUnknown: _unknown,
    events.DocumentAbsent: _absent,
    events.DocumentWithdrawn: _withdrawn,
    events.DocumentRegistered: _registered,
    events.DocumentAdopted: _adopted,
    events.DocumentRefused: _refusal,
    events.ReceiptCorrected: _corrected,
    events.ReceiptVoided: _voided,
    events.LaneWasParked: _parked,
}
