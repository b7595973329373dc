"""A register lived through at random: sales, closings, faults, deaths. At rest both books agree, document by document."""

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.errors import RuleViolation
from domain.money import Money
from domain.register.events import DocumentAdopted, DocumentRegistered
from infra.event_store.feed import Cursor
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from tests.support.shop import REGISTER_NUMBER, sale
from tests.support.world import Killed, World, uids_of

faults = st.sampled_from(
    [
        Fault(kind=FaultKind.REFUSE, resources=("doc", "cmd")),
        Fault(kind=FaultKind.RESET),
        Fault(kind=FaultKind.ANSWER_LOST),
        Fault(kind=FaultKind.ANSWER_LOST, resources=("doc", "cmd")),
        Fault(kind=FaultKind.SILENT_BEFORE, seconds=20),
        Fault(kind=FaultKind.SILENT_AFTER, seconds=20),
        Fault(kind=FaultKind.LATE, seconds=20),
        Fault(kind=FaultKind.SERVER_ERROR, status=503),
        Fault(kind=FaultKind.SERVER_ERROR_AFTER, status=502),
        Fault(kind=FaultKind.WRONG_TICKET_UID),
        Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка"),
        Fault(kind=FaultKind.REFUSE_CODE, code=12),
        Fault(kind=FaultKind.DUPLICATE, answer="first"),
        Fault(kind=FaultKind.DUPLICATE, answer="second"),
    ]
)

DEFAULT_SEQUENCES = 1_000 if os.environ.get("CI") == "true" else 100


class RegisterMachine(RuleBasedStateMachine):
    """Every rule is something a till, a worker, the network or the kernel does."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.acknowledged: dict[UUID, Money] = {}
        self.voided: set[UUID] = set()
        self.foreign = 0

    @property
    def ids(self) -> dict[str, Any]:
        return {"register_id": self.world.shop.register_id}

    @rule()
    def open_shift(self) -> None:
        self._try(self.world.shop.ledger.open_shift, cashier_id=self.world.shop.cashier_id)

    @rule(price=st.integers(1, 99_999), card=st.integers(0, 99_999), letters=st.sampled_from("АБ"))
    def sell(self, price: int, card: int, letters: str) -> None:
        request = sale(price, card=min(card, price), letters=letters)
        issued = self._try(self.world.shop.ledger.sell, request=request)
        if issued is not None:
            self.acknowledged[issued.receipt_id] = issued.receipt.total

    @rule()
    def close_shift(self) -> None:
        self._try(self.world.shop.ledger.close_shift)

    @precondition(lambda self: self.world.register().refused)
    @rule(correct=st.booleans())
    def settle_refused(self, correct: bool) -> None:
        receipt_id = next(iter(self.world.register().refused))
        if correct and self.world.register().shift is not None:
            issued = self._try(
                self.world.shop.ledger.correct, receipt_id=receipt_id, request=sale(777)
            )
            if issued is not None:
                self.acknowledged[receipt_id] = issued.receipt.total
        elif self._try(self.world.shop.ledger.void, receipt_id=receipt_id, reason="ні"):
            self.voided.add(receipt_id)

    @rule(fault=faults, times=st.integers(1, 3))
    def disturb(self, fault: Fault, times: int) -> None:
        self.world.simulator.faults.script([ScriptStep(fault=fault, times=times)])

    @rule()
    def a_late_request_meets_an_outage(self) -> None:
        """The request is held back, the service says it has nothing, then is away until the document is old."""
        self.world.simulator.faults.script(
            [ScriptStep(fault=Fault(kind=FaultKind.LATE, seconds=20))]
        )
        self.world.work()
        self.world.simulator.faults.cut_off(on=True)
        self.world.work()
        self.world.clock.advance(timedelta(seconds=300))
        self.world.simulator.process_late()
        self.world.simulator.faults.cut_off(on=False)

    @rule(on=st.booleans())
    def cut_off(self, on: bool) -> None:
        self.world.simulator.faults.cut_off(on=on)

    @rule(chances=st.integers(0, 12))
    def die_soon(self, chances: int) -> None:
        self.world.death.after = chances

    @precondition(lambda self: self.world.shift_is_open_there())
    @rule()
    def second_device_works(self) -> None:
        self.world.simulator.register_foreign(REGISTER_NUMBER)
        self.foreign += 1

    @rule()
    def held_back_requests_arrive(self) -> None:
        self.world.simulator.process_late()

    @rule(seconds=st.sampled_from([1, 5, 30, 100, 400]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule()
    def work(self) -> None:
        self.world.work()

    @rule()
    def rest(self) -> None:
        self.world.settle()
        self.check_agreement()

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        numbers = [stored.local_number for stored in self.world.book()]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def nothing_is_registered_twice(self) -> None:
        uids = [stored.document.uid for stored in self.world.book()]
        for receipt_id in self.acknowledged:
            assert len(uids_of(receipt_id) & set(uids)) <= 1
        assert len(set(uids)) == len(uids)

    def teardown(self) -> None:
        self.world.settle()
        self.check_agreement()

    def check_agreement(self) -> None:
        """After the network is well again: same documents, same numbers, same order, every receipt accounted for."""
        register = self.world.register()
        book = self.world.book()
        assert register.parked is None, register.parked
        assert register.outstanding is None
        ours = [
            (event.local_number, event.fiscal_number)
            for event in self._events()
            if isinstance(event, DocumentRegistered | DocumentAdopted)
        ]
        assert ours == [(stored.local_number, stored.fiscal_number) for stored in book[: len(ours)]]
        unseen = book[len(ours) :]
        assert len(unseen) <= self.foreign
        assert all(stored.kind is Kind.DEPOSIT for stored in unseen)
        sales = [stored for stored in book if stored.kind is Kind.SALE]
        waiting = {item.subject_id for item in register.waiting}
        registered = set(self.acknowledged) - set(register.refused) - self.voided - waiting
        assert len(sales) == len(registered)
        assert register.shift is not None or not waiting
        by_uid = {stored.document.uid: stored for stored in sales}
        for receipt_id in registered:
            (uid,) = uids_of(receipt_id) & set(by_uid)
            assert by_uid[uid].figures.total == self.acknowledged[receipt_id].kopecks

    def _events(self) -> list[Any]:
        page = self.world.store.page(Cursor(), 1_000_000)
        return [
            stored.event
            for stored in page.events
            if stored.stream_id == self.world.shop.register_id
        ]

    def _try(self, command: Any, **arguments: Any) -> Any:
        """Call a till's command: refused by a rule or killed in the middle, the till learns nothing."""
        before = self.world.death.after
        self.world.death.after = None
        try:
            return command(**self.ids, **arguments)
        except (RuleViolation, Killed):
            return None
        finally:
            self.world.death.after = before


TestRegisterMachine = RegisterMachine.TestCase
TestRegisterMachine.settings = settings(
    max_examples=int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES)),
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
