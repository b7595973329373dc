"""Registers lived through at random: baskets, parts, returns, storno, cash, closings, faults, deaths. At rest all books agree.

The rules are the same wherever the shop floor is: `tests/properties/test_registers_in_memory.py` lives thousands of days
in one process, `tests/integration/test_registers_over_http.py` some over HTTP and PostgreSQL.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.documents.receipt import CashPurpose, PartPaymentKind, Receipt, ReceiptKind
from domain.drawer import (
    CashRequest,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
    cash_effect,
)
from domain.errors import NotFound, RuleViolation
from domain.identifiers import id_made_by
from domain.ledger import Issued
from domain.ledger.counterparts import FOLLOWING
from domain.ledger.settling import LAPSES_AFTER
from domain.money import ZERO, Money, Quantity
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.register.aggregate import Register
from domain.register.events import ReceiptIssued
from domain.register.state import RegisterSettings
from domain.sale import CashPayment, SaleRequest
from domain.sold_lines import WantedLine
from infra.simulator.faults import Fault, FaultKind
from infra.simulator.switches import Switches
from tests.baskets import STEPS, sales
from tests.support.agreement import Tills
from tests.support.journal import registered_kind, registered_receipts
from tests.support.shop import sale
from tests.support.world import Killed, ShopFloor, uids_of

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

registers = st.integers(0, 1)


JUDGING = Switches(tax_check="formula", rounding_steps_kopecks=STEPS)
"""The tax service looks at every figure here. The shop floor's company has the tax groups of `tests.baskets`."""


