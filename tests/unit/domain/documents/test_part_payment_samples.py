"""Official samples of part payments and their returns, rebuilt from what a till would ask for, element by element.

Every difference stands in the test, with both values and the reason; one that is no longer there fails it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from domain.documents.receipt import (
    Original,
    PartPayment,
    PartPaymentKind,
    Receipt,
    ReceiptKind,
)
from domain.documents.shift import DocumentKind, FiscalDocument, Heading, Seller
from domain.documents.xml import from_xml, read_document, to_xml
from domain.money import Money
from domain.part_payment import (
    LaterPaymentRequest,
    PrepaymentRequest,
    price_later_payment,
    price_prepayment,
)
from domain.refund import ReturnRequest, price_return
from domain.returns import SoldReceipt
from domain.sale import CardPayment, CashPayment, LineRequest, SaleRequest
from domain.sold_lines import sold_lines
from domain.taxes.rates import STANDARD_GROUPS
from tests import examples
from tests.unit.domain.documents.test_official_samples import (
    ALWAYS,
    Values,
    compare,
    goods,
    heading,
)
from tests.unit.domain.documents.test_xml import worked_examples

SELLER = Seller(
    tax_id="11100111",
    vat_number=None,
    name='ТОВ "Тестування ПРРО"',
    unit_name='Магазин "Тестування"',
    unit_address="УКРАЇНА, м. Киев, Адреса",
)
BOOK = goods(
    "Книга Забагато щастя", 11_500, "А", code="00000159965", barcode="9786176793298",
    unit_code=2009, unit_name="шт",
)  # fmt: skip
FLIES = goods(
    "Книга Білі мухи налетіли", 5_900, "", code="00000146461", barcode="9786176793366",
    unit_code=2009, unit_name="шт",
)  # fmt: skip
ROUNDED_SELLER = Seller(
    tax_id="00100100",
    vat_number=None,
    name='ТОВ "Тестування ПРРО 00100100"',
    unit_name='БУТИК "BELL&OK"',
    unit_address=SELLER.unit_address,
)


def head(uid: str, time: str, number: int, cashier: str, seller: Seller = SELLER) -> Heading:
    return heading(
        uid,
        seller,
        at=datetime.strptime(time, "%d%m%Y%H%M%S"),  # noqa: DTZ007 (Kyiv time, made aware by the helper)
        number=number,
        desk=1,
        register="4000006017",
        cashier=cashier,
    )


def prepaid(
    head: Heading, amount: int, line: LineRequest = BOOK, *, step: int = 50, **more: object
) -> Receipt:
    """A prepayment as a till asks for it."""
    request = SaleRequest(lines=(line,), **{"payments": (CashPayment(),), **more})  # type: ignore[arg-type]
    return price_prepayment(
        PrepaymentRequest(goods=request, amount=Money(amount)),
        receipt_id=head.uid,
        tax_groups=STANDARD_GROUPS,
        cash_step=Money(step),
        issued_at=head.at,
        cashier_id=None,
        cashier_name=head.cashier_name,
    )


def paid_on(head: Heading, names: str, amount: int | None) -> Receipt:
    """A payment on a prepayment of 15.00, after another one of 15.00 where it is the final settlement."""
    prepayment = prepaid(head, 1_500)
    sold = sold_of(prepayment)
    request = LaterPaymentRequest(
        payments=(CashPayment(),), amount=None if amount is None else Money(amount)
    )
    if request.kind is PartPaymentKind.FINAL:
        sold.reserve_payment(
            payment_id=examples.SALE.receipt_id,
            register_id=sold.register_id,
            amount=Money(1_500),
            at=head.at,
        )
    return price_later_payment(
        request,
        prepayment=prepayment,
        part=PartPayment(request.kind, Money(11_500), names),
        taken=[line.cost for line in sold.payment(request.amount)],
        receipt_id=head.uid,
        cash_step=Money(50),
        issued_at=head.at,
        cashier_id=None,
        cashier_name=head.cashier_name,
    )


def sold_of(receipt: Receipt) -> SoldReceipt:
    return SoldReceipt(
        id=receipt.receipt_id,
        register_id=examples.SALE.receipt_id,
        receipt_id=receipt.receipt_id,
        lines=sold_lines(receipt),
        total=receipt.total,
    )


def given_back(head: Heading, part: Receipt, original: str) -> Receipt:
    """The return of a part payment."""
    return price_return(
        ReturnRequest(payments=(CashPayment(),)),
        sale=part,
        taken=sold_of(part).part(None),
        original=Original(original, kind=ReceiptKind.SALE),
        receipt_id=head.uid,
        cash_step=Money(50),
        issued_at=head.at,
        cashier_id=None,
        cashier_name=head.cashier_name,
    )


@dataclass(frozen=True)
class Sample:
    """What a till's request becomes, and every difference to the official document: theirs, ours, why."""

    heading: Heading
    receipt: Receipt
    differences: dict[str, tuple[Values, Values, str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=lambda: ALWAYS)

    @property
    def document(self) -> bytes:
        kind = DocumentKind(self.receipt.kind.value)
        return to_xml(FiscalDocument(kind=kind, heading=self.heading, content=self.receipt))


FIRST = "E09ED732-E6A9-4AE9-8E13-E57EF8771D66"
RETURNED = "E9E13613-2E8B-462E-AAB4-1F3B7D436999"
PREPAID = head(FIRST, "10112023121653", 2494, "Тест С. К.")
FURTHER = head(FIRST, "10112023122653", 2502, "Тест С. К.")
FINAL = head(FIRST, "10112023121953", 2498, "Тест С. К.")
ROUNDED = head(
    "DE93DEAC-87B4-4C54-AB05-46E7555964F3", "13112023151911", 2604, "Тест Д. И.", ROUNDED_SELLER
)
BACK = head(RETURNED, "10112023135022", 2545, "Тест Д. И.")
FINAL_BACK = head("5C8760C3-8CBD-451A-8D1A-B9AA4404A8C4", "10112023135528", 2550, "Тест Д. И.")

SAMPLES = {
    "Передплата": Sample(PREPAID, prepaid(PREPAID, 1_500)),
    "Чергова сплата": Sample(FURTHER, paid_on(FURTHER, "1317959", 1_500)),
    "Остаточний розрахунок": Sample(FINAL, paid_on(FINAL, "1317959", None)),
    "Передплата Заокруглення": Sample(
        ROUNDED,
        prepaid(ROUNDED, 2_534, FLIES, step=10, comment="Залишок до сплати 33,66 грн."),
        differences={
            "CHECKBODY/ROW/COMMENT": (
                ("Аванс 25,34 грн.",),
                (),
                "Our lines have no text of their own; what is paid of a line stands in its PARTPAYSUM.",
            ),
        },
        always={},
    ),
    "Повернення Передплата": Sample(BACK, given_back(BACK, prepaid(PREPAID, 1_500), "1318099")),
    "Повернення Чергова сплата": Sample(
        BACK, given_back(BACK, paid_on(FURTHER, "1318104", 1_500), "1318099")
    ),
    "Повернення Остаточний розрахунок": Sample(
        FINAL_BACK, given_back(FINAL_BACK, paid_on(FINAL, "1318104", None), "1318104")
    ),
}


def official(shared_folder: Path, name: str) -> bytes:
    """An official sample; the one whose shop is called BELL&OK is no XML before its ampersand is escaped."""
    folder = shared_folder / "reference" / "fiscal-server" / "examples"
    published = (folder / f"check01(Часткова сплата {name}).xml").read_bytes()
    return published.replace(b"BELL&OK", b"BELL&amp;OK")


@pytest.mark.parametrize("name", SAMPLES)
def test_official_sample_follows_from_what_a_till_asks(name: str, shared_folder: Path) -> None:
    sample = SAMPLES[name]
    compare(
        sample.document,
        official(shared_folder, name),
        differences=sample.differences,
        always=sample.always,
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_the_official_sample_is_read_and_written_again(name: str, shared_folder: Path) -> None:
    sample, theirs = SAMPLES[name], official(shared_folder, name)
    assert read_document(theirs).unread == tuple(sample.differences)
    compare(to_xml(from_xml(theirs)), theirs, differences=sample.differences, always=sample.always)


@pytest.mark.parametrize("edition", ["xsd-newer", "xsd-2023"])
@pytest.mark.parametrize("name", SAMPLES)
def test_what_we_write_is_valid_against_the_official_schema(
    name: str, edition: str, shared_folder: Path
) -> None:
    path = shared_folder / "reference" / "fiscal-server" / edition / "check01.xsd"
    etree.XMLSchema(etree.parse(path)).assertValid(etree.fromstring(SAMPLES[name].document))


def test_worked_prepayment_follows_from_what_a_till_asks(shared_folder: Path) -> None:
    """Worked example 11.12 of the protocol reference: 25 % of a book."""
    at = heading(
        "7E5A0208-0B1C-4D2E-8F30-A1B2C3D40208",
        examples.SELLER,
        at=datetime(2026, 11, 6, 15, 0, 0),  # noqa: DTZ001 (Kyiv time, made aware by the helper)
        number=520,
        desk=7,
        register="4000777001",
        cashier="Приклад О. П.",
    )
    book = goods("Книга", 12_000, "А", code="2001", unit_code=2009, unit_name="шт")
    receipt = prepaid(at, 3_000, book, payments=(CardPayment(Money(3_000)),))
    compare(
        Sample(at, receipt).document,
        worked_examples(shared_folder)["11.12"],
        differences={},
        always=ALWAYS,
    )
