"""From bytes to a document: ours, and as far as our types reach those of other programs and the server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from domain.clock import KYIV
from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.receipt import (
    CashWithdrawal,
    Discount,
    Line,
    Original,
    PartPayment,
    PartPaymentKind,
    Payment,
    Receipt,
    ReceiptKind,
)
from domain.documents.shift import (
    DocumentKind,
    FiscalDocument,
    Heading,
    OrderTotals,
    Seller,
    ShiftClosingContent,
    ShiftOpening,
    ShiftTotals,
    WithdrawalTotals,
    ZReport,
)
from domain.documents.xml.node import Node, Reading, boolean, integer, money, rate
from domain.documents.xml.rows import (
    day_of,
    line_of,
    payment_of,
    payment_total_of,
    tax_of,
    time_of,
)
from domain.documents.xml.writing import (
    DOCUMENT_TYPES,
    PART_PAYMENT_TYPES,
    WITHDRAWAL_CODE,
    WITHDRAWAL_NAME,
)
from domain.errors import IntegrityFault, InvalidField
from domain.identifiers import OfflineNumber
from domain.money import ZERO, Money
from domain.part_payment import share_paid
from domain.payments import CASH

_ADDITIONAL_DEPOSIT = ("0", "3")
_KINDS = {
    **{types: kind for kind, types in DOCUMENT_TYPES.items()},
    # «Отримання підкріплення»: ours is always 0 / 2, both count as cash put in.
    _ADDITIONAL_DEPOSIT: DocumentKind.SERVICE_DEPOSIT,
}
_PART_PAYMENT_KINDS: dict[int | None, PartPaymentKind] = {
    number: kind for kind, number in PART_PAYMENT_TYPES.items()
}


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What was found in a document, whoever made it.

    `document` is None when it registers something these types cannot hold (a transfer, a currency exchange); `heading`
    is known all the same. The server's copies carry `fiscal_number`, `revoked` and `storned`; a document made offline has
    its number from its register, and a `heading.offline` where that number has the form of one. `unread` names
    every element whose content is not represented here, such as `CHECKBODY/ROW/DISCOUNTSUM`.
    """

    heading: Heading
    document: FiscalDocument | None
    fiscal_number: str | None
    offline: bool
    revoked: bool
    storned: bool
    unread: tuple[str, ...]


def from_xml(data: bytes) -> FiscalDocument:
    """Return the document that `to_xml` wrote; what bytes do not carry is filled from the head.

    The id of a receipt or Z-report is the document's UID, a receipt's time and cashier's name are the head's,
    its lines have the fiscal name as their name. A line's discount is all that was taken off it, the receipt's own is known
    only where the lines have none. Unknown elements are ignored; `read_document` names them.

    Raises: IntegrityFault when it is no document, or none that these types can hold.
    """
    found = read_document(data)
    if found.document is None:
        raise IntegrityFault(place="document", what="a kind of document that is not supported")
    return found.document


def read_document(data: bytes) -> ReadDocument:
    """Return what can be understood of a document made by anybody.

    Raises: IntegrityFault when it is neither a check nor a Z-report, or an element without which it cannot be
    understood is missing or malformed.
    """
    reading = Reading(data)
    root = reading.root
    if reading.tag not in ("CHECK", "ZREP"):
        raise IntegrityFault(place="document", what="neither CHECK nor ZREP")
    head = root.node(f"{reading.tag}HEAD")
    if head is None:
        raise IntegrityFault(place=f"{reading.tag}HEAD", what="missing")
    fiscal_number = head.text("ORDERTAXNUM")
    offline = head.value("OFFLINE", boolean) or False
    heading = _heading(head, offline=_offline_mark(head, fiscal_number) if offline else None)
    head.text("VER")
    if reading.tag == "ZREP":
        document: FiscalDocument | None = FiscalDocument(
            kind=DocumentKind.Z_REPORT, heading=heading, content=_z_report(root, heading)
        )
    else:
        document = _check(root, head, heading)
    return ReadDocument(
        heading=heading,
        document=document,
        fiscal_number=fiscal_number,
        offline=offline,
        revoked=head.value("REVOKED", boolean) or False,
        storned=head.value("STORNED", boolean) or False,
        unread=reading.unread(),
    )


