"""Official samples of lines and money, rebuilt from what a till would ask and compared element by element.

Every difference stands in the test, with both values and the reason; one that is no longer there fails it. The samples
that do not add up, and so follow from no input, are named in the protocol reference (§3.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from domain.clock import KYIV
from domain.documents.receipt import CardSlip
from domain.documents.shift import DocumentKind, FiscalDocument, Heading, Seller
from domain.documents.xml import read_document, to_xml
from domain.money import Money, Quantity, Rate
from domain.sale import (
    CardPayment,
    CashPayment,
    DiscountRequest,
    LineRequest,
    OtherPayment,
    SaleRequest,
    price_sale,
)
from domain.taxes.rates import STANDARD_GROUPS
from tests import examples
from tests.unit.domain.documents.official_samples import PAYMENT_FORMS, TWO_TAXES
from tests.unit.domain.documents.test_xml import worked_examples

Values = tuple[str, ...]

ALWAYS = {
    "CHECKTAX/ROW/SIGN": "We state that taxes are inside the price; the samples leave it out, which means the same.",
    "CHECKTAX/ROW/TURNOVERDISCOUNT": "We always write it, so that the service's totals have it.",
}
"""What only our documents have, in every sample that has taxes."""


@dataclass(frozen=True)
class Sample:
    """An official document, what a till would ask for to get it, and every difference: theirs, ours, why."""

    request: SaleRequest
    heading: Heading
    cash_step: Money = Money(50)
    differences: dict[str, tuple[Values, Values, str]] = field(default_factory=dict)


def heading(
    uid: str,
    seller: Seller,
    *,
    at: datetime,
    number: int,
    desk: int,
    register: str,
    cashier: str,
) -> Heading:
    return Heading(
        uid=UUID(uid),
        seller=seller,
        register_fiscal_number=register,
        register_local_number=desk,
        local_number=number,
        at=at.replace(tzinfo=KYIV).astimezone(UTC),
        cashier_name=cashier,
    )


def goods(
    name: str, price: int, letters: str, *, code: str, quantity: int = 1000, **more: object
) -> LineRequest:
    return LineRequest(
        name=name,
        quantity=Quantity(quantity),
        price=Money(price),
        letters=letters,
        code=code,
        **more,  # type: ignore[arg-type]
    )


OLD_VERSION = (
    ("0",),
    ("1",),
    "Samples of 2020 show format version 0 as well; the current one is 1.",
)
NUMBER_IS_THE_SERVERS = "The sample is the service's copy; a register leaves the number out online."

SAMPLES = {
    "check01(Знижки).xml": Sample(
        request=SaleRequest(
            lines=(
                goods(
                    "морква", 10_000, "А", code="12345", unit_code=2009, unit_name="шт",
                    discount=DiscountRequest(percent=Rate(5000)),
                ),
                goods(
                    "цибуля", 20_000, "Б", code="54321", unit_code=2009, unit_name="шт",
                    discount=DiscountRequest(percent=Rate(2000)),
                ),
            ),
            payments=(CashPayment(),),
        ),
        heading=heading(
            "B74BF444-A878-4078-B70F-974349ADD30D",
            Seller(
                tax_id="1212031212",
                vat_number="001212031212",
                name="test",
                unit_name="Силосна траншея",
                unit_address="УКРАЇНА, АВТОНОМНА РЕСПУБЛІКА КРИМ Чернігівька обл.с.Шабалинів",
            ),
            at=datetime(2020, 10, 13, 16, 11, 5),  # noqa: DTZ001 (Kyiv time, made aware by the helper)
            number=133, desk=1014, register="4000001614", cashier="Павленко П. П.",
        ),
    ),
    "check01(Заокруглення).xml": Sample(
        request=SaleRequest(
            lines=(
                goods("Мыло Детское", 1257, "А", code="10", uktzed="2008999100", unit_name="шт"),
            ),
            payments=(CashPayment(provided=Money(2000)),),
        ),
        heading=heading(
            "87C8FDE8-FD91-4639-80EE-9E10A6BA1A9D",
            Seller(
                tax_id="34554363",
                vat_number="123456789020",
                name="Тестовий платник 4",
                unit_name="Інтернет-магазин автоаксесуарів",
                unit_address="УКРАЇНА, В\u0049ННИЦЬКА ОБЛ., М. ВІННИЦЯ, вул. Янгеля, 4",
            ),
            at=datetime(2020, 10, 13, 13, 18, 16),  # noqa: DTZ001
            number=8, desk=121, register="4000038158", cashier="Тестовий платник 4 (Тест)",
        ),
        cash_step=Money(10),
        differences={
            "CHECKHEAD/VER": OLD_VERSION,
            "CHECKHEAD/ORDERTAXNUM": (("195865",), (), NUMBER_IS_THE_SERVERS),
            "CHECKTAX/ROW/SOURCESUM": ((), ("12.57",), "We always write what the tax is taken from."),
            "CHECKTAX/ROW/SUM": (
                ("2.09",),
                ("2.10",),
                "12.57 × 20 ÷ 120 is 2.095: the one tie of the samples goes down, ours go up.",
            ),
        },
    ),
    "check01(Два податки).xml": Sample(
        request=SaleRequest(
            lines=(
                goods(
                    'Вино розливне "Каберне Совиньон Винодельческая станция"', 2599, "АГ",
                    code="22", quantity=10_000, uktzed="2710124512", unit_name="л",
                    excise_stamps=("AATE508932 0000412168",),
                ),
            ),
            payments=(CardPayment(amount=Money(25_990)),),
        ),
        heading=heading(
            "73617BB1-CC9F-4023-9213-19B5012B93FE",
            Seller(
                tax_id="99900000",
                vat_number="999000000009",
                name='ТОВ "Тест"',
                unit_name='Кафе "Пончик"',
                unit_address="ПІВНІЧНО-ЗАХІДНА ЧАСТИНА ШЕЛЬФУ ЧОРНОГО МОРЯ",
            ),
            at=datetime(2020, 11, 24, 15, 43, 31),  # noqa: DTZ001
            number=489, desk=1, register="4000004601",
            cashier='Печатка №55555 для РРО Товариство з обмеженою відповідальністю "',
        ),
        differences={
            "CHECKHEAD/VER": OLD_VERSION,
            "CHECKHEAD/ORDERTAXNUM": (("177086",), (), NUMBER_IS_THE_SERVERS),
            "CHECKPAY/ROW/PROVIDED": (
                ("259.90",), (), "The schema's remark: not stated where there is no change."
            ),
        },
    ),
    "check01(Засоби оплат).xml": Sample(
        request=SaleRequest(
            lines=(
                goods(
                    "Книга ", 10_000, "А", code="00000159965", barcode="234434343434",
                    unit_code=2009, unit_name="шт",
                ),
            ),
            payments=(
                CashPayment(provided=Money(5000)),
                OtherPayment(
                    code=301,
                    name="КАРТКА",
                    amount=Money(100),
                    slip=CardSlip(
                        payment_system="Visa Credit",
                        acquirer_name="Тест Банк",
                        paid_at=datetime(2025, 2, 24, 18, 44, 40, tzinfo=KYIV),
                        slip_number="800",
                        terminal_id="T0261154",
                        masked_card="479072**********",
                        authorisation_code="130432",
                    ),
                ),
                OtherPayment(code=306, name="ПЕРЕКАЗ З ПОТОЧНОГО РАХУНКУ", amount=Money(2000)),
                OtherPayment(code=305, name="СЕРТИФІКАТ", amount=Money(1000)),
                OtherPayment(code=100_000, name="ПРЯМИЙ ДЕБЕТ", amount=Money(1900)),
            ),
        ),
        heading=heading(
            "E8CCC4E4-8E4E-493B-8DCA-C89E5EF31B1D",
            Seller(
                tax_id="34554363",
                vat_number="123456789020",
                name='ТОВ "Тестування ПРРО"',
                unit_name='Магазин "Тестування"',
                unit_address="УКРАЇНА, М.КИЇВ",
            ),
            at=datetime(2025, 2, 24, 17, 40, 45),  # noqa: DTZ001
            number=4434, desk=323, register="4000365578", cashier="Тест С. К.",
        ),
        differences={
            "CHECKPAY/ROW/PROVIDED": (
                ("50.00",), (), "The schema's remark: not stated where there is no change."
            ),
            "CHECKPAY/ROW/REMAINS": (("0.00",), (), "The same."),
        },
    ),
}  # fmt: skip

WORKED_SALE = Sample(
    request=SaleRequest(
        lines=(
            goods(
                "Вино столове, 0,75 л", 18_000, "АГ", code="1001", quantity=2000,
                barcode="4820000000017", uktzed="2204219700", unit_code=2009, unit_name="шт",
                excise_stamps=("ABCD123456", "ABCD123457"),
                discount=DiscountRequest(amount=Money(1000)),
            ),
            goods("Хліб житній", 2748, "А", code="1002", unit_code=2009, unit_name="шт"),
            goods("Сироп від кашлю", 8520, "Б", code="1003", unit_code=2009, unit_name="шт"),
        ),
        payments=(
            CardPayment(amount=Money(30_000), slip=examples.CARD_SLIP),
            CashPayment(provided=Money(20_000)),
        ),
    ),
    heading=heading(
        "7E5A01F7-0B1C-4D2E-8F30-A1B2C3D401F7",
        examples.SELLER,
        at=datetime(2026, 11, 5, 10, 15, 4),  # noqa: DTZ001
        number=503, desk=7, register="4000777001", cashier="Приклад О. П.",
    ),
)  # fmt: skip
"""Worked example 11.3 of the protocol reference."""


def rebuilt(sample: Sample) -> bytes:
    """The document that the till's request becomes."""
    receipt = price_sale(
        sample.request,
        receipt_id=sample.heading.uid,
        tax_groups=STANDARD_GROUPS,
        cash_step=sample.cash_step,
        issued_at=sample.heading.at,
        cashier_id=None,
        cashier_name=sample.heading.cashier_name,
    )
    return to_xml(FiscalDocument(kind=DocumentKind.SALE, heading=sample.heading, content=receipt))


