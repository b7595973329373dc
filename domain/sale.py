"""From what a till asks to a priced receipt: costs, payments, change, cash rounding, taxes.

Every amount of a receipt is decided here, once. The rules of money, numbered, are in docs/money.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.documents.receipt import CardSlip, Line, Payment, Receipt, ReceiptKind
from domain.documents.text import Limit, encodable
from domain.errors import EmptyReceipt, InvalidField, PaymentsDiffer, TotalsDiffer
from domain.identifiers import uktzed
from domain.money import ZERO, Money, Quantity
from domain.taxes.rates import TaxGroup
from domain.taxes.totals import tax_rows

CASH = (0, "ГОТІВКА")
CARD = (1, "КАРТКА")
"""The two payment forms whose code and name every source agrees on (reference §3.5)."""

MOST_LINES = 500
"""A signed message is at most 200 KB (reference §1.1); a line takes up to 350 bytes of XML."""
LARGEST_AMOUNT = Money(10_000_000_000)
LARGEST_QUANTITY = Quantity(1_000_000_000)


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A line as asked for; `cost`, where given, must be price × quantity, half kopecks up."""

    name: str
    quantity: Quantity
    price: Money
    letters: str = ""
    code: str | None = None
    barcode: str | None = None
    uktzed: str | None = None
    unit_code: int | None = None
    unit_name: str | None = None
    fiscal_name: str | None = None
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class CashPayment:
    """Cash: `provided` is what the buyer handed over; None means exactly what is due."""

    provided: Money | None = None


@dataclass(frozen=True, slots=True)
class CardPayment:
    """A card: the amount charged, and the slip where a terminal is connected."""

    amount: Money
    slip: CardSlip | None = None


@dataclass(frozen=True, slots=True)
class SaleRequest:
    """A sale as a till asks for it; `total`, where given, is what the till shows the buyer, before rounding."""

    lines: tuple[LineRequest, ...]
    payments: tuple[CashPayment | CardPayment, ...]
    total: Money | None = None
    comment: str | None = None


def price_sale(
    request: SaleRequest,
    *,
    receipt_id: UUID,
    tax_groups: Sequence[TaxGroup],
    cash_step: Money,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
) -> Receipt:
    """Return the receipt with every amount decided.

    Raises: EmptyReceipt, InvalidField, TotalsDiffer, UnknownTaxLetter, PaymentsDiffer.
    """
    if not request.lines:
        raise EmptyReceipt
    if len(request.lines) > MOST_LINES:
        raise InvalidField(field="lines", expected=f"at most {MOST_LINES} lines")
    lines = tuple(_line(line, number) for number, line in enumerate(request.lines))
    unrounded = Money.total(line.cost for line in lines)
    if unrounded <= ZERO:
        raise InvalidField(field="lines", expected="worth more than nothing")
    if request.total is not None and request.total != unrounded:
        raise TotalsDiffer(
            field="total_kopecks",
            stated_kopecks=request.total.kopecks,
            computed_kopecks=unrounded.kopecks,
        )
    payments = _payments(request.payments, due=unrounded, cash_step=cash_step)
    total = Money.total(payment.amount for payment in payments)
    comment = request.comment
    return Receipt(
        receipt_id=receipt_id,
        kind=ReceiptKind.SALE,
        lines=lines,
        payments=payments,
        taxes=tax_rows(lines, tax_groups),
        unrounded=unrounded,
        rounding=unrounded - total,
        total=total,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=None if comment is None else encodable(comment, field="comment"),
    )


