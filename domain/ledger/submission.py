"""What a lane does: read the state, sign, begin an attempt, record its outcome, make the Z-report.

Only the holder of the lane's lease calls these; every commit is fenced with the lease's epoch, so a worker that
lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.answers import RegistrarState, ServerShiftTotals, Ticket
from domain.digest import sha256
from domain.documents.shift import DocumentKind, ZReport
from domain.drawer import closing_issue
from domain.errors import IntegrityFault
from domain.identifiers import document_uid, shard_of
from domain.ledger.base import document_ref
from domain.ledger.counterparts import Counterparts
from domain.ports import (
    DocumentRef,
    LaneChange,
    LaneLease,
    StoredBytes,
    StoredKind,
)
from domain.register.aggregate import Register
from domain.register.state import LaneStep, Outstanding, Shift


@dataclass(frozen=True, slots=True)
class LaneTask:
    """The next step of a lane and what it takes to do it. `register` is the fiscal number."""

    step: LaneStep
    register_id: UUID
    register: str
    key_id: str | None
    shift: Shift | None
    outstanding: Outstanding | None
    next_local_number: int | None
    last_document_at: datetime | None
    waiting: int
    disagreements: int

    @property
    def signed_ref(self) -> DocumentRef:
        """Return where the outstanding document's signed bytes are."""
        return self._ref(StoredKind.SIGNED)

    @property
    def stamped_ref(self) -> DocumentRef:
        """Return where the outstanding document's time-stamped bytes are."""
        return self._ref(StoredKind.STAMPED)

    def _ref(self, kind: StoredKind) -> DocumentRef:
        document = self.outstanding
        assert document is not None
        return document_ref(
            self.register_id, document_id=document.document_id, at=document.at, kind=kind
        )


