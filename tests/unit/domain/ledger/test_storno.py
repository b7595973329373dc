"""Storno of the register's last receipt, through ledger, lane and tax service."""

from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import CashPurpose, ReceiptKind
from domain.documents.shift import OrderTotals
from domain.drawer import CashRequest, DepositRequest, IssueRequest, WithdrawalRequest
from domain.errors import (
    NoOpenShift,
    NotEnoughCash,
    NotFound,
    NothingLeft,
    ReceiptNotRegistered,
    ShiftClosing,
    StornoNotPossible,
)
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import Issued
from domain.money import Money
from domain.ports import CommandKey
from domain.readings import Readings
from domain.refund import ReturnRequest
from domain.returns import SoldReceipt
from domain.sale import CashPayment
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from infra.simulator.switches import Switches
from tests.support.journal import open_returns, registered_kind, registered_sale, sweep
from tests.support.shop import REGISTER_NUMBER, sale
from tests.support.world import World

ALL = ReturnRequest(payments=(CashPayment(),))
REFUSAL = ScriptStep(fault=Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка"), times=1)


@pytest.fixture
def world() -> World:
    return opened(World())


def opened(world: World) -> World:
    """The world with a shift open on each of its registers."""
    for register_id in world.numbers:
        world.shop.ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
    world.settle()
    return world


def sell(world: World, price: int = 2748) -> UUID:
    """A registered sale."""
    issued = world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(price))
    world.settle()
    return issued.receipt_id


def give_back(world: World, sale_id: UUID, *, on: UUID | None = None) -> UUID:
    """A registered return of all of a sale."""
    issued = world.shop.ledger.give_back(
        register_id=on or world.shop.register_id,
        sale=registered_sale(world.store, sale_id),
        request=ALL,
    )
    world.settle()
    return issued.receipt_id


def storno(world: World, receipt_id: UUID, **more: Any) -> Issued:
    return world.shop.ledger.storno(
        register_id=world.shop.register_id, receipt_id=receipt_id, **more
    )


def sold(world: World, sale_id: UUID) -> SoldReceipt:
    shard = shard_of(world.shop.register_id)
    return world.store.read(SoldReceipt, sold_receipt_id(sale_id), shard=shard)


def check_totals(world: World, *, sales: int, returns: int) -> None:
    """Ours are the service's, and they are these counts."""
    shift = world.register().shift
    assert shift is not None
    assert (shift.totals.sales.count, shift.totals.returns.count) == (sales, returns)
    assert shift.totals.differences(world.totals_there()) == ()


