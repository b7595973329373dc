"""One lane, one document at a time, strictly in order.

A lane is claimed with a lease; each step asks the register what is to be done next, does exactly that, and records
what happened before it goes on. Killed at any line, the next holder of the lane finds in the register's events how
far it came: an attempt without a recorded outcome is asked about, never repeated blindly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain.answers import RegistrarState
from domain.clock import Clock
from domain.documents.shift import DocumentKind
from domain.errors import (
    IntegrityFault,
    KeyUnknown,
    Refused,
    StaleLease,
    Unavailable,
    Unreachable,
)
from domain.identifiers import document_uid
from domain.ledger import FiscalLedger, LaneTask
from domain.ports import FiscalServer, LaneLease, Lanes, TimestampAuthority
from domain.register.state import LaneStep
from infra.fiscal_server.answers import Action, action_for
from infra.telemetry import DOCUMENTS, LANE_PAUSES, SUBMISSION_SECONDS
from workers.resync import Resync

log = structlog.get_logger(__name__)

MOST_DISAGREEMENTS = 5
"""Documents given up in a row because the service counts otherwise, before a person must look."""


@dataclass(frozen=True, slots=True)
class SubmissionRules:
    """Times of submission, from the settings.

    `lease_margin_seconds`: how much of a lease must be left before anything is done under it; otherwise it is renewed.
    """

    lease_seconds: int
    lease_margin_seconds: float
    documents_per_claim: int
    retry_first_seconds: float
    retry_longest_seconds: float
    state_check_seconds: float
    stale_after_seconds: float
    most_skew_seconds: float

    def pause(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures in a row: doubling up to the longest."""
        seconds = self.retry_first_seconds * 2 ** min(failures, 16)
        return timedelta(seconds=min(seconds, self.retry_longest_seconds))


@dataclass(frozen=True, slots=True)
class Pause(Exception):
    """The lane cannot go on now; `reason` is shown to people."""

    reason: str


