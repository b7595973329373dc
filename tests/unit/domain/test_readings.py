"""What the protocol leaves open is read as the deployment says, and what was decided stays decided."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.discounts import DiscountRequest
from domain.documents.receipt import PartPayment, PartPaymentKind, Payment, Receipt
from domain.documents.shift import DocumentKind, FiscalDocument, ShiftTotals, ZReport
from domain.documents.xml import from_xml, to_xml
from domain.errors import InvalidField
from domain.money import ZERO, Money, Quantity, Rate, Ties, round_ties
from domain.offline.control_number import control_total
from domain.part_payment import (
    LaterPaymentRequest,
    PrepaymentRequest,
    price_later_payment,
    price_prepayment,
)
from domain.readings import DEFAULT_READINGS, PartPaymentSum, Readings, ReturnRounding, Surcharges
from domain.sale import CashPayment, LineRequest, SaleRequest, price_sale
from domain.taxes.rates import STANDARD_GROUPS
from tests import examples

MADE: dict[str, Any] = {
    "receipt_id": UUID(int=1),
    "cash_step": Money(50),
    "issued_at": datetime(2026, 11, 6, 13, 0, tzinfo=UTC),
    "cashier_id": None,
    "cashier_name": None,
}


def sold(price: int, *, readings: Readings, **goods: Any) -> Receipt:
    line = LineRequest(name="Книга", quantity=Quantity(1000), price=Money(price), letters="А")
    request = SaleRequest(lines=(line,), payments=(CashPayment(),), **goods)
    return price_sale(request, tax_groups=STANDARD_GROUPS, readings=readings, **MADE)


def prepaid(amount: int, *, readings: Readings = DEFAULT_READINGS) -> Receipt:
    line = LineRequest(name="Книга", quantity=Quantity(1000), price=Money(12_000), letters="А")
    request = SaleRequest(lines=(line,), payments=(CashPayment(),))
    return price_prepayment(
        PrepaymentRequest(goods=request, amount=Money(amount)),
        tax_groups=STANDARD_GROUPS,
        readings=readings,
        **MADE,
    )


def settled(prepayment: Receipt, *, readings: Readings) -> Receipt:
    """The final settlement of a prepayment that took everything."""
    part = PartPayment(
        kind=PartPaymentKind.FINAL, full=Money(12_000), prepayment_fiscal_number="3600000001"
    )
    return price_later_payment(
        LaterPaymentRequest(payments=()),
        prepayment=prepayment,
        part=part,
        taken=[ZERO],
        readings=readings,
        **MADE,
    )


class TestHalfAKopeckOfTax:
    @pytest.mark.parametrize(
        ("numerator", "up", "down", "even"),
        [
            (3, 2, 1, 2),
            (5, 3, 2, 2),
            (-3, -2, -1, -2),
            (-5, -3, -2, -2),
            (4, 2, 2, 2),
            (0, 0, 0, 0),
        ],
    )
    def test_tie_goes_where_it_is_told_and_nothing_else_moves(
        self, numerator: int, up: int, down: int, even: int
    ) -> None:
        found = {ties: round_ties(numerator, 2, ties=ties) for ties in Ties}

        assert found == {Ties.UP: up, Ties.DOWN: down, Ties.EVEN: even}
        assert {round_ties(numerator * 10 + 1, 20, ties=ties) for ties in Ties} == {
            round_ties(numerator * 10 + 1, 20, ties=Ties.UP)
        }

    @pytest.mark.parametrize(("ties", "tax"), [(Ties.UP, 1), (Ties.DOWN, 0), (Ties.EVEN, 0)])
    def test_tax_of_three_kopecks_at_twenty_per_cent_follows_the_reading(
        self, ties: Ties, tax: int
    ) -> None:
        receipt = sold(3, readings=Readings(half_kopeck_of_tax=ties))

        (row,) = receipt.taxes
        assert row.tax == Money(tax)
        assert Rate(2000).contained_in(Money(3), ties=ties) == Money(tax)


class TestSurcharges:
    def test_surcharge_is_refused_where_none_are_taken(self) -> None:
        with pytest.raises(InvalidField) as refused:
            sold(
                1000,
                readings=Readings(surcharges=Surcharges.REFUSED),
                discount=DiscountRequest(amount=Money(100), surcharge=True),
            )

        assert refused.value.field == "discount.surcharge"

    def test_discount_is_taken_all_the_same(self) -> None:
        receipt = sold(
            1000,
            readings=Readings(surcharges=Surcharges.REFUSED),
            discount=DiscountRequest(amount=Money(100)),
        )

        assert receipt.unrounded == Money(900)


class TestPartPayments:
    def test_qr_and_control_number_are_of_the_full_price_or_of_what_is_paid(self) -> None:
        paid = Readings(part_payment_checked_sum=PartPaymentSum.PAID)

        assert prepaid(4_000).checked_total == Money(12_000)
        assert prepaid(4_000, readings=paid).checked_total == Money(4_000)
        assert prepaid(4_000, readings=paid).registered_total == Money(12_000)
        document = replace(examples.SALE_DOCUMENT, content=prepaid(4_000, readings=paid))
        assert control_total(document) == Money(4_000)

    def test_totals_count_what_is_paid_or_the_full_price(self) -> None:
        full = Readings(part_payment_counted_sum=PartPaymentSum.FULL)

        by_paid = ShiftTotals().with_receipt(prepaid(4_010)).sales
        by_full = ShiftTotals().with_receipt(prepaid(4_010, readings=full)).sales

        assert (by_paid.total, by_paid.rounding) == (Money(4_000), Money(10))
        assert (by_full.total, by_full.rounding) == (Money(12_000), Money(10))
        assert by_full.unrounded == by_full.total + by_full.rounding
        assert by_full.payments == by_paid.payments

    def test_receipt_decided_under_one_reading_keeps_it(self) -> None:
        full = Readings(part_payment_counted_sum=PartPaymentSum.FULL)

        kept = prepaid(4_000, readings=full)

        assert kept.part is not None
        assert kept.part.counted == Money(12_000)
        assert prepaid(4_000).part == replace(kept.part, counted=None)

    def test_settlement_of_nothing_has_a_payment_row_where_so_read(self) -> None:
        prepayment = prepaid(12_000)

        bare = settled(prepayment, readings=DEFAULT_READINGS)
        rowed = settled(prepayment, readings=Readings(settlement_row_of_nothing=True))

        assert bare.payments == ()
        assert rowed.payments == (Payment(form_code=0, form_name="ГОТІВКА", amount=ZERO),)
        assert rowed.total == ZERO


class TestRoundingOfReturns:
    OPPOSITE = Readings(return_rounding=ReturnRounding.OPPOSITE)
    RETURN = replace(
        examples.RETURN, unrounded=examples.RETURN.total + Money(18), rounding=Money(18)
    )

    def document(self, content: Receipt | ZReport) -> FiscalDocument:
        like = examples.RETURN_DOCUMENT
        kind = DocumentKind.RETURN if isinstance(content, Receipt) else DocumentKind.Z_REPORT
        return replace(like, kind=kind, content=content)

    def test_return_has_the_sign_of_a_sale_or_the_opposite(self) -> None:
        document = self.document(self.RETURN)

        assert b"<RNDSUM>0.18</RNDSUM>" in to_xml(document)
        assert b"<RNDSUM>-0.18</RNDSUM>" in to_xml(document, readings=self.OPPOSITE)

    def test_either_sign_reads_as_the_same_return(self) -> None:
        document = self.document(self.RETURN)

        assert from_xml(to_xml(document, readings=self.OPPOSITE)) == from_xml(to_xml(document))

    def test_sale_keeps_its_sign(self) -> None:
        document = examples.SALE_DOCUMENT

        assert to_xml(document, readings=self.OPPOSITE) == to_xml(document)

    def test_returns_of_a_z_report_follow_the_reading_and_its_sales_do_not(self) -> None:
        sale = sold(1018, readings=DEFAULT_READINGS)
        totals = ShiftTotals().with_receipt(sale).with_receipt(self.RETURN)
        document = self.document(ZReport(z_report_id=UUID(int=2), totals=totals))

        text = to_xml(document, readings=self.OPPOSITE).decode("cp1251")

        returns = text.index("<ZREPRETURN>")
        assert "<RNDSUM>0.18</RNDSUM>" in text[:returns]
        assert "<RNDSUM>-0.18</RNDSUM>" in text[returns:]
        assert from_xml(to_xml(document, readings=self.OPPOSITE)) == from_xml(to_xml(document))