class TestSale:
    def test_the_last_sale_is_taken_back_and_leaves_no_trace_in_the_totals(
        self, world: World
    ) -> None:
        first, last = sell(world, 1000), sell(world)
        issued = storno(world, last, comment="Помилка касира")
        world.settle()

        stored = world.book()[-1]
        assert stored.kind is Kind.STORNO
        assert stored.document.head["ORDERSTORNUM"] == world.book()[-2].fiscal_number
        assert world.book()[-2].is_storned
        check_totals(world, sales=1, returns=0)
        assert issued.receipt is not None
        assert issued.receipt.total == Money(2750)
        assert issued.receipt.registered_total == Money(0)
        assert issued.receipt.original is not None
        assert issued.receipt.original.receipt_id == last
        assert sold(world, first).taken == {}

    @pytest.mark.parametrize(
        ("keeps", "rule", "sales"), [(False, "removed", 1), (True, "counted-without-sum", 2)]
    )
    def test_storno_leaves_the_count_where_so_read(
        self, keeps: bool, rule: str, sales: int
    ) -> None:
        world = opened(World(readings=Readings(storno_keeps_count=keeps)))
        world.simulator.switches = Switches.model_validate({"storno_counts": rule})
        sell(world, 1000)
        storno(world, sell(world))
        on_its_way = world.shop.ledger.x_report(world.shop.register_id).issued
        world.settle()

        check_totals(world, sales=sales, returns=0)
        shift = world.register().shift
        assert shift is not None
        assert shift.totals == on_its_way
        assert shift.totals.sales.total == Money(1000)

    def test_return_taken_back_leaves_the_count_where_so_read(self) -> None:
        world = opened(World(readings=Readings(storno_keeps_count=True)))
        world.simulator.switches = Switches(storno_counts="counted-without-sum")
        storno(world, give_back(world, sell(world)))
        world.settle()

        check_totals(world, sales=1, returns=1)

    def test_nothing_of_it_may_come_back_from_the_storno_on(self, world: World) -> None:
        last = sell(world)
        storno(world, last)
        for settled in (False, True):
            if settled:
                world.settle()
                sweep(world.shop.ledger, world.store)
                assert open_returns(world.store) == []
            with pytest.raises(NothingLeft):
                world.shop.ledger.give_back(
                    register_id=world.other_register_id,
                    sale=registered_sale(world.store, last),
                    request=ALL,
                )

    def test_the_only_sale_of_a_shift_leaves_empty_totals_and_an_empty_z_report(
        self, world: World
    ) -> None:
        storno(world, sell(world))
        report = world.shop.ledger.x_report(world.shop.register_id)
        assert report.issued.sales == OrderTotals()
        assert report.registered.sales.count == 1
        world.settle()
        check_totals(world, sales=0, returns=0)
        world.shop.ledger.close_shift(register_id=world.shop.register_id)
        world.settle()
        assert world.register().shift is None
        (z_report,) = [stored for stored in world.book() if stored.kind is Kind.Z_REPORT]
        assert "ZREPREALIZ" not in z_report.document.content

    def test_the_x_report_counts_what_follows_a_storno_on_its_way(self, world: World) -> None:
        storno(world, sell(world))
        world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(1000))
        report = world.shop.ledger.x_report(world.shop.register_id)
        assert (report.issued.sales.count, report.issued.sales.unrounded) == (1, Money(1000))

    def test_the_same_command_takes_back_once(self, world: World) -> None:
        last = sell(world)
        command = CommandKey(scope="till", key="a", body_hash=b"body")
        first = storno(world, last, command=command)
        world.settle()
        again = storno(world, last, command=command)
        assert (again.receipt_id, again.receipt) == (first.receipt_id, None)
        assert [stored.kind for stored in world.book()].count(Kind.STORNO) == 1

    def test_a_refused_storno_that_is_voided_leaves_the_sale_as_it_was(self, world: World) -> None:
        last = sell(world)
        issued = storno(world, last)
        world.simulator.faults.script([REFUSAL])
        world.work()
        assert issued.receipt_id in world.register().refused
        world.shop.ledger.void(
            register_id=world.shop.register_id, receipt_id=issued.receipt_id, reason="ні"
        )
        assert sold(world, last).taken == {}
        check_totals(world, sales=1, returns=0)
        storno(world, last)
        world.settle()
        check_totals(world, sales=0, returns=0)


class TestReturn:
    def test_the_last_return_is_taken_back_and_may_come_again(self, world: World) -> None:
        sale_id = sell(world)
        returned = give_back(world, sale_id)
        sweep(world.shop.ledger, world.store)
        storno(world, returned)
        world.settle()
        check_totals(world, sales=1, returns=0)
        assert returned in sold(world, sale_id).taken
        sweep(world.shop.ledger, world.store)
        assert sold(world, sale_id).taken == {}
        give_back(world, sale_id)
        check_totals(world, sales=1, returns=1)

    def test_a_return_of_another_registers_sale_too(self, world: World) -> None:
        issued = world.shop.ledger.sell(register_id=world.other_register_id, request=sale())
        world.settle()
        returned = give_back(world, issued.receipt_id)
        storno(world, returned)
        world.settle()
        sweep(world.shop.ledger, world.store)
        shard = shard_of(world.other_register_id)
        stream = world.store.read(SoldReceipt, sold_receipt_id(issued.receipt_id), shard=shard)
        assert stream.taken == {}

    def test_a_refused_storno_of_a_return_changes_nothing_of_it(self, world: World) -> None:
        sale_id = sell(world)
        returned = give_back(world, sale_id)
        issued = storno(world, returned)
        world.simulator.faults.script([REFUSAL])
        world.work()
        world.shop.ledger.void(
            register_id=world.shop.register_id, receipt_id=issued.receipt_id, reason="ні"
        )
        sweep(world.shop.ledger, world.store)
        assert sold(world, sale_id).taken[returned].confirmed