def _heading(head: Node, *, offline: OfflineMark | None) -> Heading:
    day, moment = head.required("ORDERDATE", day_of), head.required("ORDERTIME", time_of)
    uid, is_guid = _uid(head.required("UID", str.strip))
    head.mark("UID", unless=is_guid)
    return Heading(
        uid=uid,
        seller=Seller(
            tax_id=head.required("TIN", str),
            vat_number=head.value("IPN", str),
            name=head.required("ORGNM", str),
            unit_name=head.required("POINTNM", str),
            unit_address=head.text("POINTADDR"),
        ),
        register_fiscal_number=head.required("CASHREGISTERNUM", str),
        register_local_number=head.required("CASHDESKNUM", integer),
        local_number=head.required("ORDERNUM", integer),
        at=datetime.combine(day, moment, tzinfo=KYIV).astimezone(UTC),
        cashier_name=head.text("CASHIER"),
        testing=head.value("TESTING", boolean) or False,
        offline=offline,
    )


def _offline_mark(head: Node, number: str | None) -> OfflineMark | None:
    """Return what a document says of its offline session; None where its number is no offline one."""
    if number is None:
        return None
    try:
        fiscal_number = OfflineNumber.parse(number)
    except InvalidField:
        return None
    return OfflineMark(fiscal_number, head.text("PREVDOCHASH"))


def _uid(text: str) -> tuple[UUID, bool]:
    """Return the UID; the schema allows any text, so one that is no GUID gets a name-based one."""
    try:
        return UUID(text), True
    except ValueError:
        return uuid5(NAMESPACE_OID, text), False


def _check(root: Node, head: Node, heading: Heading) -> FiscalDocument | None:
    types = (head.required("DOCTYPE", str.strip), head.value("DOCSUBTYPE", str.strip))
    head.mark("DOCSUBTYPE", unless=types != _ADDITIONAL_DEPOSIT)
    kind = _KINDS.get(types)
    match kind:
        case None:
            return None
        case DocumentKind.SALE:
            sale = _receipt(root, head, heading, kind=ReceiptKind.SALE)
            return FiscalDocument(kind=kind, heading=heading, content=sale)
        case DocumentKind.RETURN:
            returned = _receipt(root, head, heading, kind=ReceiptKind.RETURN)
            return FiscalDocument(kind=kind, heading=heading, content=returned)
        case DocumentKind.STORNO:
            return FiscalDocument(kind=kind, heading=heading, content=_storno(head, heading))
        case DocumentKind.SERVICE_DEPOSIT | DocumentKind.SERVICE_ISSUE:
            content = _service(root, head, heading, kind=ReceiptKind(kind.value))
            return FiscalDocument(kind=kind, heading=heading, content=content)
        case DocumentKind.CASH_WITHDRAWAL:
            content = _withdrawal(root, head, heading)
            return FiscalDocument(kind=kind, heading=heading, content=content)
        case DocumentKind.SHIFT_OPENING:
            return FiscalDocument(kind=kind, heading=heading, content=ShiftOpening())
        case DocumentKind.OFFLINE_BEGIN:
            begin = OfflineBegin(head.value("REVOKELASTONLINEDOC", boolean))
            return FiscalDocument(kind=kind, heading=heading, content=begin)
        case DocumentKind.OFFLINE_END:
            return FiscalDocument(kind=kind, heading=heading, content=OfflineEnd())
        case _:
            return FiscalDocument(kind=kind, heading=heading, content=ShiftClosingContent())


def _returned_receipt(head: Node) -> Original | None:
    """Return what a return names; None where a program left it out, although a return must name its receipt."""
    number = head.text("ORDERRETNUM")
    if number is None:
        return None
    return Original(
        fiscal_number=number,
        register_fiscal_number=head.value("ORDERRETCASHREGNUM", str),
        day=head.value("ORDERRETDATE", day_of),
        kind=ReceiptKind.SALE,
    )


