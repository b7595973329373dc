"""The official Z-report «Податки», rebuilt from four sales and a service issue that come to its figures.

The sample tells sums only, so the sales are ours. They give each of its sums, and its VAT of 169.94 as well: taken from
1019.67 at once that would be a tie, taken receipt by receipt it is none (reference §3.6).
"""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from lxml import etree

from domain.documents.receipt import CashPurpose
from domain.documents.shift import DocumentKind, FiscalDocument, ShiftTotals, ZReport
from domain.documents.xml import read_document, to_xml
from domain.drawer import DrawerSettings, IssueRequest, cash_receipt
from domain.money import Money, Quantity
from domain.sale import CardPayment, LineRequest, SaleRequest, price_sale
from domain.taxes.rates import STANDARD_GROUPS
from tests.unit.domain.documents.test_official_samples import ALWAYS, elements
from tests.unit.domain.documents.test_xml import schemas_of

AT = datetime(2020, 11, 25, 8, 0, tzinfo=UTC)

SALES = (
    {"АГ": 10_00, "А": 100_28},
    {"АГ": 275_89, "А": 647_12},
    {"В": 1122_99},
    {"Г": 525_02},
)
"""What was sold under which letters, in kopecks: excise of 13.62 is taken out of the first two before VAT."""

DIFFERENCES = {
    "ZREPHEAD/VER": (["0"], ["1"]),
}
"""Format version 0 was that of 2020."""


def totals() -> ShiftTotals:
    counted = ShiftTotals()
    for number, letters in enumerate(SALES):
        lines = tuple(
            LineRequest(name="Товар", quantity=Quantity(1000), price=Money(price), letters=letter)
            for letter, price in letters.items()
        )
        counted = counted.with_receipt(
            price_sale(
                SaleRequest(lines, (CardPayment(Money(sum(letters.values()))),)),
                receipt_id=UUID(int=number),
                tax_groups=STANDARD_GROUPS,
                cash_step=Money(50),
                issued_at=AT,
                cashier_id=None,
                cashier_name=None,
            )
        )
    issue = cash_receipt(
        IssueRequest(Money(4500_00), CashPurpose.BANK_COLLECTION),
        settings=DrawerSettings(),
        receipt_id=UUID(int=9),
        issued_at=AT,
        cashier_id=None,
        cashier_name=None,
    )
    return counted.with_receipt(issue)


def test_official_z_report_follows_from_receipts(shared_folder: Path) -> None:
    folder = shared_folder / "reference" / "fiscal-server" / "examples"
    sample = (folder / "zrep01(Податки).xml").read_bytes()
    heading = read_document(sample).heading
    ours = to_xml(
        FiscalDocument(
            kind=DocumentKind.Z_REPORT,
            heading=heading,
            content=ZReport(z_report_id=heading.uid, totals=totals()),
        )
    )

    for path, (theirs, mine) in DIFFERENCES.items():
        assert [row[2] for row in elements(sample) if row[0] == path] == theirs
        assert [row[2] for row in elements(ours) if row[0] == path] == mine
    added = {f"ZREPREALIZ/TAXES/{path.removeprefix('CHECKTAX/')}" for path in ALWAYS}
    assert added <= {row[0] for row in elements(ours)} - {row[0] for row in elements(sample)}
    explained = {*DIFFERENCES, *added}
    assert [row for row in elements(ours) if row[0] not in explained] == [
        row for row in elements(sample) if row[0] not in explained
    ]
    schemas_of(shared_folder)["ZREP"].assertValid(etree.fromstring(ours))
