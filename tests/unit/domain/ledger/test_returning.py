"""Returns through ledger, lane and tax service: whole and in parts, here and on another register, with deaths between."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import ReceiptKind
from domain.errors import (
    IdempotencyKeyReused,
    IntegrityFault,
    NoOpenShift,
    NotFound,
    NothingLeft,
    PaymentsDiffer,
    ReceiptKindDiffers,
    ReceiptNotReturnable,
    ReturnExceedsSale,
    ReturnLapsed,
)
from domain.identifiers import shard_of, sold_receipt_id
from domain.ledger import Issued, RegisteredSale
from domain.ledger.settling import LAPSES_AFTER
from domain.money import Money, Quantity, Rate
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.returns import SoldReceipt
from domain.sale import CardPayment, CashPayment
from domain.sold_lines import WantedLine
from domain.taxes.rates import STANDARD_GROUPS
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from tests.support.journal import open_returns, registered_sale, sweep
from tests.support.shop import sale
from tests.support.world import Killed, World

ALL = ReturnRequest(payments=(CashPayment(),))
REFUSAL = ScriptStep(fault=Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка"), times=1)


def part(quantity: int, **changes: Any) -> ReturnRequest:
    return replace(ALL, lines=(WantedLine(1, Quantity(quantity)),), **changes)


def key(name: str, body: bytes = b"body") -> CommandKey:
    return CommandKey(scope="till", key=name, body_hash=body)


@pytest.fixture
def world() -> World:
    """Both registers have an open, registered shift."""
    world = World()
    for register_id in world.numbers:
        world.shop.ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
    world.settle()
    return world


@pytest.fixture
def sold(world: World) -> RegisteredSale:
    """A registered sale of one loaf for 27.48 on the first register."""
    issued = world.shop.ledger.sell(register_id=world.shop.register_id, request=sale())
    world.settle()
    return registered_sale(world.store, issued.receipt_id)


def give_back(
    world: World,
    sold: RegisteredSale,
    request: ReturnRequest = ALL,
    *,
    on: UUID | None = None,
    command: CommandKey | None = None,
) -> Issued:
    register_id = on or world.shop.register_id
    return world.shop.ledger.give_back(
        register_id=register_id, sale=sold, request=request, command=command
    )


def left(world: World, sold: RegisteredSale) -> SoldReceipt:
    shard = shard_of(sold.register_id)
    return world.store.read(SoldReceipt, sold_receipt_id(sold.receipt.receipt_id), shard=shard)


class TestGiveBack:
    def test_a_whole_return_is_registered_confirmed_and_counted(
        self, world: World, sold: RegisteredSale
    ) -> None:
        issued = give_back(world, sold)
        world.settle()
        sweep(world.shop.ledger, world.store)

        stored = world.book()[-1]
        assert stored.kind is Kind.RETURN
        assert stored.document.head["ORDERRETNUM"] == sold.fiscal_number
        assert "ORDERRETCASHREGNUM" not in stored.document.head
        assert left(world, sold).taken[issued.receipt_id].confirmed
        assert left(world, sold).left()[0].quantity == Quantity(0)
        shift = world.register().shift
        assert shift is not None
        assert (shift.totals.returns.count, shift.totals.returns.total) == (1, Money(2750))
        assert shift.totals.differences(world.totals_there()) == ()

    def test_on_another_register_it_names_the_register_and_day_of_the_sale(
        self, world: World, sold: RegisteredSale
    ) -> None:
        issued = give_back(world, sold, on=world.other_register_id)
        world.settle()
        sweep(world.shop.ledger, world.store)

        head = world.book(world.other_register_id)[-1].document.head
        assert head["ORDERRETCASHREGNUM"] == "4000777001"
        assert head["ORDERRETDATE"] == "05112026"
        assert head["ORDERRETNUM"] == sold.fiscal_number
        assert left(world, sold).taken[issued.receipt_id].confirmed
        assert open_returns(world.store) == []

    def test_parts_come_back_one_after_another_until_nothing_is_left(
        self, world: World, sold: RegisteredSale
    ) -> None:
        back = [give_back(world, sold, part(quantity)) for quantity in (333, 333)]
        back.append(give_back(world, sold))
        assert [each.receipt.unrounded.kopecks for each in back if each.receipt] == [915, 915, 918]
        with pytest.raises(NothingLeft):
            give_back(world, sold)

    def test_x_report_counts_returns_on_their_way(self, world: World, sold: RegisteredSale) -> None:
        give_back(world, sold)
        report = world.shop.ledger.x_report(world.shop.register_id)
        assert report.issued.returns.total == Money(2750)
        assert report.registered.returns.count == 0

    def test_z_report_has_the_returns(self, world: World, sold: RegisteredSale) -> None:
        give_back(world, sold)
        world.shop.ledger.close_shift(register_id=world.shop.register_id)
        world.settle()
        (z_report,) = [stored for stored in world.book() if stored.kind is Kind.Z_REPORT]
        returns: Any = z_report.document.content["ZREPRETURN"]
        assert (returns["SUM"], returns["ORDERSCNT"]) == ("27.50", "1")
        assert world.register().shift is None

    def test_rates_of_the_sale_hold_when_letters_have_changed_since(
        self, world: World, sold: RegisteredSale
    ) -> None:
        ledger, register_id = world.shop.ledger, world.shop.register_id
        groups = tuple(
            replace(group, rate=Rate(700)) if group.letter == "А" else group
            for group in STANDARD_GROUPS
        )
        ledger.set_tax_groups(world.shop.company_id, groups)
        ledger.close_shift(register_id=register_id)
        world.settle()
        ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id)
        world.settle()

        issued = give_back(world, sold)

        assert issued.receipt is not None
        assert issued.receipt.taxes == sold.receipt.taxes

    def test_an_adopted_sale_can_be_returned(self, world: World) -> None:
        ours = world.shop.ledger.sell(register_id=world.shop.register_id, request=sale()).receipt_id
        world.settle()
        xml = world.book()[-1].document.xml
        other = xml.replace(
            world.book()[-1].document.uid.encode(), b"7E5A0000-0B1C-4D2E-8F30-0000000000AA"
        ).replace(b"<ORDERNUM>2<", b"<ORDERNUM>3<")
        world.simulator.register_foreign("4000777001", xml=other)
        world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(100))
        world.settle()

        adopted = registered_sale(world.store, UUID("7E5A0000-0B1C-4D2E-8F30-0000000000AA"))
        give_back(world, adopted)
        world.settle()

        assert world.book()[-1].document.head["ORDERRETNUM"] == adopted.fiscal_number
        assert ours != adopted.receipt.receipt_id


class TestRefusals:
    """Every refusal leaves the log as it is."""

    def refused(self, world: World, error: type[Exception], *args: Any, **more: Any) -> Any:
        before = world.store.known.heads.copy()
        with pytest.raises(error) as refusal:
            give_back(world, *args, **more)
        assert world.store.known.heads == before
        return refusal.value

    def test_more_than_is_left(self, world: World, sold: RegisteredSale) -> None:
        give_back(world, sold, part(400))
        refusal = self.refused(world, ReturnExceedsSale, sold, part(601))
        assert refusal.left_thousandths == 600

    def test_payments_that_do_not_fit(self, world: World, sold: RegisteredSale) -> None:
        card = replace(ALL, payments=(CardPayment(Money(2750)),))
        self.refused(world, PaymentsDiffer, sold, card)

    def test_without_a_shift(self, world: World, sold: RegisteredSale) -> None:
        register_id = world.shop.add_register("4000777003", local_number=9)
        self.refused(world, NoOpenShift, sold, on=register_id)

    def test_sale_of_another_company(self, world: World, sold: RegisteredSale) -> None:
        ledger = world.shop.ledger
        company_id = ledger.register_company(code="99900012", vat=None, name="ФОП Інший")
        unit_id = ledger.register_business_unit(company_id=company_id, name="Лоток", address=None)
        register_id = ledger.add_register(
            business_unit_id=unit_id,
            fiscal_number="4000777009",
            local_number=1,
            name="Каса",
            live=False,
            settings=world.register().settings,
        )
        refusal = self.refused(world, ReceiptNotReturnable, sold, on=register_id)
        assert refusal.reason == "another company sold it"

    def test_live_and_test_registers_do_not_mix(self, world: World, sold: RegisteredSale) -> None:
        register_id = world.shop.add_register("4000777004", local_number=10, live=True)
        refusal = self.refused(world, ReceiptNotReturnable, sold, on=register_id)
        assert refusal.reason == "tests and fiscal receipts do not mix"

    def test_a_test_shift_gives_no_fiscal_sale_back(
        self, world: World, sold: RegisteredSale
    ) -> None:
        ledger, register_id = world.shop.ledger, world.other_register_id
        ledger.close_shift(register_id=register_id)
        world.settle()
        ledger.open_shift(register_id=register_id, cashier_id=world.shop.cashier_id, testing=True)
        world.settle()
        refusal = self.refused(world, ReceiptNotReturnable, sold, on=register_id)
        assert refusal.reason == "tests and fiscal receipts do not mix"

    def test_a_return_is_not_returned(self, world: World, sold: RegisteredSale) -> None:
        issued = give_back(world, sold)
        world.settle()
        returned = registered_sale(world.store, issued.receipt_id)
        refusal = self.refused(world, ReceiptNotReturnable, returned)
        assert refusal.reason == "it is a return, not a sale"

    def test_unknown_sale(self, world: World, sold: RegisteredSale) -> None:
        unknown = replace(sold, receipt=replace(sold.receipt, receipt_id=UUID(int=404)))
        self.refused(world, NotFound, unknown)

    def test_journal_that_shows_other_lines_than_were_sold(
        self, world: World, sold: RegisteredSale
    ) -> None:
        (line,) = sold.receipt.lines
        forged = replace(line, quantity=Quantity(2000))
        wrong = replace(sold, receipt=replace(sold.receipt, lines=(forged,)))
        self.refused(world, IntegrityFault, wrong)


class TestIdempotency:
    def test_the_same_command_returns_once(self, world: World, sold: RegisteredSale) -> None:
        first = give_back(world, sold, part(400), command=key("a"))
        again = give_back(world, sold, part(400), command=key("a"))
        assert (again.receipt_id, again.receipt) == (first.receipt_id, None)
        assert left(world, sold).left()[0].quantity == Quantity(600)

    def test_another_body_is_a_conflict(self, world: World, sold: RegisteredSale) -> None:
        give_back(world, sold, part(400), command=key("a"))
        for request in (part(400), part(500)):
            with pytest.raises(IdempotencyKeyReused):
                give_back(world, sold, request, command=key("a", b"other"))


class TestRefusedByTheService:
    @pytest.fixture
    def refused(self, world: World, sold: RegisteredSale) -> Issued:
        issued = give_back(world, sold, on=world.other_register_id)
        world.simulator.faults.script([REFUSAL])
        world.work(world.other_register_id)
        assert issued.receipt_id in world.register(world.other_register_id).refused
        return issued

    def test_it_keeps_its_part_until_it_is_voided_which_releases_it(
        self, world: World, sold: RegisteredSale, refused: Issued
    ) -> None:
        sweep(world.shop.ledger, world.store)
        with pytest.raises(NothingLeft):
            give_back(world, sold)

        world.shop.ledger.void(
            register_id=world.other_register_id, receipt_id=refused.receipt_id, reason="ні"
        )

        assert left(world, sold).left() == left(world, sold).lines
        give_back(world, sold)

    def test_it_cannot_be_made_again_as_a_sale(
        self, world: World, sold: RegisteredSale, refused: Issued
    ) -> None:
        with pytest.raises(ReceiptKindDiffers):
            world.shop.ledger.correct(
                register_id=world.other_register_id,
                receipt_id=refused.receipt_id,
                request=sale(),
            )


class TestDeaths:
    """The process dies at any commit of a return; nothing is ever returned twice or lost."""

    def die(
        self, world: World, sold: RegisteredSale, chances: int, command: CommandKey | None
    ) -> None:
        world.death.after = chances
        with pytest.raises(Killed):
            give_back(world, sold, on=world.other_register_id, command=command)
        world.start_worker()

    def taken(self, world: World, sold: RegisteredSale) -> int:
        return len(left(world, sold).taken)

    @pytest.mark.parametrize("chances", [1, 2])
    def test_what_was_reserved_and_not_issued_is_released_by_the_sweep(
        self, world: World, sold: RegisteredSale, chances: int
    ) -> None:
        self.die(world, sold, chances, None)
        assert self.taken(world, sold) == 1
        sweep(world.shop.ledger, world.store)
        assert self.taken(world, sold) == 1, "a command may still be on its way"

        world.clock.advance(LAPSES_AFTER)
        sweep(world.shop.ledger, world.store)

        assert self.taken(world, sold) == 0
        assert open_returns(world.store) == []

    @pytest.mark.parametrize("chances", [0, 1, 2, 3])
    def test_the_same_command_goes_on_where_it_died(
        self, world: World, sold: RegisteredSale, chances: int
    ) -> None:
        self.die(world, sold, chances, key("a"))
        issued = give_back(world, sold, on=world.other_register_id, command=key("a"))
        world.settle()
        returns = [each for each in world.book(world.other_register_id) if each.kind is Kind.RETURN]
        assert len(returns) == 1
        sweep(world.shop.ledger, world.store)
        assert left(world, sold).taken[issued.receipt_id].confirmed

    def test_what_the_sweep_abandoned_is_never_issued(
        self, world: World, sold: RegisteredSale
    ) -> None:
        self.die(world, sold, 1, key("a"))
        world.clock.advance(LAPSES_AFTER)
        sweep(world.shop.ledger, world.store)
        with pytest.raises(ReturnLapsed):
            give_back(world, sold, on=world.other_register_id, command=key("a"))
        give_back(world, sold, on=world.other_register_id, command=key("b"))

    def test_what_the_sweep_abandons_between_the_steps_is_not_issued(
        self, world: World, sold: RegisteredSale
    ) -> None:
        """The sweep runs after the reservation is made and before the return is issued."""
        self.die(world, sold, 1, key("a"))
        (pending,) = open_returns(world.store)
        world.death.after = 1
        with pytest.raises(Killed):
            # Abandoned, and dead before the sale hears of it.
            world.shop.ledger.settle_return(
                replace(pending, reserved_at=pending.reserved_at - timedelta(hours=1))
            )
        world.start_worker()
        with pytest.raises(ReturnLapsed):
            give_back(world, sold, on=world.other_register_id, command=key("a"))
        assert self.taken(world, sold) == 1

        sweep(world.shop.ledger, world.store)

        assert self.taken(world, sold) == 0

    def test_an_issued_return_never_lapses(self, world: World, sold: RegisteredSale) -> None:
        give_back(world, sold, on=world.other_register_id)
        world.clock.advance(10 * LAPSES_AFTER)
        sweep(world.shop.ledger, world.store)
        assert self.taken(world, sold) == 1


class TestAdoptedReturns:
    def test_a_return_made_by_another_device_counts_in_the_shift_and_on_the_sale(
        self, world: World, sold: RegisteredSale
    ) -> None:
        give_back(world, sold, part(300))
        world.settle()
        xml = world.book()[-1].document.xml
        uid = b"7E5A0000-0B1C-4D2E-8F30-0000000000BB"
        other = xml.replace(world.book()[-1].document.uid.encode(), uid).replace(
            b"<ORDERNUM>3<", b"<ORDERNUM>4<"
        )
        world.simulator.register_foreign("4000777001", xml=other)
        world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(100))
        world.settle()
        adopted = registered_sale(world.store, UUID(uid.decode()))
        assert adopted.receipt.kind is ReceiptKind.RETURN
        shift = world.register().shift
        assert shift is not None
        assert shift.totals.returns.count == 2
        assert shift.totals.differences(world.totals_there()) == ()

        for _ in range(2):
            world.shop.ledger.count_adopted_return(
                register_id=world.shop.register_id, returned=adopted.receipt, sale=sold
            )

        assert left(world, sold).left()[0].quantity == Quantity(400)
        assert open_returns(world.store) != []  # the first one, until it is swept
        with pytest.raises(ReturnExceedsSale):
            give_back(world, sold, part(401))
