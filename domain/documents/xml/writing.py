"""From a document to its bytes.

Rules (reference §3; schemas check01.xsd and zrep01.xsd of 2025):

1. Elements stand in the order of the schema. What is absent is omitted, never empty.
2. No white space between elements: every signed byte costs hashing and storage, the schema asks for none.
3. Money has two digits after the dot, quantities three, rates two; rows are counted by ROWNUM from 1.
4. RNDSUM and NORNDSUM stand only where rounding changed the sum; RNDSUM = NORNDSUM − SUM. Returns, and their totals in a
   Z-report, can be set to have it with the opposite sign (reference §12, question 28).
5. PROVIDED and REMAINS stand only where change was given; PAYSYS only with a terminal's slip.
6. Tax rows stand by letter, VAT before excise. TURNOVERDISCOUNT and SOURCESUM are always written, so that
   the server's totals have them; SIGN is always false, because taxes are inside the price.
7. A return names its receipt in ORDERRETNUM; ORDERRETCASHREGNUM and ORDERRETDATE stand only where another register
   sold. A storno is a head with ORDERSTORNUM and nothing else.
8. A Z-report has ZREPREALIZ, ZREPRETURN and ZREPCASH only where there were such receipts, ZREPBODY always.
9. A service deposit and a service issue have CHECKTOTAL with SUM and nothing more; the reason is the COMMENT. A cash
   withdrawal has NOTAXSUM (its sum, no tax is in it) and COMMISSION always, and one row in CHECKBODY that names it.
9. A line has one DISCOUNTSUM with all that was taken off it, its own discount and its share of the receipt's;
   CHECKTOTAL/DISCOUNTSUM is the sum of these. A discount of 0.00 is not written. DISCOUNTTYPE is 1 with
   DISCOUNTPERCENT where the percentage of the cost is all there is, else 0: a share is a sum, rounded as a part of the
   whole. USAGETYPE, SUBCHECK and SUBTOTAL, which no sample fills, are left out.
10. A surcharge is a discount with a minus (domain/discounts.py tells why).
11. A part payment keeps the full price in SUM; PARTPAYSUM is what is paid, NORNDSUM and RNDSUM are of that, and each
    line has its PARTPAYSUM before rounding. PARTPAYPERCENT is left out where there is rounding and in returns, as in
    the official samples «Часткова сплата …». A further or final payment and its return name the prepayment in
    PARTPAYORDPREPAYNUM.
12. ORDERTAXNUM, OFFLINE and PREVDOCHASH stand in documents made offline only: online the number is the server's.
    REVOKELASTONLINEDOC is of 102; TESTING never stands in 102 and 103 (reference §3.3).

The writer puts strings together instead of building a tree, because it stands on the way of every sale: a
receipt of four lines takes two thirds of what lxml needs for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from domain.clock import kyiv
from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.receipt import (
    CardSlip,
    Line,
    PartPaymentKind,
    Payment,
    Receipt,
    ReceiptKind,
    TaxRow,
)
from domain.documents.shift import (
    DocumentKind,
    FiscalDocument,
    Heading,
    OrderTotals,
    PaymentFormTotal,
    ShiftTotals,
    WithdrawalTotals,
    ZReport,
)
from domain.documents.text import ENCODING
from domain.errors import InvalidField
from domain.identifiers import document_uid
from domain.money import Money
from domain.part_payment import share_paid
from domain.readings import DEFAULT_READINGS, Readings, ReturnRounding

VERSION = 1
"""Content of VER."""

DOCUMENT_TYPES = {
    DocumentKind.SHIFT_OPENING: ("100", None),
    DocumentKind.SALE: ("0", "0"),
    DocumentKind.RETURN: ("0", "1"),
    DocumentKind.STORNO: ("0", "5"),
    DocumentKind.SERVICE_DEPOSIT: ("0", "2"),
    DocumentKind.SERVICE_ISSUE: ("0", "4"),
    DocumentKind.CASH_WITHDRAWAL: ("3", "0"),
    DocumentKind.SHIFT_CLOSING: ("101", None),
    DocumentKind.OFFLINE_BEGIN: ("102", None),
    DocumentKind.OFFLINE_END: ("103", None),
}
"""DOCTYPE and DOCSUBTYPE of each kind of check; a Z-report has neither."""

PART_PAYMENT_TYPES = {
    PartPaymentKind.PREPAYMENT: 1,
    PartPaymentKind.FINAL: 2,
    PartPaymentKind.FURTHER: 3,
}
"""PARTPAYTYPE of each part of a price."""

WITHDRAWAL_CODE, WITHDRAWAL_NAME = "1", "Видача готівки"
"""CODE and NAME of the one row of a cash withdrawal. Source: official sample «Видача готівки»."""

_DECLARATION = '<?xml version="1.0" encoding="windows-1251"?>'
_INSTANCE = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation'
_CONTROL = bytes([*range(0x20), 0x7F])


def to_xml(document: FiscalDocument, *, readings: Readings = DEFAULT_READINGS) -> bytes:
    """Return the document as it is signed, open questions answered as `readings` says.

    Raises: InvalidField when a text was not made `encodable` before.
    """
    content, heading = document.content, document.heading
    if isinstance(content, ZReport):
        inner = f"<ZREPHEAD>{_heading(heading)}</ZREPHEAD>{_z_report(content.totals, readings)}"
        text = f'{_DECLARATION}<ZREP {_INSTANCE}="zrep01.xsd">{inner}</ZREP>'
    else:
        kind, subkind = DOCUMENT_TYPES[document.kind]
        comment, particular, body = None, "", ""
        if isinstance(content, Receipt):
            comment, particular = content.comment, _original(content)
            body = _BODIES[content.kind](content, readings)
        elif isinstance(content, OfflineBegin):
            particular = _flag("REVOKELASTONLINEDOC", content.revoke_last_online_document)
        if isinstance(content, OfflineBegin | OfflineEnd):
            heading = replace(heading, testing=False)
        inner = (
            f"<CHECKHEAD>{_value('DOCTYPE', kind)}{_value('DOCSUBTYPE', subkind)}"
            f"{_heading(heading, particular=particular, comment=comment)}</CHECKHEAD>{body}"
        )
        text = f'{_DECLARATION}<CHECK {_INSTANCE}="check01.xsd">{inner}</CHECK>'
    return _encoded(text)


def _heading(heading: Heading, *, particular: str = "", comment: str | None = None) -> str:
    """Return the head's elements; `particular` is what only some kinds of documents have, before CASHIER."""
    seller, at = heading.seller, kyiv(heading.at)
    return (
        f"<UID>{document_uid(heading.uid)}</UID>"
        f"{_text('TIN', seller.tax_id)}{_text('IPN', seller.vat_number)}"
        f"{_text('ORGNM', seller.name)}{_text('POINTNM', seller.unit_name)}"
        f"{_text('POINTADDR', seller.unit_address)}"
        f"<ORDERDATE>{at:%d%m%Y}</ORDERDATE><ORDERTIME>{at:%H%M%S}</ORDERTIME>"
        f"<ORDERNUM>{heading.local_number}</ORDERNUM>"
        f"<CASHDESKNUM>{heading.register_local_number}</CASHDESKNUM>"
        f"{_text('CASHREGISTERNUM', heading.register_fiscal_number)}{particular}"
        f"{_text('CASHIER', heading.cashier_name)}{_text('COMMENT', comment)}"
        f"<VER>{VERSION}</VER>{_offline(heading.offline)}"
        f"{'<TESTING>true</TESTING>' if heading.testing else ''}"
    )


