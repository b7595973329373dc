"""Any goods paid in any parts: the parts add up to every line, taxes follow from what is paid, and all of it comes back."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain.documents.receipt import Original, PartPayment, Receipt, ReceiptKind
from domain.money import ZERO, Money
from domain.part_payment import (
    LaterPaymentRequest,
    PrepaymentRequest,
    price_later_payment,
    price_prepayment,
    share_paid,
)
from domain.refund import ReturnRequest, price_return
from domain.returns import SoldReceipt
from domain.sale import CashPayment, SaleRequest, price_sale
from domain.sold_lines import sold_lines
from tests import baskets

AT = datetime(2026, 11, 6, 13, 0, tzinfo=UTC)
HERE = UUID(int=1)


def made(number: int, step: int) -> dict[str, Any]:
    return {
        "receipt_id": UUID(int=number),
        "cash_step": Money(step),
        "issued_at": AT,
        "cashier_id": None,
        "cashier_name": None,
    }


def cash(due: int) -> tuple[CashPayment, ...]:
    return (CashPayment(),) if due else ()


def sold_of(receipt: Receipt) -> SoldReceipt:
    return SoldReceipt(
        id=receipt.receipt_id,
        register_id=HERE,
        receipt_id=receipt.receipt_id,
        lines=sold_lines(receipt),
        total=receipt.total,
    )


def pay(prepayment: Receipt, sold: SoldReceipt, number: int, amount: int | None) -> Receipt:
    """One later payment; None: the final settlement."""
    due = Money.total(sold.owed()).kopecks if amount is None else amount
    request = LaterPaymentRequest(
        payments=cash(due), amount=None if amount is None else Money(amount)
    )
    lines = sold.reserve_payment(
        payment_id=UUID(int=number), register_id=HERE, amount=request.amount, at=AT
    )
    assert prepayment.part is not None
    return price_later_payment(
        request,
        prepayment=prepayment,
        part=PartPayment(request.kind, prepayment.part.full, "1", prepayment.receipt_id, HERE),
        taken=[line.cost for line in lines],
        **made(number, 50),
    )


def give_back(part: Receipt, number: int) -> Receipt:
    return price_return(
        ReturnRequest(payments=cash(part.unrounded.kopecks)),
        sale=part,
        taken=sold_of(part).part(None),
        original=Original("1", kind=ReceiptKind.SALE),
        **made(number, 50),
    )


@st.composite
def chains(draw: st.DrawFn, basket: SaleRequest) -> list[Receipt]:
    """The receipts of one chain, from the prepayment to the settlement; some payments come back between."""
    goods = SaleRequest(basket.lines, (CashPayment(),), basket.total, discount=basket.discount)
    assert basket.total is not None
    full = basket.total.kopecks
    prepayment = price_prepayment(
        PrepaymentRequest(goods, Money(draw(st.integers(1, full)))),
        tax_groups=baskets.GROUPS,
        **made(10, draw(st.sampled_from(baskets.STEPS))),
    )
    sold = sold_of(prepayment)
    parts = [prepayment]
    for number in range(draw(st.integers(0, 5))):
        owed = Money.total(sold.owed()).kopecks
        if not owed:
            break
        part = pay(prepayment, sold, 20 + number, draw(st.integers(1, owed)))
        if draw(st.booleans()):
            sold.release(part.receipt_id, at=AT)
        else:
            parts.append(part)
    return [*parts, pay(prepayment, sold, 99, None)]


@given(data=st.data(), basket=baskets.sales())
def test_any_parts_add_up_to_every_line(data: st.DataObject, basket: SaleRequest) -> None:
    parts = data.draw(chains(basket))
    assert basket.total is not None
    for number, line in enumerate(parts[0].lines):
        paid = [part.lines[number].due for part in parts]
        assert Money.total(paid) == line.discounted
        assert all(ZERO <= each <= line.discounted for each in paid)
    assert Money.total(part.unrounded for part in parts) == basket.total


@given(data=st.data(), basket=baskets.sales())
def test_every_part_says_what_the_goods_cost_and_takes_its_taxes_from_what_is_paid(
    data: st.DataObject, basket: SaleRequest
) -> None:
    whole = price_sale(basket, tax_groups=baskets.GROUPS, **made(1, 1))
    parts = data.draw(chains(basket))
    for part in parts:
        assert part.unrounded == Money.total(line.due for line in part.lines)
        assert part.rounding == part.unrounded - part.total
        assert part.total == Money.total(payment.amount for payment in part.payments)
        assert abs(part.rounding.kopecks) <= 25
        assert part.part is not None
        assert part.part.full == part.registered_total == basket.total
        assert 0 <= share_paid(part).basis_points <= 10_000
        turnovers = [(row.letter, row.turnover, row.discounted_turnover) for row in part.taxes]
        assert turnovers == [
            (row.letter, row.turnover, row.discounted_turnover) for row in whole.taxes
        ]
    for number, row in enumerate(whole.taxes):
        # Each part rounds the tax of each set of letters by itself: half a kopeck either way.
        sets = len({line.letters for line in whole.lines if row.letter in line.letters})
        tax = Money.total(part.taxes[number].tax for part in parts)
        assert abs((tax - row.tax).kopecks) <= sets * (len(parts) + 1)


@given(data=st.data(), basket=baskets.sales())
def test_a_part_that_comes_back_says_what_it_said(data: st.DataObject, basket: SaleRequest) -> None:
    for number, part in enumerate(data.draw(chains(basket))):
        back = give_back(part, 200 + number)
        assert (back.lines, back.taxes, back.part) == (part.lines, part.taxes, part.part)
        assert back.unrounded == part.unrounded