class RegisterMachine(RuleBasedStateMachine):
    """Every rule is something a till, a worker, the network or the kernel does; there are two registers."""

    def __init__(self, world: ShopFloor, *, judging: Switches = JUDGING) -> None:
        super().__init__()
        self.world = world
        with world.simulator.lock:
            world.simulator.switches = judging
        self.tills = Tills(self.world)
        self.registers = self.tills.registers
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
        self._try(self.world.ledger.open_shift, on, cashier_id=self.world.cashier_id)

    @rule(
        on=registers,
        price=st.integers(1, 99_999),
        card=st.integers(0, 99_999),
        letters=st.sampled_from("АБ"),
    )
    def sell(self, on: int, price: int, card: int, letters: str) -> None:
        request = sale(price, card=min(card, price), letters=letters)
        self._told(on, self._try(self.world.ledger.sell, on, request=request))

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
        sales = registered_kind(self.world.recorded(), ReceiptKind.SALE)
        if not sales:
            return
        chosen = sales[which % len(sales)]
        # A part payment comes back as the whole it was.
        whole = quantity is None or chosen.receipt.part is not None
        lines = None if whole else (WantedLine(1, Quantity(quantity or 0)),)
        arguments: dict[str, Any] = {
            "sale": chosen,
            "request": ReturnRequest(payments=(CashPayment(),), lines=lines),
            "command": self._command(),
        }
        self._dying("give_back", on, dies_after, sends_again, arguments)

    @rule(on=registers, basket=sales(), share=st.integers(1, 10_000))
    def prepay(self, on: int, basket: SaleRequest, share: int) -> None:
        """A part of a basket's price, or all of it, is taken in advance."""
        assert basket.total is not None
        amount = Money(max(1, basket.total.kopecks * share // 10_000))
        request = PrepaymentRequest(replace(basket, payments=(CashPayment(),)), amount)
        self._told(on, self._try(self.world.ledger.prepay, on, request=request))

    @rule(
        on=registers,
        basket=sales(),
        share=st.integers(1, 10_000),
        then=st.lists(st.sampled_from(["pay", "settle", "give back", "storno"]), max_size=4),
    )
    def a_quiet_chain(self, on: int, basket: SaleRequest, share: int, then: list[str]) -> None:
        """A prepayment is registered and what follows it, one after the other, before anything else happens."""
        self.prepay(on, basket, share)
        self.world.settle()
        for step in then:
            match step:
                case "pay":
                    self.pay_on(1 - on, -1, share, None, False)
                case "settle":
                    self.pay_on(on, -1, None, None, False)
                case "give back":
                    self.give_back(on, -1, None, None, False)
                case _:
                    self.storno(on, 0, None, False)
            self.world.settle()
            self.world.sweep()

    @rule(
        on=registers,
        which=st.integers(0, 50),
        share=st.none() | st.integers(1, 10_001),
        dies_after=st.none() | st.integers(0, 3),
        sends_again=st.booleans(),
    )
    def pay_on(
        self,
        on: int,
        which: int,
        share: int | None,
        dies_after: int | None,
        sends_again: bool,
    ) -> None:
        """A further payment on any prepayment, a kopeck too much among them, or the final settlement; any register."""
        prepaid = [
            found
            for found in registered_kind(self.world.recorded(), ReceiptKind.SALE)
            if found.receipt.part is not None
            and found.receipt.part.kind is PartPaymentKind.PREPAYMENT
        ]
        if not prepaid:
            return
        prepayment = prepaid[which % len(prepaid)]
        sold = self.world.sold(prepayment.receipt.receipt_id, register_id=prepayment.register_id)
        owed = Money.total(sold.owed()).kopecks
        amount = None
        if share is not None:
            amount = Money(owed + 1 if share > 10_000 else max(1, owed * share // 10_000))
        arguments = {
            "prepayment": prepayment,
            "request": LaterPaymentRequest(
                payments=(CashPayment(),) if owed else (), amount=amount
            ),
            "command": self._command(),
        }
        self._dying("pay_on", on, dies_after, sends_again, arguments)

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
            for receipt_id, found in registered_receipts(self.world.recorded()).items()
            if found.register_id == self.registers[on]
        ]
        if len(receipts) <= back:
            return
        arguments = {"receipt_id": receipts[-1 - back], "command": self._command()}
        self._dying("storno", on, dies_after, sends_again, arguments)

    @rule()
    def sweep(self) -> None:
        try:
            self.world.sweep()
        except Killed:
            self.world.start_worker()

    @rule(on=registers, basket=sales())
    def sell_a_basket(self, on: int, basket: SaleRequest) -> None:
        """Discounts and surcharges, several letters, certificates and credit, with or without cash and change."""
        self._told(on, self._try(self.world.ledger.sell, on, request=basket))

    @rule(on=registers, amount=st.integers(1, 199_999), change=st.booleans())
    def deposit(self, on: int, amount: int, change: bool) -> None:
        purpose = CashPurpose.CHANGE_FUND if change else CashPurpose.OTHER
        self._move(on, DepositRequest(Money(amount), purpose, reason="розмін"))

    @rule(on=registers, leaves=st.integers(-1, 50_000))
    def issue(self, on: int, leaves: int) -> None:
        """Take out so much that this is left; -1 is a kopeck too much."""
        amount = self._register(on).cash_in_drawer.kopecks - leaves
        self._move(on, IssueRequest(Money(amount), CashPurpose.BANK_COLLECTION))

    @rule(on=registers, amount=st.integers(49_900, 60_000), commission=st.integers(0, 500))
    def withdraw(self, on: int, amount: int, commission: int) -> None:
        self._move(on, DepositRequest(Money(50_000)))
        self._move(on, WithdrawalRequest(Money(amount), commission=Money(commission)))

    @rule(on=registers, empties=st.booleans(), below=st.booleans(), step=st.sampled_from(STEPS))
    def change_the_rules_of_cash(self, on: int, empties: bool, below: bool, step: int) -> None:
        drawer = DrawerSettings(empties_before_z=empties, may_go_below_zero=below)
        rules = RegisterSettings(cash_step=Money(step), drawer=drawer)
        self._try(self.world.ledger.change_register_settings, on, settings=rules)

    @rule(on=registers)
    def close_shift(self, on: int) -> None:
        self._try(self.world.ledger.close_shift, on)

    @rule(on=registers, difference=st.integers(-500, 500))
    def count_and_close(self, on: int, difference: int) -> None:
        counted = Money(max(0, self._register(on).cash_in_drawer.kopecks + difference))
        if self._try(self.world.ledger.close_shift, on, counted=counted):
            self.tills.counted(self.registers[on], counted)

    @precondition(lambda self: self._refused())
    @rule(correct=st.booleans(), basket=sales())
    def settle_refused(self, correct: bool, basket: SaleRequest) -> None:
        on, receipt_id = self._refused()[0]
        ledger, register = self.world.ledger, self._register(on)
        receipt = register.refused[receipt_id].receipt
        remade = receipt.kind not in FOLLOWING and receipt.part is None
        if not correct or register.shift is None or not remade:
            if self._try(ledger.void, on, receipt_id=receipt_id, reason="ні"):
                self.tills.void(self.registers[on], receipt)
        elif receipt.kind is ReceiptKind.SALE:
            issued = self._try(ledger.correct, on, receipt_id=receipt_id, request=basket)
            self._told(on, issued, instead_of=receipt)
        else:
            request = _again(receipt)
            issued = self._try(ledger.correct_cash, on, receipt_id=receipt_id, request=request)
            self._told(on, issued, instead_of=receipt)

    @rule(fault=faults, times=st.integers(1, 3))
    def disturb(self, fault: Fault, times: int) -> None:
        self.world.disturb(fault, times=times)

    @precondition(lambda self: self.world.shift_is_open_there())
    @rule(amount=st.integers(1, 60_000), deposits=st.booleans())
    def cash_is_refused_there(self, amount: int, deposits: bool) -> None:
        """A receipt of the drawer comes back refused, to be corrected or voided."""
        self._move(0, DepositRequest(Money(amount)))
        if not deposits:
            self.world.work()
            self._move(0, IssueRequest(Money(amount), CashPurpose.SALARY))
        refusal = Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка", resources=("doc",))
        self.world.disturb(refusal)
        self.world.work()

    @rule(on=registers)
    def a_late_request_meets_an_outage(self, on: int) -> None:
        """The request is held back, the service says it has nothing, then is away until the document is old."""
        self.world.disturb(Fault(kind=FaultKind.LATE, seconds=20))
        self.world.work(self.registers[on])
        self.world.cut_off(on=True)
        self.world.work(self.registers[on])
        self.world.clock.advance(timedelta(seconds=300))
        self.world.simulator.process_late()
        self.world.cut_off(on=False)

    @rule(on=st.booleans())
    def cut_off(self, on: bool) -> None:
        self.world.cut_off(on=on)

    @rule(chances=st.integers(0, 12))
    def die_soon(self, chances: int) -> None:
        self.world.death.after = chances

    @rule(on=registers)
    def second_device_works(self, on: int) -> None:
        register_id = self.registers[on]
        if self.world.shift_is_open_there(register_id):
            self.world.simulator.register_foreign(self.world.numbers[register_id])
            self.tills.foreign[register_id] += 1

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
        for receipt_id in self.tills.issued:
            assert len(uids_of(receipt_id) & set(uids)) <= 1
        assert len(set(uids)) == len(uids)

    def teardown(self) -> None:
        self._settle()

    def _settle(self) -> None:
        self.world.settle()
        self.world.clock.advance(LAPSES_AFTER)
        self.world.sweep()
        self.tills.check()

    def _register(self, on: int) -> Register:
        return self.world.register(self.registers[on])

    def _refused(self) -> list[tuple[int, UUID]]:
        return [
            (on, receipt_id)
            for on in range(len(self.registers))
            for receipt_id in self._register(on).refused
        ]

    def _move(self, on: int, request: CashRequest) -> None:
        """Ask the drawer for something; more than it holds is refused, unless the register was told otherwise."""
        register = self._register(on)
        held, rules = register.cash_in_drawer, register.settings.of_drawer
        issued = self._try(self.world.ledger.move_cash, on, request=request)
        self._told(on, issued)
        if issued is not None and cash_effect(issued.receipt) < ZERO:
            assert rules.may_go_below_zero or request.amount <= held

    def _told(self, on: int, issued: Issued | None, *, instead_of: Receipt | None = None) -> None:
        if issued is not None:
            assert issued.receipt is not None
            self.tills.told(self.registers[on], issued.receipt, instead_of=instead_of)

    def _command(self) -> CommandKey:
        self.commands += 1
        return self.world.command(str(self.commands))

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
            getattr(self.world.ledger, name)(register_id=self.registers[on], **arguments)
        except (RuleViolation, NotFound):
            pass
        except Killed:
            self.world.start_worker()
            if sends_again:
                self._try(getattr(self.world.ledger, name), on, **arguments)
        finally:
            self.world.death.after = before
        issued_id = id_made_by(scope=key.scope, key=key.key)
        for event in self.tills.events(self.registers[on]):
            if isinstance(event, ReceiptIssued) and event.receipt.receipt_id == issued_id:
                self.tills.told(self.registers[on], event.receipt)

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


def _cash(receipt: Receipt) -> Money:
    """What the cashier's hands put into the drawer or took out of it for a receipt."""
    if receipt.kind in (ReceiptKind.SERVICE_ISSUE, ReceiptKind.CASH_WITHDRAWAL):
        return -receipt.total
    if receipt.kind is ReceiptKind.SERVICE_DEPOSIT:
        return receipt.total
    return Money.total(
        (payment.provided or payment.amount) - (payment.change or ZERO)
        for payment in receipt.payments
        if payment.form_name == "ГОТІВКА"
    )


def _again(receipt: Receipt) -> CashRequest:
    """A refused receipt of the drawer, asked for again with a kopeck less or more."""
    if receipt.kind is ReceiptKind.SERVICE_DEPOSIT:
        return DepositRequest(Money(receipt.total.kopecks + 1))
    if receipt.kind is ReceiptKind.SERVICE_ISSUE:
        return IssueRequest(Money(max(1, receipt.total.kopecks - 1)), CashPurpose.SAFE)
    return WithdrawalRequest(Money(50_000))