def _offline(mark: OfflineMark | None) -> str:
    if mark is None:
        return ""
    return (
        f"<ORDERTAXNUM>{mark.fiscal_number}</ORDERTAXNUM><OFFLINE>true</OFFLINE>"
        f"{_text('PREVDOCHASH', mark.previous_document_hash)}"
    )


def _original(receipt: Receipt) -> str:
    original = receipt.original
    if original is None:
        return ""
    if receipt.kind is ReceiptKind.STORNO:
        return _text("ORDERSTORNUM", original.fiscal_number)
    day = None if original.day is None else f"{original.day:%d%m%Y}"
    return (
        f"{_text('ORDERRETCASHREGNUM', original.register_fiscal_number)}"
        f"{_value('ORDERRETDATE', day)}{_text('ORDERRETNUM', original.fiscal_number)}"
    )


def _receipt(receipt: Receipt, readings: Readings) -> str:
    turned = receipt.kind is ReceiptKind.RETURN and _turns(readings)
    return (
        f"<CHECKTOTAL>{_sums(receipt, turned=turned)}{_discounts(receipt)}{_part(receipt)}</CHECKTOTAL>"
        f"{_rows('CHECKPAY', map(_payment, receipt.payments))}"
        f"{_rows('CHECKTAX', map(_tax, _in_order(receipt.taxes)))}"
        f"{_rows('CHECKBODY', map(_line, receipt.lines))}"
    )


def _storno(_: Receipt, __: Readings) -> str:
    return ""


def _service(receipt: Receipt, _: Readings) -> str:
    return f"<CHECKTOTAL><SUM>{receipt.total}</SUM></CHECKTOTAL>"