class Submitter:
    """Works lanes; one instance serves all threads of a worker."""

    def __init__(
        self,
        *,
        ledger: FiscalLedger,
        lanes: Lanes,
        server: FiscalServer,
        timestamps: TimestampAuthority,
        clock: Clock,
        rules: SubmissionRules,
        owner: str,
        skew_seconds: Callable[[], float | None],
    ) -> None:
        """`skew_seconds` tells the service's clock minus ours; None before its first answer."""
        self._ledger = ledger
        self._lanes = lanes
        self._server = server
        self._timestamps = timestamps
        self._clock = clock
        self._rules = rules
        self._owner = owner
        self._skew_seconds = skew_seconds
        self._resync = Resync(server=server, clock=clock)
        self._state_read_at: dict[UUID, datetime] = {}
        self._held_until: dict[UUID, datetime] = {}

    def work(self, register_id: UUID) -> int:
        """Work the register's lane until it is idle, must pause, or had its share; return steps done.

        A lane held by another worker, parked or not due is left alone. Safe to call at any time.
        """
        now = self._clock.now()
        lease = self._lanes.claim(
            register_id, owner=self._owner, now=now, seconds=self._rules.lease_seconds
        )
        if lease is None:
            return 0
        self._held_until[register_id] = now + timedelta(seconds=self._rules.lease_seconds)
        steps, failures = 0, lease.failures
        due_at: datetime | None = self._clock.now()
        reason: str | None = None
        try:
            task = self._ledger.lane_task(register_id)
            while task.step is not LaneStep.IDLE and steps < 4 * self._rules.documents_per_claim:
                self._keep(lease)
                before, task = task, self._step(lease, task, failures=failures)
                steps += 1
                if _is_settled(before, task):
                    failures = 0
            if task.step is LaneStep.IDLE:
                due_at, failures = None, 0
        except StaleLease:
            log.warning("lease lost", register_id=str(register_id))
            return steps
        except Pause as pause:
            reason = pause.reason
            LANE_PAUSES.labels(cause=reason.partition(":")[0]).inc()
            due_at = self._clock.now() + self._rules.pause(failures)
            failures += 1
            log.info("lane waits", register_id=str(register_id), reason=reason)
        except Exception as fault:
            due_at = self._clock.now() + self._rules.pause(failures)
            reason = f"{type(fault).__name__}"
            self._lanes.finish(lease, due_at=due_at, reason=reason, failures=failures + 1)
            raise
        self._lanes.finish(lease, due_at=due_at, reason=reason, failures=failures)
        return steps

    def _keep(self, lease: LaneLease) -> None:
        """Renew a lease that might end during the next request. Raises: StaleLease.

        One that was lost before its time is noticed by the next commit, which its epoch fences.
        """
        now, seconds = self._clock.now(), self._rules.lease_seconds
        left = self._held_until[lease.register_id] - now
        if left > timedelta(seconds=self._rules.lease_margin_seconds):
            return
        if not self._lanes.extend(lease, now=now, seconds=seconds):
            raise StaleLease(register_id=lease.register_id)
        self._held_until[lease.register_id] = now + timedelta(seconds=seconds)

    def _step(self, lease: LaneLease, task: LaneTask, *, failures: int) -> LaneTask:
        """Do one step. Raises: Pause, StaleLease."""
        try:
            if task.step is LaneStep.READ_STATE:
                return self._read_state(lease, task)
            if task.step is LaneStep.SIGN:
                return self._ledger.sign_waiting(lease)
            if task.step is LaneStep.SUBMIT:
                return self._submit(lease, task, failures=failures)
            if task.step is LaneStep.ASK:
                return self._ask(lease, task)
            return self._close(lease, task)
        except Unreachable as fault:
            raise Pause(reason=f"tax-service-unreachable: {fault.reason}") from fault
        except KeyUnknown as fault:
            raise Pause(reason=f"key-not-open: {fault.key_id}") from fault
        except Unavailable as fault:
            raise Pause(reason=f"{fault.code}: {fault.reason}") from fault
        except IntegrityFault as fault:
            log.exception("integrity fault", place=fault.place)
            return self._ledger.park(lease, reason="integrity-fault", text=str(fault))
        except Refused as fault:
            return self._command_refused(lease, fault)

    def _close(self, lease: LaneLease, task: LaneTask) -> LaneTask:
        """Do what is left of a drained closing shift: issue the drawer's cash where so set, then the Z-report."""
        if task.step is LaneStep.EMPTY_DRAWER:
            return self._ledger.empty_drawer(lease)
        totals = self._server.shift_totals(key_id=_key(task), register=task.register)
        return self._ledger.make_z(lease, totals)

    # --- sending -----------------------------------------------------------------------------------------------

    def _submit(self, lease: LaneLease, task: LaneTask, *, failures: int) -> LaneTask:
        document = task.outstanding
        assert document is not None
        if failures:
            self._server.server_time()
        skew = self._skew_seconds()
        if skew is not None and abs(skew) > self._rules.most_skew_seconds:
            # Asked again, so that a corrected clock is noticed.
            self._server.server_time()
            raise Pause(reason=f"clock-skew: the tax service's clock is {skew:+.0f} s from ours")
        if self._too_old(task):
            return self._ledger.withdraw(lease, reason="stale", disagreement=False)
        if self._state_is_old(task):
            state = self._state(task)
            if state.next_local_number != document.local_number:
                return self._ledger.record_unknown(lease, reason="number-taken-on-server")
        stamped = self._stamped(task)
        # The lease must outlast the request; what came before may have taken its time.
        self._keep(lease)
        self._ledger.begin_attempt(lease, stamped=stamped)
        return self._send(lease, task, stamped)

    def _stamped(self, task: LaneTask) -> bytes:
        """Return the bytes to send: the same ones at every attempt at this document."""
        document = task.outstanding
        assert document is not None
        if document.stamped:
            return self._ledger.store.document(task.stamped_ref)
        return self._timestamps.stamp(self._ledger.store.document(task.signed_ref))

    def _send(self, lease: LaneLease, task: LaneTask, stamped: bytes) -> LaneTask:
        """Send under a recorded attempt and record what came of it, whatever that is."""
        try:
            with SUBMISSION_SECONDS.time():
                ticket = self._server.submit(stamped)
        except Unreachable as fault:
            DOCUMENTS.labels(outcome="unknown" if fault.sent else "not-sent").inc()
            if fault.sent:
                log.warning("outcome unknown", register=task.register, reason=fault.reason)
                return self._ledger.record_unknown(lease, reason=fault.reason)
            self._ledger.record_attempt_ended(lease, reason=fault.reason)
            raise
        except Refused as refusal:
            return self._refused(lease, task, refusal)
        except IntegrityFault as fault:
            self._ledger.record_unknown(lease, reason=fault.what)
            return self._ledger.park(lease, reason="ticket-not-trusted", text=fault.what)
        try:
            task = self._ledger.record_ticket(lease, ticket)
        except IntegrityFault as fault:
            log.warning("ticket of another document", register=task.register, what=fault.what)
            return self._ledger.record_unknown(lease, reason="ticket-of-another-document")
        DOCUMENTS.labels(outcome="registered").inc()
        return task

    def _too_old(self, task: LaneTask) -> bool:
        """Return whether the service would refuse the document for its time; it is then signed anew.

        It never left, or the service was asked and does not have it. Should an earlier copy arrive all the same, the
        adoption recognises its UID, and the receipt is not registered twice.
        """
        document = task.outstanding
        assert document is not None
        age = (self._clock.now() - document.at).total_seconds()
        return age > self._rules.stale_after_seconds

    def _refused(self, lease: LaneLease, task: LaneTask, refusal: Refused) -> LaneTask:
        """Act on a refusal of the outstanding document by its code (design: one table)."""
        action = action_for(refusal.server_code)
        code, text = refusal.server_code, refusal.text
        DOCUMENTS.labels(outcome="refused").inc()
        log.warning("refused", register=task.register, server_code=code, action=action.value)
        if action is Action.REFUSE_DOCUMENT:
            return self._refused_itself(lease, task, refusal)
        if action in (Action.ADOPT, Action.RESYNC):
            # The service may count otherwise because it has this very document: nobody knows until it was asked.
            self._ledger.record_unknown(lease, reason=f"{code} {refusal.name}")
            return self._disagreed(lease, task, refusal)
        self._ledger.record_attempt_ended(lease, reason=f"{code} {refusal.name}")
        if action is Action.PARK:
            return self._ledger.park(lease, reason=refusal.name, server_code=code, text=text)
        raise Pause(reason=f"tax-service-refused: {code} {refusal.name}")

    def _refused_itself(self, lease: LaneLease, task: LaneTask, refusal: Refused) -> LaneTask:
        """Believe a refusal of the document, unless an earlier copy of it may have been accepted.

        A copy sent again is refused for reasons of its own (its time, its number) although the first one is
        registered, so the service is asked before a person is told to correct the receipt.
        """
        document = task.outstanding
        assert document is not None
        if document.attempts or document.item.documents > 1:
            found = self._resync.under_number(task, document.local_number)
            if found is not None:
                return self._found(lease, task, found.uid, found.fiscal_number)
        return self._ledger.record_refused(
            lease, server_code=refusal.server_code, text=refusal.text
        )

    def _disagreed(self, lease: LaneLease, task: LaneTask, refusal: Refused) -> LaneTask:
        """Find out whether the document is there after all: the service counts or stands otherwise."""
        document = task.outstanding
        assert document is not None
        found = self._resync.under_number(task, document.local_number)
        if found is not None:
            return self._found(lease, task, found.uid, found.fiscal_number)
        if task.disagreements >= MOST_DISAGREEMENTS:
            return self._ledger.park(
                lease,
                reason="cannot-agree-with-tax-service",
                server_code=refusal.server_code,
                text=refusal.text,
            )
        return self._ledger.withdraw(
            lease, reason=f"refused: {refusal.server_code} {refusal.name}", disagreement=True
        )

    def _command_refused(self, lease: LaneLease, refusal: Refused) -> LaneTask:
        if action_for(refusal.server_code) is Action.BACK_OFF:
            raise Pause(reason=f"tax-service-refused: {refusal.server_code} {refusal.name}")
        return self._ledger.park(
            lease, reason=refusal.name, server_code=refusal.server_code, text=refusal.text
        )

    # --- asking ------------------------------------------------------------------------------------------------

    def _ask(self, lease: LaneLease, task: LaneTask) -> LaneTask:
        """Learn what became of a document whose outcome nobody recorded."""
        document = task.outstanding
        assert document is not None
        self._ledger.record_unknown(lease, reason="attempt of an earlier lease")
        found = self._resync.under_number(task, document.local_number)
        if found is None:
            task = self._ledger.record_absent(lease)
            if document.attempts > 1:
                # Once at once, then ever later: a service that answers questions and takes no documents
                # must not be asked and sent to without a pause.
                raise Pause(reason="answer-lost: the document was sent and is not there")
            return task
        return self._found(lease, task, found.uid, found.fiscal_number)

    def _found(self, lease: LaneLease, task: LaneTask, uid: str, fiscal_number: str) -> LaneTask:
        document = task.outstanding
        assert document is not None
        if uid.upper() == document_uid(document.document_id):
            DOCUMENTS.labels(outcome="found").inc()
            return self._ledger.record_found(lease, fiscal_number=fiscal_number)
        return self._ledger.withdraw(lease, reason="number-taken", disagreement=True)

    # --- the service's state -----------------------------------------------------------------------------------

    def _read_state(self, lease: LaneLease, task: LaneTask) -> LaneTask:
        state = self._state(task)
        trouble = self._trouble(task, state)
        if trouble is not None:
            return self._ledger.park(lease, reason=trouble[0], text=trouble[1])
        missing = self._resync.missing(task, state)
        if missing:
            log.info("adopting documents", register=task.register, count=len(missing))
            task = self._ledger.adopt(lease, missing, key_id=_key(task))
        expected = task.next_local_number
        if expected is not None and expected != state.next_local_number:
            return self._ledger.park(
                lease,
                reason="numbers-disagree",
                text=f"the tax service expects {state.next_local_number}, the ledger has {expected}",
            )
        shift = task.shift
        if shift is not None and shift.opening_fiscal_number is not None and not state.shift_open:
            return self._ledger.park(
                lease,
                reason="shift-closed-on-server",
                text="the shift is open here and closed there, and no document tells why",
            )
        return self._ledger.record_state(lease, state)

    def _state(self, task: LaneTask) -> RegistrarState:
        state = self._server.registrar_state(key_id=_key(task), register=task.register)
        if state is None:
            raise Pause(reason="register-not-visible-to-key")
        self._state_read_at[task.register_id] = self._clock.now()
        return state

    def _state_is_old(self, task: LaneTask) -> bool:
        """Within a shift the state is read every few minutes, and not before every document.

        The opening of a shift reads it anyway; a register this process has not seen yet starts its period now.
        """
        document = task.outstanding
        assert document is not None
        if document.item.kind is DocumentKind.SHIFT_OPENING:
            return False
        now = self._clock.now()
        read_at = self._state_read_at.setdefault(task.register_id, now)
        return (now - read_at).total_seconds() > self._rules.state_check_seconds

    def _trouble(self, task: LaneTask, state: RegistrarState) -> tuple[str, str] | None:
        """Return why a person must act, as a stable word and a text; None when the lane may go on."""
        if state.closed:
            return "registration-cancelled", "the register's registration is cancelled"
        if state.shift_open and state.opener_key_id is not None:
            ours = self._ledger.signer.describe(key_id=_key(task)).subject_key_id
            if state.opener_key_id.lower() != ours.lower():
                return (
                    "shift-held-by-another-key",
                    f"opened by {state.opener_name or 'somebody'}, key {state.opener_key_id}",
                )
        if state.shift_open and task.shift is not None and state.testing != task.shift.testing:
            # Taking over its mode would make tests of receipts that people hold for fiscal, or the reverse.
            there, here = ("tests", "none") if state.testing else ("no tests", "only tests")
            return (
                "shift-of-another-mode",
                f"the shift open there holds {there}, ours holds {here}: close that one first",
            )
        if task.next_local_number is not None and state.next_local_number < task.next_local_number:
            return (
                "server-behind",
                f"expected there {state.next_local_number}, here {task.next_local_number}",
            )
        return None


def _is_settled(before: LaneTask, after: LaneTask) -> bool:
    """Return whether a step gave the outstanding document an outcome: only that ends a row of failures."""
    if before.outstanding is None:
        return False
    gone = after.outstanding
    return gone is None or gone.document_id != before.outstanding.document_id


def _key(task: LaneTask) -> str:
    assert task.key_id is not None
    return task.key_id
