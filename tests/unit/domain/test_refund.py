"""From what is asked back to a priced return."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.documents.receipt import (
    CardSlip,
    Discount,
    Line,
    Original,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.errors import InvalidField, PaymentsDiffer
from domain.money import Money, Quantity
from domain.refund import ReturnRequest, agrees, price_return, returned_lines
from domain.sale import CardPayment, CashPayment
from domain.sold_lines import TakenLine, WantedLine
from tests import examples

AT = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
ORIGINAL = Original(fiscal_number="3600000103", kind=ReceiptKind.SALE)
BREAD = TakenLine(2, Quantity(1000), Money(2748))


def priced(*taken: TakenLine, **changes: Any) -> Receipt:
    request = ReturnRequest(**{"payments": (CashPayment(),), **changes})
    return price_return(
        request,
        sale=examples.SALE,
        taken=taken or (BREAD,),
        original=ORIGINAL,
        receipt_id=UUID(int=9),
        cash_step=Money(50),
        issued_at=AT,
        cashier_id=None,
        cashier_name="Приклад О. П.",
    )


def test_a_line_comes_back_as_it_was_sold_with_its_tax() -> None:
    receipt = priced()
    assert receipt == replace(
        examples.RETURN,
        receipt_id=UUID(int=9),
        issued_at=AT,
        original=ORIGINAL,
        lines=(examples.BREAD,),
    )


def test_taxes_follow_the_rates_of_the_sale() -> None:
    wine = priced(TakenLine(1, examples.WINE.quantity, examples.WINE.cost))
    (vat, excise) = wine.taxes
    sold = {row.letter: row for row in examples.SALE.taxes}
    assert excise == sold[excise.letter]
    assert vat.rate == sold[vat.letter].rate
    assert vat.base == wine.unrounded - excise.tax


class TestPayOut:
    def test_cash_is_rounded_as_a_sale_is(self) -> None:
        receipt = priced()
        assert (receipt.unrounded, receipt.rounding, receipt.total) == (
            Money(2748),
            Money(-2),
            Money(2750),
        )

    def test_a_card_gets_the_exact_sum_with_its_slip(self) -> None:
        slip = CardSlip(masked_card="9804********1234", transaction_id="630812345699")
        receipt = priced(payments=(CardPayment(Money(2748), slip),))
        assert receipt.payments == (Payment(1, "КАРТКА", Money(2748), slip=slip),)
        assert receipt.rounding == Money(0)

    def test_cash_takes_what_cards_leave(self) -> None:
        receipt = priced(payments=(CashPayment(), CardPayment(Money(2000))))
        assert [payment.amount for payment in receipt.payments] == [Money(750), Money(2000)]

    def test_a_return_worth_nothing_pays_nothing_out(self) -> None:
        assert priced(TakenLine(2, Quantity(1), Money(0))).total == Money(0)

    @pytest.mark.parametrize(
        "payments",
        [
            (),
            (CardPayment(Money(2747)),),
            (CardPayment(Money(2749)),),
            (CardPayment(Money(2749)), CashPayment()),
        ],
    )
    def test_what_does_not_cover_the_sum_is_refused(self, payments: tuple[Any, ...]) -> None:
        with pytest.raises(PaymentsDiffer) as refusal:
            priced(payments=payments)
        assert refusal.value.due_kopecks == 2748

    @pytest.mark.parametrize(
        "payments",
        [
            (CashPayment(), CashPayment()),
            (CashPayment(provided=Money(5000)),),
            (CardPayment(Money(0)), CashPayment()),
            (CardPayment(Money(2748)), CashPayment()),
        ],
    )
    def test_payments_that_make_no_sense_are_refused(self, payments: tuple[Any, ...]) -> None:
        with pytest.raises(InvalidField) as refusal:
            priced(payments=payments)
        assert refusal.value.field.startswith("payments")


class TestReturnedLines:
    def line(self, price: int) -> Line:
        return replace(examples.BREAD, price=Money(price))

    def back(self, price: int, quantity: int, cost: int) -> list[tuple[int, int, int]]:
        rows = returned_lines(self.line(price), TakenLine(1, Quantity(quantity), Money(cost)))
        assert all(agrees(row.cost, price=row.price, quantity=row.quantity) for row in rows)
        assert Money.total(row.cost for row in rows) == Money(cost)
        assert sum(row.quantity.thousandths for row in rows) == quantity
        return [(row.quantity.thousandths, row.price.kopecks, row.cost.kopecks) for row in rows]

    def test_a_share_within_half_a_kopeck_keeps_the_price(self) -> None:
        assert self.back(4567, 500, 2284) == [(500, 4567, 2284)]
        assert self.back(33, 1500, 49) == [(1500, 33, 49)]

    def test_a_fraction_that_evens_out_others_gets_the_price_that_fits(self) -> None:
        assert self.back(1, 333, 1) == [(333, 3, 1)]

    def test_only_the_last_unit_of_many_gets_another_price(self) -> None:
        assert self.back(1, 3000, 4) == [(2000, 1, 2), (1000, 2, 2)]
        assert self.back(33, 2500, 84) == [(2000, 33, 66), (500, 36, 18)]

    def test_less_than_the_units_cost_lowers_their_price(self) -> None:
        assert self.back(5, 3000, 3) == [(2000, 1, 2), (1000, 1, 1)]
        assert self.back(5, 2000, 0) == [(1000, 0, 0), (1000, 0, 0)]

    def test_all_of_a_discounted_line_is_the_line(self) -> None:
        line = replace(BREAD_AT_A_DISCOUNT, excise_stamps=("ABCD123456",))
        assert returned_lines(line, TakenLine(1, Quantity(3000), Money(7500))) == (line,)

    def test_a_part_of_a_discounted_line_keeps_the_price_and_its_share_of_the_discount(
        self,
    ) -> None:
        (part,) = returned_lines(BREAD_AT_A_DISCOUNT, TakenLine(1, Quantity(1000), Money(2500)))
        assert (part.price, part.cost, part.taken_off) == (Money(2748), Money(2748), Money(248))
        assert part.discount == Discount(amount=Money(248))
        assert part.receipt_discount is None

    def test_a_part_of_a_surcharged_line_carries_a_surcharge(self) -> None:
        dearer = replace(BREAD_AT_A_DISCOUNT, discount=Discount(amount=Money(-756)))
        (part,) = returned_lines(dearer, TakenLine(1, Quantity(1000), Money(2900)))
        assert part.taken_off == Money(-152)

    def test_no_part_knows_which_stamps_are_its_own(self) -> None:
        stamped = replace(self.line(2748), quantity=Quantity(2000), excise_stamps=("A", "B"))
        (part,) = returned_lines(stamped, TakenLine(1, Quantity(1000), Money(2748)))
        assert part.excise_stamps is None

    def test_a_part_has_the_stamps_that_the_till_names(self) -> None:
        stamped = replace(self.line(5), quantity=Quantity(4000), excise_stamps=("A", "B", "C"))
        rows = returned_lines(stamped, TakenLine(1, Quantity(3000), Money(3)), stamps=("A", "C"))
        assert [row.excise_stamps for row in rows] == [("A", "C"), None]

    @pytest.mark.parametrize("stamps", [("ABCD123499",), ("ABCD123456", "ABCD123456")])
    def test_a_stamp_that_was_not_sold_or_comes_back_twice_is_refused(
        self, stamps: tuple[str, ...]
    ) -> None:
        wine = examples.RICH_SALE.lines[0]
        assert wine.excise_stamps == ("ABCD123456", "ABCD123457")
        with pytest.raises(InvalidField) as refusal:
            price_return(
                ReturnRequest((CashPayment(),), (WantedLine(1, Quantity(1000), stamps),)),
                sale=examples.RICH_SALE,
                taken=(TakenLine(1, Quantity(1000), Money(100)),),
                original=ORIGINAL,
                receipt_id=UUID(int=9),
                cash_step=Money(50),
                issued_at=AT,
                cashier_id=None,
                cashier_name=None,
            )
        assert refusal.value.field == "lines.0.excise_stamps"


BREAD_AT_A_DISCOUNT = replace(
    examples.BREAD,
    quantity=Quantity(3000),
    cost=Money(8244),
    discount=Discount(amount=Money(544), name="Акція"),
    receipt_discount=Money(200),
)
"""Three loaves: 82.44 − 5.44 − 2.00 = 75.00."""