class TestDrawer:
    """Cash that was put in or taken out wrongly."""

    @pytest.mark.parametrize(
        ("request_", "kind"),
        [
            (DepositRequest(Money(30_000)), Kind.DEPOSIT),
            (IssueRequest(Money(300), CashPurpose.SAFE), Kind.ISSUE),
        ],
    )
    def test_a_deposit_or_an_issue_is_taken_back(
        self, world: World, request_: CashRequest, kind: Kind
    ) -> None:
        sell(world)
        before, held = world.totals_there(), world.register().cash_in_drawer
        wrong = move(world, request_)
        assert world.register().cash_in_drawer != held

        storno(world, wrong)
        assert world.register().cash_in_drawer == held
        world.settle()

        assert [stored.kind for stored in world.book()[-2:]] == [kind, Kind.STORNO]
        assert world.register().cash_in_drawer == held
        check_totals(world, sales=1, returns=0)
        assert world.totals_there() == before

    def test_a_refused_storno_that_is_voided_leaves_the_cash_where_it_was(
        self, world: World
    ) -> None:
        deposit = move(world, DepositRequest(Money(30_000)))
        issued = storno(world, deposit)
        world.simulator.faults.script([REFUSAL])
        world.work()
        register_id = world.shop.register_id
        world.shop.ledger.void(
            register_id=register_id, receipt_id=issued.receipt_id, reason="помилка"
        )
        world.settle()
        assert world.register().cash_in_drawer == Money(30_000)

    def test_a_deposit_whose_cash_was_paid_out_already(self, world: World) -> None:
        """A buyer's refund may take more than the drawer holds; what is left of a deposit cannot be taken out then."""
        sale_id = sell(world)
        move(world, IssueRequest(Money(2_750), CashPurpose.SAFE))
        give_back(world, sale_id)
        assert world.register().cash_in_drawer == Money(-2_750)
        deposit = move(world, DepositRequest(Money(2_000)))
        with pytest.raises(NotEnoughCash):
            storno(world, deposit)

    def test_cash_given_out_to_a_card_is_not_taken_back(self, world: World) -> None:
        move(world, DepositRequest(Money(60_000)))
        withdrawn = move(world, WithdrawalRequest(Money(50_000)))
        with pytest.raises(StornoNotPossible) as refusal:
            storno(world, withdrawn)
        assert refusal.value.reason == "the cash was given out to a card"


def move(world: World, request: CashRequest) -> UUID:
    """Cash moved and registered."""
    issued = world.shop.ledger.move_cash(register_id=world.shop.register_id, request=request)
    world.settle()
    return issued.receipt_id


