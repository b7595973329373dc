"""The register: its shift, its numbers, its documents one after another.

Methods here decide and raise; what an event does to the state stands beside the event (`events.py`), because
that part runs again on every replay. A receipt is the business fact; a document is one signed attempt to register
it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Aggregate, event
from domain.answers import RegistrarState
from domain.documents.receipt import PartPaymentKind, Receipt, ReceiptKind
from domain.documents.shift import DocumentKind, Seller, ShiftTotals, ZReport
from domain.drawer import cash_effect
from domain.errors import (
    LaneNotParked,
    LaneParked,
    NoOpenShift,
    NotEnoughCash,
    ReceiptKindDiffers,
    ReceiptNotRefused,
    ReceiptNotRegistered,
    RefusedReceiptsRemain,
    ShiftAlreadyOpen,
    ShiftClosing,
    StornoNotPossible,
    TooManyWaiting,
)
from domain.identifiers import document_id, document_uid
from domain.money import ZERO, Money
from domain.register import events
from domain.register.state import (
    MOST_WAITING,
    RECOGNISED_DOCUMENTS,
    Drawer,
    LaneStep,
    LastReceipt,
    Outstanding,
    Parked,
    RefusedReceipt,
    RegisterSettings,
    Shift,
    Waiting,
)
from domain.taxes.rates import TaxGroup

_TAKES_OUT = frozenset({ReceiptKind.SERVICE_ISSUE, ReceiptKind.CASH_WITHDRAWAL})


class Register(Aggregate):
    """One fiscal cash register (ПРРО)."""

    TOPIC: ClassVar[str] = "register"

    company_id: UUID
    business_unit_id: UUID
    fiscal_number: str
    local_number: int
    name: str
    live: bool
    settings: RegisterSettings
    next_local_number: int | None
    state_needed: bool
    shift: Shift | None
    last_shift_number: int
    waiting: tuple[Waiting, ...]
    outstanding: Outstanding | None
    refused: dict[UUID, RefusedReceipt]
    disagreements: int
    last_document_at: datetime | None
    parked: Parked | None
    offline_session_id: str | None
    offline_seed: str | None
    drawer: Drawer

    Event = events.Event
    Registered = events.Registered
    SettingsChanged = events.SettingsChanged
    ShiftOpened = events.ShiftOpened
    ReceiptIssued = events.ReceiptIssued
    ReceiptCorrected = events.ReceiptCorrected
    ReceiptVoided = events.ReceiptVoided
    DocumentSigned = events.DocumentSigned
    AttemptBegun = events.AttemptBegun
    AttemptEnded = events.AttemptEnded
    OutcomeUnknown = events.OutcomeUnknown
    DocumentAbsent = events.DocumentAbsent
    DocumentRegistered = events.DocumentRegistered
    DocumentRefused = events.DocumentRefused
    DocumentWithdrawn = events.DocumentWithdrawn
    DocumentAdopted = events.DocumentAdopted
    StateNeeded = events.StateNeeded
    ServerStateRead = events.ServerStateRead
    DrawerCounted = events.DrawerCounted
    ClosingBegun = events.ClosingBegun
    ZReportMade = events.ZReportMade
    ShiftClosed = events.ShiftClosed
    LaneWasParked = events.LaneWasParked
    LaneResumed = events.LaneResumed

    @event(Registered)
    def __init__(
        self,
        *,
        id: UUID,
        company_id: UUID,
        business_unit_id: UUID,
        fiscal_number: str,
        local_number: int,
        name: str,
        live: bool,
        settings: RegisterSettings,
    ) -> None:
        self.company_id = company_id
        self.business_unit_id = business_unit_id
        self.fiscal_number = fiscal_number
        self.local_number = local_number
        self.name = name
        self.live = live
        self.settings = settings
        self.next_local_number = None
        self.state_needed = True
        self.shift = None
        self.last_shift_number = 0
        self.waiting = ()
        self.outstanding = None
        self.refused = {}
        self.disagreements = 0
        self.last_document_at = None
        self.parked = None
        self.offline_session_id = None
        self.offline_seed = None
        self.drawer = Drawer()

    @property
    def wants_snapshot(self) -> bool:
        """Whether this is a good moment for a snapshot: a shift has just ended and the state is small."""
        return any(isinstance(fact, events.ShiftClosed) for fact in self.pending_events)

    @property
    def cash_in_drawer(self) -> Money:
        """What the drawer holds by the books: of a test shift that is open what its tests pretend, else the money."""
        return self.drawer.holds(testing=self.shift is not None and self.shift.testing)

    # --- what a till asks ----------------------------------------------------------------------------------

    def change_settings(self, settings: RegisterSettings) -> None:
        """Behave differently from now on; the same settings record nothing."""
        if settings != self.settings:
            self.trigger_event(self.SettingsChanged, settings=settings)

    def open_shift(
        self,
        *,
        shift_id: UUID,
        cashier_id: UUID,
        cashier_name: str,
        key_id: str,
        seller: Seller,
        tax_groups: tuple[TaxGroup, ...],
        opened_at: datetime,
        testing: bool,
    ) -> None:
        """Open the next shift; all documents of a test shift are tests (reference §3.9).

        Raises: ShiftAlreadyOpen, LaneParked.
        """
        if self.shift is not None:
            raise ShiftAlreadyOpen(shift_number=self.shift.number)
        self._check_not_parked()
        self.trigger_event(
            self.ShiftOpened,
            shift_id=shift_id,
            number=self.last_shift_number + 1,
            cashier_id=cashier_id,
            cashier_name=cashier_name,
            key_id=key_id,
            seller=seller,
            tax_groups=tax_groups,
            cash_step=self.settings.cash_step,
            opened_at=opened_at,
            testing=testing,
        )

    def selling_shift(self) -> Shift:
        """Return the shift that takes a new receipt now.

        Raises: NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting.
        """
        if self.shift is None:
            raise NoOpenShift
        if self.shift.closing is not None or self.shift.z_fiscal_number is not None:
            raise ShiftClosing(shift_number=self.shift.number)
        self._check_not_parked()
        unsettled = len(self.waiting) + len(self.refused)
        if unsettled >= MOST_WAITING:
            raise TooManyWaiting(waiting=unsettled, limit=MOST_WAITING)
        return self.shift

    def issue(self, receipt: Receipt) -> None:
        """Issue a receipt in the open shift. Raises: as `selling_shift`, NotEnoughCash."""
        shift = self.selling_shift()
        self._check_drawer(receipt, holds=self.cash_in_drawer)
        self.trigger_event(self.ReceiptIssued, shift_id=shift.shift_id, receipt=receipt)

    def correct(self, receipt: Receipt) -> None:
        """Make a refused receipt again, under the same id, with other content.

        Raises: ReceiptNotRefused, ReceiptKindDiffers, NotEnoughCash.
        """
        before = self.refused_receipt(receipt.receipt_id, kind=receipt.kind)
        holds = self.drawer.holds(testing=self.refused[receipt.receipt_id].testing)
        self._check_drawer(receipt, holds=holds - cash_effect(before))
        self.trigger_event(self.ReceiptCorrected, receipt=receipt)

    def void(self, receipt_id: UUID, *, reason: str, at: datetime) -> None:
        """Give a refused receipt up. Raises: ReceiptNotRefused."""
        self._check_refused(receipt_id)
        self.trigger_event(self.ReceiptVoided, receipt_id=receipt_id, reason=reason, voided_at=at)

    def begin_closing(
        self,
        *,
        closing_id: UUID,
        z_report_id: UUID,
        at: datetime,
        counted: Money | None = None,
    ) -> None:
        """Begin the staged closing of the shift; `counted` is the cash found in the drawer, if somebody counted it.

        Raises: NoOpenShift, ShiftClosing, RefusedReceiptsRemain.
        """
        if self.shift is None:
            raise NoOpenShift
        if self.shift.closing is not None:
            raise ShiftClosing(shift_number=self.shift.number)
        if self.refused:
            raise RefusedReceiptsRemain(count=len(self.refused), receipt_ids=tuple(self.refused))
        if counted is not None:
            self.trigger_event(
                self.DrawerCounted,
                shift_id=self.shift.shift_id,
                counted=counted,
                expected=self.cash_in_drawer,
                difference=counted - self.cash_in_drawer,
                counted_at=at,
            )
        self.trigger_event(
            self.ClosingBegun,
            shift_id=self.shift.shift_id,
            closing_id=closing_id,
            z_report_id=z_report_id,
            requested_at=at,
        )

    def issued_totals(self) -> ShiftTotals:
        """Return the open shift's totals with what is on its way: the X-report. Raises: NoOpenShift."""
        if self.shift is None:
            raise NoOpenShift
        totals = self.shift.totals
        items = [] if self.outstanding is None else [self.outstanding.item]
        on_the_way = [item.receipt for item in (*items, *self.waiting) if item.receipt is not None]
        last = self.shift.last_receipt
        if last is not None and any(_takes_back(receipt, last) for receipt in on_the_way):
            totals = last.totals_before
        for receipt in on_the_way:
            totals = totals.with_receipt(receipt)
        return totals

    def storno_target(self, receipt_id: UUID) -> LastReceipt:
        """Return the receipt to take back by a storno: the register's last document, of the open shift.

        Sales, returns, service deposits and service issues can be taken back; of cash withdrawals nothing says so.

        Raises: NoOpenShift, ShiftClosing, LaneParked, TooManyWaiting, ReceiptNotRegistered, StornoNotPossible.
        Source: reference §7.4 (tax offices, 2022 and 2023): until the next settlement document is registered.
        """
        shift = self.selling_shift()
        items = [] if self.outstanding is None else [self.outstanding.item]
        on_the_way = [item.subject_id for item in (*items, *self.waiting)]
        if receipt_id in on_the_way:
            raise ReceiptNotRegistered(receipt_id=receipt_id, state="on its way")
        if receipt_id in self.refused:
            raise ReceiptNotRegistered(receipt_id=receipt_id, state="refused")
        last = shift.last_receipt
        if last is None or last.receipt.receipt_id != receipt_id:
            reason = "it is not the last receipt of the open shift"
        elif self.next_local_number != last.local_number + 1:
            reason = "another document was registered after it"
        elif on_the_way:
            reason = "a later document is on its way"
        elif last.receipt.kind is ReceiptKind.CASH_WITHDRAWAL:
            reason = "the cash was given out to a card"
        elif last.receipt.kind is ReceiptKind.RETURN and _of_later_payment(last.receipt):
            # What it gave back is owed again, and may be paid elsewhere by now.
            reason = "it gave a later payment back; take the payment again"
        else:
            return last
        raise StornoNotPossible(receipt_id=receipt_id, reason=reason)

    # --- what the lane does --------------------------------------------------------------------------------

    def next_step(self) -> LaneStep:
        """Return the one thing the lane has to do now."""
        if self.parked is not None:
            return LaneStep.IDLE
        if self.outstanding is not None:
            asks = self.outstanding.unknown or self.outstanding.open_epoch is not None
            return LaneStep.ASK if asks else LaneStep.SUBMIT
        if self.state_needed:
            return LaneStep.READ_STATE if self.shift is not None else LaneStep.IDLE
        if self.waiting:
            # Receipts that outlived their shift (closed elsewhere) wait for the next one.
            return LaneStep.SIGN if self.shift is not None else LaneStep.IDLE
        shift = self.shift
        if shift is not None and shift.closing is not None and not self.refused:
            if shift.z_report is not None:
                return LaneStep.IDLE
            empties = self.settings.of_drawer.empties_before_z and not shift.closing.emptied
            return (
                LaneStep.EMPTY_DRAWER if empties and self.cash_in_drawer > ZERO else LaneStep.MAKE_Z
            )
        return LaneStep.IDLE

    def record_signed(
        self,
        *,
        document_id: UUID,
        local_number: int,
        key_id: str,
        at: datetime,
        xml_sha256: str,
        signed_sha256: str,
    ) -> None:
        """Record the document that registers the first waiting subject."""
        item = self.waiting[0]
        assert self.outstanding is None
        assert local_number == self.next_local_number
        self.trigger_event(
            self.DocumentSigned,
            document_id=document_id,
            subject_id=item.subject_id,
            kind=item.kind,
            local_number=local_number,
            key_id=key_id,
            at=at,
            xml_sha256=xml_sha256,
            signed_sha256=signed_sha256,
        )

    def begin_attempt(self, *, epoch: int, at: datetime, stamped_sha256: str) -> None:
        """Record that the outstanding document is about to be sent by the holder of this lease."""
        document = self.the_outstanding()
        self.trigger_event(
            self.AttemptBegun,
            document_id=document.document_id,
            attempt=document.attempts + 1,
            epoch=epoch,
            begun_at=at,
            stamped_sha256=stamped_sha256,
        )

    def record_attempt_ended(self, *, reason: str) -> None:
        """Record that the begun attempt ended without the document being registered."""
        self.trigger_event(
            self.AttemptEnded, document_id=self.the_outstanding().document_id, reason=reason
        )

    def record_unknown(self, *, reason: str) -> None:
        """Record that nobody knows the outcome; once is enough."""
        document = self.the_outstanding()
        if not document.unknown or document.open_epoch is not None:
            self.trigger_event(self.OutcomeUnknown, document_id=document.document_id, reason=reason)

    def record_absent(self) -> None:
        """Record that the service has nothing under the outstanding document's number."""
        self.trigger_event(self.DocumentAbsent, document_id=self.the_outstanding().document_id)

    def record_registered(
        self,
        *,
        fiscal_number: str,
        server_time: datetime | None,
        learned: str,
        ticket_sha256: str | None,
        offline_session_id: str | None,
        offline_seed: str | None,
        recorded_at: datetime,
    ) -> None:
        """Record that the tax service has the outstanding document; a registered 101 ends the shift."""
        document = self.the_outstanding()
        self.trigger_event(
            self.DocumentRegistered,
            document_id=document.document_id,
            subject_id=document.item.subject_id,
            kind=document.item.kind,
            local_number=document.local_number,
            fiscal_number=fiscal_number,
            server_time=server_time,
            at=document.at,
            learned=learned,
            ticket_sha256=ticket_sha256,
            offline_session_id=offline_session_id,
            offline_seed=offline_seed,
        )
        if document.item.kind is DocumentKind.SHIFT_CLOSING:
            self._end_shift(closing_fiscal_number=fiscal_number, at=recorded_at)

    def record_refused(self, *, server_code: int, text: str) -> None:
        """Record that the tax service will not take the outstanding document."""
        document = self.the_outstanding()
        self.trigger_event(
            self.DocumentRefused,
            document_id=document.document_id,
            subject_id=document.item.subject_id,
            kind=document.item.kind,
            local_number=document.local_number,
            server_code=server_code,
            text=text,
        )

    def withdraw(self, *, reason: str, disagreement: bool) -> None:
        """Give the outstanding attempt up; should it arrive all the same, its UID is recognised.

        `disagreement`: the service counts otherwise than we do.
        """
        document = self.the_outstanding()
        self.trigger_event(
            self.DocumentWithdrawn,
            document_id=document.document_id,
            subject_id=document.item.subject_id,
            reason=reason,
            disagreement=disagreement,
        )

    def need_state(self, *, reason: str) -> None:
        """Read the service's state before the next document."""
        if not self.state_needed:
            self.trigger_event(self.StateNeeded, reason=reason)

    def record_state(self, state: RegistrarState) -> None:
        """Take over where the service stands; only what differs from what we know is recorded."""
        known = (
            self.state_needed,
            self.next_local_number,
            self.offline_session_id,
            self.offline_seed,
        )
        read = (False, state.next_local_number, state.offline_session_id, state.offline_seed)
        if known != read:
            self.trigger_event(
                self.ServerStateRead,
                next_local_number=state.next_local_number,
                shift_open=state.shift_open,
                open_shift_fiscal_number=state.open_shift_fiscal_number,
                offline_supported=state.offline_supported,
                offline_session_id=state.offline_session_id,
                offline_seed=state.offline_seed,
            )

    def subject_of(self, uid: str) -> Waiting | None:
        """Return what a document of ours with this UID registers, if we still wait for that.

        Both what was signed before (an attempt given up that arrived all the same) and what a newer log than this
        may have signed (a restored backup) is recognised.
        """
        for item in (*self.waiting, *(row.as_waiting() for row in self.refused.values())):
            for number in range(item.documents + RECOGNISED_DOCUMENTS):
                if document_uid(document_id(item.subject_id, number=number)) == uid.upper():
                    return item
        return None

    def adopt(
        self,
        *,
        subject_id: UUID | None,
        kind: DocumentKind,
        server_kind: str,
        local_number: int,
        fiscal_number: str,
        uid: str,
        at: datetime,
        xml_sha256: str,
        in_shift: bool,
        testing: bool = False,
        receipt: Receipt | None = None,
        z_report: ZReport | None = None,
        shift: Shift | None = None,
    ) -> None:
        """Take over a document that the service has and we do not know of.

        `in_shift`: it belongs to the open shift. `shift` is given with an opening that finds none open here.
        """
        self.trigger_event(
            self.DocumentAdopted,
            subject_id=subject_id,
            kind=kind,
            server_kind=server_kind,
            local_number=local_number,
            fiscal_number=fiscal_number,
            uid=uid,
            at=at,
            xml_sha256=xml_sha256,
            receipt=receipt,
            z_report=z_report,
            in_shift=in_shift,
            shift=shift,
            testing=testing,
        )
        if kind is DocumentKind.SHIFT_CLOSING and in_shift:
            self._end_shift(closing_fiscal_number=fiscal_number, at=at)

    def empty_drawer(self, receipt: Receipt) -> None:
        """Issue all cash of the drawer; the shift must be closing and drained."""
        shift = self.shift
        assert shift is not None
        assert shift.closing is not None
        assert cash_effect(receipt) == -self.cash_in_drawer
        self.trigger_event(self.ReceiptIssued, shift_id=shift.shift_id, receipt=receipt)

    def make_z(
        self,
        *,
        z_report: ZReport,
        server: ShiftTotals | None,
        differences: tuple[str, ...],
        at: datetime,
    ) -> None:
        """Decide the figures of the Z-report; the shift must be closing and drained."""
        shift = self.shift
        assert shift is not None
        assert shift.closing is not None
        self.trigger_event(
            self.ZReportMade,
            shift_id=shift.shift_id,
            z_report=z_report,
            ours=shift.totals,
            server=server,
            differences=differences,
            made_at=at,
        )

    def park(
        self, *, reason: str, at: datetime, server_code: int | None = None, text: str | None = None
    ) -> None:
        """Stop the lane until a person acts; a parked lane stays as it is."""
        if self.parked is None:
            self.trigger_event(
                self.LaneWasParked, reason=reason, server_code=server_code, text=text, at=at
            )

    def resume(self, *, by: str, reason: str, at: datetime) -> None:
        """Lift the stop; the state is read before anything else. Raises: LaneNotParked."""
        if self.parked is None:
            raise LaneNotParked
        self.trigger_event(self.LaneResumed, by=by, reason=reason, at=at)

    # --- helpers of decisions ------------------------------------------------------------------------------

    def the_outstanding(self) -> Outstanding:
        """Return the outstanding document where our own code guarantees that there is one."""
        assert self.outstanding is not None
        return self.outstanding

    def _check_not_parked(self) -> None:
        if self.parked is not None:
            raise LaneParked(reason=self.parked.reason)

    def refused_receipt(self, receipt_id: UUID, *, kind: ReceiptKind | None = None) -> Receipt:
        """Return a receipt that the tax service refused and nobody has settled yet, of a kind where one is asked for.

        Raises: ReceiptNotRefused, ReceiptKindDiffers.
        """
        self._check_refused(receipt_id)
        receipt = self.refused[receipt_id].receipt
        if kind is not None and receipt.kind is not kind:
            raise ReceiptKindDiffers(receipt_id=receipt_id, kind=receipt.kind.value)
        return receipt

    def _check_drawer(self, receipt: Receipt, *, holds: Money) -> None:
        """Refuse to take out more than a drawer that `holds` so much has. A buyer's refund is not judged here."""
        original = receipt.original
        undoes_deposit = original is not None and original.kind is ReceiptKind.SERVICE_DEPOSIT
        if not (undoes_deposit or receipt.kind in _TAKES_OUT):
            return
        if receipt.total > holds and not self.settings.of_drawer.may_go_below_zero:
            raise NotEnoughCash(
                amount_kopecks=receipt.total.kopecks, in_drawer_kopecks=holds.kopecks
            )

    def _check_refused(self, receipt_id: UUID) -> None:
        if receipt_id not in self.refused:
            raise ReceiptNotRefused(receipt_id=receipt_id)

    def _end_shift(self, *, closing_fiscal_number: str, at: datetime) -> None:
        shift = self.shift
        assert shift is not None
        self.trigger_event(
            self.ShiftClosed,
            shift_id=shift.shift_id,
            number=shift.number,
            closed_at=at,
            totals=shift.totals,
            opening_fiscal_number=shift.opening_fiscal_number,
            z_fiscal_number=shift.z_fiscal_number,
            closing_fiscal_number=closing_fiscal_number,
        )


def _of_later_payment(receipt: Receipt) -> bool:
    return receipt.part is not None and receipt.part.kind is not PartPaymentKind.PREPAYMENT


def _takes_back(receipt: Receipt, last: LastReceipt) -> bool:
    original = receipt.original
    return (
        receipt.kind is ReceiptKind.STORNO
        and original is not None
        and original.fiscal_number == last.fiscal_number
    )
