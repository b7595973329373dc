"""Everything that can happen to a register, as facts with pinned topics.

Events hold what was decided: numbers, totals, hashes, times. Replay computes no money and needs no law. A changed
event gets a higher `class_version` and an upcast; its old stored form keeps loading for ever.

`apply` says what an event does to the register's state. It only assigns: a rule there would judge ten-year-old
receipts by today's law. It stands here, and not behind a decorated method, so that no field is written down twice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, AggregateCreated
from domain.documents.receipt import Receipt
from domain.documents.shift import DocumentKind, Seller, ShiftTotals, ZReport
from domain.drawer import cash_effect
from domain.money import ZERO, Money
from domain.register.state import (
    Closing,
    Outstanding,
    Parked,
    RefusedReceipt,
    RegisterSettings,
    Shift,
    Waiting,
)
from domain.taxes.rates import TaxGroup

if TYPE_CHECKING:
    from domain.register.aggregate import Register


class Event(Aggregate.Event):
    """A fact about a register."""

    TOPIC: ClassVar[str] = "register.event"


class Registered(Event, AggregateCreated):
    """A register joined its business unit. `live`: its documents create tax obligations."""

    TOPIC: ClassVar[str] = "register.registered"
    class_version: ClassVar[int] = 2
    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    local_number: int
    name: str
    live: bool
    settings: RegisterSettings

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Registers had no test mode."""
        state["settings"]["testing"] = False


class SettingsChanged(Event):
    """The register behaves differently from now on; the cash step from the next shift."""

    TOPIC: ClassVar[str] = "register.settings-changed"
    class_version: ClassVar[int] = 2
    settings: RegisterSettings

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        """Registers had no test mode."""
        state["settings"]["testing"] = False

    def apply(self, register: Register) -> None:
        register.settings = self.settings


class ShiftOpened(Event):
    """A shift began for us; document 100 is to be registered first."""

    TOPIC: ClassVar[str] = "register.shift-opened"
    shift_id: UUID
    number: int
    cashier_id: UUID | None
    cashier_name: str | None
    key_id: str
    seller: Seller
    tax_groups: tuple[TaxGroup, ...]
    cash_step: Money
    opened_at: datetime
    testing: bool

    def apply(self, register: Register) -> None:
        register.shift = Shift(
            shift_id=self.shift_id,
            number=self.number,
            cashier_id=self.cashier_id,
            cashier_name=self.cashier_name,
            key_id=self.key_id,
            seller=self.seller,
            tax_groups=self.tax_groups,
            cash_step=self.cash_step,
            opened_at=self.opened_at,
            testing=self.testing,
        )
        register.last_shift_number = self.number
        register.state_needed = True
        opening = Waiting(subject_id=self.shift_id, kind=DocumentKind.SHIFT_OPENING)
        register.waiting = (opening, *register.waiting)


class ReceiptIssued(Event):
    """A receipt was issued: the buyer bought, or cash was put in or taken out; every amount is decided.

    In a closing shift it can only be the service issue that empties the drawer before the Z-report.
    """

    TOPIC: ClassVar[str] = "register.receipt-issued"
    shift_id: UUID
    receipt: Receipt

    def apply(self, register: Register) -> None:
        shift = register.shift
        testing = shift is not None and shift.testing
        register.waiting = (*register.waiting, Waiting.of(self.receipt, testing=testing))
        register.drawer = register.drawer.moved(cash_effect(self.receipt), testing=testing)
        if shift is not None and shift.closing is not None:
            register.shift = replace(shift, closing=replace(shift.closing, emptied=True))


class ReceiptCorrected(Event):
    """A refused receipt was made again under its own id."""

    TOPIC: ClassVar[str] = "register.receipt-corrected"
    receipt: Receipt

    def apply(self, register: Register) -> None:
        receipt_id = self.receipt.receipt_id
        item = register.refused[receipt_id].as_waiting()
        register.refused = {k: row for k, row in register.refused.items() if k != receipt_id}
        register.waiting = (*register.waiting, replace(item, receipt=self.receipt))
        assert item.receipt is not None
        register.drawer = register.drawer.moved(
            cash_effect(self.receipt) - cash_effect(item.receipt), testing=item.testing
        )