def _withdrawal(receipt: Receipt, _: Readings) -> str:
    told, total = receipt.withdrawal, receipt.total
    assert told is not None
    row = (
        f"<CODE>{WITHDRAWAL_CODE}</CODE><NAME>{WITHDRAWAL_NAME}</NAME><COST>{total}</COST>"
        f"{_text('RECIPIENTNM', told.recipient_name)}{_text('RECIPIENTIPN', told.recipient_number)}"
        f"{_text('PAYPURPOSE', told.payment_purpose)}{_text('PAYERNM', told.payer_name)}"
    )
    return (
        f"<CHECKTOTAL><SUM>{total}</SUM><NOTAXSUM>{total}</NOTAXSUM>"
        f"<COMMISSION>{told.commission}</COMMISSION></CHECKTOTAL>"
        f"{_rows('CHECKPAY', map(_payment, receipt.payments))}{_rows('CHECKBODY', (row,))}"
    )


_BODIES = {
    ReceiptKind.SALE: _receipt,
    ReceiptKind.RETURN: _receipt,
    ReceiptKind.STORNO: _storno,
    ReceiptKind.SERVICE_DEPOSIT: _service,
    ReceiptKind.SERVICE_ISSUE: _service,
    ReceiptKind.CASH_WITHDRAWAL: _withdrawal,
}
"""What stands beside the head of each kind of receipt."""


def _turns(readings: Readings) -> bool:
    return readings.return_rounding is ReturnRounding.OPPOSITE


def _sums(of: Receipt | OrderTotals, *, turned: bool = False) -> str:
    total = of.registered_total if isinstance(of, Receipt) else of.total
    if not of.rounding:
        return f"<SUM>{total}</SUM>"
    rounding = -of.rounding if turned else of.rounding
    return f"<SUM>{total}</SUM><RNDSUM>{rounding}</RNDSUM><NORNDSUM>{of.unrounded}</NORNDSUM>"


def _part(receipt: Receipt) -> str:
    part = receipt.part
    if part is None:
        return ""
    percent = ""
    if not receipt.rounding and receipt.kind is ReceiptKind.SALE:
        percent = f"<PARTPAYPERCENT>{share_paid(receipt)}</PARTPAYPERCENT>"
    return (
        f"<PARTPAYTYPE>{PART_PAYMENT_TYPES[part.kind]}</PARTPAYTYPE>{percent}"
        f"<PARTPAYSUM>{receipt.total}</PARTPAYSUM>"
        f"{_text('PARTPAYORDPREPAYNUM', part.prepayment_fiscal_number)}"
    )


def _discounts(receipt: Receipt) -> str:
    if receipt.discount is None and all(line.discount is None for line in receipt.lines):
        return ""
    taken_off = receipt.taken_off
    if not taken_off and not any(line.taken_off for line in receipt.lines):
        return ""
    return f"<DISCOUNTSUM>{taken_off}</DISCOUNTSUM>"


def _payment(payment: Payment) -> str:
    change, slip = "", ""
    if payment.change:
        change = f"{_value('PROVIDED', payment.provided)}<REMAINS>{payment.change}</REMAINS>"
    if payment.slip is not None:
        slip = _rows("PAYSYS", (_slip(payment.slip, amount=payment.amount),))
    return (
        f"<PAYFORMCD>{payment.form_code}</PAYFORMCD>{_text('PAYFORMNM', payment.form_name)}"
        f"<SUM>{payment.amount}</SUM>{change}{slip}"
    )


def _slip(slip: CardSlip, *, amount: Money) -> str:
    paid_at = None if slip.paid_at is None else f"{kyiv(slip.paid_at):%d%m%Y%H%M%S}"
    return (
        f"{_text('NAME', slip.payment_system)}{_text('ACQUIREID', slip.acquirer_id)}"
        f"{_text('ACQUIRENM', slip.acquirer_name)}{_text('ACQUIRETRANSID', slip.transaction_id)}"
        f"{_value('POSTRANSDATE', paid_at)}{_text('POSTRANSNUM', slip.slip_number)}"
        f"{_text('DEVICEID', slip.terminal_id)}{_text('EPZDETAILS', slip.masked_card)}"
        f"{_text('AUTHCD', slip.authorisation_code)}"
        f"<SUM>{amount}</SUM>{_value('COMMISSION', slip.commission)}"
    )


def _tax(row: TaxRow) -> str:
    return (
        f"<TYPE>{row.kind}</TYPE>{_text('NAME', row.name)}{_text('LETTER', row.letter)}"
        f"<PRC>{row.rate}</PRC><SIGN>false</SIGN>"
        f"<TURNOVER>{row.turnover}</TURNOVER>"
        f"<TURNOVERDISCOUNT>{row.discounted_turnover}</TURNOVERDISCOUNT>"
        f"<SOURCESUM>{row.base}</SOURCESUM><SUM>{row.tax}</SUM>"
    )


