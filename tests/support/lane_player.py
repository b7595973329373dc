"""A lane worker for tests of what stands above it: registers, refuses or parks documents by a simple script."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from time import monotonic, sleep
from uuid import UUID

from domain.answers import RegistrarState, ServerShiftTotals, Ticket
from domain.clock import SystemClock
from domain.documents.shift import FiscalDocument
from domain.documents.xml import to_xml
from domain.identifiers import document_uid
from domain.ledger import AdoptedDocument, FiscalLedger, LaneTask
from domain.ports import LaneLease, Lanes, LedgerStore, Signer
from domain.register.state import LaneStep

_FIRST_NUMBER = 3_600_000_000
_PATIENCE_SECONDS = 15


class LanePlayer:
    """Plays the worker and the tax service in one, over a store of its own as a process of its own has.

    `refuse_next` documents are refused with code 9, `silent_next` ones get no answer.
    """

    def __init__(self, store: LedgerStore, lanes: Lanes, signer: Signer) -> None:
        self.ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock())
        self._lanes = lanes
        self._numbers = count(_FIRST_NUMBER)
        self._local_numbers: dict[UUID, int] = {}
        self.refuse_next = 0
        self.silent_next = 0

    def run(self, register_id: UUID, *, most_steps: int = 1_000) -> int:
        """Do what the lane has to do until nothing is left; return how many steps that took."""
        lease = self._claim(register_id)
        task = self.ledger.lane_task(register_id)
        steps = 0
        while task.step is not LaneStep.IDLE and steps < most_steps:
            task = self._step(lease, task)
            steps += 1
            if task.outstanding is not None and task.outstanding.unknown:
                break
        self._lanes.finish(lease, due_at=None, reason=None, failures=0)
        return steps

    def park(self, register_id: UUID, *, reason: str = "register-not-registered") -> None:
        """Stop the lane as the tax service's code 1 does."""
        lease = self._claim(register_id)
        self.ledger.park(lease, reason=reason, server_code=1, text="ПРРО не зареєстрований")
        self._lanes.finish(lease, due_at=None, reason=None, failures=0)

    def wait_with(self, register_id: UUID, *, reason: str) -> None:
        """Give the lane back without progress, as when the tax service cannot be reached."""
        lease = self._claim(register_id)
        due_at = self.ledger.clock.now() + timedelta(hours=1)
        self._lanes.finish(lease, due_at=due_at, reason=reason, failures=1)

    def adopt(self, register_id: UUID, document: FiscalDocument) -> None:
        """Let the tax service turn out to have a document of another device under the register's next number."""
        lease = self._claim(register_id)
        number = self.ledger.lane_task(register_id).next_local_number or 1
        heading = replace(document.heading, local_number=number)
        found = AdoptedDocument(
            local_number=number,
            fiscal_number=str(next(self._numbers)),
            uid=document_uid(heading.uid),
            document_id=heading.uid,
            at=heading.at,
            server_kind=document.kind.value,
            in_open_shift=True,
            document=replace(document, heading=heading),
            xml=to_xml(replace(document, heading=heading)),
        )
        self.ledger.adopt(lease, [found], key_id="olena")
        self._local_numbers[register_id] = number + 1
        self._lanes.finish(lease, due_at=None, reason=None, failures=0)

    def _claim(self, register_id: UUID) -> LaneLease:
        """Take the lane as soon as it has work: the request that brings it may still be on its way."""
        until = monotonic() + _PATIENCE_SECONDS
        while True:
            later = self.ledger.clock.now() + timedelta(hours=2)
            lease = self._lanes.claim(register_id, owner="player", now=later, seconds=600)
            if lease is not None:
                return lease
            assert monotonic() < until, "the lane is not due, parked or held"
            sleep(0.02)

    def _step(self, lease: LaneLease, task: LaneTask) -> LaneTask:
        register_id = lease.register_id
        match task.step:
            case LaneStep.READ_STATE:
                number = self._local_numbers.setdefault(register_id, 1)
                return self.ledger.record_state(lease, _state(number))
            case LaneStep.SIGN:
                return self.ledger.sign_waiting(lease)
            case LaneStep.ASK:
                return self.ledger.record_absent(lease)
            case LaneStep.EMPTY_DRAWER:
                return self.ledger.empty_drawer(lease)
            case LaneStep.MAKE_Z:
                assert task.shift is not None
                totals = ServerShiftTotals(
                    shift_open=True,
                    z_report_present=False,
                    testing=False,
                    totals=task.shift.totals,
                )
                return self.ledger.make_z(lease, totals)
            case _:
                return self._submit(lease, task)

    def _submit(self, lease: LaneLease, task: LaneTask) -> LaneTask:
        document = task.outstanding
        assert document is not None
        self.ledger.begin_attempt(lease, stamped=b"stamped")
        if self.refuse_next:
            self.refuse_next -= 1
            return self.ledger.record_refused(
                lease, server_code=9, text="Документ не пройшов перевірку"
            )
        if self.silent_next:
            self.silent_next -= 1
            return self.ledger.record_unknown(lease, reason="no-answer")
        self._local_numbers[lease.register_id] = document.local_number + 1
        ticket = Ticket(
            uid=document_uid(document.document_id),
            local_number=document.local_number,
            fiscal_number=str(next(self._numbers)),
            server_time=self.ledger.clock.now(),
            raw=b"ticket",
        )
        return self.ledger.record_ticket(lease, ticket)


def _state(next_local_number: int) -> RegistrarState:
    return RegistrarState(
        shift_open=False,
        shift_id=None,
        open_shift_fiscal_number=None,
        z_report_present=False,
        testing=False,
        opener_name=None,
        opener_key_id=None,
        first_local_number=1,
        next_local_number=next_local_number,
        last_fiscal_number=None,
        offline_supported=False,
        senior_cashier=True,
        offline_session_id=None,
        offline_seed=None,
        offline_next_number=None,
        offline_session_minutes=None,
        offline_month_minutes=None,
        offline_session_rolled_back=False,
        closed=False,
        tax_object=None,
    )
