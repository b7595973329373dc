"""From what a till asks to a priced receipt: costs, discounts, payments, change, cash rounding, taxes.

Every amount of a receipt is decided here, once. The rules of money, numbered, are in docs/money.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.discounts import DiscountRequest, line_discount, with_receipt_discount
from domain.documents.receipt import Discount, Line, Receipt, ReceiptKind
from domain.documents.text import Limit, encodable, optional
from domain.errors import EmptyReceipt, InvalidField, TotalsDiffer
from domain.identifiers import dkpp, uktzed
from domain.money import LARGEST_AMOUNT, ZERO, Money, Quantity
from domain.payments import CardPayment, CashPayment, OtherPayment, PaymentRequest, settle
from domain.readings import DEFAULT_READINGS, Readings, Surcharges
from domain.taxes.rates import TaxGroup
from domain.taxes.totals import tax_rows

__all__ = [
    "MOST_LINES",
    "MOST_STAMPS",
    "CardPayment",
    "CashPayment",
    "DiscountRequest",
    "LineRequest",
    "OtherPayment",
    "SaleRequest",
    "price_sale",
    "priced_goods",
    "priced_lines",
]

MOST_LINES = 500
"""A signed message is at most 200 KB (reference §1.1); a line takes up to 350 bytes of XML."""
MOST_STAMPS = 500
"""Excise stamps of one line; a stamp takes some 75 bytes of the same message."""
LARGEST_QUANTITY = Quantity(1_000_000_000)


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A line as asked for; `cost`, where given, must be price × quantity, half kopecks up, before any discount."""

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
    dkpp: str | None = None
    excise_stamps: tuple[str, ...] = ()
    discount: DiscountRequest | None = None


@dataclass(frozen=True, slots=True)
class SaleRequest:
    """A sale as a till asks for it.

    `total`, where given, is what the till shows the buyer: after discounts, before rounding. `discount` is the one on the
    whole receipt.
    """

    lines: tuple[LineRequest, ...]
    payments: tuple[PaymentRequest, ...]
    total: Money | None = None
    comment: str | None = None
    discount: DiscountRequest | None = None


def price_sale(
    request: SaleRequest,
    *,
    receipt_id: UUID,
    tax_groups: Sequence[TaxGroup],
    cash_step: Money,
    issued_at: datetime,
    cashier_id: UUID | None,
    cashier_name: str | None,
    readings: Readings = DEFAULT_READINGS,
) -> Receipt:
    """Return the receipt with every amount decided.

    Raises: EmptyReceipt, InvalidField, DiscountExceedsCost, TotalsDiffer, UnknownTaxLetter, PaymentsDiffer.
    """
    check_surcharges(request, readings)
    lines, discount, unrounded = priced_goods(request)
    payments = settle(request.payments, due=unrounded, cash_step=cash_step)
    total = Money.total(payment.amount for payment in payments)
    return Receipt(
        receipt_id=receipt_id,
        kind=ReceiptKind.SALE,
        lines=lines,
        payments=payments,
        taxes=tax_rows(lines, tax_groups, ties=readings.half_kopeck_of_tax),
        unrounded=unrounded,
        rounding=unrounded - total,
        total=total,
        issued_at=issued_at,
        cashier_id=cashier_id,
        cashier_name=cashier_name,
        comment=optional(request.comment, field="comment"),
        discount=discount,
    )


def priced_goods(request: SaleRequest) -> tuple[tuple[Line, ...], Discount | None, Money]:
    """Return the lines, the discount on the whole receipt, and what the goods cost after all discounts.

    Raises: EmptyReceipt, InvalidField, DiscountExceedsCost, TotalsDiffer.
    """
    lines, discount = priced_lines(request.lines, discount=request.discount)
    price = Money.total(line.discounted for line in lines)
    if price <= ZERO:
        raise InvalidField(field="lines", expected="worth more than nothing")
    if request.total is not None and request.total != price:
        raise TotalsDiffer(
            field="total_kopecks",
            stated_kopecks=request.total.kopecks,
            computed_kopecks=price.kopecks,
        )
    return lines, discount, price


