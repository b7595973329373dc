"""Hypothesis strategies for the same things that tests/examples.py has one of each."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    CashWithdrawal,
    Discount,
    Line,
    Original,
    PartPayment,
    PartPaymentKind,
    Payment,
    Receipt,
    ReceiptKind,
    TaxRow,
)
from domain.documents.shift import (
    DocumentContent,
    DocumentKind,
    FiscalDocument,
    Heading,
    OrderTotals,
    PaymentFormTotal,
    Seller,
    ShiftClosingContent,
    ShiftOpening,
    ShiftTotals,
    WithdrawalTotals,
    ZReport,
)
from domain.documents.text import Limit
from domain.identifiers import OfflineNumber
from domain.money import ZERO, Money, Quantity, Rate

# --- parts ----------------------------------------------------------------------------------------

_CODE_PAGE = "".join(
    character
    for character in bytes(range(0x20, 0x100)).decode("cp1251", errors="ignore")
    if character.isprintable() or character == "\u00a0"
)


def texts(limit: int, *, minimum: int = 1) -> st.SearchStrategy[str]:
    """Text of the windows-1251 code page, markup characters among it."""
    return st.text(alphabet=_CODE_PAGE, min_size=minimum, max_size=min(limit, 40))


def amounts(*, minimum: int = 0, maximum: int = 10**9) -> st.SearchStrategy[Money]:
    """Money in kopecks."""
    return st.integers(minimum, maximum).map(Money)


def moments() -> st.SearchStrategy[datetime]:
    """Whole seconds of the years 2020 to 2049 outside the repeated October hour.

    A document's time has no offset, so inside that hour it cannot tell which of the two is meant.
    """
    start = datetime(2020, 1, 1, tzinfo=UTC)
    return (
        st.integers(0, 30 * 365 * 86_400)
        .map(lambda seconds: start + timedelta(seconds=seconds))
        .filter(lambda moment: not _in_repeated_hour(moment))
    )


def _in_repeated_hour(moment: datetime) -> bool:
    return moment.month == 10 and moment.day >= 25 and moment.hour in (0, 1)


uids = st.uuids(version=4)
letters = st.sampled_from("АБВГДЕЖЗ")


def sellers() -> st.SearchStrategy[Seller]:
    """Companies and sole proprietors, with and without VAT."""
    return st.builds(
        Seller,
        tax_id=st.one_of(
            st.from_regex(r"[0-9]{5,10}", fullmatch=True),
            st.from_regex(r"[АБВ]{2}[0-9]{6}", fullmatch=True),
        ),
        vat_number=st.none() | st.from_regex(r"[0-9]{6,12}", fullmatch=True),
        name=texts(Limit.SELLER_NAME),
        unit_name=texts(Limit.BUSINESS_UNIT_NAME),
        unit_address=st.none() | texts(Limit.BUSINESS_UNIT_ADDRESS),
    )


def offline_marks() -> st.SearchStrategy[OfflineMark]:
    """Numbers of any session, with and without the hash of a document before."""
    return st.builds(
        OfflineMark,
        fiscal_number=st.builds(
            OfflineNumber,
            session_id=st.integers(1, 10**12).map(str),
            number=st.integers(1, 10_000),
            control=st.integers(1, 9_999),
        ),
        previous_document_hash=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    )


def headings() -> st.SearchStrategy[Heading]:
    """Heads of documents."""
    return st.builds(
        Heading,
        uid=uids,
        seller=sellers(),
        register_fiscal_number=st.integers(1, 10**12).map(str),
        register_local_number=st.integers(1, 9_999),
        local_number=st.integers(1, 10**9),
        at=moments(),
        cashier_name=st.none() | texts(Limit.CASHIER_NAME),
        testing=st.booleans(),
        offline=st.none() | offline_marks(),
    )


@st.composite
def discounts(draw: st.DrawFn) -> Discount:
    """Discounts and surcharges, in value and in per cent, down to nothing."""
    amount = draw(amounts(minimum=-(10**6), maximum=10**6))
    percent = draw(st.none() | st.integers(1, 10_000).map(Rate))
    if percent is not None and amount < ZERO:
        percent = -percent
    return Discount(
        amount=amount, percent=percent, name=draw(st.none() | texts(Limit.DISCOUNT_NAME))
    )


@st.composite
def lines(draw: st.DrawFn, *, shared: bool = False) -> Line:
    """Lines whose cost is price × quantity; with a share of the receipt's discount where `shared`."""
    price = draw(amounts(maximum=10**7))
    quantity = Quantity(draw(st.integers(1, 10**6)))
    dkpps = st.from_regex(r"[0-9]{2}\.[0-9]{2}(\.[0-9]{2}-[0-9]{2}\.[0-9])?", fullmatch=True)
    dkpp = draw(st.none() | dkpps)
    uktzeds = st.from_regex(r"[1-9][0-9]{3}|[1-9][0-9]{9}", fullmatch=True)
    return Line(
        name=draw(texts(Limit.LINE_NAME)),
        quantity=quantity,
        price=price,
        cost=price.times(quantity),
        letters=draw(st.text(alphabet="АБВГ", max_size=2)),
        code=draw(st.none() | texts(Limit.LINE_CODE)),
        barcode=draw(st.none() | st.from_regex(r"[0-9]{8,14}", fullmatch=True)),
        uktzed=None if dkpp else draw(st.none() | uktzeds),
        unit_code=draw(st.none() | st.integers(1, 99_999)),
        unit_name=draw(st.none() | texts(Limit.UNIT_OF_MEASURE)),
        fiscal_name=draw(st.none() | texts(Limit.LINE_NAME)),
        dkpp=dkpp,
        excise_stamps=draw(
            st.none() | st.lists(texts(Limit.EXCISE_STAMP), min_size=1, max_size=3).map(tuple)
        ),
        discount=draw(st.none() | discounts()),
        receipt_discount=draw(amounts(minimum=-(10**6), maximum=10**6)) if shared else None,
    )


