"""One canonical example of each thing; the same invented shop everywhere."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from domain.digest import sha256
from domain.documents.offline import OfflineBegin, OfflineEnd, OfflineMark
from domain.documents.receipt import (
    CardSlip,
    CashPurpose,
    CashWithdrawal,
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
from domain.identifiers import OfflineNumber
from domain.money import ZERO, Money, Quantity, Rate
from domain.part_payment import (
    LaterPaymentRequest,
    PrepaymentRequest,
    price_later_payment,
    price_prepayment,
)
from domain.sale import (
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
    price_sale,
)
from domain.taxes.rates import STANDARD_GROUPS

# --- documents ------------------------------------------------------------------------------------

SELLER = Seller(
    tax_id="99900011",
    vat_number="999000110019",
    name='ТОВ "Калина-Приклад"',
    unit_name='Магазин "Калина"',
    unit_address="УКРАЇНА, М. ЛЬВІВ, вул. Вигадана, 5",
)
"""Pays VAT."""

SELLER_WITHOUT_VAT = Seller(
    tax_id="1234567890",
    vat_number=None,
    name="ФОП Приклад Олена Петрівна",
    unit_name="Кав'ярня <Зерно & Зернятко>",
    unit_address=None,
)
"""A sole proprietor whose unit has an awkward name."""


def heading(
    local_number: int,
    at: datetime,
    *,
    seller: Seller = SELLER,
    testing: bool = False,
    cashier_name: str | None = "Приклад О. П.",
    offline: OfflineMark | None = None,
) -> Heading:
    """The head of a document of register 4000777001."""
    return Heading(
        uid=UUID(int=0x7E5A00000B1C4D2E8F30A1B2C3D40000 + local_number),
        seller=seller,
        register_fiscal_number="4000777001",
        register_local_number=7,
        local_number=local_number,
        at=at,
        cashier_name=cashier_name,
        testing=testing,
        offline=offline,
    )


BREAD = Line(
    name="Хліб житній",
    quantity=Quantity(1_000),
    price=Money(2748),
    cost=Money(2748),
    letters="А",
    code="1002",
    unit_code=2009,
    unit_name="шт",
)
SYRUP = Line(
    name="Сироп від кашлю",
    quantity=Quantity(1_000),
    price=Money(8520),
    cost=Money(8520),
    letters="Б",
    code="1003",
    barcode="4820000000031",
    unit_code=2009,
    unit_name="шт",
)
WINE = Line(
    name="Вино столове, 0,75 л",
    quantity=Quantity(2_000),
    price=Money(18000),
    cost=Money(36000),
    letters="АГ",
    code="1001",
    barcode="4820000000017",
    uktzed="2204219700",
    unit_code=2009,
    unit_name="шт",
)
CHEESE = Line(
    name="Сир твердий «Приклад», ваговий",
    quantity=Quantity(335),
    price=Money(42000),
    cost=Money(14070),
    letters="А",
    unit_name="кг",
)
COFFEE = Line(
    name="Кава",
    quantity=Quantity(1_000),
    price=Money(6500),
    cost=Money(6500),
    letters="",
)

CARD_SLIP = CardSlip(
    payment_system="ПРОСТІР",
    acquirer_id="700123456",
    acquirer_name='АТ "Банк-Приклад"',
    transaction_id="630812345678",
    paid_at=datetime(2026, 11, 5, 8, 15, 2, tzinfo=UTC),
    slip_number="000482",
    terminal_id="S1EX0007",
    masked_card="9804********1234",
    authorisation_code="204518",
    commission=ZERO,
)

SALE = Receipt(
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f7"),
    kind=ReceiptKind.SALE,
    lines=(WINE, BREAD, SYRUP, CHEESE),
    payments=(
        Payment(
            form_code=0,
            form_name="ГОТІВКА",
            amount=Money(31350),
            provided=Money(50000),
            change=Money(18650),
        ),
        Payment(form_code=1, form_name="КАРТКА", amount=Money(30000), slip=CARD_SLIP),
    ),
    taxes=(
        TaxRow(
            kind=0,
            name="ПДВ",
            letter="А",
            rate=Rate(2000),
            turnover=Money(52818),
            discounted_turnover=Money(52818),
            base=Money(51104),
            tax=Money(8517),
        ),
        TaxRow(
            kind=0,
            name="ПДВ",
            letter="Б",
            rate=Rate(700),
            turnover=Money(8520),
            discounted_turnover=Money(8520),
            base=Money(8520),
            tax=Money(557),
        ),
        TaxRow(
            kind=1,
            name="Акциз",
            letter="Г",
            rate=Rate(500),
            turnover=Money(36000),
            discounted_turnover=Money(36000),
            base=Money(36000),
            tax=Money(1714),
        ),
    ),
    unrounded=Money(61338),
    rounding=Money(-12),
    total=Money(61350),
    issued_at=datetime(2026, 11, 5, 8, 15, 4, tzinfo=UTC),
    cashier_id=None,
    cashier_name="Приклад О. П.",
    comment="Замовлення № 77",
)
"""Two VAT rates, an excise, goods by weight, cash with change and a card, 613.38 rounded to 613.50."""

PLAIN_SALE = Receipt(
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f8"),
    kind=ReceiptKind.SALE,
    lines=(COFFEE,),
    payments=(Payment(form_code=0, form_name="ГОТІВКА", amount=Money(6500)),),
    taxes=(),
    unrounded=Money(6500),
    rounding=ZERO,
    total=Money(6500),
    issued_at=datetime(2026, 7, 1, 5, 30, tzinfo=UTC),
    cashier_id=None,
    cashier_name=None,
)
"""One line without tax, exact cash."""

RETURN = Receipt(
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f9"),
    kind=ReceiptKind.RETURN,
    lines=(BREAD,),
    payments=(Payment(form_code=0, form_name="ГОТІВКА", amount=Money(2750)),),
    taxes=(
        TaxRow(
            kind=0,
            name="ПДВ",
            letter="А",
            rate=Rate(2000),
            turnover=Money(2748),
            discounted_turnover=Money(2748),
            base=Money(2748),
            tax=Money(458),
        ),
    ),
    unrounded=Money(2748),
    rounding=Money(-2),
    total=Money(2750),
    issued_at=datetime(2026, 11, 5, 9, 30, 15, tzinfo=UTC),
    cashier_id=None,
    cashier_name="Приклад О. П.",
    original=Original(
        fiscal_number="3600000103",
        kind=ReceiptKind.SALE,
        receipt_id=SALE.receipt_id,
        register_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40003"),
    ),
)
"""One line of `SALE` on its own register, paid out in cash: 27.48 rounded to 27.50."""

RETURN_ELSEWHERE = replace(
    RETURN,
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401fa"),
    payments=(Payment(form_code=1, form_name="КАРТКА", amount=Money(2748), slip=CARD_SLIP),),
    rounding=ZERO,
    total=Money(2748),
    comment="Не підійшло",
    original=Original(
        fiscal_number="3599990042",
        register_fiscal_number="4000777002",
        day=date(2026, 11, 3),
        kind=ReceiptKind.SALE,
        receipt_id=SALE.receipt_id,
        register_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40009"),
    ),
)
"""The same on another register than the one that sold, to a card with its slip."""

STORNO = replace(
    PLAIN_SALE,
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401fb"),
    kind=ReceiptKind.STORNO,
    lines=(),
    taxes=(),
    cashier_name="Приклад О. П.",
    comment="Помилка касира",
    original=Original(
        fiscal_number="3600000104",
        kind=ReceiptKind.SALE,
        receipt_id=PLAIN_SALE.receipt_id,
        register_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40003"),
    ),
)
"""`PLAIN_SALE` is taken back; its document has no amounts."""
RICH_SALE = price_sale(
    SaleRequest(
        lines=(
            LineRequest(
                name="Вино столове, 0,75 л",
                quantity=Quantity(2_000),
                price=Money(18_000),
                letters="АГ",
                code="1001",
                uktzed="2204219700",
                unit_code=2009,
                unit_name="шт",
                excise_stamps=("ABCD123456", "ABCD123457"),
                discount=DiscountRequest(amount=Money(1_000), name="Ціна тижня"),
            ),
            LineRequest(
                name="Гравіювання <на келиху>",
                quantity=Quantity(1_000),
                price=Money(9_999),
                letters="А",
                dkpp="25.61.22-30.00",
                discount=DiscountRequest(
                    percent=Rate(1_250), surcharge=True, name="За терміновість"
                ),
            ),
            LineRequest(
                name="Сироп від кашлю",
                quantity=Quantity(3_000),
                price=Money(8_520),
                letters="Б",
                code="1003",
                discount=DiscountRequest(percent=Rate(750)),
            ),
        ),
        payments=(
            OtherPayment(code=305, name="СЕРТИФІКАТ", amount=Money(20_000)),
            OtherPayment(
                code=301,
                name="КАРТКА",
                amount=Money(10_000),
                slip=CardSlip(masked_card="9804********1234", authorisation_code="204519"),
            ),
            CashPayment(provided=Money(50_000)),
        ),
        discount=DiscountRequest(percent=Rate(500), name="Картка постійного покупця"),
    ),
    receipt_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401f9"),
    tax_groups=STANDARD_GROUPS,
    cash_step=Money(50),
    issued_at=datetime(2026, 11, 5, 8, 20, 30, tzinfo=UTC),
    cashier_id=None,
    cashier_name="Приклад О. П.",
)
"""Everything a line and a receipt may have: discounts and a surcharge, stamps, a service, a certificate."""


PREPAYMENT = price_prepayment(
    PrepaymentRequest(
        goods=SaleRequest(
            lines=(
                LineRequest(
                    name="Книга",
                    quantity=Quantity(1_000),
                    price=Money(12_000),
                    letters="А",
                    code="2001",
                    unit_code=2009,
                    unit_name="шт",
                    discount=DiscountRequest(percent=Rate(1_000), name="Ціна тижня"),
                ),
                LineRequest(
                    name="Вино столове, 0,75 л",
                    quantity=Quantity(1_000),
                    price=Money(18_000),
                    letters="АГ",
                    code="1001",
                    excise_stamps=("ABCD123458",),
                ),
            ),
            payments=(CashPayment(provided=Money(10_000)),),
            comment="Залишок до сплати 217,34 грн.",
        ),
        amount=Money(7_066),
    ),
    receipt_id=UUID("7e5a0208-0b1c-4d2e-8f30-a1b2c3d40208"),
    tax_groups=STANDARD_GROUPS,
    cash_step=Money(50),
    issued_at=datetime(2026, 11, 6, 13, 0, tzinfo=UTC),
    cashier_id=None,
    cashier_name="Приклад О. П.",
)
"""A part of the price of two things, one of them cheaper than on the shelf: 70.66 in cash, rounded to 70.50."""

SETTLEMENT = price_later_payment(
    LaterPaymentRequest(
        payments=(
            OtherPayment(
                code=1,
                name="КАРТКА",
                amount=PREPAYMENT.registered_total - PREPAYMENT.unrounded,
                slip=CARD_SLIP,
            ),
        )
    ),
    prepayment=PREPAYMENT,
    part=PartPayment(
        kind=PartPaymentKind.FINAL,
        full=PREPAYMENT.registered_total,
        prepayment_fiscal_number="3600000120",
        prepayment_receipt_id=PREPAYMENT.receipt_id,
        prepayment_register_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40003"),
    ),
    taken=[line.discounted - line.due for line in PREPAYMENT.lines],
    receipt_id=UUID("7e5a0209-0b1c-4d2e-8f30-a1b2c3d40209"),
    cash_step=Money(50),
    issued_at=datetime(2026, 11, 6, 14, 0, tzinfo=UTC),
    cashier_id=None,
    cashier_name="Приклад О. П.",
)
"""What `PREPAYMENT` leaves to pay, by card."""

PART_RETURN = replace(
    SETTLEMENT,
    receipt_id=UUID("7e5a020a-0b1c-4d2e-8f30-a1b2c3d4020a"),
    kind=ReceiptKind.RETURN,
    issued_at=datetime(2026, 11, 6, 15, 0, tzinfo=UTC),
    original=Original(
        fiscal_number="3600000121",
        kind=ReceiptKind.SALE,
        receipt_id=SETTLEMENT.receipt_id,
        register_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40003"),
    ),
)
"""`SETTLEMENT` comes back."""


def _cash_receipt(
    kind: ReceiptKind, number: int, kopecks: int, at: datetime, slip: CardSlip | None = None
) -> Receipt:
    cash = Payment(form_code=0, form_name="ГОТІВКА", amount=Money(kopecks), slip=slip)
    return Receipt(
        receipt_id=UUID(int=0x7E5A00000B1C4D2E8F30A1B2C3D40100 + number),
        kind=kind,
        lines=(),
        payments=(cash,),
        taxes=(),
        unrounded=Money(kopecks),
        rounding=ZERO,
        total=Money(kopecks),
        issued_at=at,
        cashier_id=None,
        cashier_name="Приклад О. П.",
    )


DEPOSIT = replace(
    _cash_receipt(
        ReceiptKind.SERVICE_DEPOSIT, 0xF6, 50_000, datetime(2026, 11, 5, 6, 56, 40, tzinfo=UTC)
    ),
    purpose=CashPurpose.CHANGE_FUND,
)
"""Change for the day, as in worked example 11.2."""

ISSUE = replace(
    _cash_receipt(
        ReceiptKind.SERVICE_ISSUE, 0xFD, 20_000, datetime(2026, 11, 5, 18, 45, tzinfo=UTC)
    ),
    purpose=CashPurpose.BANK_COLLECTION,
    comment="Інкасація, сумка № 17",
)
"""Cash for the bank, with the reason in words."""

WITHDRAWAL = replace(
    _cash_receipt(
        ReceiptKind.CASH_WITHDRAWAL,
        0xFB,
        50_000,
        datetime(2026, 11, 5, 11, 2, 10, tzinfo=UTC),
        CARD_SLIP,
    ),
    withdrawal=CashWithdrawal(
        commission=Money(500),
        recipient_name="Зразок Іван Петрович",
        recipient_number="111111111111",
        payer_name="Приклад О. П.",
        payment_purpose="Видача готівки держателю картки",
    ),
)
"""500 UAH to a card, for a commission of 5 UAH."""

SHIFT_OPENING_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SHIFT_OPENING,
    heading=heading(501, datetime(2026, 11, 5, 6, 55, 12, tzinfo=UTC)),
    content=ShiftOpening(),
)
SALE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE,
    heading=heading(503, SALE.issued_at),
    content=SALE,
)
RICH_SALE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE,
    heading=heading(505, RICH_SALE.issued_at),
    content=RICH_SALE,
)
PLAIN_SALE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE,
    heading=heading(
        504, PLAIN_SALE.issued_at, seller=SELLER_WITHOUT_VAT, testing=True, cashier_name=None
    ),
    content=PLAIN_SALE,
)
RETURN_DOCUMENT = FiscalDocument(
    kind=DocumentKind.RETURN, heading=heading(504, RETURN.issued_at), content=RETURN
)
RETURN_ELSEWHERE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.RETURN,
    heading=heading(505, RETURN_ELSEWHERE.issued_at),
    content=RETURN_ELSEWHERE,
)
PREPAYMENT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE, heading=heading(520, PREPAYMENT.issued_at), content=PREPAYMENT
)
SETTLEMENT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE, heading=heading(521, SETTLEMENT.issued_at), content=SETTLEMENT
)
PART_RETURN_DOCUMENT = FiscalDocument(
    kind=DocumentKind.RETURN, heading=heading(522, PART_RETURN.issued_at), content=PART_RETURN
)
STORNO_DOCUMENT = FiscalDocument(
    kind=DocumentKind.STORNO,
    heading=heading(506, datetime(2026, 11, 5, 10, 15, tzinfo=UTC)),
    content=STORNO,
)
DEPOSIT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SERVICE_DEPOSIT, heading=heading(502, DEPOSIT.issued_at), content=DEPOSIT
)
ISSUE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SERVICE_ISSUE, heading=heading(509, ISSUE.issued_at), content=ISSUE
)
WITHDRAWAL_DOCUMENT = FiscalDocument(
    kind=DocumentKind.CASH_WITHDRAWAL,
    heading=heading(507, WITHDRAWAL.issued_at),
    content=WITHDRAWAL,
)
Z_REPORT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.Z_REPORT,
    heading=heading(510, datetime(2026, 11, 5, 19, 0, 50, tzinfo=UTC)),
    content=ZReport(
        z_report_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d401fe"),
        totals=ShiftTotals(
            sales=OrderTotals().plus(SALE).plus(SALE),
            returns=OrderTotals(
                count=1,
                total=Money(2748),
                unrounded=Money(2748),
                payments=(PaymentFormTotal(form_code=1, form_name="КАРТКА", amount=Money(2748)),),
                taxes=(
                    TaxRow(
                        kind=0,
                        name="ПДВ",
                        letter="А",
                        rate=Rate(2000),
                        turnover=Money(2748),
                        discounted_turnover=Money(2748),
                        base=Money(2748),
                        tax=Money(458),
                    ),
                ),
            ),
            service_deposits=Money(50000),
            service_issues=Money(20000),
        ),
    ),
)
EMPTY_Z_REPORT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.Z_REPORT,
    heading=heading(515, datetime(2026, 11, 6, 19, 0, tzinfo=UTC), testing=True),
    content=ZReport(z_report_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40203"), totals=ShiftTotals()),
)
WITHDRAWALS_Z_REPORT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.Z_REPORT,
    heading=heading(517, datetime(2026, 11, 7, 19, 0, tzinfo=UTC)),
    content=ZReport(
        z_report_id=UUID("7e5a0000-0b1c-4d2e-8f30-a1b2c3d40205"),
        totals=ShiftTotals(
            service_deposits=Money(150_000),
            service_issues=Money(45_000),
            withdrawals=WithdrawalTotals(count=2, total=Money(105_000), commission=Money(1_050)),
        ),
    ),
)
SHIFT_CLOSING_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SHIFT_CLOSING,
    heading=heading(511, datetime(2026, 11, 5, 19, 1, 5, tzinfo=UTC)),
    content=ShiftClosingContent(),
)

OFFLINE_SEED = "100710382471"
"""Seed of session 21999."""


def offline_mark(number: int, control: int, *, after: str | None = None) -> OfflineMark:
    """A place in session 21999; `after` stands for the signed bytes of the document before."""
    return OfflineMark(
        fiscal_number=OfflineNumber(session_id="21999", number=number, control=control),
        previous_document_hash=None if after is None else sha256(after.encode()).hex(),
    )


OFFLINE_BEGIN_DOCUMENT = FiscalDocument(
    kind=DocumentKind.OFFLINE_BEGIN,
    heading=heading(
        521, datetime(2026, 11, 6, 14, 2, 10, tzinfo=UTC), offline=offline_mark(1, 9516)
    ),
    content=OfflineBegin(revoke_last_online_document=True),
)
OFFLINE_SALE_DOCUMENT = FiscalDocument(
    kind=DocumentKind.SALE,
    heading=heading(
        522, datetime(2026, 11, 6, 14, 2, 44, tzinfo=UTC), offline=offline_mark(2, 7529)
    ),
    content=PLAIN_SALE,
)
OFFLINE_STORNO_DOCUMENT = FiscalDocument(
    kind=DocumentKind.STORNO,
    heading=heading(
        523,
        datetime(2026, 11, 6, 14, 5, 30, tzinfo=UTC),
        offline=offline_mark(3, 3086, after="522"),
    ),
    content=replace(STORNO, original=Original(fiscal_number="21999.2.7529", kind=ReceiptKind.SALE)),
)
OFFLINE_Z_REPORT_DOCUMENT = FiscalDocument(
    kind=DocumentKind.Z_REPORT,
    heading=heading(
        524,
        datetime(2026, 11, 6, 15, 9, 59, tzinfo=UTC),
        offline=offline_mark(4, 5857, after="523"),
    ),
    content=EMPTY_Z_REPORT_DOCUMENT.content,
)
OFFLINE_END_DOCUMENT = FiscalDocument(
    kind=DocumentKind.OFFLINE_END,
    heading=heading(
        525,
        datetime(2026, 11, 6, 15, 10, tzinfo=UTC),
        offline=offline_mark(5, 2144, after="524"),
    ),
    content=OfflineEnd(),
)

DOCUMENTS = {
    "shift-opening": SHIFT_OPENING_DOCUMENT,
    "sale": SALE_DOCUMENT,
    "sale-plain": PLAIN_SALE_DOCUMENT,
    "return": RETURN_DOCUMENT,
    "return-elsewhere": RETURN_ELSEWHERE_DOCUMENT,
    "storno": STORNO_DOCUMENT,
    "sale-rich": RICH_SALE_DOCUMENT,
    "prepayment": PREPAYMENT_DOCUMENT,
    "settlement": SETTLEMENT_DOCUMENT,
    "part-return": PART_RETURN_DOCUMENT,
    "service-deposit": DEPOSIT_DOCUMENT,
    "service-issue": ISSUE_DOCUMENT,
    "cash-withdrawal": WITHDRAWAL_DOCUMENT,
    "z-report": Z_REPORT_DOCUMENT,
    "z-report-empty": EMPTY_Z_REPORT_DOCUMENT,
    "z-report-withdrawals": WITHDRAWALS_Z_REPORT_DOCUMENT,
    "shift-closing": SHIFT_CLOSING_DOCUMENT,
    "offline-begin": OFFLINE_BEGIN_DOCUMENT,
    "offline-sale": OFFLINE_SALE_DOCUMENT,
    "offline-storno": OFFLINE_STORNO_DOCUMENT,
    "offline-z-report": OFFLINE_Z_REPORT_DOCUMENT,
    "offline-end": OFFLINE_END_DOCUMENT,
}
"""Every kind of document by the name of its golden file in tests/golden/xml."""
