"""From what a till asks to a priced return: lines as they were sold, their shares of cost, the pay-out, taxes.

Rules (numbered on in docs/money.md):

1. A line that comes back in part takes the cumulative share of its cost (`sold_lines.cumulative_share`), so that all parts
   together are the line, to the kopeck, however it is split. The cost meant is the one after discounts.
2. COST must be AMOUNT × PRICE within half a kopeck (reference §3.4). Where a share is not, because parts of a thousandth
   had to be evened out, the line is written in two: whole units at a price that leaves the rest something, and the last
   unit or fraction at the price that gives exactly what remains. Only splits into fractions of cheap units need it.
   A part of a discounted line is one line at the price of the sale; what its cost is above the money that comes back is
   its discount. A part has the excise stamps that the till names of the line's own; a whole line has all of them.
3. Taxes are taken by the rates of the sale, whatever the letters mean today, by the same function as a sale's.
4. A part payment comes back as the whole it was: its return repeats goods, price and what was paid of each line.
5. Cash is paid out rounded to the step of the selling register's shift, as a sale's is taken; other forms get exact amounts.
   What agrees with the sale to the kopeck is the sum before rounding (reference §8.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.documents.receipt import Discount, Line, Original, Payment, Receipt, ReceiptKind
from domain.documents.text import encodable
from domain.errors import InvalidField
from domain.money import Money, Quantity, round_half_up
from domain.part_payment import read_as
from domain.payments import CASH, CashPayment, PaymentRequest, settle
from domain.readings import DEFAULT_READINGS, Readings
from domain.sold_lines import TakenLine, WantedLine
from domain.taxes.totals import groups_of, tax_rows

_UNIT = 1000
"""One unit in thousandths."""


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """A return as a till asks for it; `lines` None: all that is left. Cash takes what cards leave, rounded."""

    payments: tuple[PaymentRequest, ...]
    lines: tuple[WantedLine, ...] | None = None
    comment: str | None = None


def price_return(
    request: ReturnRequest,
    *,
    sale: Receipt,
    taken: Sequence[TakenLine],
    original: Original,
    receipt_id: UUID,
    cash_step: Money,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
    readings: Readings = DEFAULT_READINGS,
) -> Receipt:
    """Return the receipt of a return with every amount decided. Raises: InvalidField, PaymentsDiffer."""
    stamps = _named_stamps(request.lines or (), sale)
    lines = tuple(
        part
        for line in taken
        for part in returned_lines(
            sale.lines[line.number - 1], line, stamps=stamps.get(line.number, ())
        )
    )
    unrounded = Money.total(line.due for line in lines)
    payments = _pay_out(request.payments, due=unrounded, cash_step=cash_step)
    total = Money.total(payment.amount for payment in payments)
    comment = request.comment
    return Receipt(
        receipt_id=receipt_id,
        kind=ReceiptKind.RETURN,
        lines=lines,
        payments=payments,
        taxes=tax_rows(lines, groups_of(sale.taxes), ties=readings.half_kopeck_of_tax),
        unrounded=unrounded,
        rounding=unrounded - total,
        total=total,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=None if comment is None else encodable(comment, field="comment"),
        original=original,
        part=None if sale.part is None else read_as(sale.part, paid=total, readings=readings),
    )


def _named_stamps(wanted: Sequence[WantedLine], sale: Receipt) -> dict[int, tuple[str, ...]]:
    """Return the stamps that come back by the line's number. Raises: InvalidField."""
    for place, line in enumerate(wanted):
        sold = sale.lines[line.number - 1].excise_stamps or ()
        if len(set(line.excise_stamps)) < len(line.excise_stamps) or not set(sold).issuperset(
            line.excise_stamps
        ):
            raise InvalidField(
                field=f"lines.{place}.excise_stamps",
                expected="stamps of the line that was sold, each once",
            )
    return {line.number: line.excise_stamps for line in wanted}


def returned_lines(
    line: Line, taken: TakenLine, *, stamps: tuple[str, ...] = ()
) -> tuple[Line, ...]:
    """Return the line with the quantity and money that come back of it; two where rule 2 asks for it.

    `stamps` are those on the part that comes back; the first row has them. All of a line comes back with all of its own.
    """
    quantity, cost = taken.quantity, taken.cost
    if (quantity, cost) == (line.quantity, line.due):
        return (line,)
    line = replace(line, excise_stamps=stamps or None)
    if line.discount is not None or line.receipt_discount is not None:
        return (_discounted_part(line, quantity, owed=cost),)
    if agrees(cost, price=line.price, quantity=quantity):
        return (replace(line, quantity=quantity, cost=cost),)
    last = Quantity(quantity.thousandths % _UNIT or min(_UNIT, quantity.thousandths))
    units = (quantity.thousandths - last.thousandths) // _UNIT
    price = min(line.price, Money(cost.kopecks // units)) if units else line.price
    whole = Money(price.kopecks * units)
    rest = cost - whole
    tail = replace(
        line,
        quantity=last,
        price=Money(round_half_up(rest.kopecks * _UNIT, last.thousandths)),
        cost=rest,
    )
    if not units:
        return (tail,)
    units_back = replace(line, quantity=Quantity(units * _UNIT), price=price, cost=whole)
    return (units_back, replace(tail, excise_stamps=None))


def _discounted_part(line: Line, quantity: Quantity, *, owed: Money) -> Line:
    cost = line.price.times(quantity)
    taken_off = cost - owed
    return replace(
        line,
        quantity=quantity,
        cost=cost,
        discount=Discount(amount=taken_off) if taken_off else None,
        receipt_discount=None,
    )


def agrees(cost: Money, *, price: Money, quantity: Quantity) -> bool:
    """Return whether a cost is price × quantity within half a kopeck, either way at a tie."""
    return abs(cost.kopecks * _UNIT - price.kopecks * quantity.thousandths) * 2 <= _UNIT


def _pay_out(
    requests: Sequence[PaymentRequest], *, due: Money, cash_step: Money
) -> tuple[Payment, ...]:
    """Return the pay-out: other forms get what is given for them, cash the rounded rest.

    Source of the rounding: as of a sale; it covers the total of a cash refund too (reference §8.4).
    """
    cash = [request for request in requests if isinstance(request, CashPayment)]
    if any(payment.provided is not None for payment in cash):
        raise InvalidField(field="payments", expected="cash without an amount handed over")
    if not due and len(cash) == len(requests) == 1:
        # A share of less than half a kopeck comes to nothing, and the goods come back all the same.
        code, name = CASH
        return (Payment(form_code=code, form_name=name, amount=due),)
    return settle(requests, due=due, cash_step=cash_step)