def card_slips() -> st.SearchStrategy[CardSlip]:
    """What terminals print, every part optional."""
    text = st.none() | texts(Limit.SLIP_TEXT)
    return st.builds(
        CardSlip,
        payment_system=text,
        acquirer_id=text,
        acquirer_name=text,
        transaction_id=text,
        paid_at=st.none() | moments(),
        slip_number=text,
        terminal_id=text,
        masked_card=text,
        authorisation_code=st.none() | texts(Limit.AUTHORISATION_CODE),
        commission=st.none() | amounts(maximum=10**5),
    )


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    """Exact payments, cash with change, cards with a slip."""
    amount = draw(amounts())
    kind = draw(st.sampled_from(("exact", "change", "card")))
    change = draw(amounts(minimum=1, maximum=10**5)) if kind == "change" else None
    return Payment(
        form_code=1 if kind == "card" else draw(st.sampled_from((0, 2, 301, 100_000))),
        form_name=draw(texts(Limit.LONGEST)),
        amount=amount,
        provided=None if change is None else amount + change,
        change=change,
        slip=draw(card_slips()) if kind == "card" else None,
    )


@st.composite
def tax_rows(draw: st.DrawFn) -> tuple[TaxRow, ...]:
    """Tax rows in the order of a document, one of a kind and letter."""
    keys = draw(st.sets(st.tuples(st.sampled_from((0, 1)), letters), max_size=4))
    return tuple(
        TaxRow(
            kind=kind,
            name=draw(texts(Limit.TAX_NAME)),
            letter=letter,
            rate=Rate(draw(st.integers(0, 10_000))),
            turnover=draw(amounts()),
            discounted_turnover=draw(amounts()),
            base=draw(amounts()),
            tax=draw(amounts()),
        )
        for kind, letter in sorted(keys)
    )


fiscal_numbers = st.integers(1, 10**12).map(str) | st.just("420.2.4812")


# --- documents ------------------------------------------------------------------------------------


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """Sales; their sums agree with their rounding, not with their lines."""
    unrounded = draw(amounts(minimum=100))
    discount = draw(st.none() | discounts())
    shared = discount is not None and draw(st.booleans())
    rounding = Money(draw(st.integers(-25, 25)))
    return Receipt(
        receipt_id=draw(uids),
        kind=ReceiptKind.SALE,
        lines=tuple(draw(st.lists(lines(shared=shared), min_size=1, max_size=4))),
        payments=tuple(draw(st.lists(payments(), min_size=1, max_size=3))),
        taxes=draw(tax_rows()),
        unrounded=unrounded,
        rounding=rounding,
        total=unrounded - rounding,
        issued_at=draw(moments()),
        cashier_id=draw(st.none() | uids),
        cashier_name=draw(st.none() | texts(Limit.CASHIER_NAME)),
        comment=draw(st.none() | texts(Limit.LONGEST)),
        discount=discount,
    )


@st.composite
def part_payments(draw: st.DrawFn) -> Receipt:
    """Prepayments, further payments and final settlements; each line says what is paid of it."""
    receipt = draw(receipts())
    kind = draw(st.sampled_from(PartPaymentKind))
    part = PartPayment(
        kind=kind,
        full=draw(amounts(minimum=1)),
        prepayment_fiscal_number=None
        if kind is PartPaymentKind.PREPAYMENT
        else draw(fiscal_numbers),
    )
    paid = tuple(replace(line, paid=draw(amounts())) for line in receipt.lines)
    return replace(receipt, lines=paid, part=part)


@st.composite
def returns(draw: st.DrawFn) -> Receipt:
    """Returns, on the register that sold and on others, of whole sales and of part payments."""
    original = st.builds(
        Original,
        fiscal_number=fiscal_numbers,
        register_fiscal_number=st.none() | st.integers(1, 10**12).map(str),
        day=st.none() | st.dates(date(2020, 1, 1), date(2099, 12, 31)),
        kind=st.just(ReceiptKind.SALE),
    )
    sale = draw(receipts() | part_payments())
    return replace(sale, kind=ReceiptKind.RETURN, original=draw(original))