class TestRefusals:
    """What is not the last receipt is refused with the reason, and nothing is recorded."""

    def refused(self, world: World, error: type[Exception], receipt_id: UUID) -> Any:
        before = world.store.known.heads.copy()
        with pytest.raises(error) as refusal:
            storno(world, receipt_id)
        assert world.store.known.heads == before
        return refusal.value

    def reason(self, world: World, receipt_id: UUID) -> str:
        refusal = self.refused(world, StornoNotPossible, receipt_id)
        assert "return" in refusal.next_step
        return str(refusal.reason)

    def test_after_the_next_sale(self, world: World) -> None:
        first = sell(world)
        sell(world)
        assert self.reason(world, first) == "it is not the last receipt of the open shift"

    def test_while_the_next_sale_is_on_its_way(self, world: World) -> None:
        first = sell(world)
        world.shop.ledger.sell(register_id=world.shop.register_id, request=sale())
        assert self.reason(world, first) == "a later document is on its way"

    def test_after_a_document_of_another_device(self, world: World) -> None:
        first = sell(world)
        world.simulator.register_foreign(REGISTER_NUMBER)
        world.shop.ledger.after_restore(world.shop.register_id)
        world.settle()
        assert self.reason(world, first) == "it is not the last receipt of the open shift"

    def test_twice(self, world: World) -> None:
        first, last = sell(world), sell(world)
        issued = storno(world, last)
        world.settle()
        for receipt_id in (first, last, issued.receipt_id):
            assert self.reason(world, receipt_id) == "it is not the last receipt of the open shift"

    def test_of_what_was_returned_elsewhere_meanwhile(self, world: World) -> None:
        last = sell(world)
        give_back(world, last, on=world.other_register_id)
        assert self.reason(world, last) == "something of it was returned already"

    def test_in_the_next_shift(self, world: World) -> None:
        last = sell(world)
        ledger, register_id = world.shop.ledger, world.shop.register_id
        ledger.close_shift(register_id=register_id)
        self.refused(world, ShiftClosing, last)
        world.settle()
        self.refused(world, NoOpenShift, last)
        ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
        world.settle()
        assert self.reason(world, last) == "it is not the last receipt of the open shift"

    def test_before_it_is_registered(self, world: World) -> None:
        issued = world.shop.ledger.sell(register_id=world.shop.register_id, request=sale())
        refusal = self.refused(world, ReceiptNotRegistered, issued.receipt_id)
        assert refusal.state == "on its way"
        world.simulator.faults.script([REFUSAL])
        world.work()
        refusal = self.refused(world, ReceiptNotRegistered, issued.receipt_id)
        assert refusal.state == "refused"

    def test_of_what_this_register_never_issued(self, world: World) -> None:
        issued = world.shop.ledger.sell(register_id=world.other_register_id, request=sale())
        world.settle()
        self.refused(world, NotFound, issued.receipt_id)
        self.refused(world, NotFound, UUID(int=404))


class TestAdopted:
    def adopt_storno(self, world: World, target: str) -> None:
        """Another device takes a receipt back, and the ledger finds out."""
        template = world.book()[-1].document
        head, _, _ = template.xml.partition(b"<ORDERDATE>")
        storno_head = (
            head.replace(template.uid.encode(), b"7E5A0000-0B1C-4D2E-8F30-0000000000CC")
            .replace(b"<DOCSUBTYPE>0<", b"<DOCSUBTYPE>5<")
            .replace(b"<DOCSUBTYPE>1<", b"<DOCSUBTYPE>5<")
        )
        tail = template.xml[len(head) :].partition(b"</CHECKHEAD>")[0]
        tail = tail.replace(
            f"<ORDERNUM>{template.local_number}<".encode(),
            f"<ORDERNUM>{template.local_number + 1}<".encode(),
        )
        before, _, after = tail.partition(b"<CASHIER>")
        before = before.partition(b"<ORDERRETNUM>")[0]
        number = f"<ORDERSTORNUM>{target}</ORDERSTORNUM>".encode()
        xml = storno_head + before + number + b"<CASHIER>" + after + b"</CHECKHEAD></CHECK>"
        world.simulator.register_foreign(REGISTER_NUMBER, xml=xml)
        world.shop.ledger.after_restore(world.shop.register_id)
        world.settle()
        (found,) = registered_kind(world.recorded(), ReceiptKind.STORNO)
        assert found.receipt.original is not None
        assert found.receipt.original.fiscal_number == target

    def test_storno_of_a_sale_counts_and_leaves_nothing_to_return(self, world: World) -> None:
        sell(world, 1000)
        last = sell(world)
        self.adopt_storno(world, world.book()[-1].fiscal_number)
        check_totals(world, sales=1, returns=0)
        with pytest.raises(NothingLeft):
            give_back(world, last)

    def test_storno_of_a_return_counts_and_releases_it(self, world: World) -> None:
        sale_id = sell(world)
        returned = give_back(world, sale_id)
        assert returned in sold(world, sale_id).taken
        self.adopt_storno(world, world.book()[-1].fiscal_number)
        check_totals(world, sales=1, returns=0)
        sweep(world.shop.ledger, world.store)
        assert sold(world, sale_id).taken == {}
