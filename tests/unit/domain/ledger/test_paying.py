"""Prepayment, further payment and settlement through ledger, lane and tax service, on two registers, with deaths between."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import PartPaymentKind, Receipt, ReceiptKind
from domain.errors import (
    IdempotencyKeyReused,
    InvalidField,
    LaterPaymentsStand,
    NoOpenShift,
    NotFound,
    NothingLeft,
    PaymentExceedsOwed,
    PaymentLapsed,
    PaymentsDiffer,
    ReceiptKindDiffers,
    ReceiptNotPayable,
    ReceiptNotReturnable,
    StornoNotPossible,
)
from domain.identifiers import return_stream_id, shard_of, sold_receipt_id
from domain.ledger import Issued, RegisteredSale
from domain.ledger.settling import LAPSES_AFTER
from domain.money import ZERO, Money, Quantity
from domain.part_payment import LaterPaymentRequest, PrepaymentRequest
from domain.ports import CommandKey
from domain.refund import ReturnRequest
from domain.return_outcome import Return, ReturnState
from domain.returns import SoldReceipt
from domain.sale import CardPayment, CashPayment, LineRequest, SaleRequest
from domain.sold_lines import WantedLine
from infra.simulator.faults import Fault, FaultKind, ScriptStep
from infra.simulator.figures import Kind
from tests.support.journal import open_returns, registered_sale, sweep
from tests.support.shop import sale
from tests.support.world import Killed, World

REFUSAL = ScriptStep(fault=Fault(kind=FaultKind.REFUSE_CODE, code=9, text="перевірка"), times=1)
LINES = (
    LineRequest(name="Книга", quantity=Quantity(1000), price=Money(12_000), letters="А"),
    LineRequest(name="Лампа", quantity=Quantity(2000), price=Money(3_000), letters="Б"),
)
"""Worth 180.00."""


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


def prepay(world: World, amount: int = 5_000, *, on: UUID | None = None) -> Issued:
    return world.shop.ledger.prepay(
        register_id=on or world.shop.register_id,
        request=PrepaymentRequest(
            goods=SaleRequest(lines=LINES, payments=(CardPayment(Money(amount)),)),
            amount=Money(amount),
        ),
    )


@pytest.fixture
def prepaid(world: World) -> RegisteredSale:
    """A registered prepayment of 50.00 on the first register."""
    return registered(world, prepay(world))


def registered(world: World, issued: Issued) -> RegisteredSale:
    world.settle()
    sweep(world.shop.ledger, world.store)
    return registered_sale(world.store, issued.receipt_id)


def pay(
    world: World,
    prepaid: RegisteredSale,
    amount: int | None = None,
    *,
    on: UUID | None = None,
    command: CommandKey | None = None,
    payments: tuple[Any, ...] = (CashPayment(),),
) -> Issued:
    return world.shop.ledger.pay_on(
        register_id=on or world.shop.register_id,
        prepayment=prepaid,
        request=LaterPaymentRequest(
            payments=payments, amount=None if amount is None else Money(amount)
        ),
        command=command,
    )


def give_back(world: World, part: RegisteredSale, **more: Any) -> Issued:
    return world.shop.ledger.give_back(
        register_id=more.pop("on", world.shop.register_id),
        sale=part,
        request=ReturnRequest(payments=(CashPayment(),), **more),
    )


def storno(world: World, receipt_id: UUID) -> Issued:
    return world.shop.ledger.storno(register_id=world.shop.register_id, receipt_id=receipt_id)


def the(issued: Issued) -> Receipt:
    assert issued.receipt is not None
    return issued.receipt


def sold(world: World, part: RegisteredSale) -> SoldReceipt:
    return world.store.read(
        SoldReceipt, sold_receipt_id(part.receipt.receipt_id), shard=shard_of(part.register_id)
    )


def owed(world: World, prepaid: RegisteredSale) -> int:
    return Money.total(sold(world, prepaid).owed()).kopecks


class TestChain:
    def test_a_chain_on_two_registers_is_registered_and_adds_up_to_every_line(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        further = registered(world, pay(world, prepaid, 3_333, on=world.other_register_id))
        final = registered(world, pay(world, prepaid))

        parts = [each.receipt for each in (prepaid, further, final)]
        for number, line in enumerate(prepaid.receipt.lines):
            assert Money.total(part.lines[number].due for part in parts) == line.discounted
        assert [part.part.kind for part in parts if part.part] == list(PartPaymentKind)
        assert Money.total(part.unrounded for part in parts) == Money(18_000)
        assert sold(world, prepaid).settled
        assert owed(world, prepaid) == 0
        assert open_returns(world.store) == []

    def test_the_documents_name_the_prepayment(self, world: World, prepaid: RegisteredSale) -> None:
        registered(world, pay(world, prepaid, 3_333, on=world.other_register_id))
        registered(world, pay(world, prepaid))

        found = [
            world.book(register_id)[-1].document.content["CHECKTOTAL"]
            for register_id in (world.other_register_id, world.shop.register_id)
        ]
        named: list[Any] = [{**each} for each in found if isinstance(each, dict)]
        assert [
            (each["SUM"], each["PARTPAYTYPE"], each["PARTPAYORDPREPAYNUM"]) for each in named
        ] == [("180.00", "3", prepaid.fiscal_number), ("180.00", "2", prepaid.fiscal_number)]

    def test_shift_totals_count_what_was_paid_as_the_service_does(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, pay(world, prepaid))
        shift = world.register().shift
        assert shift is not None
        assert (shift.totals.sales.count, shift.totals.sales.unrounded) == (2, Money(18_000))
        assert shift.totals.differences(world.totals_there()) == ()

        world.shop.ledger.close_shift(register_id=world.shop.register_id)
        world.settle()
        (z_report,) = [stored for stored in world.book() if stored.kind is Kind.Z_REPORT]
        realised: Any = z_report.document.content["ZREPREALIZ"]
        assert (realised["SUM"], realised["ORDERSCNT"]) == ("180.00", "2")

    def test_goods_paid_in_advance_change_hands_with_a_settlement_of_nothing(
        self, world: World
    ) -> None:
        whole = registered(world, prepay(world, 18_000))
        final = registered(world, pay(world, whole, payments=()))
        assert (final.receipt.payments, final.receipt.total) == ((), ZERO)
        assert "CHECKPAY" not in world.book()[-1].document.content
        refusal = pytest.raises(ReceiptNotPayable)
        with refusal as again:
            pay(world, whole, payments=())
        assert again.value.reason == "all is paid, the final settlement was made"

    def test_a_prepayment_opens_the_shift_where_a_sale_would(self, world: World) -> None:
        register_id = world.shop.add_register(
            "4000777003", local_number=9, opens_with_first_sale=True
        )
        world.shop.ledger.prepay(
            register_id=register_id,
            request=PrepaymentRequest(goods=sale(), amount=Money(2_748)),
            cashier_id=world.shop.cashier_id,
        )
        assert world.register(register_id).shift is not None

    def test_x_report_counts_what_is_paid_and_on_its_way(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        pay(world, prepaid, 3_333)
        report = world.shop.ledger.x_report(world.shop.register_id)
        assert report.issued.sales.unrounded == Money(8_333)


class TestRefusals:
    """Every refusal leaves the log as it is."""

    def refused(self, world: World, error: type[Exception], *args: Any, **more: Any) -> Any:
        before = world.store.known.heads.copy()
        with pytest.raises(error) as refusal:
            pay(world, *args, **more)
        assert world.store.known.heads == before
        return refusal.value

    def test_more_than_is_owed_with_what_is_on_its_way(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        pay(world, prepaid, 8_000, on=world.other_register_id)
        refusal = self.refused(world, PaymentExceedsOwed, prepaid, 5_001)
        assert (refusal.field, refusal.owed_kopecks) == ("amount_kopecks", 5_000)

    def test_an_amount_of_nothing(self, world: World, prepaid: RegisteredSale) -> None:
        assert self.refused(world, InvalidField, prepaid, 0).field == "amount_kopecks"

    def test_payments_that_do_not_fit(self, world: World, prepaid: RegisteredSale) -> None:
        self.refused(world, PaymentsDiffer, prepaid, payments=(CardPayment(Money(12_999)),))

    def test_after_the_final_settlement(self, world: World, prepaid: RegisteredSale) -> None:
        pay(world, prepaid)
        self.refused(world, ReceiptNotPayable, prepaid, 1)

    def test_a_sale_a_return_and_a_later_payment_are_no_prepayment(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        ledger, register_id = world.shop.ledger, world.shop.register_id
        later = registered(world, pay(world, prepaid, 100))
        plain = registered(world, ledger.sell(register_id=register_id, request=sale()))
        returned = registered(world, give_back(world, plain))
        reasons = [
            self.refused(world, ReceiptNotPayable, each).reason for each in (plain, returned, later)
        ]
        assert reasons == [
            "it is a sale, not a prepayment",
            "it is a return, not a prepayment",
            "it is a later payment itself, not the prepayment",
        ]

    def test_what_came_back(self, world: World, prepaid: RegisteredSale) -> None:
        give_back(world, prepaid)
        refusal = self.refused(world, ReceiptNotPayable, prepaid)
        assert refusal.reason == "it came back or is on its way back"

    def test_without_a_shift(self, world: World, prepaid: RegisteredSale) -> None:
        register_id = world.shop.add_register("4000777003", local_number=9)
        self.refused(world, NoOpenShift, prepaid, on=register_id)

    def test_another_company(self, world: World, prepaid: RegisteredSale) -> None:
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
        refusal = self.refused(world, ReceiptNotPayable, prepaid, on=register_id)
        assert refusal.reason == "another company took it"

    def test_live_and_test_do_not_mix(self, world: World, prepaid: RegisteredSale) -> None:
        live = world.shop.add_register("4000777004", local_number=10, live=True)
        ledger, other = world.shop.ledger, world.other_register_id
        ledger.close_shift(register_id=other)
        world.settle()
        ledger.open_shift(register_id=other, cashier_id=world.shop.cashier_id, testing=True)
        world.settle()
        for register_id in (live, other):
            refusal = self.refused(world, ReceiptNotPayable, prepaid, on=register_id)
            assert refusal.reason == "tests and fiscal receipts do not mix"

    def test_unknown_prepayment(self, world: World, prepaid: RegisteredSale) -> None:
        unknown = replace(prepaid, receipt=replace(prepaid.receipt, receipt_id=UUID(int=404)))
        self.refused(world, NotFound, unknown)

    def test_more_than_the_price_in_advance(self, world: World) -> None:
        before = world.store.known.heads.copy()
        with pytest.raises(PaymentExceedsOwed):
            prepay(world, 18_001)
        assert world.store.known.heads == before


class TestIdempotency:
    def test_the_same_command_pays_once(self, world: World, prepaid: RegisteredSale) -> None:
        first = pay(world, prepaid, 3_000, command=key("a"))
        again = pay(world, prepaid, 3_000, command=key("a"))
        assert (again.receipt_id, again.receipt) == (first.receipt_id, None)
        assert owed(world, prepaid) == 10_000

    @pytest.mark.parametrize("amount", [3_000, 3_001, None])
    def test_another_body_is_a_conflict(
        self, world: World, prepaid: RegisteredSale, amount: int | None
    ) -> None:
        pay(world, prepaid, 3_000, command=key("a"))
        with pytest.raises(IdempotencyKeyReused):
            pay(world, prepaid, amount, command=key("a", b"other"))

    def test_a_return_under_the_key_of_a_payment_is_a_conflict(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        pay(world, prepaid, 3_000, command=key("a"))
        with pytest.raises(IdempotencyKeyReused):
            world.shop.ledger.give_back(
                register_id=world.other_register_id,
                sale=prepaid,
                request=ReturnRequest(payments=(CashPayment(),)),
                command=key("a", b"other"),
            )


class TestRefusedByTheService:
    @pytest.fixture
    def refused(self, world: World, prepaid: RegisteredSale) -> Issued:
        issued = pay(world, prepaid, 3_000, on=world.other_register_id)
        world.simulator.faults.script([REFUSAL])
        world.work(world.other_register_id)
        assert issued.receipt_id in world.register(world.other_register_id).refused
        return issued

    def test_it_counts_as_paid_until_it_is_voided(
        self, world: World, prepaid: RegisteredSale, refused: Issued
    ) -> None:
        sweep(world.shop.ledger, world.store)
        assert owed(world, prepaid) == 10_000

        world.shop.ledger.void(
            register_id=world.other_register_id, receipt_id=refused.receipt_id, reason="ні"
        )

        assert owed(world, prepaid) == 13_000
        with pytest.raises(ReceiptNotReturnable):
            give_back(
                world,
                replace(prepaid, receipt=the(refused), register_id=world.other_register_id),
            )

    def test_it_is_not_made_again_with_other_content(self, world: World, refused: Issued) -> None:
        with pytest.raises(ReceiptKindDiffers) as refusal:
            world.shop.ledger.correct(
                register_id=world.other_register_id,
                receipt_id=refused.receipt_id,
                request=sale(),
            )
        assert refusal.value.kind == "part payment (further)"


class TestGivingBack:
    def test_a_part_comes_back_as_the_whole_it_was(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        with pytest.raises(InvalidField) as refusal:
            give_back(world, prepaid, lines=(WantedLine(1, Quantity(1000)),))
        assert refusal.value.field == "lines"

        back = registered(world, give_back(world, prepaid))

        assert back.receipt.part == prepaid.receipt.part
        assert (back.receipt.lines, back.receipt.taxes) == (
            prepaid.receipt.lines,
            prepaid.receipt.taxes,
        )
        assert back.receipt.unrounded == Money(5_000)
        with pytest.raises(NothingLeft):
            give_back(world, prepaid)
        shift = world.register().shift
        assert shift is not None
        assert shift.totals.differences(world.totals_there()) == ()

    def test_the_prepayment_comes_back_last(self, world: World, prepaid: RegisteredSale) -> None:
        later = registered(world, pay(world, prepaid, 3_000))
        before = world.store.known.heads.copy()
        with pytest.raises(LaterPaymentsStand) as refusal:
            give_back(world, prepaid)
        assert refusal.value.payments == 1
        assert world.store.known.heads == before

        registered(world, give_back(world, later))
        registered(world, give_back(world, prepaid))

        assert [each.kind for each in world.book()[-2:]] == [Kind.RETURN, Kind.RETURN]

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_what_a_later_payment_gave_back_is_owed_again(
        self, world: World, prepaid: RegisteredSale, elsewhere: bool
    ) -> None:
        later = registered(world, pay(world, prepaid, 3_000, on=world.other_register_id))
        on = world.shop.register_id if elsewhere else world.other_register_id
        issued = give_back(world, later, on=on)
        sweep(world.shop.ledger, world.store)
        assert owed(world, prepaid) == 10_000, "it may still be refused"

        back = registered(world, issued)

        assert owed(world, prepaid) == 13_000
        assert open_returns(world.store) == []
        total: Any = world.book(on)[-1].document.content["CHECKTOTAL"]
        assert total["PARTPAYORDPREPAYNUM"] == prepaid.fiscal_number
        assert world.book(on)[-1].document.head["ORDERRETNUM"] == later.fiscal_number
        assert back.receipt.unrounded == Money(3_000)
        assert registered(world, pay(world, prepaid)).receipt.unrounded == Money(13_000)

    def test_after_the_settlement_a_payment_that_came_back_is_paid_again(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        further = registered(world, pay(world, prepaid, 3_000))
        registered(world, pay(world, prepaid))
        registered(world, give_back(world, further))
        again = registered(world, pay(world, prepaid))
        assert again.receipt.unrounded == Money(3_000)

    def test_its_return_is_not_taken_back(self, world: World, prepaid: RegisteredSale) -> None:
        later = registered(world, pay(world, prepaid, 3_000))
        back = registered(world, give_back(world, later))
        with pytest.raises(StornoNotPossible) as refusal:
            storno(world, back.receipt.receipt_id)
        assert "take the payment again" in refusal.value.reason

    def test_a_settlement_of_nothing_comes_back_too(self, world: World) -> None:
        whole = registered(world, prepay(world, 18_000))
        final = registered(world, pay(world, whole, payments=()))
        registered(world, give_back(world, final))
        assert not sold(world, whole).settled
        registered(world, give_back(world, whole))


class TestStorno:
    def test_of_a_later_payment_makes_it_owed_again(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        later = registered(world, pay(world, prepaid, 3_000))
        registered(world, storno(world, later.receipt.receipt_id))

        assert owed(world, prepaid) == 13_000
        outcome = world.store.read(
            Return,
            return_stream_id(later.receipt.receipt_id),
            shard=shard_of(world.shop.register_id),
        )
        assert outcome.state is ReturnState.STORNOED
        assert open_returns(world.store) == []
        shift = world.register().shift
        assert shift is not None
        assert shift.totals.differences(world.totals_there()) == ()

    def test_of_the_prepayment_leaves_nothing_to_pay(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, storno(world, prepaid.receipt.receipt_id))
        with pytest.raises(ReceiptNotPayable):
            pay(world, prepaid)

    def test_of_a_prepayment_that_was_paid_on_elsewhere(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        pay(world, prepaid, 3_000, on=world.other_register_id)
        with pytest.raises(StornoNotPossible) as refusal:
            storno(world, prepaid.receipt.receipt_id)
        assert refusal.value.reason == "a later payment was made on it"

    def test_of_a_prepayments_return_makes_it_payable_again(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        back = registered(world, give_back(world, prepaid))
        registered(world, storno(world, back.receipt.receipt_id))
        assert registered(world, pay(world, prepaid)).receipt.unrounded == Money(13_000)


class TestDeaths:
    """The process dies at any commit of a payment; nothing is ever paid twice or lost."""

    def die(
        self, world: World, prepaid: RegisteredSale, chances: int, command: CommandKey | None
    ) -> None:
        world.death.after = chances
        with pytest.raises(Killed):
            pay(world, prepaid, 3_000, on=world.other_register_id, command=command)
        world.start_worker()

    @pytest.mark.parametrize("chances", [1, 2])
    def test_what_was_reserved_and_not_issued_is_owed_again_after_the_sweep(
        self, world: World, prepaid: RegisteredSale, chances: int
    ) -> None:
        self.die(world, prepaid, chances, None)
        sweep(world.shop.ledger, world.store)
        assert owed(world, prepaid) == 10_000, "a command may still be on its way"

        world.clock.advance(LAPSES_AFTER)
        sweep(world.shop.ledger, world.store)

        assert owed(world, prepaid) == 13_000
        assert open_returns(world.store) == []

    @pytest.mark.parametrize("chances", [0, 1, 2, 3])
    def test_the_same_command_goes_on_where_it_died(
        self, world: World, prepaid: RegisteredSale, chances: int
    ) -> None:
        self.die(world, prepaid, chances, key("a"))
        issued = pay(world, prepaid, 3_000, on=world.other_register_id, command=key("a"))
        registered(world, issued)
        assert [each.kind for each in world.book(world.other_register_id)] == [
            Kind.OPEN,
            Kind.SALE,
        ]
        assert sold(world, prepaid).taken[issued.receipt_id].confirmed
        assert owed(world, prepaid) == 10_000

    def test_what_the_sweep_abandoned_is_never_issued(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        self.die(world, prepaid, 1, key("a"))
        world.clock.advance(LAPSES_AFTER)
        sweep(world.shop.ledger, world.store)
        with pytest.raises(PaymentLapsed):
            pay(world, prepaid, 3_000, on=world.other_register_id, command=key("a"))
        pay(world, prepaid, 3_000, on=world.other_register_id, command=key("b"))

    def test_what_the_sweep_abandons_between_the_steps_is_not_issued(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        self.die(world, prepaid, 1, key("a"))
        (pending,) = open_returns(world.store)
        world.death.after = 1
        with pytest.raises(Killed):
            # Abandoned, and dead before the prepayment hears of it.
            world.shop.ledger.settle_return(
                replace(pending, reserved_at=pending.reserved_at - timedelta(hours=1))
            )
        world.start_worker()
        with pytest.raises(PaymentLapsed):
            pay(world, prepaid, 3_000, on=world.other_register_id, command=key("a"))

    @pytest.mark.parametrize("chances", [0, 1, 2, 3])
    def test_the_return_of_a_payment_is_settled_whenever_the_process_dies(
        self, world: World, prepaid: RegisteredSale, chances: int
    ) -> None:
        later = registered(world, pay(world, prepaid, 3_000, on=world.other_register_id))
        give_back(world, later)
        world.settle()
        world.death.after = chances
        with pytest.raises(Killed):
            sweep(world.shop.ledger, world.store)
        world.start_worker()

        sweep(world.shop.ledger, world.store)

        assert owed(world, prepaid) == 13_000
        assert open_returns(world.store) == []


class TestMadeElsewhere:
    UID = b"7E5A0000-0B1C-4D2E-8F30-0000000000CC"

    def foreign(self, world: World) -> RegisteredSale:
        """The last document of the first register once more, made by another device."""
        last = world.book()[-1].document
        number = world.next_number()
        xml = last.xml.replace(last.uid.encode(), self.UID).replace(
            f"<ORDERNUM>{number - 1}<".encode(), f"<ORDERNUM>{number}<".encode()
        )
        world.simulator.register_foreign("4000777001", xml=xml)
        world.shop.ledger.sell(register_id=world.shop.register_id, request=sale(100))
        world.settle()
        return registered_sale(world.store, UUID(self.UID.decode()))

    def test_a_prepayment_may_be_paid_on(self, world: World, prepaid: RegisteredSale) -> None:
        elsewhere = self.foreign(world)
        assert elsewhere.receipt.part == prepaid.receipt.part
        assert registered(world, pay(world, elsewhere)).receipt.unrounded == Money(13_000)

    def test_a_later_payment_counts_on_the_prepayment_once(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        assert elsewhere.receipt.kind is ReceiptKind.SALE
        for _ in range(2):
            world.shop.ledger.count_adopted_payment(
                register_id=world.shop.register_id,
                payment=elsewhere.receipt,
                prepayment=prepaid,
            )
        assert owed(world, prepaid) == 7_000
        assert sold(world, prepaid).payments[-1].confirmed

    def test_one_that_lists_the_goods_otherwise_counts_all_the_same(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        (first, _) = elsewhere.receipt.lines
        world.shop.ledger.count_adopted_payment(
            register_id=world.shop.register_id,
            payment=replace(elsewhere.receipt, lines=(replace(first, paid=Money(3_000)),)),
            prepayment=prepaid,
        )
        assert owed(world, prepaid) == 7_000

    def test_more_than_is_owed_of_a_line_counts_on_the_others(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        first, second = elsewhere.receipt.lines
        paid = (replace(first, paid=ZERO), replace(second, paid=Money(6_000)))
        self.count(
            world, replace(elsewhere, receipt=replace(elsewhere.receipt, lines=paid)), prepaid
        )
        assert owed(world, prepaid) == 4_000

    def counted(self, world: World, prepaid: RegisteredSale) -> RegisteredSale:
        """A payment of 30.00 made by another device, beside one of ours, counted by housekeeping."""
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        self.count(world, elsewhere, prepaid)
        return elsewhere

    def count(self, world: World, elsewhere: RegisteredSale, prepaid: RegisteredSale) -> None:
        world.shop.ledger.count_adopted_payment(
            register_id=world.shop.register_id, payment=elsewhere.receipt, prepayment=prepaid
        )

    def test_its_return_makes_the_amount_owed_again(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        elsewhere = self.counted(world, prepaid)
        registered(world, give_back(world, elsewhere))
        assert owed(world, prepaid) == 10_000
        assert open_returns(world.store) == []

    def test_one_that_came_back_before_it_was_counted_is_owed(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        registered(world, give_back(world, elsewhere))
        for _ in range(2):
            self.count(world, elsewhere, prepaid)
        assert owed(world, prepaid) == 10_000

    @pytest.mark.parametrize("chances", [0, 1, 2, 3])
    def test_it_is_counted_whenever_the_process_dies(
        self, world: World, prepaid: RegisteredSale, chances: int
    ) -> None:
        registered(world, pay(world, prepaid, 3_000))
        elsewhere = self.foreign(world)
        world.death.after = chances
        with pytest.raises(Killed):
            self.count(world, elsewhere, prepaid)
        world.start_worker()
        self.count(world, elsewhere, prepaid)
        assert owed(world, prepaid) == 7_000

    def test_the_storno_of_ours_makes_it_owed_again(
        self, world: World, prepaid: RegisteredSale
    ) -> None:
        later = registered(world, pay(world, prepaid, 3_000))
        last = world.book()[-1].document
        number = world.next_number()
        head = last.xml.decode("cp1251").partition("</CHECKHEAD>")[0]
        head = (
            head.replace(last.uid, self.UID.decode())
            .replace("<DOCSUBTYPE>0<", "<DOCSUBTYPE>5<")
            .replace(f"<ORDERNUM>{number - 1}<", f"<ORDERNUM>{number}<")
            .replace("<CASHIER>", f"<ORDERSTORNUM>{later.fiscal_number}</ORDERSTORNUM><CASHIER>")
        )
        xml = f"{head}</CHECKHEAD></CHECK>".encode("cp1251")
        world.simulator.register_foreign("4000777001", xml=xml)
        world.shop.ledger.after_restore(world.shop.register_id)

        world.settle()
        sweep(world.shop.ledger, world.store)

        assert owed(world, prepaid) == 13_000
        assert open_returns(world.store) == []