class ReceiptVoided(Event):
    """A refused receipt was given up, with the reason."""

    TOPIC: ClassVar[str] = "register.receipt-voided"
    receipt_id: UUID
    reason: str
    voided_at: datetime

    def apply(self, register: Register) -> None:
        row = register.refused[self.receipt_id]
        register.drawer = register.drawer.moved(-cash_effect(row.receipt), testing=row.testing)
        register.refused = {
            key: row for key, row in register.refused.items() if key != self.receipt_id
        }


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

    def apply(self, register: Register) -> None:
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

    def apply(self, register: Register) -> None:
        register.outstanding = replace(
            register.the_outstanding(), attempts=self.attempt, open_epoch=self.epoch, stamped=True
        )


class AttemptEnded(Event):
    """The attempt ended and the document is certainly not registered; `reason` says why."""

    TOPIC: ClassVar[str] = "register.attempt-ended"
    document_id: UUID
    reason: str

    def apply(self, register: Register) -> None:
        register.outstanding = replace(register.the_outstanding(), open_epoch=None)


class OutcomeUnknown(Event):
    """The document may have arrived; the service must be asked."""

    TOPIC: ClassVar[str] = "register.outcome-unknown"
    document_id: UUID
    reason: str

    def apply(self, register: Register) -> None:
        register.outstanding = replace(register.the_outstanding(), open_epoch=None, unknown=True)


class DocumentAbsent(Event):
    """The service was asked and has nothing under this number: the same bytes may be sent again."""

    TOPIC: ClassVar[str] = "register.document-absent"
    document_id: UUID

    def apply(self, register: Register) -> None:
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

    def apply(self, register: Register) -> None:
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
            _queue_closing(register)
        elif item.receipt is not None:
            register.shift = replace(shift, totals=shift.totals.with_receipt(item.receipt))


class DocumentRefused(Event):
    """The tax service answered that it will not take this document."""

    TOPIC: ClassVar[str] = "register.document-refused"
    document_id: UUID
    subject_id: UUID
    kind: DocumentKind
    local_number: int
    server_code: int
    text: str

    def apply(self, register: Register) -> None:
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

    def apply(self, register: Register) -> None:
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

    def apply(self, register: Register) -> None:
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

    def _ours(self, register: Register) -> Waiting | None:
        """Return what of ours this document registers, whose cash is in the drawer already."""
        refused = (row.as_waiting() for row in register.refused.values())
        for item in (*register.waiting, *refused):
            if item.subject_id == self.subject_id:
                return item
        return None

    def _count_in(self, register: Register, shift: Shift) -> None:
        if self.kind is DocumentKind.SHIFT_OPENING:
            register.shift = replace(shift, opening_fiscal_number=self.fiscal_number)
            register.waiting = tuple(
                item for item in register.waiting if item.kind is not DocumentKind.SHIFT_OPENING
            )
        elif self.kind is DocumentKind.Z_REPORT:
            register.shift = replace(
                shift, z_report=self.z_report, z_fiscal_number=self.fiscal_number
            )
            _queue_closing(register)
        elif self.receipt is not None:
            register.shift = replace(shift, totals=shift.totals.with_receipt(self.receipt))


class StateNeeded(Event):
    """The service's state must be read before the next document."""

    TOPIC: ClassVar[str] = "register.state-needed"
    reason: str

    def apply(self, register: Register) -> None:
        register.state_needed = True


class ServerStateRead(Event):
    """Where the service believes the register stands."""

    TOPIC: ClassVar[str] = "register.server-state-read"
    next_local_number: int
    shift_open: bool
    open_shift_fiscal_number: str | None
    offline_supported: bool
    offline_session_id: str | None
    offline_seed: str | None

    def apply(self, register: Register) -> None:
        register.state_needed = False
        register.next_local_number = self.next_local_number
        if self.offline_session_id is not None:
            register.offline_session_id = self.offline_session_id
            register.offline_seed = self.offline_seed


