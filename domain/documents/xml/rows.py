"""Rows of a document read back: lines, payments with their slips, taxes, and the protocol's days and times."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from domain.clock import KYIV
from domain.documents.receipt import (
    CardSlip,
    Discount,
    Line,
    Payment,
    TaxRow,
)
from domain.documents.shift import (
    PaymentFormTotal,
)
from domain.documents.xml.node import Node, boolean, integer, money, quantity, rate
from domain.money import ZERO, Money, Quantity

_ONE = Quantity(1000)
_BY_SUM, _BY_PERCENT = 0, 1
"""Values of DISCOUNTTYPE."""


def line_of(row: Node, *, in_part: bool) -> Line:
    """Return a line of CHECKBODY; `in_part`: of a part payment, whose lines say what is paid for them now. Raises: IntegrityFault."""
    amount = row.value("AMOUNT", quantity)
    price, cost = row.value("PRICE", money), row.value("COST", money)
    if price is None:
        price = cost or ZERO
    if amount is None:
        amount = _ONE
    return Line(
        name=row.text("NAME") or "",
        quantity=amount,
        price=price,
        cost=price.times(amount) if cost is None else cost,
        letters=row.text("LETTERS") or "",
        code=row.text("CODE"),
        barcode=row.text("BARCODE"),
        uktzed=row.value("UKTZED", str),
        unit_code=row.value("UNITCD", integer),
        unit_name=row.text("UNITNM"),
        dkpp=row.text("DKPP"),
        excise_stamps=_stamps(row),
        discount=_line_discount(row),
        paid=row.value("PARTPAYSUM", money) if in_part else None,
    )


def _stamps(row: Node) -> tuple[str, ...] | None:
    present = row.has("EXCISELABELS")
    found = tuple(each.text("EXCISELABEL") or "" for each in row.rows("EXCISELABELS"))
    # Two official samples put their text straight into the element.
    row.mark("EXCISELABELS", unless=bool(found) or not present)
    return found or None


def _line_discount(row: Node) -> Discount | None:
    """Return what was taken off; 0.00 is nothing. The percentage counts where the type says so."""
    taken_off, kind = row.value("DISCOUNTSUM", money), row.value("DISCOUNTTYPE", integer)
    percent = row.value("DISCOUNTPERCENT", rate)
    if percent is not None and not percent.basis_points:
        percent = None
    by_percent = percent is not None and kind != _BY_SUM
    row.mark("DISCOUNTPERCENT", unless=percent is None or (by_percent and bool(taken_off)))
    if not taken_off:
        return None
    row.mark("DISCOUNTTYPE", unless=kind in (None, _BY_PERCENT if by_percent else _BY_SUM))
    return Discount(taken_off, percent=percent if by_percent else None)


def payment_of(row: Node) -> Payment:
    """Return a payment of CHECKPAY with its slip. Raises: IntegrityFault."""
    amount = row.value("SUM", money) or ZERO
    provided, change = row.value("PROVIDED", money), row.value("REMAINS", money)
    if not change:
        # Some programs write both without change as well; only what was handed over for nothing is odd.
        row.mark("PROVIDED", unless=provided is None or provided == amount)
        provided, change = None, None
    slips = row.rows("PAYSYS")
    row.mark("PAYSYS", unless=len(slips) <= 1)
    return Payment(
        form_code=row.required("PAYFORMCD", integer),
        form_name=row.required("PAYFORMNM", str),
        amount=amount,
        provided=provided,
        change=change,
        slip=_slip(slips[0], paid=amount) if slips else None,
    )


def _slip(row: Node, *, paid: Money) -> CardSlip:
    row.mark("SUM", unless=row.value("SUM", money) in (None, paid))
    return CardSlip(
        payment_system=row.text("NAME"),
        acquirer_id=row.text("ACQUIREID"),
        acquirer_name=row.text("ACQUIRENM"),
        transaction_id=row.text("ACQUIRETRANSID"),
        paid_at=row.value("POSTRANSDATE", kyiv_time_of),
        slip_number=row.text("POSTRANSNUM"),
        terminal_id=row.text("DEVICEID"),
        masked_card=row.text("EPZDETAILS"),
        authorisation_code=row.text("AUTHCD"),
        commission=row.value("COMMISSION", money),
    )


def tax_of(row: Node) -> TaxRow:
    """Return a tax of CHECKTAX or of a Z-report. Raises: IntegrityFault."""
    turnover = row.required("TURNOVER", money)
    discounted = row.value("TURNOVERDISCOUNT", money)
    if discounted is None:
        discounted = turnover
    base = row.value("SOURCESUM", money)
    row.mark("SIGN", unless=not row.value("SIGN", boolean))
    return TaxRow(
        kind=row.required("TYPE", integer),
        name=row.required("NAME", str),
        letter=row.text("LETTER") or "",
        rate=row.required("PRC", rate),
        turnover=turnover,
        discounted_turnover=discounted,
        base=discounted if base is None else base,
        tax=row.required("SUM", money),
    )


def payment_total_of(row: Node) -> PaymentFormTotal:
    """Return the total of a payment form in a Z-report. Raises: IntegrityFault."""
    return PaymentFormTotal(
        form_code=row.required("PAYFORMCD", integer),
        form_name=row.required("PAYFORMNM", str),
        amount=row.required("SUM", money),
    )


def day_of(text: str) -> date:
    """Return a day of Kyiv, written DDMMYYYY. Raises: ValueError."""
    return datetime.strptime(text.strip(), "%d%m%Y").replace(tzinfo=KYIV).date()


def time_of(text: str) -> time:
    """Return a time of Kyiv, written HHMMSS. Raises: ValueError."""
    return datetime.strptime(text.strip(), "%H%M%S").replace(tzinfo=KYIV).time()


def kyiv_time_of(text: str) -> datetime:
    """Return in UTC a moment of Kyiv, written DDMMYYYYHHMMSS. Raises: ValueError."""
    return datetime.strptime(text.strip(), "%d%m%Y%H%M%S").replace(tzinfo=KYIV).astimezone(UTC)