def elements(data: bytes) -> list[tuple[str, str | None, str]]:
    """Every element as path, ROWNUM and text, in order; quantities get three digits."""
    return list(_elements(etree.fromstring(data), ""))


def _elements(parent: etree._Element, path: str) -> Iterator[tuple[str, str | None, str]]:
    for child in parent.iterchildren("*"):
        at = f"{path}/{child.tag}" if path else str(child.tag)
        text = (child.text or "").strip()
        yield at, child.get("ROWNUM"), f"{Decimal(text):.3f}" if child.tag == "AMOUNT" else text
        yield from _elements(child, at)


def check_rebuilt(sample: Sample, theirs: bytes, *, always: dict[str, str]) -> None:
    compare(rebuilt(sample), theirs, differences=sample.differences, always=always)


def compare(
    written: bytes,
    theirs: bytes,
    *,
    differences: dict[str, tuple[Values, Values, str]],
    always: dict[str, str],
) -> None:
    """Two documents are the same, element for element, but for the differences, each of which is there."""
    ours, official = elements(written), elements(theirs)

    for path, (their_values, our_values, reason) in differences.items():
        assert tuple(text for at, _, text in official if at == path) == their_values, path
        assert tuple(text for at, _, text in ours if at == path) == our_values, reason
    for path, reason in always.items():
        assert not [row for row in official if row[0] == path], path
        assert [row for row in ours if row[0] == path], reason
    explained = {*differences, *always}
    assert [row for row in ours if row[0] not in explained] == [
        row for row in official if row[0] not in explained
    ]