@st.composite
def stornos(draw: st.DrawFn) -> Receipt:
    """Stornos as their documents tell of them: without amounts."""
    return replace(
        draw(receipts()),
        kind=ReceiptKind.STORNO,
        lines=(),
        payments=(),
        taxes=(),
        unrounded=ZERO,
        rounding=ZERO,
        total=ZERO,
        discount=None,
        original=Original(fiscal_number=draw(fiscal_numbers)),
    )


@st.composite
def cash_receipts(draw: st.DrawFn, kind: ReceiptKind) -> Receipt:
    """Service deposits, service issues and cash withdrawals."""
    total = draw(amounts(minimum=1))
    withdrawn = kind is ReceiptKind.CASH_WITHDRAWAL
    purposes = st.none() if withdrawn else st.none() | st.sampled_from(CashPurpose)
    slips = card_slips() | st.none() if withdrawn else st.none()
    withdrawals = st.builds(
        CashWithdrawal,
        commission=amounts(),
        recipient_name=st.none() | texts(Limit.LONGEST),
        recipient_number=st.none() | st.from_regex(r"[0-9]{6,12}", fullmatch=True),
        payer_name=st.none() | texts(Limit.LONGEST),
        payment_purpose=st.none() | texts(Limit.PAYMENT_PURPOSE),
    )
    cash = Payment(form_code=0, form_name="ГОТІВКА", amount=total, slip=draw(slips))
    return Receipt(
        receipt_id=draw(uids),
        kind=kind,
        lines=(),
        payments=(cash,),
        taxes=(),
        unrounded=total,
        rounding=ZERO,
        total=total,
        issued_at=draw(moments()),
        cashier_id=draw(st.none() | uids),
        cashier_name=draw(st.none() | texts(Limit.CASHIER_NAME)),
        comment=draw(st.none() | texts(Limit.LONGEST)),
        purpose=draw(purposes),
        withdrawal=draw(withdrawals) if withdrawn else None,
    )


@st.composite
def order_totals(draw: st.DrawFn) -> OrderTotals:
    """Totals of one direction, empty ones among them."""
    count = draw(st.integers(0, 1_000))
    if count == 0:
        return OrderTotals()
    unrounded = draw(amounts(minimum=100))
    rounding = draw(st.just(ZERO) | st.integers(-10_000, 10_000).map(Money))
    return OrderTotals(
        count=count,
        total=unrounded - rounding,
        unrounded=unrounded,
        rounding=rounding,
        payments=tuple(
            draw(
                st.lists(
                    st.builds(
                        PaymentFormTotal,
                        form_code=st.integers(0, 100_000),
                        form_name=texts(Limit.LONGEST),
                        amount=amounts(),
                    ),
                    max_size=3,
                )
            )
        ),
        taxes=draw(tax_rows()),
    )


def z_reports() -> st.SearchStrategy[ZReport]:
    """Z-reports of full and empty shifts."""
    return st.builds(
        ZReport,
        z_report_id=uids,
        totals=st.builds(
            ShiftTotals,
            sales=order_totals(),
            returns=order_totals(),
            service_deposits=amounts(),
            service_issues=amounts(),
            withdrawals=st.none()
            | st.builds(
                WithdrawalTotals,
                count=st.integers(1, 1_000),
                total=amounts(),
                commission=amounts(),
            ),
        ),
    )


@st.composite
def fiscal_documents(draw: st.DrawFn) -> FiscalDocument:
    """Documents of every kind."""
    kind = draw(st.sampled_from([kind for kind in DocumentKind if kind is not DocumentKind.OTHER]))
    content: DocumentContent
    heading = draw(headings())
    match kind:
        case DocumentKind.SALE:
            content = draw(receipts() | part_payments())
        case DocumentKind.RETURN:
            content = draw(returns())
        case DocumentKind.STORNO:
            content = draw(stornos())
        case (
            DocumentKind.SERVICE_DEPOSIT | DocumentKind.SERVICE_ISSUE | DocumentKind.CASH_WITHDRAWAL
        ):
            content = draw(cash_receipts(ReceiptKind(kind.value)))
        case DocumentKind.Z_REPORT:
            content = draw(z_reports())
        case DocumentKind.SHIFT_OPENING:
            content = ShiftOpening()
        case DocumentKind.SHIFT_CLOSING:
            content = ShiftClosingContent()
        case DocumentKind.OFFLINE_BEGIN:
            content = OfflineBegin(draw(st.none() | st.booleans()))
            heading = replace(heading, testing=False)
        case DocumentKind.OFFLINE_END:
            content = OfflineEnd()
            heading = replace(heading, testing=False)
    return FiscalDocument(kind=kind, heading=heading, content=content)
