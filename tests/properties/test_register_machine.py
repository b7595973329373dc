"""A register lived through at random: baskets of all sorts, cash, closings, faults, deaths.

At rest both books agree, document by document and in the totals of the shift, and the drawer holds what it must.
"""

import os
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.documents.receipt import CashPurpose, Receipt, ReceiptKind
from domain.drawer import (
    CashRequest,
    DepositRequest,
    DrawerSettings,
    IssueRequest,
    WithdrawalRequest,
)
from domain.errors import RuleViolation
from domain.money import ZERO, Money
from domain.register.events import (
    DocumentAdopted,
    DocumentRegistered,
    DrawerCounted,
    ReceiptIssued,
    ZReportMade,
)
from domain.register.state import RegisterSettings
from domain.sale import SaleRequest
from infra.event_store.feed import Cursor
from infra.simulator.answers import Code
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from infra.simulator.switches import Switches
from tests.baskets import GROUPS, STEPS, sales
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

KINDS = {
    ReceiptKind.SALE: Kind.SALE,
    ReceiptKind.SERVICE_DEPOSIT: Kind.DEPOSIT,
    ReceiptKind.SERVICE_ISSUE: Kind.ISSUE,
    ReceiptKind.CASH_WITHDRAWAL: Kind.WITHDRAWAL,
}
"""Each kind of receipt as the tax service calls it."""

DEFAULT_SEQUENCES = 2_000 if os.environ.get("CI") == "true" else 100