class Submission(Counterparts):
    """Use cases of the lane worker; each commits once and returns the lane's next task."""

    def lane_task(self, register_id: UUID) -> LaneTask:
        """Return what the lane has to do now, as the log has it. Raises: NotFound."""
        return task_of(self.store.refresh(Register, register_id, shard=shard_of(register_id)))

    def record_state(self, lease: LaneLease, state: RegistrarState) -> LaneTask:
        """Take over the service's state and sign the next waiting document.

        The caller has adopted missing documents first, so that the number asked for is the one we have.
        """
        return self._on_lane(
            lease, lambda register: register.record_state(state), sign=self._sign_if_possible
        )

    def sign_waiting(self, lease: LaneLease) -> LaneTask:
        """Sign the first waiting document. Raises: SignerUnavailable, KeyUnknown, DocumentTimeBehind."""
        return self._on_lane(lease, lambda _: None, sign=self._sign_next)

    def begin_attempt(self, lease: LaneLease, *, stamped: bytes) -> LaneTask:
        """Record, before the first byte is sent, that the outstanding document is about to be sent."""

        def begin(register: Register) -> StoredBytes | None:
            document = register.the_outstanding()
            register.begin_attempt(
                epoch=lease.epoch,
                at=self.clock.now(),
                stamped_sha256=sha256(stamped).hex(),
            )
            if document.stamped:
                return None
            return _bytes_of(register, document, kind=StoredKind.STAMPED, content=stamped)

        return self._on_lane(lease, begin)

    def record_attempt_ended(self, lease: LaneLease, *, reason: str) -> LaneTask:
        """Record that the begun attempt ended and the document is certainly not registered."""
        return self._on_lane(lease, lambda register: register.record_attempt_ended(reason=reason))

    def record_unknown(self, lease: LaneLease, *, reason: str) -> LaneTask:
        """Record that the attempt's outcome is unknown."""
        return self._on_lane(lease, lambda register: register.record_unknown(reason=reason))

    def record_absent(self, lease: LaneLease) -> LaneTask:
        """Record that the service has nothing under the outstanding document's number."""
        return self._on_lane(lease, lambda register: register.record_absent())

    def record_ticket(self, lease: LaneLease, ticket: Ticket) -> LaneTask:
        """Record an accepted document and sign the next one in the same commit.

        Raises: IntegrityFault when the ticket names another document.
        """

        def register_it(register: Register) -> StoredBytes:
            document = register.the_outstanding()
            expected = (document_uid(document.document_id), document.local_number)
            if (ticket.uid.upper(), ticket.local_number) != expected:
                raise IntegrityFault(
                    place=f"ticket for document {document.local_number} of {register.fiscal_number}",
                    what=f"it names document {ticket.local_number}, uid {ticket.uid}",
                )
            register.record_registered(
                fiscal_number=ticket.fiscal_number,
                server_time=ticket.server_time,
                learned="ticket",
                ticket_sha256=sha256(ticket.raw).hex(),
                offline_session_id=ticket.offline_session_id,
                offline_seed=ticket.offline_seed,
                recorded_at=self.clock.now(),
            )
            return _bytes_of(register, document, kind=StoredKind.TICKET, content=ticket.raw)

        return self._on_lane(lease, register_it, sign=self._sign_if_possible)

    def record_found(self, lease: LaneLease, *, fiscal_number: str) -> LaneTask:
        """Record that the service, when asked, turned out to have the outstanding document."""
        return self._on_lane(
            lease,
            lambda register: self._record_found(register, fiscal_number=fiscal_number),
            sign=self._sign_if_possible,
        )

    def record_refused(self, lease: LaneLease, *, server_code: int, text: str) -> LaneTask:
        """Record a refusal of the document itself.

        A refused receipt waits for a person while the next one goes on. A refused opening or closing, and a
        Z-report refused twice, park the lane: nothing can follow them.
        """

        def refuse(register: Register) -> None:
            kind = register.the_outstanding().item.kind
            register.record_refused(server_code=server_code, text=text)
            shift = register.shift
            z_refusals = 0 if shift is None or shift.closing is None else shift.closing.z_refusals
            stops = kind in (DocumentKind.SHIFT_OPENING, DocumentKind.SHIFT_CLOSING)
            if stops or (kind is DocumentKind.Z_REPORT and z_refusals > 1):
                register.park(
                    reason=f"{kind.value}-refused",
                    server_code=server_code,
                    text=text,
                    at=self.clock.now(),
                )

        return self._on_lane(lease, refuse, sign=self._sign_if_possible)

    def withdraw(self, lease: LaneLease, *, reason: str, disagreement: bool) -> LaneTask:
        """Give the outstanding attempt up, because the service was asked or never reached.

        `disagreement`: the service counts otherwise, so its state is read before the next document.
        """

        def give_up(register: Register) -> None:
            register.withdraw(reason=reason, disagreement=disagreement)
            if disagreement:
                register.need_state(reason=reason)

        return self._on_lane(lease, give_up)

    def empty_drawer(self, lease: LaneLease) -> LaneTask:
        """Issue the drawer's cash before the Z-report of a closing shift, and sign that issue."""

        def decide(register: Register) -> None:
            shift = register.shift
            assert shift is not None
            register.empty_drawer(
                closing_issue(
                    register.cash_in_drawer,
                    receipt_id=self.new_id(),
                    issued_at=self.clock.now(),
                    cashier_id=shift.cashier_id,
                    cashier_name=shift.cashier_name,
                )
            )

        return self._on_lane(lease, decide, sign=self._sign_if_possible)

    def make_z(self, lease: LaneLease, server: ServerShiftTotals | None) -> LaneTask:
        """Decide the Z-report and sign it.

        The figures are the service's own where it gives them, because the report must say what is registered
        there; where ours differ, the event names in what, and an alarm follows.
        """

        def decide(register: Register) -> None:
            shift = register.shift
            assert shift is not None
            assert shift.closing is not None
            theirs = None if server is None else server.read_by(shift.totals)
            differences = () if theirs is None else shift.totals.differences(theirs)
            totals = theirs if theirs is not None and differences else shift.totals
            register.make_z(
                z_report=ZReport(z_report_id=shift.closing.z_report_id, totals=totals),
                server=theirs,
                differences=differences,
                at=self.clock.now(),
            )

        return self._on_lane(lease, decide, sign=self._sign_if_possible)

    def park(
        self,
        lease: LaneLease,
        *,
        reason: str,
        server_code: int | None = None,
        text: str | None = None,
    ) -> LaneTask:
        """Stop the lane until a person acts."""
        now = self.clock.now()
        return self._on_lane(
            lease,
            lambda register: register.park(
                reason=reason, server_code=server_code, text=text, at=now
            ),
        )

    # --- helpers ---------------------------------------------------------------------------------------------

    def _record_found(self, register: Register, *, fiscal_number: str) -> None:
        register.record_registered(
            fiscal_number=fiscal_number,
            server_time=None,
            learned="inquiry",
            ticket_sha256=None,
            offline_session_id=None,
            offline_seed=None,
            recorded_at=self.clock.now(),
        )

    def _on_lane(
        self,
        lease: LaneLease,
        decide: Callable[[Register], StoredBytes | None],
        *,
        sign: Callable[..., tuple[StoredBytes, ...]] | None = None,
    ) -> LaneTask:
        """Decide on the held register and commit under the lease; again when a till was faster.

        A till only adds waiting receipts, so deciding again on the newer state is always right.
        """

        def once() -> LaneTask:
            with self._held(lease.register_id) as (register, beside):
                before = register.outstanding
                kept = decide(register)
                self._tell_registered(register, beside, before)
                documents: tuple[StoredBytes, ...] = () if kept is None else (kept,)
                if sign is not None:
                    documents += sign(register, now=self.clock.now())
                if register.pending_events:
                    parked = None if register.parked is None else register.parked.reason
                    self._save(
                        register,
                        *beside.changed,
                        documents=documents,
                        lane=LaneChange(register_id=register.id, fence=lease.epoch, parked=parked),
                    )
                return task_of(register)

        return self._again_after_conflict(once)


def _bytes_of(
    register: Register, document: Outstanding, *, kind: StoredKind, content: bytes
) -> StoredBytes:
    ref = document_ref(register.id, document_id=document.document_id, at=document.at, kind=kind)
    return StoredBytes(ref=ref, register_id=register.id, content=content)


def task_of(register: Register) -> LaneTask:
    """Return what the lane of a register has to do now."""
    shift = register.shift
    return LaneTask(
        step=register.next_step(),
        register_id=register.id,
        register=register.fiscal_number,
        key_id=None if shift is None else shift.key_id,
        shift=shift,
        outstanding=register.outstanding,
        next_local_number=register.next_local_number,
        last_document_at=register.last_document_at,
        waiting=len(register.waiting),
        disagreements=register.disagreements,
    )