@pytest.fixture(scope="module")
def official(shared_folder: Path) -> dict[str, bytes]:
    folder = shared_folder / "reference" / "fiscal-server" / "examples"
    here = {"check01(Два податки).xml": TWO_TAXES, "check01(Засоби оплат).xml": PAYMENT_FORMS}
    return {name: here.get(name) or (folder / name).read_bytes() for name in SAMPLES}


@pytest.mark.parametrize("name", SAMPLES)
def test_official_sample_follows_from_what_a_till_asks(
    name: str, official: dict[str, bytes]
) -> None:
    check_rebuilt(SAMPLES[name], official[name], always=ALWAYS)


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_of_the_official_sample_is_unread(name: str, official: dict[str, bytes]) -> None:
    assert read_document(official[name]).unread == ()


def test_worked_sale_follows_from_what_a_till_asks(shared_folder: Path) -> None:
    check_rebuilt(WORKED_SALE, worked_examples(shared_folder)["11.3"], always={})


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        *((name, edition) for name in (*SAMPLES, "rich") for edition in ("xsd-newer", "xsd-2023")),
        # The merchant's id at the acquirer came with the newer edition.
        ("worked", "xsd-newer"),
    ],
)
def test_what_we_write_is_valid_against_the_official_schema(
    name: str, edition: str, shared_folder: Path
) -> None:
    match name:
        case "worked":
            ours = rebuilt(WORKED_SALE)
        case "rich":
            ours = to_xml(examples.RICH_SALE_DOCUMENT)
        case _:
            ours = rebuilt(SAMPLES[name])
    path = shared_folder / "reference" / "fiscal-server" / edition / "check01.xsd"
    etree.XMLSchema(etree.parse(path)).assertValid(etree.fromstring(ours))