def check_surcharges(request: SaleRequest, readings: Readings) -> None:
    """Refuse surcharges where they are not taken (reference §12, question 14). Raises: InvalidField."""
    if readings.surcharges is not Surcharges.REFUSED:
        return
    fields = {"discount": request.discount}
    fields |= {f"lines.{place}.discount": line.discount for place, line in enumerate(request.lines)}
    for field, discount in fields.items():
        if discount is not None and discount.surcharge:
            raise InvalidField(
                field=f"{field}.surcharge", expected="false: surcharges are not taken here"
            )


def priced_lines(
    requests: Sequence[LineRequest], *, discount: DiscountRequest | None = None
) -> tuple[tuple[Line, ...], Discount | None]:
    """Return the lines with costs and discounts decided, and the discount on the whole receipt.

    Raises: EmptyReceipt, InvalidField, DiscountExceedsCost, TotalsDiffer.
    """
    if not requests:
        raise EmptyReceipt
    if len(requests) > MOST_LINES:
        raise InvalidField(field="lines", expected=f"at most {MOST_LINES} lines")
    lines = tuple(_line(request, number) for number, request in enumerate(requests))
    _check_stamps_differ(lines)
    if discount is None:
        return lines, None
    return with_receipt_discount(lines, discount)


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
    if line.uktzed is not None and line.dkpp is not None:
        raise InvalidField(field=f"{field}.dkpp", expected="absent where there is УКТЗЕД")
    return Line(
        name=encodable(_present(line.name, field=f"{field}.name"), field=f"{field}.name"),
        quantity=line.quantity,
        price=line.price,
        cost=cost,
        letters=line.letters,
        code=optional(line.code, field=f"{field}.code", limit=Limit.LINE_CODE),
        barcode=optional(line.barcode, field=f"{field}.barcode", limit=Limit.BARCODE),
        uktzed=None if line.uktzed is None else uktzed(line.uktzed, field=f"{field}.uktzed"),
        unit_code=line.unit_code,
        unit_name=optional(line.unit_name, field=f"{field}.unit_name", limit=Limit.UNIT_OF_MEASURE),
        fiscal_name=optional(line.fiscal_name, field=f"{field}.fiscal_name", limit=Limit.LINE_NAME),
        dkpp=None if line.dkpp is None else dkpp(line.dkpp, field=f"{field}.dkpp"),
        excise_stamps=_stamps(line.excise_stamps, field=f"{field}.excise_stamps"),
        discount=None
        if line.discount is None
        else line_discount(line.discount, cost=cost, field=f"{field}.discount"),
    )


def _stamps(stamps: Sequence[str], *, field: str) -> tuple[str, ...] | None:
    """Return the stamps' series and numbers; none at all is None, as events leave it out."""
    if not stamps:
        return None
    if len(stamps) > MOST_STAMPS:
        raise InvalidField(field=field, expected=f"at most {MOST_STAMPS} stamps")
    return tuple(
        encodable(
            _present(stamp, field=f"{field}.{place}"),
            field=f"{field}.{place}",
            limit=Limit.EXCISE_STAMP,
        )
        for place, stamp in enumerate(stamps)
    )


def _check_stamps_differ(lines: Sequence[Line]) -> None:
    """Refuse a stamp that stands twice in a receipt: each is glued to one thing. Raises: InvalidField."""
    seen: set[str] = set()
    for number, line in enumerate(lines):
        for place, stamp in enumerate(line.excise_stamps or ()):
            if stamp in seen:
                raise InvalidField(
                    field=f"lines.{number}.excise_stamps.{place}",
                    expected="a stamp that the receipt does not have yet",
                )
            seen.add(stamp)


def _present(text: str, *, field: str) -> str:
    if not text.strip():
        raise InvalidField(field=field, expected="not empty")
    return text
