"""What happens to the documents of a register, one signed attempt after another."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.documents.receipt import Receipt
from domain.documents.shift import DocumentKind, ZReport
from domain.drawer import cash_effect
from domain.money import ZERO
from domain.register.events.base import Event, queue_closing
from domain.register.state import (
    Outstanding,
    RefusedReceipt,
    Shift,
    Waiting,
)
from domain.register.stream import RegisterStream


class DocumentSigned(Event):
    """One attempt to register a subject: number, time and bytes are fixed. `at` is the document's time."""

    TOPIC: ClassVar[str] = "register.document-signed"
    document_id: UUID
    subject_id: UUID
    kind: DocumentKind
    local_number: int
    key_id: str
    at: datetime
    xml_sha256: str
    signed_sha256: str

    def apply(self, register: RegisterStream) -> None:
        item = next(item for item in register.waiting if item.subject_id == self.subject_id)
        register.waiting = tuple(other for other in register.waiting if other is not item)
        register.outstanding = Outstanding(
            document_id=self.document_id,
            item=replace(item, documents=item.documents + 1),
            local_number=self.local_number,
            key_id=self.key_id,
            at=self.at,
            signed_sha256=self.signed_sha256,
        )


class AttemptBegun(Event):
    """The document is about to be sent; stands until its outcome is recorded."""

    TOPIC: ClassVar[str] = "register.attempt-begun"
    document_id: UUID
    attempt: int
    epoch: int
    begun_at: datetime
    stamped_sha256: str

    def apply(self, register: RegisterStream) -> None:
        register.outstanding = replace(
            register.the_outstanding(), attempts=self.attempt, open_epoch=self.epoch, stamped=True
        )


class AttemptEnded(Event):
    """The attempt ended and the document is certainly not registered; `reason` says why."""

    TOPIC: ClassVar[str] = "register.attempt-ended"
    document_id: UUID
    reason: str

    def apply(self, register: RegisterStream) -> None:
        register.outstanding = replace(register.the_outstanding(), open_epoch=None)


class OutcomeUnknown(Event):
    """The document may have arrived; the service must be asked."""

    TOPIC: ClassVar[str] = "register.outcome-unknown"
    document_id: UUID
    reason: str

    def apply(self, register: RegisterStream) -> None:
        register.outstanding = replace(register.the_outstanding(), open_epoch=None, unknown=True)


class DocumentAbsent(Event):
    """The service was asked and has nothing under this number: the same bytes may be sent again."""

    TOPIC: ClassVar[str] = "register.document-absent"
    document_id: UUID

    def apply(self, register: RegisterStream) -> None:
        register.outstanding = replace(register.the_outstanding(), open_epoch=None, unknown=False)


class DocumentRegistered(Event):
    """The tax service has the document. `learned` tells how we know: `ticket` or `inquiry`."""

    TOPIC: ClassVar[str] = "register.document-registered"
    document_id: UUID
    subject_id: UUID
    kind: DocumentKind
    local_number: int
    fiscal_number: str
    server_time: datetime | None
    at: datetime
    learned: str
    ticket_sha256: str | None
    offline_session_id: str | None
    offline_seed: str | None

    def apply(self, register: RegisterStream) -> None:
        item = register.the_outstanding().item
        register.outstanding = None
        register.disagreements = 0
        _advance(register, local_number=self.local_number, at=self.at)
        if self.offline_session_id is not None:
            register.offline_session_id = self.offline_session_id
            register.offline_seed = self.offline_seed
        shift = register.shift
        assert shift is not None
        if self.kind is DocumentKind.SHIFT_OPENING:
            register.shift = replace(shift, opening_fiscal_number=self.fiscal_number)
        elif self.kind is DocumentKind.Z_REPORT:
            register.shift = replace(
                shift, z_report=item.z_report, z_fiscal_number=self.fiscal_number
            )
            queue_closing(register)
        elif item.receipt is not None:
            register.shift = shift.counting(
                item.receipt, local_number=self.local_number, fiscal_number=self.fiscal_number
            )