def _storno(head: Node, heading: Heading) -> Receipt:
    """Return a storno; its document says no amounts."""
    return Receipt(
        receipt_id=heading.uid,
        kind=ReceiptKind.STORNO,
        lines=(),
        payments=(),
        taxes=(),
        unrounded=ZERO,
        rounding=ZERO,
        total=ZERO,
        issued_at=heading.at,
        cashier_id=None,
        cashier_name=heading.cashier_name,
        comment=head.text("COMMENT"),
        original=Original(fiscal_number=head.required("ORDERSTORNUM", str)),
    )


def _receipt(root: Node, head: Node, heading: Heading, *, kind: ReceiptKind) -> Receipt:
    sums = root.node("CHECKTOTAL")
    if sums is None:
        raise IntegrityFault(place="CHECKTOTAL", what="missing")
    full = sums.required("SUM", money)
    rounding = sums.value("RNDSUM", money) or ZERO
    unrounded = sums.value("NORNDSUM", money)
    paid = sums.value("PARTPAYSUM", money)
    part = _part_payment(sums, full=full, paid=paid)
    total = full if part is None or paid is None else paid
    in_part = part is not None
    returned = kind is ReceiptKind.RETURN
    lines = tuple(line_of(row, in_part=in_part) for row in root.rows("CHECKBODY"))
    receipt = Receipt(
        receipt_id=heading.uid,
        kind=kind,
        lines=lines,
        payments=tuple(map(payment_of, root.rows("CHECKPAY"))),
        taxes=tuple(map(tax_of, root.rows("CHECKTAX"))),
        unrounded=total + rounding if unrounded is None else unrounded,
        rounding=_told_rounding(rounding, unrounded=unrounded, total=total, of_returns=returned),
        total=total,
        issued_at=heading.at,
        cashier_id=None,
        cashier_name=heading.cashier_name,
        comment=head.text("COMMENT"),
        original=_returned_receipt(head) if kind is ReceiptKind.RETURN else None,
        discount=_receipt_discount(sums, lines),
        part=part,
    )
    if part is not None:
        percent = sums.value("PARTPAYPERCENT", rate)
        sums.mark("PARTPAYPERCENT", unless=percent is None or percent == share_paid(receipt))
    return receipt


def _part_payment(sums: Node, *, full: Money, paid: Money | None) -> PartPayment | None:
    """Return what makes a receipt a part payment; None where the document does not say how much of what is paid."""
    number = sums.value("PARTPAYTYPE", integer)
    kind = _PART_PAYMENT_KINDS.get(number)
    if kind is None or paid is None or full <= ZERO:
        sums.mark("PARTPAYTYPE", unless=number is None)
        sums.mark("PARTPAYSUM", unless=paid is None)
        return None
    return PartPayment(
        kind=kind,
        full=full,
        prepayment_fiscal_number=sums.text("PARTPAYORDPREPAYNUM"),
    )


def _receipt_discount(sums: Node, lines: tuple[Line, ...]) -> Discount | None:
    """Return the discount that only CHECKTOTAL tells of: some programs do not share it over the lines."""
    taken_off = sums.value("DISCOUNTSUM", money)
    if any(line.discount is not None for line in lines):
        of_lines = Money.total(line.taken_off for line in lines)
        sums.mark("DISCOUNTSUM", unless=taken_off is None or taken_off == of_lines)
        return None
    return Discount(taken_off) if taken_off else None


def _service(root: Node, head: Node, heading: Heading, *, kind: ReceiptKind) -> Receipt:
    """Return a service deposit or issue: the drawer's cash is its one payment, which documents do not write."""
    sums = root.node("CHECKTOTAL")
    if sums is None:
        raise IntegrityFault(place="CHECKTOTAL", what="missing")
    total = sums.required("SUM", money)
    return _of_drawer(head, heading, kind=kind, total=total, payments=_in_cash(total))


