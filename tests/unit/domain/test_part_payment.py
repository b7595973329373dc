"""Prepayment, further payment and final settlement: what each takes of every line, its taxes, its rounding."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import PartPayment, PartPaymentKind, Receipt
from domain.errors import InvalidField, PaymentExceedsOwed, PaymentsDiffer, TotalsDiffer
from domain.money import ZERO, Money, Quantity, Rate
from domain.part_payment import (
    LaterPaymentRequest,
    PrepaymentRequest,
    further_shares,
    paid_of_lines,
    price_later_payment,
    price_prepayment,
    share_paid,
    shared_as_owed,
)
from domain.sale import CardPayment, CashPayment, DiscountRequest, LineRequest, SaleRequest
from domain.taxes.rates import STANDARD_GROUPS

AT = datetime(2026, 11, 6, 13, 0, tzinfo=UTC)
MADE: dict[str, Any] = {
    "receipt_id": UUID(int=1),
    "cash_step": Money(50),
    "issued_at": AT,
    "cashier_id": None,
    "cashier_name": None,
}
BOOK = LineRequest(name="Книга", quantity=Quantity(1000), price=Money(12_000), letters="А")
LAMP = LineRequest(
    name="Лампа",
    quantity=Quantity(1000),
    price=Money(6_000),
    letters="Б",
    discount=DiscountRequest(amount=Money(1_000)),
)
GIFT = LineRequest(
    name="Закладка",
    quantity=Quantity(1000),
    price=Money(500),
    discount=DiscountRequest(percent=Rate(10_000)),
)


def prepaid(amount: int, *lines: LineRequest, **goods: Any) -> Receipt:
    request = SaleRequest(lines=lines or (BOOK,), payments=(CashPayment(),), **goods)
    return price_prepayment(
        PrepaymentRequest(goods=request, amount=Money(amount)), tax_groups=STANDARD_GROUPS, **MADE
    )


def paid_on(prepayment: Receipt, taken: list[int], amount: int | None = None) -> Receipt:
    """A later payment that takes so much of each line."""
    kopecks = sum(taken)
    request = LaterPaymentRequest(
        payments=(CardPayment(Money(kopecks)),) if kopecks else (),
        amount=None if amount is None else Money(amount),
        comment="Розрахунок",
    )
    assert prepayment.part is not None
    return price_later_payment(
        request,
        prepayment=prepayment,
        part=PartPayment(request.kind, prepayment.part.full, "3600000120", UUID(int=7)),
        taken=[Money(each) for each in taken],
        **MADE | {"receipt_id": UUID(int=2)},
    )


class TestPrepayment:
    def test_it_takes_a_part_and_keeps_the_full_price(self) -> None:
        receipt = prepaid(3_000)
        assert receipt.part == PartPayment(PartPaymentKind.PREPAYMENT, Money(12_000))
        assert (receipt.unrounded, receipt.total) == (Money(3_000), Money(3_000))
        assert receipt.registered_total == Money(12_000)
        assert (receipt.lines[0].discounted, receipt.lines[0].due) == (Money(12_000), Money(3_000))
        assert not receipt.pays_on

    def test_the_amount_is_shared_by_what_the_lines_cost_after_discounts(self) -> None:
        receipt = prepaid(1_000, BOOK, LAMP, GIFT)
        # 10.00 of 120.00 and 50.00: the odd kopeck goes to the larger remainder.
        assert [line.paid for line in receipt.lines] == [Money(706), Money(294), ZERO]

    def test_taxes_name_the_full_price_and_are_taken_from_what_is_paid(self) -> None:
        first, second = prepaid(1_000, BOOK, LAMP).taxes
        assert (first.turnover, first.discounted_turnover) == (Money(12_000), Money(12_000))
        assert (first.base, first.tax) == (Money(706), Money(118))
        assert (second.turnover, second.discounted_turnover) == (Money(6_000), Money(5_000))
        assert (second.base, second.tax) == (Money(294), Money(19))

    def test_excise_is_taken_first_from_what_is_paid(self) -> None:
        vat, excise = prepaid(3_000, replace(BOOK, letters="АГ")).taxes
        assert (excise.base, excise.tax) == (Money(3_000), Money(143))
        assert (vat.base, vat.tax) == (Money(2_857), Money(476))

    def test_cash_is_rounded_and_the_lines_are_not(self) -> None:
        receipt = prepaid(2_534)
        assert (receipt.unrounded, receipt.rounding, receipt.total) == (
            Money(2_534),
            Money(34 - 50),
            Money(2_550),
        )
        assert receipt.lines[0].paid == Money(2_534)

    def test_the_whole_price_may_be_paid_in_advance(self) -> None:
        receipt = prepaid(12_000)
        assert receipt.part is not None
        assert receipt.part.kind is PartPaymentKind.PREPAYMENT
        assert share_paid(receipt) == Rate(10_000)

    @pytest.mark.parametrize("amount", [0, -1])
    def test_an_amount_of_nothing_is_refused(self, amount: int) -> None:
        with pytest.raises(InvalidField) as refusal:
            prepaid(amount)
        assert refusal.value.field == "amount_kopecks"

    def test_more_than_the_price_is_refused(self) -> None:
        with pytest.raises(PaymentExceedsOwed) as refusal:
            prepaid(12_001)
        assert (refusal.value.field, refusal.value.owed_kopecks) == ("amount_kopecks", 12_000)

    def test_payments_cover_the_amount_and_the_total_is_the_full_price(self) -> None:
        request = SaleRequest(
            lines=(BOOK,), payments=(CardPayment(Money(12_000)),), total=Money(12_000)
        )
        with pytest.raises(PaymentsDiffer):
            price_prepayment(
                PrepaymentRequest(goods=request, amount=Money(3_000)), tax_groups=(), **MADE
            )
        with pytest.raises(TotalsDiffer):
            prepaid(3_000, total=Money(3_000))


class TestLaterPayment:
    def test_the_final_settlement_repeats_the_goods_and_takes_the_rest(self) -> None:
        prepayment = prepaid(1_000, BOOK, LAMP, discount=DiscountRequest(percent=Rate(500)))
        owed = [line.discounted.kopecks - line.due.kopecks for line in prepayment.lines]
        receipt = paid_on(prepayment, owed)

        assert [replace(line, paid=None) for line in receipt.lines] == [
            replace(line, paid=None) for line in prepayment.lines
        ]
        assert receipt.discount == prepayment.discount
        assert receipt.pays_on
        assert receipt.comment == "Розрахунок"
        assert receipt.unrounded == Money(16_150 - 1_000)
        assert receipt.registered_total == Money(16_150)

    def test_a_settlement_with_nothing_left_has_no_payments(self) -> None:
        receipt = paid_on(prepaid(12_000), [0])
        assert (receipt.payments, receipt.total, receipt.unrounded) == ((), ZERO, ZERO)
        assert [(row.turnover, row.base, row.tax) for row in receipt.taxes] == [
            (Money(12_000), ZERO, ZERO)
        ]
        assert share_paid(receipt) == Rate(0)

    def test_the_rates_of_the_prepayment_hold(self) -> None:
        prepayment = prepaid(3_000)
        (row,) = prepayment.taxes
        changed = replace(prepayment, taxes=(replace(row, rate=Rate(700)),))
        assert paid_on(changed, [9_000]).taxes[0].rate == Rate(700)

    def test_the_share_paid_is_rounded_half_up(self) -> None:
        receipt = paid_on(prepaid(3_500), [8_500])
        assert share_paid(receipt) == Rate(7083)


class TestShares:
    def test_a_further_payment_is_shared_by_what_is_owed(self) -> None:
        assert further_shares(Money(100), [Money(900), ZERO, Money(100)]) == [
            Money(90),
            ZERO,
            Money(10),
        ]

    @pytest.mark.parametrize("owed", [[ZERO], [Money(99)]])
    def test_more_than_is_owed_is_refused(self, owed: list[Money]) -> None:
        with pytest.raises(PaymentExceedsOwed):
            further_shares(Money(100), owed)

    def test_a_document_that_tells_no_line_is_shared_by_cost(self) -> None:
        receipt = prepaid(1_000, BOOK, LAMP)
        told_nothing = replace(
            receipt, lines=tuple(replace(line, paid=None) for line in receipt.lines)
        )
        assert paid_of_lines(told_nothing) == paid_of_lines(receipt) == (Money(706), Money(294))

    def test_a_document_whose_lines_cost_nothing_takes_nothing_of_them(self) -> None:
        receipt = prepaid(1_000)
        free = replace(receipt.lines[0], cost=ZERO, paid=None)
        assert paid_of_lines(replace(receipt, lines=(free,))) == (ZERO,)

    def test_what_was_paid_elsewhere_counts_as_far_as_it_is_owed(self) -> None:
        assert shared_as_owed(Money(500), [Money(200), Money(100)]) == (Money(200), Money(100))
        assert shared_as_owed(Money(30), [Money(200), Money(100)]) == (Money(20), Money(10))
        assert shared_as_owed(Money(30), [ZERO]) == (ZERO,)