class DocumentRefused(Event):
    """The tax service answered that it will not take this document."""

    TOPIC: ClassVar[str] = "register.document-refused"
    document_id: UUID
    subject_id: UUID
    kind: DocumentKind
    local_number: int
    server_code: int
    text: str

    def apply(self, register: RegisterStream) -> None:
        item = register.the_outstanding().item
        register.outstanding = None
        shift = register.shift
        if item.receipt is not None:
            row = RefusedReceipt(
                receipt=item.receipt,
                server_code=self.server_code,
                text=self.text,
                documents=item.documents,
                testing=item.testing,
            )
            register.refused = {**register.refused, self.subject_id: row}
        elif self.kind is DocumentKind.Z_REPORT and shift is not None and shift.closing is not None:
            closing = replace(
                shift.closing,
                z_refusals=shift.closing.z_refusals + 1,
                z_documents=item.documents,
            )
            register.shift = replace(shift, z_report=None, closing=closing)
        else:
            register.waiting = (item, *register.waiting)


class DocumentWithdrawn(Event):
    """The attempt is given up without being registered; its subject waits again at the front."""

    TOPIC: ClassVar[str] = "register.document-withdrawn"
    document_id: UUID
    subject_id: UUID
    reason: str
    disagreement: bool

    def apply(self, register: RegisterStream) -> None:
        register.waiting = (register.the_outstanding().item, *register.waiting)
        register.outstanding = None
        register.disagreements += self.disagreement


class DocumentAdopted(Event):
    """The service has a document of this register that we do not know of; it is the register's own now.

    `subject_id`: it registers something of ours after all (a restored backup). `in_shift`: it belongs to the
    shift that is open here and counts in it. `shift`: the shift it opens here. `kind` is `other` for what our
    types cannot hold; `server_kind` is then the service's own name. `testing`: it is marked as a test. The XML is
    stored under the UID.
    """

    TOPIC: ClassVar[str] = "register.document-adopted"
    class_version: ClassVar[int] = 2
    subject_id: UUID | None
    kind: DocumentKind
    server_kind: str
    local_number: int
    fiscal_number: str
    uid: str
    at: datetime
    xml_sha256: str
    receipt: Receipt | None
    z_report: ZReport | None
    in_shift: bool
    shift: Shift | None
    testing: bool

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Whether a document was a test was only known of the shift it opened."""
        state["testing"] = state["shift"] is not None and state["shift"]["testing"]

    def apply(self, register: RegisterStream) -> None:
        _advance(register, local_number=self.local_number, at=self.at)
        if self.receipt is not None:
            ours = self._ours(register)
            counted = ZERO if ours is None or ours.receipt is None else cash_effect(ours.receipt)
            register.drawer = register.drawer.moved(
                cash_effect(self.receipt) - counted,
                testing=self.testing if ours is None else ours.testing,
            )
        if self.subject_id is not None:
            register.waiting = tuple(
                item for item in register.waiting if item.subject_id != self.subject_id
            )
            register.refused = {
                key: row for key, row in register.refused.items() if key != self.subject_id
            }
        if self.shift is not None:
            register.shift = self.shift
            register.last_shift_number = self.shift.number
        elif self.in_shift and register.shift is not None:
            self._count_in(register, register.shift)

    def _ours(self, register: RegisterStream) -> Waiting | None:
        """Return what of ours this document registers, whose cash is in the drawer already."""
        refused = (row.as_waiting() for row in register.refused.values())
        for item in (*register.waiting, *refused):
            if item.subject_id == self.subject_id:
                return item
        return None

    def _count_in(self, register: RegisterStream, shift: Shift) -> None:
        if self.kind is DocumentKind.SHIFT_OPENING:
            register.shift = replace(shift, opening_fiscal_number=self.fiscal_number)
            register.waiting = tuple(
                item for item in register.waiting if item.kind is not DocumentKind.SHIFT_OPENING
            )
        elif self.kind is DocumentKind.Z_REPORT:
            register.shift = replace(
                shift, z_report=self.z_report, z_fiscal_number=self.fiscal_number
            )
            queue_closing(register)
        elif self.receipt is not None:
            register.shift = shift.counting(
                self.receipt, local_number=self.local_number, fiscal_number=self.fiscal_number
            )


def _advance(register: RegisterStream, *, local_number: int, at: datetime) -> None:
    """An accepted document uses its number; time of documents never goes back."""
    if register.next_local_number is None or local_number >= register.next_local_number:
        register.next_local_number = local_number + 1
    if register.last_document_at is None or at > register.last_document_at:
        register.last_document_at = at
