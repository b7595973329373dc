"""Goods paid in parts: a prepayment, further payments, and the final settlement with which they change hands.

The rules (numbered on in docs/money.md; reference §3.4, official samples «Часткова сплата …»):

1. Every part is a sale of all the goods at the full price, with their discounts and letters, that takes a part of it.
   Later parts repeat the goods as the prepayment listed them, with the rates of the prepayment.
2. What a prepayment takes is shared over the lines by their discounted cost, what a further payment takes by what is
   still owed for each; no kopeck is lost and no line overpaid (`discounts.shares`). The final settlement takes exactly
   what is left of every line. So the parts of a chain add up to every line's discounted cost.
3. These sums are before cash rounding. Cash is rounded in each part by itself, as in any receipt.
4. A prepayment may take the whole price, a further payment all that is owed: the goods change hands with the final
   settlement, which then takes nothing and has no payments. A document without a payment row is our reading; whether it
   needs one of 0.00 is not stated (reference §12, question 27), and the schema asks for none: a reading of the
   deployment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.discounts import shares
from domain.documents.receipt import (
    Line,
    PartPayment,
    PartPaymentKind,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.documents.text import optional
from domain.errors import InvalidField, PaymentExceedsOwed
from domain.money import ZERO, Money, Rate, round_half_up
from domain.payments import CASH, PaymentRequest, settle
from domain.readings import DEFAULT_READINGS, PartPaymentSum, Readings
from domain.sale import SaleRequest, check_surcharges, priced_goods
from domain.taxes.rates import TaxGroup
from domain.taxes.totals import groups_of, tax_rows


@dataclass(frozen=True, slots=True)
class PrepaymentRequest:
    """A prepayment as a till asks for it: all the goods, and how much of their price is paid now.

    `goods.payments` cover the amount; `goods.total` is the full price.
    """

    goods: SaleRequest
    amount: Money


@dataclass(frozen=True, slots=True)
class LaterPaymentRequest:
    """A payment on a prepayment. `amount` None: the final settlement, which takes all that is owed."""

    payments: tuple[PaymentRequest, ...]
    amount: Money | None = None
    comment: str | None = None

    @property
    def kind(self) -> PartPaymentKind:
        """Which part of the price it takes."""
        return PartPaymentKind.FINAL if self.amount is None else PartPaymentKind.FURTHER


def price_prepayment(
    request: PrepaymentRequest,
    *,
    receipt_id: UUID,
    tax_groups: Sequence[TaxGroup],
    cash_step: Money,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
    readings: Readings = DEFAULT_READINGS,
) -> Receipt:
    """Return the receipt of a prepayment with every amount decided. Raises: as `price_sale`, PaymentExceedsOwed."""
    goods = request.goods
    check_surcharges(goods, readings)
    lines, discount, full = priced_goods(goods)
    amount = payable(request.amount, owed=full)
    lines = _paying(lines, shares(amount, [line.discounted for line in lines]))
    payments = settle(goods.payments, due=amount, cash_step=cash_step)
    total = Money.total(payment.amount for payment in payments)
    return Receipt(
        receipt_id=receipt_id,
        kind=ReceiptKind.SALE,
        lines=lines,
        payments=payments,
        taxes=tax_rows(lines, tax_groups, ties=readings.half_kopeck_of_tax),
        unrounded=amount,
        rounding=amount - total,
        total=total,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=optional(goods.comment, field="comment"),
        discount=discount,
        part=read_as(
            PartPayment(kind=PartPaymentKind.PREPAYMENT, full=full), paid=total, readings=readings
        ),
    )


def price_later_payment(
    request: LaterPaymentRequest,
    *,
    prepayment: Receipt,
    part: PartPayment,
    taken: Sequence[Money],
    receipt_id: UUID,
    cash_step: Money,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
    readings: Readings = DEFAULT_READINGS,
) -> Receipt:
    """Return the receipt of a further or final payment that takes `taken` of the prepayment's lines.

    Raises: InvalidField, PaymentsDiffer.
    """
    lines = _paying(prepayment.lines, taken)
    due = Money.total(taken)
    payments = settle(request.payments, due=due, cash_step=cash_step)
    if not due and readings.settlement_row_of_nothing:
        code, name = CASH
        payments = (Payment(form_code=code, form_name=name, amount=due),)
    total = Money.total(payment.amount for payment in payments)
    return replace(
        prepayment,
        receipt_id=receipt_id,
        lines=lines,
        payments=payments,
        taxes=tax_rows(lines, groups_of(prepayment.taxes), ties=readings.half_kopeck_of_tax),
        unrounded=due,
        rounding=due - total,
        total=total,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=optional(request.comment, field="comment"),
        part=read_as(part, paid=total, readings=readings),
    )


def read_as(part: PartPayment, *, paid: Money, readings: Readings) -> PartPayment:
    """Return a part payment that takes `paid` with the sums that the open questions 12 and 25 ask about."""
    checks_paid = readings.part_payment_checked_sum is PartPaymentSum.PAID
    counts_full = readings.part_payment_counted_sum is PartPaymentSum.FULL
    return replace(
        part,
        checked=paid if checks_paid else None,
        counted=part.full if counts_full else None,
    )


def further_shares(amount: Money, owed: Sequence[Money]) -> list[Money]:
    """Return what a further payment takes of each line, of which so much is owed, by rule 2.

    Raises: InvalidField, PaymentExceedsOwed.
    """
    return shares(payable(amount, owed=Money.total(owed)), owed)


def shared_as_owed(amount: Money, owed: Sequence[Money]) -> tuple[Money, ...]:
    """Return an amount paid elsewhere shared over lines of which so much is owed, all that is owed at most."""
    whole = Money.total(owed)
    if whole <= ZERO:
        return tuple(owed)
    return tuple(shares(min(amount, whole), owed))


def payable(amount: Money, *, owed: Money) -> Money:
    """Return an amount that may be taken of what is owed. Raises: InvalidField, PaymentExceedsOwed."""
    if amount <= ZERO:
        raise InvalidField(field="amount_kopecks", expected="more than 0")
    if amount > owed:
        raise PaymentExceedsOwed(
            field="amount_kopecks", asked_kopecks=amount.kopecks, owed_kopecks=owed.kopecks
        )
    return amount


def paid_of_lines(receipt: Receipt) -> tuple[Money, ...]:
    """Return what a part payment takes of each line; shared by cost where its document tells it of no line.

    Other programs may leave the lines' sums out: the schema does not ask for them.
    """
    told = [line.paid for line in receipt.lines]
    if any(paid is not None for paid in told):
        return tuple(paid or ZERO for paid in told)
    costs = [line.discounted for line in receipt.lines]
    if Money.total(costs) <= ZERO:
        return tuple(ZERO for _ in costs)
    return tuple(shares(receipt.unrounded, costs))


def share_paid(receipt: Receipt) -> Rate:
    """Return the share of the price that a part payment takes, in hundredths of a per cent, half up."""
    assert receipt.part is not None
    return Rate(round_half_up(receipt.unrounded.kopecks * 10_000, receipt.part.full.kopecks))


def _paying(lines: Sequence[Line], taken: Sequence[Money]) -> tuple[Line, ...]:
    return tuple(replace(line, paid=paid) for line, paid in zip(lines, taken, strict=True))