def _withdrawal(root: Node, head: Node, heading: Heading) -> Receipt:
    sums = root.node("CHECKTOTAL")
    if sums is None:
        raise IntegrityFault(place="CHECKTOTAL", what="missing")
    total = sums.required("SUM", money)
    sums.mark("NOTAXSUM", unless=sums.value("NOTAXSUM", money) in (None, total))
    commission = sums.value("COMMISSION", money) or ZERO
    payments = tuple(map(payment_of, root.rows("CHECKPAY"))) or _in_cash(total)
    rows = root.rows("CHECKBODY")
    root.mark("CHECKBODY", unless=len(rows) == 1)
    told = CashWithdrawal(commission=commission)
    if rows:
        row = rows[0]
        row.mark("CODE", unless=row.text("CODE") in (None, WITHDRAWAL_CODE))
        row.mark("NAME", unless=row.text("NAME") in (None, WITHDRAWAL_NAME))
        row.mark("COST", unless=row.value("COST", money) in (None, total))
        told = CashWithdrawal(
            commission=commission,
            recipient_name=row.text("RECIPIENTNM"),
            recipient_number=row.text("RECIPIENTIPN"),
            payment_purpose=row.text("PAYPURPOSE"),
            payer_name=row.text("PAYERNM"),
        )
    return _of_drawer(
        head,
        heading,
        kind=ReceiptKind.CASH_WITHDRAWAL,
        total=total,
        payments=payments,
        withdrawal=told,
    )


def _in_cash(total: Money) -> tuple[Payment, ...]:
    code, name = CASH
    return (Payment(form_code=code, form_name=name, amount=total),)


def _of_drawer(
    head: Node,
    heading: Heading,
    *,
    kind: ReceiptKind,
    total: Money,
    payments: tuple[Payment, ...],
    withdrawal: CashWithdrawal | None = None,
) -> Receipt:
    return Receipt(
        receipt_id=heading.uid,
        kind=kind,
        lines=(),
        payments=payments,
        taxes=(),
        unrounded=total,
        rounding=ZERO,
        total=total,
        issued_at=heading.at,
        cashier_id=None,
        cashier_name=heading.cashier_name,
        comment=head.text("COMMENT"),
        withdrawal=withdrawal,
    )


def _z_report(root: Node, heading: Heading) -> ZReport:
    body = root.node("ZREPBODY")
    deposits = None if body is None else body.value("SERVICEINPUT", money)
    issues = None if body is None else body.value("SERVICEOUTPUT", money)
    return ZReport(
        z_report_id=heading.uid,
        totals=ShiftTotals(
            sales=_orders(root.node("ZREPREALIZ")),
            returns=_orders(root.node("ZREPRETURN"), of_returns=True),
            service_deposits=deposits or ZERO,
            service_issues=issues or ZERO,
            withdrawals=_withdrawals(root.node("ZREPCASH")),
        ),
    )


def _withdrawals(node: Node | None) -> WithdrawalTotals | None:
    if node is None:
        return None
    return WithdrawalTotals(
        count=node.required("ORDERSCNT", integer),
        total=node.required("SUM", money),
        commission=node.value("COMMISSION", money) or ZERO,
    )


def _told_rounding(
    told: Money, *, unrounded: Money | None, total: Money, of_returns: bool
) -> Money:
    """Return the rounding by its sums in returns: which sign RNDSUM has there is open (reference §12, question 28)."""
    if not of_returns or unrounded is None or unrounded - total != -told:
        return told
    return -told


def _orders(node: Node | None, *, of_returns: bool = False) -> OrderTotals:
    if node is None:
        return OrderTotals()
    total = node.required("SUM", money)
    rounding = node.value("RNDSUM", money) or ZERO
    unrounded = node.value("NORNDSUM", money)
    return OrderTotals(
        count=node.required("ORDERSCNT", integer),
        total=total,
        unrounded=total + rounding if unrounded is None else unrounded,
        rounding=_told_rounding(rounding, unrounded=unrounded, total=total, of_returns=of_returns),
        payments=tuple(map(payment_total_of, node.rows("PAYFORMS"))),
        taxes=tuple(map(tax_of, node.rows("TAXES"))),
    )