class DrawerCounted(Event):
    """The drawer's cash was counted: `difference` is what was found less what the books had. The books follow."""

    TOPIC: ClassVar[str] = "register.drawer-counted"
    shift_id: UUID
    counted: Money
    expected: Money
    difference: Money
    counted_at: datetime

    def apply(self, register: Register) -> None:
        shift = register.shift
        assert shift is not None
        register.drawer = register.drawer.counted(self.counted, testing=shift.testing)


class ClosingBegun(Event):
    """The shift takes no new receipts; Z-report and document 101 follow by themselves."""

    TOPIC: ClassVar[str] = "register.closing-begun"
    shift_id: UUID
    closing_id: UUID
    z_report_id: UUID
    requested_at: datetime

    def apply(self, register: Register) -> None:
        assert register.shift is not None
        closing = Closing(
            closing_id=self.closing_id,
            z_report_id=self.z_report_id,
            requested_at=self.requested_at,
        )
        register.shift = replace(register.shift, closing=closing)
        _queue_closing(register)


class ZReportMade(Event):
    """The figures of the Z-report are decided. `differences` name what the service counts otherwise."""

    TOPIC: ClassVar[str] = "register.z-report-made"
    shift_id: UUID
    z_report: ZReport
    ours: ShiftTotals
    server: ShiftTotals | None
    differences: tuple[str, ...]
    made_at: datetime

    def apply(self, register: Register) -> None:
        shift = register.shift
        assert shift is not None
        assert shift.closing is not None
        register.shift = replace(shift, z_report=self.z_report)
        item = Waiting(
            subject_id=self.z_report.z_report_id,
            kind=DocumentKind.Z_REPORT,
            z_report=self.z_report,
            documents=shift.closing.z_documents,
        )
        register.waiting = (*register.waiting, item)


class ShiftClosed(Event):
    """The shift is over: its 101 is registered."""

    TOPIC: ClassVar[str] = "register.shift-closed"
    shift_id: UUID
    number: int
    closed_at: datetime
    totals: ShiftTotals
    opening_fiscal_number: str | None
    z_fiscal_number: str | None
    closing_fiscal_number: str

    def apply(self, register: Register) -> None:
        register.shift = None
        register.waiting = tuple(item for item in register.waiting if item.receipt is not None)


class LaneWasParked(Event):
    """The register's documents stopped; a person must act."""

    TOPIC: ClassVar[str] = "register.lane-parked"
    reason: str
    server_code: int | None
    text: str | None
    at: datetime

    def apply(self, register: Register) -> None:
        register.parked = Parked(
            reason=self.reason, server_code=self.server_code, text=self.text, at=self.at
        )


class LaneResumed(Event):
    """A person removed the cause."""

    TOPIC: ClassVar[str] = "register.lane-resumed"
    by: str
    reason: str
    at: datetime

    def apply(self, register: Register) -> None:
        register.parked = None
        register.state_needed = True
        register.disagreements = 0


def _advance(register: Register, *, local_number: int, at: datetime) -> None:
    """An accepted document uses its number; time of documents never goes back."""
    if register.next_local_number is None or local_number >= register.next_local_number:
        register.next_local_number = local_number + 1
    if register.last_document_at is None or at > register.last_document_at:
        register.last_document_at = at


def _queue_closing(register: Register) -> None:
    """Let document 101 follow a registered Z-report, once the closing was asked for."""
    shift = register.shift
    if shift is None or shift.closing is None or shift.z_fiscal_number is None:
        return
    closing = Waiting(subject_id=shift.closing.closing_id, kind=DocumentKind.SHIFT_CLOSING)
    others = (item for item in register.waiting if item.kind is not DocumentKind.Z_REPORT)
    register.waiting = (*others, closing)