def _line(line: LineRequest, number: int) -> Line:
    field = f"lines.{number}"
    if not 0 < line.quantity.thousandths <= LARGEST_QUANTITY.thousandths:
        raise InvalidField(
            field=f"{field}.quantity_thousandths", expected="more than 0 and sensible"
        )
    if not 0 <= line.price.kopecks <= LARGEST_AMOUNT.kopecks:
        raise InvalidField(field=f"{field}.price_kopecks", expected="0 or more and sensible")
    cost = line.price.times(line.quantity)
    if cost.kopecks > LARGEST_AMOUNT.kopecks:
        raise InvalidField(field=f"{field}.quantity_thousandths", expected="a sensible cost")
    if line.cost is not None and line.cost != cost:
        raise TotalsDiffer(
            field=f"{field}.cost_kopecks",
            stated_kopecks=line.cost.kopecks,
            computed_kopecks=cost.kopecks,
        )
    return Line(
        name=encodable(_present(line.name, field=f"{field}.name"), field=f"{field}.name"),
        quantity=line.quantity,
        price=line.price,
        cost=cost,
        letters=line.letters,
        code=_optional(line.code, field=f"{field}.code", limit=Limit.LINE_CODE),
        barcode=_optional(line.barcode, field=f"{field}.barcode", limit=Limit.BARCODE),
        uktzed=None if line.uktzed is None else uktzed(line.uktzed, field=f"{field}.uktzed"),
        unit_code=line.unit_code,
        unit_name=_optional(
            line.unit_name, field=f"{field}.unit_name", limit=Limit.UNIT_OF_MEASURE
        ),
        fiscal_name=_optional(
            line.fiscal_name, field=f"{field}.fiscal_name", limit=Limit.LINE_NAME
        ),
    )


def _present(text: str, *, field: str) -> str:
    if not text.strip():
        raise InvalidField(field=field, expected="not empty")
    return text


def _optional(text: str | None, *, field: str, limit: int = Limit.SLIP_TEXT) -> str | None:
    """Return an optional text made encodable; an empty one counts as absent, as documents omit it."""
    return encodable(text, field=field, limit=limit) if text else None


def _payments(
    requests: Sequence[CashPayment | CardPayment], *, due: Money, cash_step: Money
) -> tuple[Payment, ...]:
    """Return the payments: cards take what they were charged, cash takes the rounded rest.

    Source of the rounding: NBU resolution 25 of 15.03.2018 (reference §8.4): only the cash part is rounded.
    """
    cards = [request for request in requests if isinstance(request, CardPayment)]
    cash = [request for request in requests if isinstance(request, CashPayment)]
    if len(cash) > 1:
        raise InvalidField(field="payments", expected="at most one cash payment")
    for card in cards:
        if card.amount <= ZERO:
            raise InvalidField(field="payments", expected="card amounts above 0")
    by_card = Money.total(card.amount for card in cards)
    if by_card > due or (not cash and by_card != due):
        raise PaymentsDiffer(
            field="payments", paid_kopecks=by_card.kopecks, due_kopecks=due.kopecks
        )
    paid = tuple(card_payment(card, number) for number, card in enumerate(cards))
    if not cash:
        return paid
    rest = due - by_card
    if not rest:
        raise InvalidField(field="payments", expected="no cash when cards cover everything")
    return (_cash(cash[0], due=rest.rounded_to(cash_step)), *paid)


def _cash(cash: CashPayment, *, due: Money) -> Payment:
    if cash.provided is not None and cash.provided < due:
        raise PaymentsDiffer(
            field="payments", paid_kopecks=cash.provided.kopecks, due_kopecks=due.kopecks
        )
    code, name = CASH
    if cash.provided is None or cash.provided == due:
        return Payment(form_code=code, form_name=name, amount=due)
    return Payment(
        form_code=code,
        form_name=name,
        amount=due,
        provided=cash.provided,
        change=cash.provided - due,
    )


def card_payment(card: CardPayment, number: int) -> Payment:
    """Return the payment by one card, its slip made encodable. Raises: InvalidField."""
    code, name = CARD
    slip = card.slip
    if slip is not None:
        field = f"payments.{number}.slip"
        slip = CardSlip(
            payment_system=_optional(slip.payment_system, field=f"{field}.payment_system"),
            acquirer_id=_optional(slip.acquirer_id, field=f"{field}.acquirer_id"),
            acquirer_name=_optional(slip.acquirer_name, field=f"{field}.acquirer_name"),
            transaction_id=_optional(slip.transaction_id, field=f"{field}.transaction_id"),
            paid_at=slip.paid_at,
            slip_number=_optional(slip.slip_number, field=f"{field}.slip_number"),
            terminal_id=_optional(slip.terminal_id, field=f"{field}.terminal_id"),
            masked_card=_optional(slip.masked_card, field=f"{field}.masked_card"),
            authorisation_code=_optional(
                slip.authorisation_code,
                field=f"{field}.authorisation_code",
                limit=Limit.AUTHORISATION_CODE,
            ),
            commission=slip.commission,
        )
    return Payment(form_code=code, form_name=name, amount=card.amount, slip=slip)
