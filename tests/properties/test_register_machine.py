"""Registers lived through at random: sales, returns, storno, closings, faults, deaths. At rest all books agree."""

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.documents.receipt import Receipt, ReceiptKind
from domain.errors import RuleViolation
from domain.identifiers import id_made_by, shard_of, sold_receipt_id
from domain.ledger import Issued
from domain.ledger.settling import LAPSES_AFTER
from domain.money import ZERO, Money, Quantity
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.register.events import DocumentAdopted, DocumentRegistered, ReceiptIssued
from domain.returns import SoldReceipt, WantedLine
from domain.sale import CashPayment
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from tests.support.journal import log_of, registered_kind, registered_receipts, sweep
from tests.support.shop import sale
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

RECEIPTS_BY_KIND = {
    ReceiptKind.SALE: Kind.SALE,
    ReceiptKind.RETURN: Kind.RETURN,
    ReceiptKind.STORNO: Kind.STORNO,
}
RECEIPTS = frozenset(RECEIPTS_BY_KIND.values())
registers = st.integers(0, 1)

DEFAULT_SEQUENCES = 1_000 if os.environ.get("CI") == "true" else 100


class RegisterMachine(RuleBasedStateMachine):
    """Every rule is something a till, a worker, the network or the kernel does; there are two registers."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.registers = tuple(self.world.numbers)
        self.acknowledged: dict[UUID, tuple[UUID, Receipt]] = {}
        self.voided: set[UUID] = set()
        self.foreign: dict[UUID, int] = dict.fromkeys(self.registers, 0)
        self.commands = 0

    @initialize(begun=st.booleans())
    def a_day_begins(self, begun: bool) -> None:
        """Half of the days begin with open shifts and a sale on each register: returns need something registered."""
        if begun:
            for on in range(len(self.registers)):
                self.open_shift(on)
                self.sell(on, 2748, 0, "А")
            self.world.settle()

    @rule(on=registers, price=st.integers(1, 9_999), quantity=st.none() | st.integers(0, 1_000))
    def a_quiet_sale(self, on: int, price: int, quantity: int | None) -> None:
        """A sale is registered, and with a quantity a part of it comes back, before anything else happens."""
        self.sell(on, price, 0, "А")
        self.world.settle()
        if quantity is not None:
            self.give_back(on, -1, quantity or None, None, False)
            self.world.settle()

    @rule(on=registers)
    def open_shift(self, on: int) -> None:
        self._try(self.world.shop.ledger.open_shift, on, cashier_id=self.world.shop.cashier_id)

    @rule(
        on=registers,
        price=st.integers(1, 99_999),
        card=st.integers(0, 99_999),
        letters=st.sampled_from("АБ"),
    )
    def sell(self, on: int, price: int, card: int, letters: str) -> None:
        request = sale(price, card=min(card, price), letters=letters)
        issued = self._try(self.world.shop.ledger.sell, on, request=request)
        if issued is not None:
            self._acknowledge(issued)

    @rule(
        on=registers,
        which=st.integers(0, 50),
        quantity=st.none() | st.integers(1, 1_000),
        dies_after=st.none() | st.integers(0, 3),
        sends_again=st.booleans(),
    )
    def give_back(
        self,
        on: int,
        which: int,
        quantity: int | None,
        dies_after: int | None,
        sends_again: bool,
    ) -> None:
        """A return of any sale, on any register; the process may die between its steps, the till may send it again."""
        sales = registered_kind(self.world.store, ReceiptKind.SALE)
        if not sales:
            return
        lines = None if quantity is None else (WantedLine(1, Quantity(quantity)),)
        arguments: dict[str, Any] = {
            "sale": sales[which % len(sales)],
            "request": ReturnRequest(payments=(CashPayment(),), lines=lines),
            "command": self._command(),
        }
        self._dying("give_back", on, dies_after, sends_again, arguments)

    @rule(
        on=registers,
        back=st.sampled_from([0, 0, 0, 1, 2]),
        dies_after=st.none() | st.integers(0, 1),
        sends_again=st.booleans(),
    )
    def storno(self, on: int, back: int, dies_after: int | None, sends_again: bool) -> None:
        """The last receipt is taken back, or an older one is tried."""
        receipts = [
            receipt_id
            for receipt_id, found in registered_receipts(log_of(self.world.store)).items()
            if found.register_id == self.registers[on]
        ]
        if len(receipts) <= back:
            return
        arguments = {"receipt_id": receipts[-1 - back], "command": self._command()}
        self._dying("storno", on, dies_after, sends_again, arguments)

    @rule()
    def sweep(self) -> None:
        try:
            sweep(self.world.shop.ledger, self.world.store)
        except Killed:
            self.world.start_worker()

    @rule(on=registers)
    def close_shift(self, on: int) -> None:
        self._try(self.world.shop.ledger.close_shift, on)

    @precondition(lambda self: self._refused())
    @rule(correct=st.booleans())
    def settle_refused(self, correct: bool) -> None:
        on, receipt_id = self._refused()[0]
        ledger, register = self.world.shop.ledger, self.world.register(self.registers[on])
        is_sale = register.refused[receipt_id].receipt.kind is ReceiptKind.SALE
        if correct and is_sale and register.shift is not None:
            issued = self._try(ledger.correct, on, receipt_id=receipt_id, request=sale(777))
            if issued is not None:
                self._acknowledge(issued)
        elif self._try(ledger.void, on, receipt_id=receipt_id, reason="ні"):
            self.voided.add(receipt_id)

    @rule(fault=faults, times=st.integers(1, 3))
    def disturb(self, fault: Fault, times: int) -> None:
        self.world.simulator.faults.script([ScriptStep(fault=fault, times=times)])

    @rule(on=registers)
    def a_late_request_meets_an_outage(self, on: int) -> None:
        """The request is held back, the service says it has nothing, then is away until the document is old."""
        self.world.simulator.faults.script(
            [ScriptStep(fault=Fault(kind=FaultKind.LATE, seconds=20))]
        )
        self.world.work(self.registers[on])
        self.world.simulator.faults.cut_off(on=True)
        self.world.work(self.registers[on])
        self.world.clock.advance(timedelta(seconds=300))
        self.world.simulator.process_late()
        self.world.simulator.faults.cut_off(on=False)

    @rule(on=st.booleans())
    def cut_off(self, on: bool) -> None:
        self.world.simulator.faults.cut_off(on=on)

    @rule(chances=st.integers(0, 12))
    def die_soon(self, chances: int) -> None:
        self.world.death.after = chances

    @rule(on=registers)
    def second_device_works(self, on: int) -> None:
        register_id = self.registers[on]
        if self.world.shift_is_open_there(register_id):
            self.world.simulator.register_foreign(self.world.numbers[register_id])
            self.foreign[register_id] += 1

    @rule()
    def held_back_requests_arrive(self) -> None:
        self.world.simulator.process_late()

    @rule(seconds=st.sampled_from([1, 5, 30, 100, 400]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))

    @rule(on=registers)
    def work(self, on: int) -> None:
        self.world.work(self.registers[on])

    @rule()
    def rest(self) -> None:
        self._settle()

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        for register_id in self.registers:
            numbers = [stored.local_number for stored in self.world.book(register_id)]
            assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def nothing_is_registered_twice(self) -> None:
        uids = [
            stored.document.uid
            for register_id in self.registers
            for stored in self.world.book(register_id)
        ]
        for receipt_id in self.acknowledged:
            assert len(uids_of(receipt_id) & set(uids)) <= 1
        assert len(set(uids)) == len(uids)

    def teardown(self) -> None:
        self._settle()

    def _settle(self) -> None:
        self.world.settle()
        self.world.clock.advance(LAPSES_AFTER)
        sweep(self.world.shop.ledger, self.world.store)
        for register_id in self.registers:
            self.check_agreement(register_id)
        self.check_returns()

    def check_agreement(self, register_id: UUID) -> None:
        """After the network is well again: same documents, numbers, order and totals, every receipt accounted for."""
        register = self.world.register(register_id)
        book = self.world.book(register_id)
        assert register.parked is None, register.parked
        assert register.outstanding is None
        ours = [
            (event.local_number, event.fiscal_number)
            for event in self._events(register_id)
            if isinstance(event, DocumentRegistered | DocumentAdopted)
        ]
        assert ours == [(stored.local_number, stored.fiscal_number) for stored in book[: len(ours)]]
        unseen = book[len(ours) :]
        assert len(unseen) <= self.foreign[register_id]
        assert all(stored.kind is Kind.DEPOSIT for stored in unseen)
        receipts = [stored for stored in book if stored.kind in RECEIPTS]
        waiting = {item.subject_id for item in register.waiting}
        mine = {key for key, (on, _) in self.acknowledged.items() if on == register_id}
        registered = mine - set(register.refused) - self.voided - waiting
        assert len(receipts) == len(registered)
        assert register.shift is not None or not waiting
        by_uid = {stored.document.uid: stored for stored in receipts}
        for receipt_id in registered:
            (uid,) = uids_of(receipt_id) & set(by_uid)
            _, receipt = self.acknowledged[receipt_id]
            assert by_uid[uid].kind is RECEIPTS_BY_KIND[receipt.kind]
            assert (by_uid[uid].figures.total or 0) == receipt.registered_total.kopecks
        if register.shift is not None and not waiting:
            differences = register.shift.totals.differences(self.world.totals_there(register_id))
            # Deposits of the second device are adopted without their sums.
            assert set(differences) <= {"service_deposits"}

    def check_returns(self) -> None:
        """Nothing comes back twice, what was never issued is free again, and the service agrees."""
        uids = {
            stored.document.uid: stored
            for register_id in self.registers
            for stored in self.world.book(register_id)
        }
        log = log_of(self.world.store)
        for receipt_id, found in registered_receipts(log).items():
            if found.receipt.kind is not ReceiptKind.SALE:
                continue
            sold = self.world.store.read(
                SoldReceipt, sold_receipt_id(receipt_id), shard=shard_of(found.register_id)
            )
            assert all(line.quantity >= Quantity(0) and line.cost >= ZERO for line in sold.left())
            standing = set()
            returned = ZERO
            for key, (_, receipt) in self.acknowledged.items():
                original = receipt.original
                if original is None or original.receipt_id != receipt_id or key in self.voided:
                    continue
                stored = next((uids[uid] for uid in uids_of(key) if uid in uids), None)
                if stored is not None and stored.is_storned:
                    continue
                standing.add(key)
                if stored is not None and receipt.kind is ReceiptKind.RETURN:
                    returned += receipt.unrounded
            assert set(sold.taken) == standing
            assert returned <= found.receipt.unrounded
            if not any(line.quantity.thousandths for line in sold.left()):
                costs = [line.cost for taken in sold.taken.values() for line in taken.lines]
                assert Money.total(costs) == found.receipt.unrounded

    def _events(self, register_id: UUID) -> list[Any]:
        return [
            stored.event for stored in log_of(self.world.store) if stored.stream_id == register_id
        ]

    def _refused(self) -> list[tuple[int, UUID]]:
        return [
            (on, receipt_id)
            for on, register_id in enumerate(self.registers)
            for receipt_id in self.world.register(register_id).refused
        ]

    def _acknowledge(self, issued: Issued) -> None:
        assert issued.receipt is not None
        self.acknowledged[issued.receipt_id] = (issued.register_id, issued.receipt)

    def _command(self) -> CommandKey:
        self.commands += 1
        return CommandKey(scope="till", key=str(self.commands), body_hash=b"body")

    def _dying(
        self,
        name: str,
        on: int,
        dies_after: int | None,
        sends_again: bool,
        arguments: dict[str, Any],
    ) -> None:
        """Call a command that may die on its way and be sent again; what was issued counts, acknowledged or not."""
        key = arguments["command"]
        before, self.world.death.after = self.world.death.after, dies_after
        try:
            getattr(self.world.shop.ledger, name)(register_id=self.registers[on], **arguments)
        except RuleViolation:
            pass
        except Killed:
            self.world.start_worker()
            if sends_again:
                self._try(getattr(self.world.shop.ledger, name), on, **arguments)
        finally:
            self.world.death.after = before
        issued_id = id_made_by(scope=key.scope, key=key.key)
        for event in self._events(self.registers[on]):
            if isinstance(event, ReceiptIssued) and event.receipt.receipt_id == issued_id:
                self.acknowledged[issued_id] = (self.registers[on], event.receipt)

    def _try(self, ask: Any, on: int, **arguments: Any) -> Any:
        """Call a till's command: refused by a rule or killed in the middle, the till learns nothing."""
        before = self.world.death.after
        self.world.death.after = None
        try:
            return ask(register_id=self.registers[on], **arguments)
        except (RuleViolation, Killed):
            return None
        finally:
            self.world.death.after = before


TestRegisterMachine = pytest.mark.timeout(900)(RegisterMachine.TestCase)
TestRegisterMachine.settings = settings(
    max_examples=int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES)),
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