def _line(line: Line) -> str:
    dkpp = "" if line.dkpp is None else _text("DKPP", line.dkpp)
    rest = ""
    if line.discount is not None or line.receipt_discount is not None:
        rest = _line_discount(line)
    if line.paid is not None:
        rest += f"<PARTPAYSUM>{line.paid}</PARTPAYSUM>"
    if line.excise_stamps is not None:
        rest += _rows("EXCISELABELS", map(_stamp, line.excise_stamps))
    return (
        f"{_text('CODE', line.code)}{_text('BARCODE', line.barcode)}{_text('UKTZED', line.uktzed)}{dkpp}"
        f"{_text('NAME', line.fiscal_name or line.name)}"
        f"{_value('UNITCD', line.unit_code)}{_text('UNITNM', line.unit_name)}"
        f"<AMOUNT>{line.quantity}</AMOUNT><PRICE>{line.price}</PRICE>"
        f"{_text('LETTERS', line.letters)}<COST>{line.cost}</COST>{rest}"
    )


def _line_discount(line: Line) -> str:
    taken_off = line.taken_off
    if not taken_off:
        return ""
    own = line.discount
    if own is None or own.percent is None or line.receipt_discount is not None:
        return f"<DISCOUNTTYPE>0</DISCOUNTTYPE><DISCOUNTSUM>{taken_off}</DISCOUNTSUM>"
    return (
        f"<DISCOUNTTYPE>1</DISCOUNTTYPE><DISCOUNTPERCENT>{own.percent}</DISCOUNTPERCENT>"
        f"<DISCOUNTSUM>{taken_off}</DISCOUNTSUM>"
    )


def _stamp(stamp: str) -> str:
    return _text("EXCISELABEL", stamp)


def _z_report(totals: ShiftTotals, readings: Readings) -> str:
    returns = _orders("ZREPRETURN", totals.returns, turned=_turns(readings))
    return (
        f"{_orders('ZREPREALIZ', totals.sales)}{returns}"
        f"{_withdrawals(totals.withdrawals)}"
        f"<ZREPBODY><SERVICEINPUT>{totals.service_deposits}</SERVICEINPUT>"
        f"<SERVICEOUTPUT>{totals.service_issues}</SERVICEOUTPUT></ZREPBODY>"
    )


def _orders(tag: str, orders: OrderTotals, *, turned: bool = False) -> str:
    if orders == OrderTotals():
        return ""
    return (
        f"<{tag}>{_sums(orders, turned=turned)}<ORDERSCNT>{orders.count}</ORDERSCNT>"
        f"{_rows('PAYFORMS', map(_payment_total, orders.payments))}"
        f"{_rows('TAXES', map(_tax, _in_order(orders.taxes)))}</{tag}>"
    )


def _withdrawals(totals: WithdrawalTotals | None) -> str:
    if totals is None:
        return ""
    return (
        f"<ZREPCASH><SUM>{totals.total}</SUM><COMMISSION>{totals.commission}</COMMISSION>"
        f"<ORDERSCNT>{totals.count}</ORDERSCNT></ZREPCASH>"
    )


def _payment_total(total: PaymentFormTotal) -> str:
    return (
        f"<PAYFORMCD>{total.form_code}</PAYFORMCD>{_text('PAYFORMNM', total.form_name)}"
        f"<SUM>{total.amount}</SUM>"
    )


def _in_order(taxes: Iterable[TaxRow]) -> list[TaxRow]:
    return sorted(taxes, key=lambda row: (row.kind, row.letter, row.rate))


def _rows(tag: str, rows: Iterable[str]) -> str:
    inner = "".join(
        f'<ROW ROWNUM="{number}">{row}</ROW>' for number, row in enumerate(rows, start=1)
    )
    return f"<{tag}>{inner}</{tag}>" if inner else ""


def _text(tag: str, text: str | None) -> str:
    if not text:
        return ""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{tag}>{text}</{tag}>"


def _flag(tag: str, flag: bool | None) -> str:
    return "" if flag is None else f"<{tag}>{'true' if flag else 'false'}</{tag}>"


def _value(tag: str, value: Money | int | str | None) -> str:
    return "" if value is None else f"<{tag}>{value}</{tag}>"


def _encoded(text: str) -> bytes:
    try:
        encoded = text.encode(ENCODING)
    except UnicodeEncodeError as refused:
        raise _not_encodable(text, at=refused.start) from None
    without = encoded.translate(None, _CONTROL)
    if len(without) != len(encoded):
        at = next(at for at, byte in enumerate(encoded) if byte in _CONTROL)
        raise _not_encodable(text, at=at)
    return encoded


def _not_encodable(text: str, *, at: int) -> InvalidField:
    tag = text[:at].rpartition("<")[2].partition(">")[0]
    return InvalidField(field=f"document.{tag}", expected="text of the windows-1251 code page")
