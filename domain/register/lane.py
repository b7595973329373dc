"""What a register decides for its lane: the next step, and what became of a document.

The lane's worker asks and reports here; what each answer does to the state stands beside the event (`events.py`).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.answers import RegistrarState
from domain.documents.receipt import Receipt
from domain.documents.shift import DocumentKind, ShiftTotals, ZReport
from domain.drawer import cash_effect
from domain.errors import LaneNotParked
from domain.identifiers import document_id, document_uid
from domain.money import ZERO
from domain.register import events
from domain.register.state import RECOGNISED_DOCUMENTS, LaneStep, Shift, Waiting
from domain.register.stream import RegisterStream


class RegisterLane(RegisterStream):
    """The part of a register that its lane works with."""

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
            events.DocumentSigned,
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
            events.AttemptBegun,
            document_id=document.document_id,
            attempt=document.attempts + 1,
            epoch=epoch,
            begun_at=at,
            stamped_sha256=stamped_sha256,
        )

    def record_attempt_ended(self, *, reason: str) -> None:
        """Record that the begun attempt ended without the document being registered."""
        self.trigger_event(
            events.AttemptEnded, document_id=self.the_outstanding().document_id, reason=reason
        )

    def record_unknown(self, *, reason: str) -> None:
        """Record that nobody knows the outcome; once is enough."""
        document = self.the_outstanding()
        if not document.unknown or document.open_epoch is not None:
            self.trigger_event(
                events.OutcomeUnknown, document_id=document.document_id, reason=reason
            )

    def record_absent(self) -> None:
        """Record that the service has nothing under the outstanding document's number."""
        self.trigger_event(events.DocumentAbsent, document_id=self.the_outstanding().document_id)

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
            events.DocumentRegistered,
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
            events.DocumentRefused,
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
            events.DocumentWithdrawn,
            document_id=document.document_id,
            subject_id=document.item.subject_id,
            reason=reason,
            disagreement=disagreement,
        )

    def need_state(self, *, reason: str) -> None:
        """Read the service's state before the next document."""
        if not self.state_needed:
            self.trigger_event(events.StateNeeded, reason=reason)

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
                events.ServerStateRead,
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
            events.DocumentAdopted,
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
        self.trigger_event(events.ReceiptIssued, shift_id=shift.shift_id, receipt=receipt)

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
            events.ZReportMade,
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
                events.LaneWasParked, reason=reason, server_code=server_code, text=text, at=at
            )

    def resume(self, *, by: str, reason: str, at: datetime) -> None:
        """Lift the stop; the state is read before anything else. Raises: LaneNotParked."""
        if self.parked is None:
            raise LaneNotParked
        self.trigger_event(events.LaneResumed, by=by, reason=reason, at=at)

    def _end_shift(self, *, closing_fiscal_number: str, at: datetime) -> None:
        shift = self.shift
        assert shift is not None
        self.trigger_event(
            events.ShiftClosed,
            shift_id=shift.shift_id,
            number=shift.number,
            closed_at=at,
            totals=shift.totals,
            opening_fiscal_number=shift.opening_fiscal_number,
            z_fiscal_number=shift.z_fiscal_number,
            closing_fiscal_number=closing_fiscal_number,
        )