class RegisterMachine(RuleBasedStateMachine):
    """Every rule is something a till, a worker, the network or the kernel does."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.simulator.switches = Switches(tax_check="formula", rounding_steps_kopecks=STEPS)
        shop = self.world.shop
        shop.ledger.set_tax_groups(shop.company_id, GROUPS)
        self.acknowledged: dict[UUID, Receipt] = {}
        self.cash = ZERO
        """What tills put into the drawer and took out of it; what happened without them comes on top."""
        self.voided: set[UUID] = set()
        self.foreign = 0
        self._read: list[Any] = []
        self._read_to = Cursor()

    @property
    def ids(self) -> dict[str, Any]:
        return {"register_id": self.world.shop.register_id}

    @initialize(on_time=st.sampled_from([True, True, True, False]))
    def come_to_work(self, on_time: bool) -> None:
        """Most days begin with a registered opening; on the others its own troubles are found."""
        if on_time:
            self.open_shift()
            self.world.work()

    @rule()
    def open_shift(self) -> None:
        self._try(self.world.shop.ledger.open_shift, cashier_id=self.world.shop.cashier_id)

    @rule(price=st.integers(1, 99_999), card=st.integers(0, 99_999), letters=st.sampled_from("АБ"))
    def sell(self, price: int, card: int, letters: str) -> None:
        request = sale(price, card=min(card, price), letters=letters)
        issued = self._try(self.world.shop.ledger.sell, request=request)
        self._acknowledge(issued)

    @rule(basket=sales())
    def sell_a_basket(self, basket: SaleRequest) -> None:
        """Discounts and surcharges, several letters, certificates and credit, with or without cash and change."""
        self._acknowledge(self._try(self.world.shop.ledger.sell, request=basket))

    @rule(amount=st.integers(1, 199_999), change=st.booleans())
    def deposit(self, amount: int, change: bool) -> None:
        purpose = CashPurpose.CHANGE_FUND if change else CashPurpose.OTHER
        self._move(DepositRequest(Money(amount), purpose, reason="розмін"))

    @rule(leaves=st.integers(-1, 50_000))
    def issue(self, leaves: int) -> None:
        """Take out so much that this is left; -1 is a kopeck too much."""
        amount = self.world.register().cash_in_drawer.kopecks - leaves
        self._move(IssueRequest(Money(amount), CashPurpose.BANK_COLLECTION))

    @rule(amount=st.integers(49_900, 60_000), commission=st.integers(0, 500))
    def withdraw(self, amount: int, commission: int) -> None:
        self._move(DepositRequest(Money(50_000)))
        self._move(WithdrawalRequest(Money(amount), commission=Money(commission)))

    @rule(empties=st.booleans(), below=st.booleans(), step=st.sampled_from(STEPS))
    def change_the_rules_of_cash(self, empties: bool, below: bool, step: int) -> None:
        drawer = DrawerSettings(empties_before_z=empties, may_go_below_zero=below)
        rules = RegisterSettings(cash_step=Money(step), drawer=drawer)
        self._try(self.world.shop.ledger.change_register_settings, settings=rules)

    @rule()
    def close_shift(self) -> None:
        self._try(self.world.shop.ledger.close_shift)

    @rule(difference=st.integers(-500, 500))
    def count_and_close(self, difference: int) -> None:
        counted = Money(max(0, self.world.register().cash_in_drawer.kopecks + difference))
        if self._try(self.world.shop.ledger.close_shift, counted=counted):
            self.cash = counted

    @precondition(lambda self: self.world.register().refused)
    @rule(correct=st.booleans(), basket=sales())
    def settle_refused(self, correct: bool, basket: SaleRequest) -> None:
        receipt_id, row = next(iter(self.world.register().refused.items()))
        if correct and self.world.register().shift is not None:
            ledger = self.world.shop.ledger
            if row.receipt.kind is ReceiptKind.SALE:
                issued = self._try(ledger.correct, receipt_id=receipt_id, request=basket)
            else:
                request = _again(row.receipt)
                issued = self._try(ledger.correct_cash, receipt_id=receipt_id, request=request)
            self._acknowledge(issued, instead_of=row.receipt)
        elif self._try(self.world.shop.ledger.void, receipt_id=receipt_id, reason="ні"):
            self.voided.add(receipt_id)
            self.cash -= _cash(row.receipt)

    @rule(fault=faults, times=st.integers(1, 3))
    def disturb(self, fault: Fault, times: int) -> None:
        self.world.simulator.faults.script([ScriptStep(fault=fault, times=times)])

    @precondition(lambda self: self.world.shift_is_open_there())
    @rule(amount=st.integers(1, 60_000), deposits=st.booleans())
    def cash_is_refused_there(self, amount: int, deposits: bool) -> None:
        """A receipt of the drawer comes back refused, to be corrected or voided."""
        self._move(DepositRequest(Money(amount)))
        if not deposits:
            self.world.work()
            self._move(IssueRequest(Money(amount), CashPurpose.SALARY))
        refusal = Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка", resources=("doc",))
        self.world.simulator.faults.script([ScriptStep(fault=refusal)])
        self.world.work()

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
        by_uid = {stored.document.uid: stored for stored in book if stored.kind in KINDS.values()}
        waiting = {item.subject_id for item in register.waiting}
        issued = {**{each.receipt_id: each for each in self._closing_issues()}, **self.acknowledged}
        registered = set(issued) - set(register.refused) - self.voided - waiting
        assert len(by_uid) - len(registered) <= self.foreign
        assert register.shift is not None or not waiting
        for receipt_id in registered:
            (uid,) = uids_of(receipt_id) & set(by_uid)
            stored, receipt = by_uid.pop(uid), issued[receipt_id]
            assert stored.kind is KINDS[receipt.kind]
            assert stored.figures.total == receipt.total.kopecks
        assert all(stored.kind is Kind.DEPOSIT for stored in by_uid.values())
        self._check_no_arithmetic_was_refused()
        self._check_totals(seen_all=not unseen)
        self._check_drawer()

    def _check_no_arithmetic_was_refused(self) -> None:
        """Refusals that were ordered are not in this list; of the tax service's own only a late arrival is no fault."""
        assert [
            refused.text
            for refused in self.world.simulator.refusals
            if refused.code is Code.DOCUMENT_VALIDATION_ERROR
            and not refused.text.startswith("Дата і час")
            and not (self.foreign and "ZREP" in refused.text)
        ] == []

    def _check_totals(self, *, seen_all: bool) -> None:
        """Our totals are the tax service's, in the open shift and in every Z-report."""
        made = [event for event in self._events() if isinstance(event, ZReportMade)]
        if not self.foreign:
            assert all(event.differences == () for event in made)
        shift = self.world.register().shift
        if shift is None or shift.opening_fiscal_number is None or not seen_all:
            return
        theirs = self.world.server_totals()
        assert theirs is not None
        assert theirs.totals is not None
        assert shift.totals.differences(theirs.read_by(shift.totals)) == ()

    def _check_drawer(self) -> None:
        """What tills did, what other devices put in, and what closings took out, since the last count."""
        since: list[Any] = []
        for event in self._events():
            since = [] if isinstance(event, DrawerCounted) else [*since, event]
        foreign = sum(
            event.receipt.total.kopecks
            for event in since
            if isinstance(event, DocumentAdopted)
            and event.subject_id is None
            and event.receipt is not None
        )
        taken = sum(each.total.kopecks for each in self._closing_issues(since))
        drawer = self.world.register().cash_in_drawer
        assert drawer == Money(self.cash.kopecks + foreign - taken)

    def _closing_issues(self, events: list[Any] | None = None) -> list[Receipt]:
        """What closing shifts took out of the drawer by themselves."""
        return [
            event.receipt
            for event in (self._events() if events is None else events)
            if isinstance(event, ReceiptIssued) and event.receipt.purpose is CashPurpose.CLOSING
        ]

    def _move(self, request: CashRequest) -> None:
        """Ask the drawer for something; more than it holds is refused, unless the register was told otherwise."""
        register = self.world.register()
        held, rules = register.cash_in_drawer, register.settings.of_drawer
        issued = self._try(self.world.shop.ledger.move_cash, request=request)
        self._acknowledge(issued)
        if issued is not None and _cash(issued.receipt) < ZERO:
            assert rules.may_go_below_zero or request.amount <= held

    def _acknowledge(self, issued: Any, *, instead_of: Receipt | None = None) -> None:
        if issued is None:
            return
        self.acknowledged[issued.receipt_id] = issued.receipt
        self.cash += _cash(issued.receipt)
        if instead_of is not None:
            self.cash -= _cash(instead_of)

    def _events(self) -> list[Any]:
        page = self.world.store.page(self._read_to, 1_000_000)
        self._read_to = page.cursor
        self._read += [
            stored.event
            for stored in page.events
            if stored.stream_id == self.world.shop.register_id
        ]
        return self._read

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


TestRegisterMachine = pytest.mark.timeout(900)(RegisterMachine.TestCase)
TestRegisterMachine.settings = settings(
    max_examples=int(os.environ.get("FISCAL_TEST_SEQUENCES", DEFAULT_SEQUENCES)),
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
